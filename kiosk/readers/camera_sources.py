"""Where pictures come from: a camera through Video4Linux, a video file, or a folder of pictures.

Every source gives the newest picture and never a backlog. Imports OpenCV: only the camera child may load this.
Source: components.md 2; settings: interfaces, section 7.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from kiosk.readers.camera_pipe import CameraSettings, Trouble

Picture = NDArray[np.uint8]
"""Height x width grey, or height x width x 3 in OpenCV's order blue, green, red."""

_STALE_GRABS: Final = 3
_WAITED_S: Final = 0.001
_EXPOSURE_BY_HAND: Final = 1
_EXPOSURE_AUTO: Final = 3
_MAX_PICTURE_BYTES: Final = 20_000_000
_EMPTY_DESK: Final = 96
_NO_PICTURE: Final = "none"


class SourceLost(Exception):
    """The source gives no pictures; ``trouble`` says why."""

    def __init__(self, trouble: Trouble) -> None:
        """Keep the *trouble*."""
        super().__init__(trouble.value)
        self.trouble = trouble


class Source(Protocol):
    """Something that gives pictures. ``moving``: its pictures never stay the same bit for bit while it works."""

    moving: bool

    def read(self, after: float) -> Picture:
        """The newest picture, at least *after* seconds from now. SourceLost when there is none any more."""

    def close(self) -> None:
        """Let go of the source."""


def open_source(settings: CameraSettings, ignored: Callable[[str], None]) -> Source:
    """The source that ``device`` means; *ignored* gets the names of settings that the camera does not know.

    SourceLost when it is not there.
    """
    scheme, separator, path = settings.device.partition(":")
    if separator and scheme == "folder":
        return PictureFolder(Path(path), settings)
    if separator and scheme == "file":
        return VideoFile(Path(path))
    return V4l2Camera(settings, ignored)


class V4l2Camera:
    """A camera of this machine, by its path.

    Motion JPEG, because 1280 x 720 uncompressed passes USB 2 only ten times a second. One buffer, so that what waits
    is never old.
    """

    moving = True

    def __init__(self, settings: CameraSettings, ignored: Callable[[str], None]) -> None:
        """Open it and set it up; SourceLost when it cannot be opened."""
        if not Path(settings.device).exists():
            raise SourceLost(Trouble.NO_DEVICE)
        self._capture = cv2.VideoCapture(settings.device, cv2.CAP_V4L2)
        if not self._capture.isOpened():
            self._capture.release()
            raise SourceLost(Trouble.NO_DEVICE)
        for name, what, value in _properties(settings):
            if not self._capture.set(what, value) and name:
                ignored(name)

    def read(self, after: float) -> Picture:
        """Frames that come meanwhile are taken from the driver but not decoded."""
        until = time.monotonic() + after
        stale = 0
        while True:
            began = time.monotonic()
            if not self._capture.grab():
                raise SourceLost(Trouble.NO_PICTURES)
            now = time.monotonic()
            if now < until:
                continue
            # A frame that was there at once may have waited in the buffer since the last look.
            if now - began > _WAITED_S or stale == _STALE_GRABS:
                return _retrieved(self._capture)
            stale += 1

    def close(self) -> None:
        """Give the device back."""
        self._capture.release()


