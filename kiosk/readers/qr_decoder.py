"""QR codes in camera frames and pictures: zxing-cpp first, then a ladder of better pictures, ZBar as second opinion.

Bytes, never text: decoders that guess a charset turn Vietnamese into something else. No decoder's word is taken against
another's: where two read one symbol differently, nobody is believed. Source: components.md 2, faults-threats-speed.md
6.2, 7, identity-documents.md 1.3, 1.4.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from kiosk.errors import KioskError
from kiosk.readers.picture_size import picture_size
from kiosk.readers.qr_ladder import Ladder, SecondOpinion, opinions, resized
from kiosk.readers.qr_places import Place, place_of, places_in
from kiosk.readers.qr_readings import FrameCodes, Grey, Looked, QrCode, Reading, agreed, look
from kiosk.readers.qr_zbar import Corners, ZbarScanner

__all__ = ["FrameCodes", "PictureUnreadable", "QrCode", "QrDecoder", "decode_picture"]

_MAX_PIXELS: Final = 40_000_000
_MIN_SIDE: Final = 21  # pixels: the modules of the smallest symbol
_OPINION_EVERY: Final = 12  # frames in which the same code is read
_OPINION_MODULE: Final = 3.0  # pixels of a module that are enough for ZBar, which pays for each pixel
_SUSPECT_FOR: Final = 30  # frames after a disagreement; only what both read alike counts then
_CREDIT: Final = 10.0  # rungs of the ladder that a code may take at once ...
_EARNED: Final = 1 / 3  # ... and for each further frame: an empty desk beside a poster stays cheap
_AT_ONCE: Final = 3  # rungs in one frame
_WHOLE_EVERY: Final = 15  # frames without a code or a place for one
_WHOLE_FIRST: Final = 3
_WHOLE_PIXELS: Final = 4_000_000  # that ZBar is given of a picture
_PLACES: Final = 2
_PICTURE_PLACES: Final = 6


class PictureUnreadable(KioskError):
    """The file is no picture, or one too large to be looked at."""

    code = "PICTURE_UNREADABLE"


class QrDecoder:
    """Decodes the frames of one stream; not for several threads.

    Most frames cost one look of zxing-cpp. A code that was read gets ZBar's opinion when it is new, and again from time
    to time. In a frame without a code, the places with the texture of one get a glance of ZBar and three rungs of the
    ladder, until the credit is used up; then a glance and a rung every third frame. So a held code has the whole ladder
    within three frames, and an empty desk costs little whatever hangs behind it.
    """

    def __init__(self, second: SecondOpinion | None = None) -> None:
        """*second*: the other decoder, ZBar if not given."""
        self._second = ZbarScanner() if second is None else second
        self._ladder = Ladder(self._second)
        self._frame = 0
        self._missed = 0
        self._credit = _CREDIT
        self._step = 0  # the next rung ...
        self._turn = 0  # ... of this climb
        self._asked: dict[bytes, int] = {}
        self._suspects: dict[bytes, int] = {}

    def decode(self, grey: Grey) -> FrameCodes:
        """The codes in *grey*, height x width; never raises, whatever the picture."""
        if not _usable(grey):
            return FrameCodes()
        grey = np.ascontiguousarray(grey)
        self._frame += 1
        self._credit = min(_CREDIT, self._credit + _EARNED)
        looked = look(grey)
        readings = list(looked.readings)
        if readings:
            self._missed = 0
            readings += self._opinions_of(grey, readings)
        if not readings or looked.unread:
            readings += self._climb(grey, looked)
        verdict = agreed(readings, self._suspects.keys())
        self._suspects |= dict.fromkeys(verdict.disagreed, self._frame + _SUSPECT_FOR)
        self._suspects = {payload: until for payload, until in self._suspects.items() if until >= self._frame}
        return verdict.frame

    def decode_once(self, grey: Grey) -> FrameCodes:
        """The codes in a single picture: the whole ladder wherever one may be, and everybody's opinion."""
        if not _usable(grey):
            return FrameCodes()
        grey = np.ascontiguousarray(grey)
        looked = look(grey)
        readings = looked.readings + self._whole(grey)
        for place in _free(looked.unread, places_in(grey, _PICTURE_PLACES), readings):
            glance, attempts = self._ladder.attempts(grey, place)
            found = next(filter(None, (attempt() for attempt in (glance, *attempts))), [])
            readings += [reading for reading in found if not _taken(place_of(reading.corners), readings)]
        return agreed(readings).frame

    def _opinions_of(self, grey: Grey, readings: list[Reading]) -> list[Reading]:
        """What the second decoder says at the places of codes that it was not asked about for long."""
        recent = self._frame - _OPINION_EVERY
        self._asked = {payload: at for payload, at in self._asked.items() if at > recent}
        said = []
        for reading in readings:
            if reading.payload not in self._asked or reading.payload in self._suspects:
                self._asked[reading.payload] = self._frame
                place = place_of(reading.corners)
                left, top, crop = place.crop(grey)
                scale = min(1.0, _OPINION_MODULE * reading.modules / place.side)
                said += [found.moved(scale, left, top) for found in opinions(self._second, resized(crop, scale))]
        return said

    def _climb(self, grey: Grey, looked: Looked) -> list[Reading]:
        """The next rungs of the ladder, as far as there is credit."""
        if self._credit < 1:
            return []
        places = _free(looked.unread, [] if looked.readings else places_in(grey, _PLACES), looked.readings)
        if not places:
            self._step = self._turn = 0
            self._missed += not looked.readings
            return self._whole(grey) if self._missed % _WHOLE_EVERY == _WHOLE_FIRST else []
        turns = [places[0], *places]  # the likeliest place twice: the hand trembles, each frame is another chance
        glance, attempts = self._ladder.attempts(grey, turns[self._turn % len(turns)])
        for free, attempt in [(True, glance), *((False, some) for some in attempts[self._step :][:_AT_ONCE])]:
            if not free and self._credit < 1:
                return []
            if found := [found for found in attempt() if not _taken(place_of(found.corners), looked.readings)]:
                return found  # the next frame starts with the rung that helped, and had it for nothing
            self._credit -= not free
            self._step += not free
        if self._step >= len(attempts):
            self._step, self._turn = 0, self._turn + 1
        return []

    def _whole(self, grey: Grey) -> list[Reading]:
        scale = min(1.0, (_WHOLE_PIXELS / grey.size) ** 0.5)
        return [found.moved(scale, 0, 0) for found in opinions(self._second, resized(grey, scale))]


