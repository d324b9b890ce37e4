"""Whether a code stands on a card or on a phone, judged by what surrounds it in a camera frame.

On a phone that shows the code large, an even page ends in the dark edge of the phone on both sides, less than a symbol
away; a card goes on, printed, for several symbols on one side (identity-documents.md 1.3, 3). A phone may also show the
picture of a card, and a hand hides edges: what is not plain is unknown. Information for staff, never part of a rate.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from kiosk.model import Carrier

_SIDE: Final = 48  # pixels of the symbol once it is made straight
_REACH: Final = 2.2  # symbols to look out on each side
_BAND: Final = 0.3  # half the breadth of a look, in symbols
_QUIET: Final = 0.06  # symbols next to the code that belong to it
_PAGE_ENDS: Final = 0.6  # symbols within which a phone's page ends
_CARD_GOES_ON: Final = 1.4  # symbols for which a card goes on at least, on one side
_EDGE: Final = 0.35  # share of the page's brightness that an edge changes
_EVEN: Final = 0.06  # unevenness of a lit page, as share of its brightness
_PRINTED: Final = (0.01, 0.35)  # unevenness of a printed card


def carrier_of(grey: NDArray[np.uint8], corners: Sequence[tuple[float, float]]) -> Carrier:
    """What the symbol at *corners* (x, y, around it in order) of *grey* stands on; UNKNOWN unless it is plain."""
    places = np.array(corners, np.float32)
    if grey.ndim != 2 or places.shape != (4, 2) or not np.isfinite(places).all():
        return Carrier.UNKNOWN
    looks = [_Look(band) for band in _bands(grey, places)]
    for one, other in (looks[:2], looks[2:]):
        if one.ends_dark and other.ends_dark and one.is_even and other.is_even:
            return Carrier.PHONE
    if any(look.goes_on for look in looks) and not any(look.ends_dark for look in looks):
        return Carrier.CARD
    return Carrier.UNKNOWN


class _Look:
    """From the symbol outwards: where the surface ends, and how even it is until there."""

    def __init__(self, band: NDArray[np.float32]) -> None:
        profile = band.mean(axis=1)
        near = max(float(np.median(profile[: _SIDE // 8])), 1.0)
        ends = np.flatnonzero(np.abs(profile - near) > _EDGE * near)
        self._end = int(ends[0]) if len(ends) else len(profile)
        beyond = profile[self._end : self._end + 4]
        self._dark_beyond = len(beyond) > 0 and float(beyond.mean()) < 0.45 * near
        self._unevenness = float(band[: max(1, self._end - 2)].std()) / near
        self._in_frame = bool((band[: self._end + 4] >= 0).all())

    @property
    def ends_dark(self) -> bool:
        return self._in_frame and self._end < _PAGE_ENDS * _SIDE and self._dark_beyond

    @property
    def is_even(self) -> bool:
        return self._unevenness < _EVEN

    @property
    def goes_on(self) -> bool:
        return self._end > _CARD_GOES_ON * _SIDE and _PRINTED[0] < self._unevenness < _PRINTED[1]


def _bands(grey: NDArray[np.uint8], corners: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """Right, left, down and up from the symbol made straight: rows outwards; -1 beyond the frame."""
    start = _REACH * _SIDE
    whole = round((_REACH * 2 + 1) * _SIDE)
    square = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32) * np.float32(_SIDE) + np.float32(start)
    try:
        bend = cv2.getPerspectiveTransform(corners, square)
        view = cv2.warpPerspective(grey.astype(np.float32), bend, (whole, whole), borderValue=-1.0)
    except cv2.error:
        return [np.full((_SIDE, _SIDE), -1, np.float32)] * 4
    straight = np.asarray(view, np.float32)
    middle, half = whole // 2, round(_BAND * _SIDE)
    begin = round(start + (1 + _QUIET) * _SIDE)
    turns = (straight, straight[:, ::-1], straight.T, straight[::-1].T)
    return [np.ascontiguousarray(turn[middle - half : middle + half, begin:].T) for turn in turns]
