"""A camera whose pictures a test lays down, and what it tells, to be awaited with a deadline."""

import contextlib
import os
import queue
import time
from collections.abc import Callable
from pathlib import Path

from kiosk.readers.camera import Camera
from kiosk.readers.camera_pipe import CameraSettings, Seen
from kiosk.readers.state import Presence, ReaderState
from simulators.frames import Frame, picture, render

CARD = "099190000001|364000123|Trần Thị Mẫu|02091990|Nữ|Xã Mẫu, Hậu Giang|05072021".encode()
OTHER = "099075000003||Phạm Văn Thí Dụ|15031975|Nam|Xã Khác, Hậu Giang|06082022".encode()
THIRD = "099301000005||Thạch Sa Rây|01012001|Nữ|Xã Thứ Ba, Hậu Giang|06082022".encode()
PAYMENT = b"00020101021138540010A00000072701240006970436011000000000010208QRIBFTTA53037045802VN6304ABCD"


class Desk:
    """A folder before the camera."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self._count = 0

    def lay(self, payload: bytes, **how: object) -> None:
        """Hold a card, or what *how* says (`simulators.frames.render`)."""
        self.show(render(payload, **({"severity": 0.1} | how)))  # type: ignore[arg-type]

    def show(self, frame: Frame) -> None:
        """Let the camera see *frame*."""
        self._count += 1
        fresh = self.folder / ".fresh"
        fresh.write_bytes(picture(frame))
        # The newest counts: two pictures within one tick of the file system's clock are told apart by name only.
        fresh.rename(self.folder / f"{self._count:06}.png")
        for path in sorted(self.folder.glob("*.png"))[:-1]:
            path.unlink()

    def clear(self) -> None:
        """Take everything away."""
        for path in self.folder.glob("*.png"):
            path.unlink()


class Watched:
    """Runs a camera and keeps what it reports."""

    def __init__(self, device: str, *, beat_within: float = 5.0, **settings: object) -> None:
        self.seen: queue.Queue[Seen] = queue.Queue()
        self.states: queue.Queue[ReaderState] = queue.Queue()
        self.previews: queue.Queue[bytes] = queue.Queue()
        self.mixed: queue.Queue[None] = queue.Queue()
        self.camera = Camera(
            CameraSettings(device, **settings),  # type: ignore[arg-type]
            self.seen.put,
            self.states.put,
            self.previews.put,
            lambda: self.mixed.put(None),
            beat_within=beat_within,
            restart_after=0.1,
        )
        self.camera.start()

    def presence(self, within: float = 20) -> Presence:
        return self.states.get(timeout=within).presence

    def opened(self) -> "Watched":
        assert self.presence() is Presence.ATTACHED
        return self

    def code(self, within: float = 10) -> Seen:
        return self.seen.get(timeout=within)

    def pid(self) -> int:
        until(lambda: self.camera.pid is not None)
        pid = self.camera.pid
        assert pid is not None
        return pid

    def stop(self) -> None:
        # A test may have left the child stopped.
        if (pid := self.camera.pid) is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, 18)
        self.camera.stop()


def until(met: Callable[[], bool], within: float = 10) -> None:
    """Wait for *met*, at most so long."""
    deadline = time.monotonic() + within
    while not met():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.02)
