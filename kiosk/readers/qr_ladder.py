"""Better pictures of a place that holds a code nobody could read: what a human eye does with a bad photograph.

Each rung takes the pixels around the place and gives the readings in them. Which help was measured on the simulated
frames that zxing-cpp alone cannot read (``benchmarks/qr.py``): enlarging and sharpening reads small codes, evening out
the light those in noise, glare and darkness, restoring those out of focus or moved, ZBar those under strong glare.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final, Protocol

import cv2
import numpy as np

from kiosk.readers.qr_places import Place
from kiosk.readers.qr_readings import ZBAR, Grey, Reading, look
from kiosk.readers.qr_restore import disc, line, movement_in, restored
from kiosk.readers.qr_zbar import Corners

Rung = Callable[[Grey], list[Reading]]
Attempt = Callable[[], list[Reading]]

_LARGEST: Final = 1000  # pixels of a crop that is worked on: enough for any symbol that a citizen holds
_ENLARGED: Final = 640  # pixels that zxing-cpp is given at most: 57 modules have 8 of them each, with the margin
_GLANCED: Final = 360  # pixels that the second decoder is given at a glance
_RESTORED: Final = 400  # pixels that are restored: the time goes with their number
_STILL: Final = 0.7  # of the change is left in all directions: codes that moved have 0.2 to 0.65, others 0.75 and more
_LENGTHS: Final = (12.0, 6.0, 8.5, 16.0)  # of movements, in pixels that are restored


class SecondOpinion(Protocol):
    """Another decoder."""

    def scan(self, grey: Grey) -> list[tuple[bytes, Corners]]:
        """Bytes and corners (in reading order) of each code in *grey*."""


class Ladder:
    """What can be tried at a place where nothing was read."""

    def __init__(self, second: SecondOpinion) -> None:
        """*second* looks at each place, and is one of the rungs."""
        self._second = second
        self._moved = (_sharpened(3), _evened)
        self._still = (
            _sharpened(3),
            _evened,
            lambda crop: opinions(second, _even(crop)),
            _defocused(3),
            _defocused(5),
            _defocused(3.6),
            _sharpened(1.5),
            _defocused(2.4),
        )

    def attempts(self, grey: Grey, place: Place) -> tuple[Attempt, list[Attempt]]:
        """For *place* of *grey*: a glance of the second decoder, which costs little, and all rungs, those first that
        read most. Each gives its readings where the frame has them."""
        left, top, crop = place.crop(grey)
        if not crop.size:
            return _nothing, []
        scale = min(1.0, _LARGEST / max(crop.shape))
        crop = resized(crop, scale)

        def attempt(rung: Rung) -> list[Reading]:
            return [reading.moved(scale, left, top) for reading in rung(crop)]

        return partial(attempt, self._glance), [partial(attempt, rung) for rung in self._rungs(crop)]

    def _glance(self, crop: Grey) -> list[Reading]:
        scale = min(1.0, _GLANCED / max(crop.shape))
        return [reading.moved(scale, 0, 0) for reading in opinions(self._second, resized(crop, scale))]

    def _rungs(self, crop: Grey) -> tuple[Rung, ...]:
        movement = movement_in(crop)
        if movement.left > _STILL:
            return self._still
        return (*(_moved(length, movement.direction) for length in _LENGTHS), *self._moved)


def _nothing() -> list[Reading]:
    return []


def opinions(second: SecondOpinion, grey: Grey) -> list[Reading]:
    """What the second decoder reads in *grey*."""
    return [Reading(payload, corners, ZBAR) for payload, corners in second.scan(grey)]


def resized(grey: Grey, scale: float) -> Grey:
    """*grey*, *scale* times as large."""
    if scale == 1:
        return grey
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    size = (max(1, round(grey.shape[1] * scale)), max(1, round(grey.shape[0] * scale)))
    return np.asarray(cv2.resize(grey, size, interpolation=method), np.uint8)


def _sharpened(most: float) -> Rung:
    def rung(crop: Grey) -> list[Reading]:
        scale = _factor(crop, most)
        large = resized(crop, scale)
        soft = cv2.GaussianBlur(large, (0, 0), 1.3 * scale)
        return _look(np.asarray(cv2.addWeighted(large, 3.0, soft, -2.0, 0), np.uint8), scale)

    return rung


def _evened(crop: Grey) -> list[Reading]:
    scale = _factor(crop, 2)
    return _look(_even(np.asarray(cv2.GaussianBlur(resized(crop, scale), (0, 0), 0.7 * scale), np.uint8)), scale)


def _even(grey: Grey) -> Grey:
    """Every neighbourhood with the same mean and the same contrast."""
    reach = (max(grey.shape) // 6) | 1
    fine = grey.astype(np.float32)
    mean = cv2.blur(fine, (reach, reach))
    spread = cv2.sqrt(np.maximum(cv2.blur(fine * fine, (reach, reach)) - mean * mean, 16))
    return np.asarray(np.clip(128 + (fine - mean) * (60 / spread), 0, 255), np.uint8)


def _defocused(radius: float) -> Rung:
    def rung(crop: Grey) -> list[Reading]:
        scale = min(1.0, _RESTORED / max(crop.shape))
        return _look_twice_as_large(restored(resized(crop, scale), disc(radius)), scale)

    return rung


def _moved(length: float, direction: float) -> Rung:
    def rung(crop: Grey) -> list[Reading]:
        scale = min(1.0, _RESTORED / max(crop.shape))
        return _look_twice_as_large(restored(resized(crop, scale), line(length, direction)), scale)

    return rung


def _look_twice_as_large(picture: Grey, scale: float) -> list[Reading]:
    return _look(resized(picture, 2), 2 * scale)


def _look(picture: Grey, scale: float) -> list[Reading]:
    return [reading.moved(scale, 0, 0) for reading in look(picture).readings]


def _factor(crop: Grey, most: float) -> float:
    return float(np.clip(_ENLARGED / max(crop.shape), 1, most))