def decode_picture(data: bytes) -> FrameCodes:
    """The codes in the bytes of a picture file (PNG, JPEG, WebP, BMP). PictureUnreadable if it is none of them, broken,
    or of more than 40 million pixels."""
    size = picture_size(data)
    if size is None or size[0] * size[1] > _MAX_PIXELS:
        raise PictureUnreadable("expected a PNG, JPEG, WebP or BMP file of at most 40 million pixels")
    try:
        grey = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
    except cv2.error:
        grey = None
    if grey is None:
        raise PictureUnreadable("the picture file is broken")
    return QrDecoder().decode_once(np.asarray(grey, np.uint8))


def _usable(grey: Grey) -> bool:
    return grey.ndim == 2 and grey.dtype == np.uint8 and min(grey.shape) >= _MIN_SIDE and grey.size <= _MAX_PIXELS


def _free(unread: list[Corners], likely: list[Place], readings: list[Reading]) -> list[Place]:
    """Places at which nothing was read: of symbols that were seen, then of texture; each once."""
    places: list[Place] = []
    for place in [*map(place_of, unread), *likely]:
        if not _taken(place, readings) and not any(place.overlaps(other) for other in places):
            places.append(place)
    return places


def _taken(place: Place, readings: list[Reading]) -> bool:
    return any(place.overlaps(place_of(reading.corners)) for reading in readings)
