"""QR codes in camera frames and pictures: zxing-cpp first, then a ladder of better pictures, ZBar as second opinion.

Bytes, never text: decoders that guess a charset turn Vietnamese into something else. No decoder's word is taken against
another's: where two read one symbol differently, nobody is believed. Only QR codes of model 2 count, for Micro QR is
read out of moire. Source: components.md 2, faults-threats-speed.md 6.2, identity-documents.md 1.3, 1.4.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import zxingcpp
from numpy.typing import NDArray

from kiosk.errors import KioskError
from kiosk.readers.qr_zbar import Corners, ZbarScanner

Grey = NDArray[np.uint8]

_FORMATS: Final = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCodeModel2)
_MAX_PIXELS: Final = 40_000_000
_MIN_SIDE: Final = 21  # pixels: the modules of the smallest symbol
_UPSAMPLED: Final = 1600  # a frame wider than this is not made larger still
_SECOND_OPINION_EVERY: Final = 20
_RUNG_EVERY: Final = 2
_CHEAP_RUNGS: Final = 3
_ZXING: Final = "zxing"
_ZBAR: Final = "zbar"

_Found = tuple[bytes, Corners, str]


class PictureUnreadable(KioskError):
    """The file is no picture, or one too large to be looked at."""

    code = "PICTURE_UNREADABLE"


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


class QrDecoder:
    """Decodes the frames of one stream; not for several threads.

    Most frames cost one look of zxing-cpp. Every other frame without a code gets more: the whole ladder when a symbol
    was seen that could not be read, else a single rung of it in turn. Every so often ZBar gives a second opinion on
    the places at which codes were read.
    """

    def __init__(self) -> None:
        """Nothing was seen yet."""
        self._zbar = ZbarScanner()
        self._frames = 0
        self._read = 0

    def decode(self, grey: Grey) -> FrameCodes:
        """The codes in *grey*, height x width; never raises, whatever the picture."""
        if not _usable(grey):
            return FrameCodes()
        self._frames += 1
        found, hints = _zxing(grey)
        if found:
            self._read += 1
            if self._read % _SECOND_OPINION_EVERY == 1:
                found += self._opinions(grey, found)
        elif self._frames % _RUNG_EVERY == 0:
            rungs = self._rungs() if hints else (self._next_rung(),)
            found = _first(rung(grey) for rung in rungs)
        return _agreed(found)

    def decode_whole(self, grey: Grey) -> FrameCodes:
        """The codes in a single picture: every rung until one reads something, and everybody's opinion of it."""
        if not _usable(grey):
            return FrameCodes()
        found, _ = _zxing(grey)
        found = found or _first(rung(grey) for rung in self._rungs())
        return _agreed(found + self._zbar_on(grey))

    def _rungs(self) -> tuple[Callable[[Grey], list[_Found]], ...]:
        return (_flattened, _sharpened, self._zbar_on, _enlarged, _straightened)

    def _next_rung(self) -> Callable[[Grey], list[_Found]]:
        rungs = self._rungs()[:_CHEAP_RUNGS]
        return rungs[self._frames // _RUNG_EVERY % len(rungs)]

    def _zbar_on(self, grey: Grey) -> list[_Found]:
        return [(payload, corners, _ZBAR) for payload, corners in self._zbar.scan(grey)]

    def _opinions(self, grey: Grey, found: list[_Found]) -> list[_Found]:
        """What ZBar says of the places where codes were read."""
        opinions = []
        for _, corners, _ in found:
            x, y, crop = _around(grey, corners)
            for payload, inside, by in self._zbar_on(crop):
                opinions.append((payload, tuple((x + across, y + down) for across, down in inside), by))
        return opinions


def decode_picture(data: bytes) -> FrameCodes:
    """The codes in the bytes of a picture file (PNG, JPEG, WebP, ...). PictureUnreadable if it is none."""
    try:
        colour = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE) if data else None
    except cv2.error:
        colour = None
    if colour is None or colour.size > _MAX_PIXELS:
        raise PictureUnreadable("expected a picture file")
    return QrDecoder().decode_whole(np.asarray(colour, np.uint8))


def _usable(grey: Grey) -> bool:
    return grey.ndim == 2 and grey.dtype == np.uint8 and min(grey.shape) >= _MIN_SIDE and grey.size <= _MAX_PIXELS


