"""A simulated camera: a folder whose newest picture is what the camera sees, for the kiosk's ``folder:`` source.

A card or phone is held for some seconds, in a hand that trembles; then the desk is empty again. OpenCV is loaded at the
first picture, so that a demo whose camera nobody uses stays small.
"""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path
from types import TracebackType
from typing import Final, Literal, Self

_LOOKS: Final = 5
_EVERY_S: Final = 0.25
_JOIN_S: Final = 10.0


class SimulatedCamera:
    """A camera before which things can be held, that can be unplugged and plugged in again; a context manager."""

    def __init__(self, folder: Path) -> None:
        """Plug it in: *folder* is made, and emptied of what an earlier run left. OSError when it cannot be."""
        self.folder = folder
        self._hands = threading.RLock()  # one thing is held at a time
        self._lock = threading.Lock()  # the folder's
        self._over = threading.Event()
        self._holding: threading.Thread | None = None
        self._plugged = False
        self._count = 0
        self.plug()

    def plug(self) -> None:
        """Make the folder, with nothing before the camera; nothing when it is there already."""
        with self._lock:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._plugged = True
            self._clear()

    def unplug(self) -> None:
        """Take the camera away; what is held is held before nothing."""
        self.take_away()
        with self._lock:
            self._plugged = False
            self._clear()
            with contextlib.suppress(OSError):
                self.folder.rmdir()

    def hold(self, payload: bytes, on: Literal["card", "phone"] = "card", seconds: float = 3.0) -> None:
        """Hold the code *payload* before the camera for so long; returns once the first picture is there.

        What was held before is taken away. ConnectionError when the camera is unplugged.
        """
        with self._hands:
            self.take_away()
            over, first = threading.Event(), threading.Event()
            self._over = over
            self._holding = threading.Thread(
                target=self._hold, args=(payload, on, seconds, over, first), name="simulated-camera", daemon=True
            )
            self._holding.start()
        first.wait(_JOIN_S)
        if not self._plugged:
            raise ConnectionError("the camera is unplugged")

    def take_away(self) -> None:
        """Empty the desk at once."""
        with self._hands:
            self._over.set()
            if self._holding is not None:
                self._holding.join(_JOIN_S)
                self._holding = None

    def _hold(
        self,
        payload: bytes,
        on: Literal["card", "phone"],
        seconds: float,
        over: threading.Event,
        first: threading.Event,
    ) -> None:
        from simulators.frames import picture, render  # noqa: PLC0415 - OpenCV: see above

        pictures: list[bytes] = []
        for turn in range(max(1, round(seconds / _EVERY_S))):
            if len(pictures) < _LOOKS:
                pictures.append(picture(render(payload, on=on, severity=0.2, look=turn), ".jpg"))
            self._show(pictures[turn % _LOOKS])
            first.set()
            if over.wait(_EVERY_S):
                break
        with self._lock:
            self._clear()

    def _show(self, jpeg: bytes) -> None:
        with self._lock:
            if not self._plugged:
                return
            before = list(self.folder.glob("*.jpg"))
            self._count += 1
            fresh = self.folder / ".fresh"
            fresh.write_bytes(jpeg)
            fresh.rename(self.folder / f"{self._count:08}.jpg")
            for path in before:
                path.unlink()

    def _clear(self) -> None:
        for path in [*self.folder.glob("*.jpg"), *self.folder.glob(".fresh")]:
            path.unlink()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.unplug()
