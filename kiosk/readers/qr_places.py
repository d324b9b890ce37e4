"""Where in a frame a QR code may be that nobody could read: an even, square patch of fine texture in both directions.

Costs about as much as one look of a decoder, and lets the expensive attempts work on a small part of the frame.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from kiosk.readers.qr_readings import Grey
from kiosk.readers.qr_zbar import Corners

_WIDTH: Final = 1280  # larger pictures are looked at in this width: texture finer than that does not matter
_BLOCK: Final = 16  # pixels of a block, the unit in which places are found
_SIDES: Final = (4, 6, 9, 13, 18, 24, 30)  # blocks
_PLAIN: Final = 11.0  # what grain, wood and skin come to; codes in the dark come to 15, in daylight to 100
_MARGIN: Final = 0.3  # of a place's side that is looked at around it


@dataclass(frozen=True, slots=True)
class Place:
    """An upright square in a frame, in pixels."""

    left: float
    top: float
    side: float

    def crop(self, grey: Grey) -> tuple[int, int, Grey]:
        """The part of *grey* with some margin: its left and top there, and the pixels."""
        margin = self.side * _MARGIN
        left, top = max(0, int(self.left - margin)), max(0, int(self.top - margin))
        right, bottom = int(self.left + self.side + margin) + 1, int(self.top + self.side + margin) + 1
        return left, top, np.ascontiguousarray(grey[top:bottom, left:right])

    def overlaps(self, other: Place) -> bool:
        """Whether the two have their middles within half of the larger one."""
        reach = max(self.side, other.side) / 2
        across = self.left + self.side / 2 - other.left - other.side / 2
        down = self.top + self.side / 2 - other.top - other.side / 2
        return abs(across) < reach and abs(down) < reach


def place_of(corners: Corners) -> Place:
    """The upright square around a symbol."""
    left, top = min(x for x, _ in corners), min(y for _, y in corners)
    return Place(left, top, max(max(x for x, _ in corners) - left, max(y for _, y in corners) - top, 1.0))


def places_in(grey: Grey, most: int) -> list[Place]:
    """Up to *most* places of *grey* with the texture of a code, the likeliest first."""
    scale = max(1.0, max(grey.shape) / _WIDTH)
    texture = _texture(grey, scale)
    likely = []
    for side in _SIDES:
        margin = max(1, side // 4)
        if side + 2 * margin > min(texture.shape) + side:
            break
        score = _score(texture, side, margin)
        _, best, _, (x, y) = cv2.minMaxLoc(score)
        likely.append((best, x, y, side))
    found: list[Place] = []
    for best, x, y, side in sorted(likely, reverse=True):
        block = _BLOCK * scale
        place = Place((x - side / 2 + 0.5) * block, (y - side / 2 + 0.5) * block, side * block)
        if best > _PLAIN and len(found) < most and not any(place.overlaps(other) for other in found):
            found.append(place)
    return found


def _texture(grey: Grey, scale: float) -> NDArray[np.float32]:
    """For each block the change from pixel to pixel in the direction in which there is less of it: lines have none."""
    height, width = grey.shape
    half = cv2.resize(
        grey, (max(3, int(width / scale / 2)), max(3, int(height / scale / 2))), interpolation=cv2.INTER_AREA
    )
    across = cv2.absdiff(half[:, 2:], half[:, :-2])[:-2]
    down = cv2.absdiff(half[2:], half[:-2])[:, :-2]
    blocks = (max(1, int(width / scale / _BLOCK)), max(1, int(height / scale / _BLOCK)))
    shrunk = [cv2.resize(change, blocks, interpolation=cv2.INTER_AREA) for change in (across, down)]
    return np.asarray(np.minimum(*shrunk), np.float32)


def _score(texture: NDArray[np.float32], side: int, margin: int) -> NDArray[np.float32]:
    """How much more texture every quarter of a square has than what surrounds the square; large squares count more."""

    def total(over: int) -> NDArray[np.float32]:
        return np.asarray(
            cv2.boxFilter(texture, -1, (over, over), normalize=False, borderType=cv2.BORDER_CONSTANT), np.float32
        )

    whole, around = total(side), side + 2 * margin
    ring = (total(around) - whole) / (around**2 - side**2)
    quarter, off = total(max(1, side // 2)) / max(1, side // 2) ** 2, side // 4
    low = np.minimum.reduce([np.roll(quarter, (y, x), (0, 1)) for y in (-off, off) for x in (-off, off)])
    edge, (rows, columns) = side // 2, texture.shape
    score = np.full((rows, columns), -1, np.float32)  # a square does not reach out of the frame
    inside = np.s_[edge : rows - edge, edge : columns - edge]
    score[inside] = ((low - ring) * np.sqrt(side))[inside]
    return score