def _zxing(grey: Grey, scale: float = 1.0) -> tuple[list[_Found], bool]:
    """Codes that zxing-cpp reads, their corners divided by *scale*, and whether it saw one that it could not read."""
    symbols = zxingcpp.read_barcodes(grey, formats=_FORMATS, return_errors=True)
    found = [
        (symbol.bytes, _corners(symbol.position, scale), _ZXING) for symbol in symbols if symbol.valid and symbol.bytes
    ]
    return found, len(found) < len(symbols)


def _corners(position: zxingcpp.Position, scale: float) -> Corners:
    points = (position.top_left, position.top_right, position.bottom_right, position.bottom_left)
    return tuple((point.x / scale, point.y / scale) for point in points)


def _first(attempts: Iterable[list[_Found]]) -> list[_Found]:
    return next((found for found in attempts if found), [])


def _flattened(grey: Grey) -> list[_Found]:
    """Smoothed, and freed of what changes slowly over the picture: for low light, noise, glare and moire."""
    eighth = cv2.resize(grey, None, fx=1 / 8, fy=1 / 8, interpolation=cv2.INTER_AREA)
    around = cv2.resize(cv2.GaussianBlur(eighth, (0, 0), 3), (grey.shape[1], grey.shape[0]))
    flat = cv2.divide(cv2.GaussianBlur(grey, (9, 9), 0), around, scale=160)
    return _zxing(np.asarray(flat, np.uint8))[0]


def _sharpened(grey: Grey) -> list[_Found]:
    """For a lens out of focus."""
    return _zxing(_unsharp(grey))[0]


def _enlarged(grey: Grey) -> list[_Found]:
    """Twice as large and sharpened: for small codes."""
    scale = 2.0 if grey.shape[1] <= _UPSAMPLED else 1.0
    large = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR)
    return _zxing(_unsharp(np.asarray(large, np.uint8)), scale)[0]


def _unsharp(grey: Grey) -> Grey:
    return np.asarray(cv2.addWeighted(grey, 3.0, cv2.blur(grey, (9, 9)), -2.0, 0), np.uint8)


def _straightened(grey: Grey) -> list[_Found]:
    """OpenCV only finds the place here, for it gives text and no bytes; zxing-cpp reads the square made straight."""
    there, corners = cv2.QRCodeDetectorAruco().detectMulti(grey)
    if not there or corners is None:
        return []
    found = []
    for quad in np.asarray(corners, np.float32).reshape(-1, 4, 2)[:4]:
        side = 480
        square = np.array([[40, 40], [side - 40, 40], [side - 40, side - 40], [40, side - 40]], np.float32)
        straight = cv2.warpPerspective(grey, cv2.getPerspectiveTransform(quad, square), (side, side))
        place = tuple((float(x), float(y)) for x, y in quad)
        for attempt in (straight, cv2.equalizeHist(straight)):
            if read := _zxing(np.asarray(attempt, np.uint8))[0]:
                found.append((read[0][0], place, _ZXING))
                break
    return found


def _around(grey: Grey, corners: Corners) -> tuple[int, int, Grey]:
    """A place with a quarter of its size around it: left, top, and the pixels."""
    across, down = [x for x, _ in corners], [y for _, y in corners]
    margin = max(max(across) - min(across), max(down) - min(down)) / 4
    left, top = max(0, int(min(across) - margin)), max(0, int(min(down) - margin))
    crop = grey[top : int(max(down) + margin) + 1, left : int(max(across) + margin) + 1]
    return left, top, np.ascontiguousarray(crop)


def _agreed(found: list[_Found]) -> FrameCodes:
    """One code for each place; a place at which two payloads were read is disputed."""
    places: list[list[_Found]] = []
    for reading in found:
        for place in places:
            if _same_place(place[0][1], reading[1]):
                place.append(reading)
                break
        else:
            places.append([reading])
    codes = [
        QrCode(place[0][0], place[0][1], tuple(sorted({by for _, _, by in place})))
        for place in places
        if len({payload for payload, _, _ in place}) == 1
    ]
    codes.sort(key=lambda code: (-_size(code.corners), code.payload))
    return FrameCodes(tuple(codes), len(places) - len(codes))


def _same_place(one: Corners, other: Corners) -> bool:
    (x, y), (across, down) = _middle(one), _middle(other)
    return float(np.hypot(x - across, y - down)) < max(_size(one), _size(other)) / 2


def _middle(corners: Corners) -> tuple[float, float]:
    return sum(x for x, _ in corners) / len(corners), sum(y for _, y in corners) / len(corners)


def _size(corners: Corners) -> float:
    """The longer side of the box around a place, in pixels."""
    across, down = [x for x, _ in corners], [y for _, y in corners]
    return max(max(across) - min(across), max(down) - min(down))