def _properties(settings: CameraSettings) -> list[tuple[str, int, float]]:
    """What to set, in this order: the setting's name if a person chose it (else empty), OpenCV's property, value."""
    found: list[tuple[str, int, float]] = [
        ("", cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG")),
        ("", cv2.CAP_PROP_FRAME_WIDTH, settings.width),
        ("", cv2.CAP_PROP_FRAME_HEIGHT, settings.height),
        ("", cv2.CAP_PROP_FPS, settings.fps),
        ("", cv2.CAP_PROP_BUFFERSIZE, 1),
    ]
    # Both are remembered by cameras, so that "auto" has to be said.
    if isinstance(settings.exposure, str):
        found.append(("", cv2.CAP_PROP_AUTO_EXPOSURE, _EXPOSURE_AUTO))
    else:
        found.append(("exposure", cv2.CAP_PROP_AUTO_EXPOSURE, _EXPOSURE_BY_HAND))
        found.append(("exposure", cv2.CAP_PROP_EXPOSURE, settings.exposure))
    if isinstance(settings.focus, str):
        found.append(("", cv2.CAP_PROP_AUTOFOCUS, 1))
    else:
        found.append(("focus", cv2.CAP_PROP_AUTOFOCUS, 0))
        found.append(("focus", cv2.CAP_PROP_FOCUS, settings.focus))
    return found


class VideoFile:
    """A video played at its own speed, again and again (tests, training).

    Like a camera's, its pictures have to change: one that stands still for long counts as frozen.
    """

    moving = True

    def __init__(self, path: Path) -> None:
        """Open the file; SourceLost when there is no video."""
        self._path = path
        self._capture: Any = None
        self._rewind()

    def read(self, after: float) -> Picture:
        """The picture that is due by the clock; those before it are skipped."""
        time.sleep(after)
        if not self._path.exists():
            raise SourceLost(Trouble.NO_DEVICE)
        due = int((time.monotonic() - self._began) * self._per_second)
        while self._taken <= due:
            if not self._capture.grab():
                if self._taken == 0:
                    raise SourceLost(Trouble.NO_PICTURES)
                self._rewind()
                due = 0
                continue
            self._taken += 1
        return _retrieved(self._capture)

    def close(self) -> None:
        """Close the file."""
        self._capture.release()

    def _rewind(self) -> None:
        if self._capture is not None:
            self._capture.release()
        self._capture = cv2.VideoCapture(str(self._path), cv2.CAP_FFMPEG) if self._path.is_file() else None
        if self._capture is None or not self._capture.isOpened():
            raise SourceLost(Trouble.NO_DEVICE)
        self._per_second = self._capture.get(cv2.CAP_PROP_FPS) or 25.0
        self._began = time.monotonic()
        self._taken = 0


class PictureFolder:
    """A folder whose newest picture is what the camera sees now (tests, demo).

    An empty folder, a picture called ``none`` or one that cannot be read is an empty desk. Names that start with a dot
    are left alone: write there, then rename.
    """

    moving = False

    def __init__(self, folder: Path, settings: CameraSettings) -> None:
        """Look into the folder; SourceLost when there is none."""
        self._folder = folder
        self._empty = np.full((settings.height, settings.width), _EMPTY_DESK, np.uint8)
        self._known: tuple[int, str, int] | None = None
        self._picture: Picture = self._empty
        self._newest()

    def read(self, after: float) -> Picture:
        """Read anew only when another picture is the newest."""
        time.sleep(after)
        newest = self._newest()
        if newest != self._known:
            self._known = newest
            self._picture = self._empty if newest is None else self._read(newest[1])
        return self._picture

    def close(self) -> None:
        """Nothing is held."""

    def _newest(self) -> tuple[int, str, int] | None:
        found = []
        try:
            for path in self._folder.iterdir():
                with contextlib.suppress(FileNotFoundError):  # it was replaced meanwhile
                    if not path.name.startswith(".") and path.is_file():
                        status = path.stat()
                        found.append((status.st_mtime_ns, path.name, status.st_size))
        except OSError as error:
            raise SourceLost(Trouble.NO_DEVICE) from error
        return max(found, default=None)

    def _read(self, name: str) -> Picture:
        path = self._folder / name
        if path.stem == _NO_PICTURE:
            return self._empty
        try:
            if path.stat().st_size > _MAX_PICTURE_BYTES:
                return self._empty
            data = np.frombuffer(path.read_bytes(), np.uint8)
            read = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
        except (OSError, cv2.error):
            return self._empty
        return self._empty if read is None else _picture(read)


def _retrieved(capture: Any) -> Picture:
    ok, read = capture.retrieve()
    if not ok or read is None or not read.size:
        raise SourceLost(Trouble.NO_PICTURES)
    return _picture(read)


def _picture(read: Any) -> Picture:
    return np.asarray(read, np.uint8)
