"""Whether a code stands on a card or on a phone, judged by the straight edges around it in a camera frame.

On a citizen card the symbol is about a fifth of the card's shorter side, near its upper right corner; a phone that
shows it has it across half of the screen or more (identity-documents.md 1.3, 3). A phone may also show the picture of a
card, hands hide edges, and blur takes them away: what is not plain is unknown. The answer is information for staff and
enters no rate (interfaces, section 4).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from kiosk.model import Carrier

_UNIT: Final = 24  # pixels of the symbol's side when it is laid straight
_LEFT, _TOP, _RIGHT, _BOTTOM = -2.7, -1.8, 3.0, 2.7  # what is looked at, in sides of the symbol from its upper left
_STEP: Final = 2  # pixels from one side of an edge to the other
_LEANS: Final = (-0.06, -0.03, 0.0, 0.03, 0.06)  # of edges that should be parallel: corners are not exact
_CONTRAST: Final = 0.1  # of the symbol's own: less is no edge
_EDGE: Final = 0.8  # of a line's pixels change the same way by that much: an edge ...
_NO_EDGE: Final = 0.75  # ... or not
_SEEN: Final = 0.7  # of a line must be within the frame

_PHONE_MARGIN: Final = (0.12, 0.7)  # from the symbol to the sides of the screen
_UNEVEN: Final = 0.25  # a phone shows the symbol in its middle
_PHONE_ROWS: Final = (-0.5, 1.5)
_CARD_RIGHT: Final = (1.25, 1.9)
_CARD_TOP: Final = (-0.8, -0.2)
_CARD_ROWS: Final = (0.0, 2.4)
_CARD_COLUMNS: Final = (-2.5, 1.2)
_BLACK: Final = 0.3  # of the symbol's light: beside a card in a hand it is not as dark as beside a picture on a phone
_BEYOND: Final = 0.75  # around a card in a hand there is no further edge that follows it


def carrier_of(grey: NDArray[np.uint8], corners: Sequence[tuple[float, float]]) -> Carrier:
    """What the symbol at *corners* (x, y; upper left, upper right, lower right, lower left as one reads it) of *grey*,
    height x width, stands on; UNKNOWN unless it is plain. Never raises."""
    if grey.ndim != 2 or grey.dtype != np.uint8 or len(corners) != 4 or min(grey.shape) < _UNIT:
        return Carrier.UNKNOWN
    quad = np.array(corners, np.float32)
    if not np.isfinite(quad).all() or not cv2.isContourConvex(quad) or cv2.contourArea(quad) < _UNIT**2:
        return Carrier.UNKNOWN
    around = _laid_straight(grey, quad)
    phone, card = _is_phone(around), _is_card(around)
    if phone == card:
        return Carrier.UNKNOWN
    return Carrier.PHONE if phone else Carrier.CARD


@dataclass(frozen=True, slots=True)
class _Line:
    """Where a line is, in sides of the symbol, how much of it is an edge, and how much of what was searched is seen."""

    at: float
    edge: float
    seen: float


@dataclass(frozen=True, slots=True)
class _View:
    """What surrounds the symbol, laid straight; 1 for each pixel that is within the frame; where it begins, in sides of
    the symbol; the change of brightness that makes an edge; the brightness of a phone that is dark there."""

    flat: NDArray[np.float32]
    seen: NDArray[np.float32]
    left: float
    top: float
    least: float
    black: float

    def turned(self) -> _View:
        """With rows for columns."""
        flat, seen = np.ascontiguousarray(self.flat.T), np.ascontiguousarray(self.seen.T)
        return _View(flat, seen, self.top, self.left, self.least, self.black)

    def line(self, columns: tuple[float, float], rows: tuple[float, float]) -> _Line:
        """The upright line in *columns* that is most of an edge along *rows*; both in sides of the symbol."""
        upper, lower = (max(0, round((row - self.top) * _UNIT)) for row in rows)
        first, last = (max(_STEP, round((column - self.left) * _UNIT)) for column in columns)
        last = min(last, self.flat.shape[1] - _STEP)
        if lower - upper < _STEP or last - first < 1:
            return _Line(0.0, 0.0, 0.0)
        change = np.zeros_like(self.flat)
        change[:, _STEP:-_STEP] = self.flat[:, 2 * _STEP :] - self.flat[:, : -2 * _STEP]
        best = _Line(0.0, 0.0, float(self.seen[upper:lower, first:last].mean(axis=0).min()))
        middle = (upper + lower) / 2
        for lean in _LEANS:
            shear = np.array([[1, lean, -lean * middle], [0, 1, 0]])
            leaned, seen = (
                cv2.warpAffine(layer, shear, layer.shape[::-1])[upper:lower, first:last]
                for layer in (change, self.seen)
            )
            there = np.maximum(seen.sum(axis=0), 1e-6)
            mean = (leaned * seen).sum(axis=0) / there
            alike = ((leaned * np.sign(mean) >= self.least) * seen).sum(axis=0) / there
            alike[(np.abs(mean) < self.least) | (seen.mean(axis=0) < _SEEN)] = 0
            at = int(alike.argmax())
            if alike[at] > best.edge:
                best = _Line((first + at) / _UNIT + self.left, float(alike[at]), best.seen)
        return best

    def mean(self, columns: tuple[float, float], rows: tuple[float, float]) -> float:
        """The mean brightness there."""
        first, last = (round((column - self.left) * _UNIT) for column in columns)
        upper, lower = (round((row - self.top) * _UNIT) for row in rows)
        return float(self.flat[upper:lower, first:last].mean())


def _is_phone(view: _View) -> bool:
    """Both sides of a screen stand beside the symbol, as far on the left as on the right, and go on above and below."""
    near, far = _PHONE_MARGIN
    left, right = view.line((-far, -near), _PHONE_ROWS), view.line((1 + near, 1 + far), _PHONE_ROWS)
    even = abs(-left.at - (right.at - 1)) < _UNEVEN
    return even and min(left.edge, right.edge) >= _EDGE


def _is_card(view: _View) -> bool:
    """The symbol is near the upper right corner of something that goes on to the left and below, and ends there."""
    turned = view.turned()
    right, top = view.line(_CARD_RIGHT, _CARD_ROWS), turned.line(_CARD_TOP, _CARD_COLUMNS)
    if min(right.edge, top.edge) < _EDGE:
        return False
    beside = view.line((right.at + 0.2, right.at + _BEYOND), (0.0, 1.8))
    over = turned.line((top.at - _BEYOND, top.at - 0.2), (-1.5, 1.2))
    before = view.line((-2.0, -0.4), (top.at + 0.15, 1.5))
    alone = beside.seen >= _SEEN and max(beside.edge, over.edge, before.edge) < _NO_EDGE
    return alone and view.mean((right.at + 0.15, right.at + _BEYOND), (0.0, 1.8)) > view.black


def _laid_straight(grey: NDArray[np.uint8], quad: NDArray[np.float32]) -> _View:
    """The surroundings of the symbol, which is made a square."""
    size = (round((_RIGHT - _LEFT) * _UNIT), round((_BOTTOM - _TOP) * _UNIT))
    square = (np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) - [_LEFT, _TOP]) * _UNIT
    bend = cv2.getPerspectiveTransform(quad, np.asarray(square, np.float32))
    shrink = float(np.sqrt(cv2.contourArea(quad))) / _UNIT
    soft = cv2.GaussianBlur(grey, (0, 0), shrink / 2) if shrink > 1 else grey
    flat = cv2.warpPerspective(soft, bend, size, flags=cv2.INTER_LINEAR).astype(np.float32)
    inside = cv2.warpPerspective(np.ones_like(grey), bend, size, flags=cv2.INTER_NEAREST)
    seen = cv2.erode(inside, np.ones((2 * _STEP + 3,) * 2), borderValue=0).astype(np.float32)
    symbol = flat[round(-_TOP * _UNIT) : round((1 - _TOP) * _UNIT), round(-_LEFT * _UNIT) : round((1 - _LEFT) * _UNIT)]
    dark, light = (float(np.percentile(symbol, share)) for share in (5, 95))
    return _View(flat, seen, _LEFT, _TOP, max(6.0, _CONTRAST * (light - dark)), _BLACK * light)
