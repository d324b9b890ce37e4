"""Looks through one source: when to take a picture, when to decode it, what to tell, what to show.

Nobody there: few pictures, and a full decode only once a second. Something moved, or a code was found: every picture
until it is over. Imports OpenCV and the decoders: only the camera child may load this. Source:
faults-threats-speed.md 6.2, 7.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from kiosk.readers.camera_pipe import CameraSettings, Kind, Seen, Trouble
from kiosk.readers.camera_sightings import Sightings
from kiosk.readers.camera_sources import Picture, Source, SourceLost
from kiosk.readers.carrier import carrier_of
from kiosk.readers.qr_decoder import QrDecoder

Tell = Callable[[Kind, bytes], None]

_IDLE_FPS: Final = 5.0
_PREVIEW_FPS: Final = 8.0
_SURELY_EVERY_S: Final = 1.0
_BUSY_FOR_S: Final = 3.0
_BEAT_EVERY_S: Final = 0.5
_GATE: Final = (64, 36)
_MOVED: Final = 10
_PREVIEW_SIDE: Final = 640
_PREVIEW_QUALITY: Final = 70
_TURNS: Final = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}


class Wishes(Protocol):
    """What the kiosk asked for meanwhile."""

    preview: bool

    def refused(self) -> list[bytes]:
        """The payloads that nobody took since this was last asked."""


class Look:
    """One camera's eyes; holds what was seen across interruptions of the source."""

    def __init__(self, settings: CameraSettings, tell: Tell, wishes: Wishes) -> None:
        """*tell* sends a frame to the kiosk."""
        self._settings = settings
        self._tell = tell
        self._wishes = wishes
        self._decoder = QrDecoder()
        self._sightings = Sightings()

    def through(self, source: Source) -> None:
        """Look until the source gives no more pictures, which raises SourceLost."""
        motion, still = _Motion(), _StillStanding(self._settings.frozen_after)
        opened = False
        busy_until = decoded_at = beaten_at = shown_at = float("-inf")
        began = time.monotonic()
        while True:
            busy = began < busy_until or self._sightings.unsettled
            picture = source.read(max(0.0, began + self._pause(busy) - time.monotonic()))
            began = now = time.monotonic()
            grey = _grey(picture)
            if source.moving and still.since(grey, now):
                raise SourceLost(Trouble.FROZEN)
            if not opened and (not source.moving or still.moved):
                opened = True
                self._tell(Kind.OPENED, b"")
            if motion.in_(grey):
                busy_until = now + _BUSY_FOR_S
            if began < busy_until or busy or self._sightings.holding or now - decoded_at >= _SURELY_EVERY_S:
                decoded_at = now
                self._decode(grey, now)
            if self._wishes.preview and now - shown_at >= 0.9 / _PREVIEW_FPS:
                shown_at = now
                self._tell(Kind.JPEG, self._preview(picture))
            if now - beaten_at >= _BEAT_EVERY_S:
                beaten_at = now
                self._tell(Kind.BEAT, b"")

    def _pause(self, busy: bool) -> float:
        idle = _PREVIEW_FPS if self._wishes.preview else _IDLE_FPS
        return 1 / (self._settings.fps if busy else min(idle, self._settings.fps))

    def _decode(self, grey: NDArray[np.uint8], now: float) -> None:
        for payload in self._wishes.refused():
            self._sightings.refused(payload, now)
        found = self._decoder.decode(grey)
        if found.disputed:
            self._tell(Kind.DISPUTED, b"")
        telling = self._sightings.look([code.payload for code in found.codes], now)
        if telling.mixed:
            self._tell(Kind.MIXED, b"")
        elif telling.index is not None:
            code = found.codes[telling.index]
            seen = Seen(code.payload, carrier_of(grey, code.corners), telling.document)
            self._tell(Kind.SEEN, seen.encode())

    def _preview(self, picture: Picture) -> bytes:
        # By a whole number: OpenCV takes a tenth of the time for that.
        step = -(-max(picture.shape[:2]) // _PREVIEW_SIDE)
        size = (max(1, picture.shape[1] // step), max(1, picture.shape[0] // step))
        shown = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
        if self._settings.rotate in _TURNS:
            shown = cv2.rotate(shown, _TURNS[self._settings.rotate])
        if self._settings.mirror:
            shown = cv2.flip(shown, 1)
        return cv2.imencode(".jpg", shown, (cv2.IMWRITE_JPEG_QUALITY, _PREVIEW_QUALITY))[1].tobytes()


class _Motion:
    """Whether something moved since the last picture, by the means of a grid of areas: noise does not reach them."""

    def __init__(self) -> None:
        self._last: NDArray[np.int16] | None = None

    def in_(self, grey: NDArray[np.uint8]) -> bool:
        now = cv2.resize(grey, _GATE, interpolation=cv2.INTER_AREA).astype(np.int16)
        last, self._last = self._last, now
        return last is None or bool(np.abs(now - last).max() >= _MOVED)


class _StillStanding:
    """Whether a camera gives the same picture bit for bit: its driver hangs, for no sensor is without noise."""

    def __init__(self, after: float) -> None:
        self._after = after
        self._last: NDArray[np.uint8] | None = None
        self._changed_at = float("-inf")
        self.moved = False

    def since(self, grey: NDArray[np.uint8], now: float) -> bool:
        """Take in the picture of *now*; True when it is long the same."""
        if self._last is None or not np.array_equal(self._last, grey):
            self.moved = self._last is not None
            self._last, self._changed_at = grey, now
        return now - self._changed_at >= self._after


def _grey(picture: Picture) -> NDArray[np.uint8]:
    return picture if picture.ndim == 2 else np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.uint8)
