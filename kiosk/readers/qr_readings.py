"""What one decoder says about one symbol, and what several say together: nobody is believed where two disagree.

Only QR codes of model 2 count, for Micro QR is read out of moire (identity-documents.md 1.4), and no part of a message
that is split over several symbols (ISO/IEC 18004, structured append): half a text is wrong text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Set
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import zxingcpp
from numpy.typing import NDArray

from kiosk.readers.qr_zbar import Corners

Grey = NDArray[np.uint8]
"""A picture of grey levels, height x width."""

ZXING: Final = "zxing"
ZBAR: Final = "zbar"

_FORMATS: Final = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCodeModel2)
_STRUCTURED_APPEND: Final = 0b0011
_MASKS: Final[tuple[Callable[[int, int], bool], ...]] = (  # ISO/IEC 18004, 7.8.2: row, column
    lambda i, j: (i + j) % 2 == 0,
    lambda i, _: i % 2 == 0,
    lambda _, j: j % 3 == 0,
    lambda i, j: (i + j) % 3 == 0,
    lambda i, j: (i // 2 + j // 3) % 2 == 0,
    lambda i, j: i * j % 2 + i * j % 3 == 0,
    lambda i, j: (i * j % 2 + i * j % 3) % 2 == 0,
    lambda i, j: ((i + j) % 2 + i * j % 3) % 2 == 0,
)


@dataclass(frozen=True, slots=True)
class QrCode:
    """One symbol: its exact bytes, its four corners (x, y) in pixels of the frame, and who read exactly these bytes."""

    payload: bytes
    corners: Corners
    by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FrameCodes:
    """What one frame holds: the codes that are believed, the largest first, and the number of disputed ones."""

    codes: tuple[QrCode, ...] = ()
    disputed: int = 0


@dataclass(frozen=True, slots=True)
class Reading:
    """One symbol as one decoder read it; *modules* of its side where that decoder says so, else 0."""

    payload: bytes
    corners: Corners
    by: str
    modules: int = 0

    def moved(self, scale: float, left: float, top: float) -> Reading:
        """The reading in a frame of which the picture it was made in is a part, *scale* times as large."""
        corners = tuple((x / scale + left, y / scale + top) for x, y in self.corners)
        return Reading(self.payload, corners, self.by, self.modules)


@dataclass(frozen=True, slots=True)
class Looked:
    """The readings of one look of zxing-cpp, and the places of symbols that it saw and could not read."""

    readings: list[Reading]
    unread: list[Corners]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What readings of one frame come to, and the payloads on which decoders disagreed in it."""

    frame: FrameCodes
    disagreed: frozenset[bytes]


def look(grey: Grey) -> Looked:
    """One look of zxing-cpp at *grey*."""
    readings, unread = [], []
    for symbol in zxingcpp.read_barcodes(grey, formats=_FORMATS, return_errors=True):
        at = symbol.position
        points = (at.top_left, at.top_right, at.bottom_right, at.bottom_left)
        corners = tuple((float(point.x), float(point.y)) for point in points)
        if not symbol.valid:
            unread.append(corners)
        elif symbol.bytes and not _part_of_a_message(symbol):
            extra: Any = symbol.extra
            readings.append(Reading(symbol.bytes, corners, ZXING, 17 + 4 * int(extra["Version"])))
    return Looked(readings, unread)


def _part_of_a_message(symbol: Any) -> bool:
    """Whether the first four bits of the message say structured append.

    zxing-cpp knows but its Python module does not tell. The bits stand in the lower right corner, under the mask.
    """
    modules = np.array(symbol.to_image(scale=1, add_quiet_zones=False), np.uint8, ndmin=2)
    side, masked = len(modules), _MASKS[int(symbol.extra["DataMask"])]
    nibble = 0
    for row, column in ((side - 1, side - 1), (side - 1, side - 2), (side - 2, side - 1), (side - 2, side - 2)):
        nibble = nibble << 1 | ((int(modules[row, column]) < 128) ^ masked(row, column))
    return nibble == _STRUCTURED_APPEND


def agreed(readings: Iterable[Reading], suspects: Set[bytes] = frozenset()) -> Verdict:
    """One code for each place. A place at which two payloads were read is disputed; so is a payload of *suspects*
    unless two decoders read it alike."""
    places: list[list[Reading]] = []
    for reading in readings:
        for place in places:
            if same_place(place[0].corners, reading.corners):
                place.append(reading)
                break
        else:
            places.append([reading])
    codes, disputed, disagreed = [], 0, set()
    for place in places:
        payloads, by = {reading.payload for reading in place}, {reading.by for reading in place}
        if len(payloads) > 1:
            disagreed |= payloads
        if len(payloads) > 1 or (len(by) == 1 and payloads & suspects):
            disputed += 1
        else:
            codes.append(QrCode(place[0].payload, place[0].corners, tuple(sorted(by, reverse=True))))
    codes.sort(key=lambda code: (-side_of(code.corners), code.payload, code.corners))
    return Verdict(FrameCodes(tuple(codes), disputed), frozenset(disagreed))


def same_place(one: Corners, other: Corners) -> bool:
    """Whether two symbols lie on each other."""
    (x, y), (across, down) = _middle(one), _middle(other)
    return float(np.hypot(x - across, y - down)) < max(side_of(one), side_of(other)) / 2


def side_of(corners: Corners) -> float:
    """The longer side of the upright box around a place, in pixels."""
    across, down = [x for x, _ in corners], [y for _, y in corners]
    return max(max(across) - min(across), max(down) - min(down))


def _middle(corners: Corners) -> tuple[float, float]:
    return sum(x for x, _ in corners) / len(corners), sum(y for _, y in corners) / len(corners)
