"""What people hold up, drawn flat: a card with its small QR, a phone with a large one, a phone with a card's picture.

Millimetres of the real things (identity-documents.md 1.3, 3): a card of 85.6 x 54 mm with a symbol of about 10 mm in
its upper right corner, a phone of about 71 x 150 mm whose page shows a symbol of 40 to 46 mm.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import segno
from numpy.typing import NDArray

Frame = NDArray[np.uint8]
"""Grey picture, height x width."""

Points = NDArray[np.float32]
"""Points x, y in pixels, one a row."""

_MM: Final = 16  # pixels a millimetre at which things are drawn
_CARD: Final = (85.6, 54.0)
_QUIET: Final = 4
_LETTERS: Final = list("ABCDEGHIKLMNOPQRSTUVXY0123456789")


@dataclass(frozen=True, slots=True)
class Thing:
    """Something flat: its pixels, where it is at all (255), the symbol's corners in reading order, its modules."""

    pixels: Frame
    mask: Frame
    corners: Points
    modules: int


def qr_symbol(payload: bytes, *, level: str = "m", eci: bool = False) -> Frame:
    """The symbol of *payload* in byte mode, one pixel a module, with its quiet zone; *eci* says UTF-8 in front."""
    code = segno.make(
        payload, error=level, micro=False, mode="byte", boost_error=False, eci=eci, encoding="utf-8" if eci else None
    )
    return np.array([[0 if dark else 255 for dark in row] for row in code.matrix_iter(border=_QUIET)], np.uint8)


def card(symbol: Frame, rng: np.random.Generator) -> Thing:
    """A citizen card: waves in the background, portrait, lines of text, the QR at its upper right."""
    width, height = round(_CARD[0] * _MM), round(_CARD[1] * _MM)
    across, down = np.meshgrid(
        np.linspace(0, 9, width, dtype=np.float32), np.linspace(0, 6, height, dtype=np.float32), copy=False
    )
    waves = 9 * np.sin(across * 5 + np.sin(down * 3) * 2) + 6 * np.sin(down * 17 + across)
    pixels = np.asarray(rng.integers(186, 216) + waves, np.uint8)
    cv2.circle(pixels, _at(9, 9), 5 * _MM, 120, -1)
    cv2.rectangle(pixels, _at(4, 17), _at(24, 46), 128, -1)
    cv2.ellipse(pixels, _at(14, 28), (6 * _MM, 8 * _MM), 0, 0, 360, 178, -1)
    cv2.ellipse(pixels, _at(14, 46), (9 * _MM, 9 * _MM), 0, 180, 360, 60, -1)
    _text(pixels, 20, 8, "CONG HOA XA HOI CHU NGHIA", 2.0)
    _text(pixels, 22, 15, "CAN CUOC CONG DAN", 3.2)
    for row in range(6):
        _text(pixels, 27, 22 + 5 * row, _words(rng, 30), 2.0)
    corners = _print(pixels, symbol, left=rng.uniform(67, 69), top=rng.uniform(3.4, 4.8), side=12, dark=36, light=232)
    return Thing(pixels, _rounded(width, height, 3.2), corners, symbol.shape[0] - 2 * _QUIET)


def phone(symbol: Frame, rng: np.random.Generator, *, dark: bool = False) -> Thing:
    """A phone whose page shows the QR large; *dark*: light modules on a dark page."""
    pixels, mask = _switched_on(rng, page=30 if dark else int(rng.choice([250, 246, 150, 185])))
    cv2.rectangle(pixels, _at(2.6, 9), _at(68.4, 20), 52 if dark else 88, -1)
    _text(pixels, 20, 16, "DINH DANH DIEN TU", 3.0)
    for row in (100, 107, 114, 121):
        _text(pixels, 9, row, _words(rng, 22), 3.0, ink=150 if dark else 60)
    side = rng.uniform(48, 54)
    shown = 255 - symbol if dark else symbol
    left, top = (71 - side) / 2, rng.uniform(30, 40)
    corners = _print(pixels, shown, left=left, top=top, side=side, dark=24 if dark else 12, light=238 if dark else 252)
    return Thing(pixels, mask, corners, symbol.shape[0] - 2 * _QUIET)


def phone_with_card(symbol: Frame, rng: np.random.Generator) -> Thing:
    """A phone that shows the picture of a card, with the tiny QR on it."""
    pixels, mask = _switched_on(rng, page=int(rng.choice([250, 20, 120])))
    shown = card(symbol, rng)
    scale = 64 / _CARD[0]
    small = cv2.resize(shown.pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    left, top = round(3.5 * _MM), round(rng.uniform(35, 60) * _MM)
    pixels[top : top + small.shape[0], left : left + small.shape[1]] = small
    corners = shown.corners * np.float32(scale) + np.array([left, top], np.float32)
    return Thing(pixels, mask, corners, shown.modules)


def _switched_on(rng: np.random.Generator, *, page: int) -> tuple[Frame, Frame]:
    """A phone with an empty page, and where it is."""
    width, height = 71 * _MM, 150 * _MM
    pixels = np.full((height, width), int(rng.integers(12, 34)), np.uint8)
    pixels[_px(3) : _px(147), _px(2.6) : _px(68.4)] = page
    cv2.rectangle(pixels, _at(24, 3), _at(47, 6), 16, -1)
    return pixels, _rounded(width, height, 8)


def _print(
    onto: Frame, symbol: Frame, *, left: float, top: float, side: float, dark: int, light: int
) -> NDArray[np.float32]:
    """Put *symbol* with its quiet zone there (millimetres); the corners of the symbol without it, in pixels."""
    x, y, size = _px(left), _px(top), _px(side)
    inked = np.asarray(dark + symbol.astype(np.float32) * ((light - dark) / 255), np.uint8)
    onto[y : y + size, x : x + size] = cv2.resize(inked, (size, size), interpolation=cv2.INTER_NEAREST)
    near = size * _QUIET / symbol.shape[0]
    far = size - near
    square = [[near, near], [far, near], [far, far], [near, far]]
    return np.array([(x + across, y + down) for across, down in square], np.float32)


def _rounded(width: int, height: int, radius: float) -> Frame:
    mask = np.zeros((height, width), np.uint8)
    edge = _px(radius)
    cv2.rectangle(mask, (edge, 0), (width - edge, height), 255, -1)
    cv2.rectangle(mask, (0, edge), (width, height - edge), 255, -1)
    for x in (edge, width - edge - 1):
        for y in (edge, height - edge - 1):
            cv2.circle(mask, (x, y), edge, 255, -1)
    return mask


def _words(rng: np.random.Generator, letters: int) -> str:
    return "".join(" " if rng.random() < 0.18 else str(rng.choice(_LETTERS)) for _ in range(letters))


def _text(onto: Frame, x: float, y: float, text: str, size: float, *, ink: int = 60) -> None:
    """One line of capitals *size* millimetres high."""
    cv2.putText(onto, text, _at(x, y), cv2.FONT_HERSHEY_DUPLEX, size * _MM / 22, ink, max(1, round(size * _MM / 12)))


def _at(x: float, y: float) -> tuple[int, int]:
    return _px(x), _px(y)


def _px(millimetres: float) -> int:
    return round(millimetres * _MM)
