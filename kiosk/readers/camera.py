"""A camera as the kiosk sees it: a child process that looks, is listened to, and is replaced when it fails.

The child holds OpenCV and the decoders, so that the daemon stays small and a decoder's crash stays outside
(architecture.md 4). It is started by `Camera.start`, which the daemon calls once it answers. Nothing of a code or a
picture is ever logged. Source: components.md 2, faults-threats-speed.md F6.
"""

from __future__ import annotations

import logging
import os
import re
import select
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Final

from kiosk.readers.camera_pipe import CameraSettings, Decoder, Kind, Seen, Trouble, encode, trouble_of
from kiosk.readers.pipe import PipeError
from kiosk.readers.state import Presence, ReaderState

_LOG = logging.getLogger(__name__)

_ENVIRONMENT: Final = {
    "OPENBLAS_NUM_THREADS": "1",  # numpy would start a thread for each core, which nothing here uses
    "OPENCV_LOG_LEVEL": "OFF",
    "OPENCV_IO_MAX_IMAGE_PIXELS": str(1 << 25),
}
_PASSED_ON: Final = ("PATH", "LANG", "LD_LIBRARY_PATH")
_OPENS_WITHIN_S: Final = 20.0
_END_S: Final = 1.0
_LONGEST_PAUSE_S: Final = 30.0
_GOOD_AFTER_S: Final = 30.0
_DISPUTES_EVERY_S: Final = 600.0
_VOLATILE: Final = re.compile(r"/dev/video\d+")


class Camera:
    """Looks through one camera in a process of its own, listened to on a daemon thread.

    *settings*: what camera, and how. *on_seen* gets each code that was not there before, *on_state* each change of
    presence (the first finding included), *on_preview* small JPEG pictures while they are wanted; *on_mixed* is called
    when documents of different people are before the camera, of which none is told. All run on the thread and must hand
    over quickly. *beat_within*: seconds of silence after which the child hangs and is killed; *restart_after*: the
    first pause before another child, doubled while they fail. A missing camera is no error: it is waited for.
    """

    def __init__(
        self,
        settings: CameraSettings,
        on_seen: Callable[[Seen], None],
        on_state: Callable[[ReaderState], None] | None = None,
        on_preview: Callable[[bytes], None] | None = None,
        on_mixed: Callable[[], None] | None = None,
        *,
        beat_within: float = 5.0,
        restart_after: float = 0.5,
    ) -> None:
        """Keep the settings; no process before `start`."""
        self._settings = settings
        self._on_seen = on_seen
        self._on_state = on_state
        self._on_preview = on_preview
        self._on_mixed = on_mixed
        self._beat_within = beat_within
        self._restart_after = restart_after
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._wanted = False
        self._trouble: Trouble | None = None
        self._reported: Presence | None = None
        self._disputed_at = float("-inf")
        self._state = ReaderState(Presence.GONE, datetime.now(UTC))
        self._thread = threading.Thread(target=self._run, name="camera", daemon=True)

    @property
    def state(self) -> ReaderState:
        """The camera's presence now; gone before `start` and after `stop`."""
        return self._state

    @property
    def trouble(self) -> Trouble | None:
        """Why the camera is gone; None while it is there, and before the first finding."""
        return self._trouble

    @property
    def pid(self) -> int | None:
        """The process that looks now, if there is one."""
        child = self._child
        return None if child is None else child.pid

    def start(self) -> None:
        """Start the thread, once; it starts the process and replaces it until `stop`."""
        if _VOLATILE.fullmatch(self._settings.device):
            _LOG.warning("%s may be another camera after a restart: use /dev/v4l/by-id/...", self._settings.device)
        self._thread.start()

    def stop(self) -> None:
        """End process and thread, by force if they hang; no callback runs afterwards."""
        self._stopping.set()
        with self._lock:
            if self._child is not None and self._child.stdin is not None:
                self._child.stdin.close()
        if self._thread.is_alive():
            self._thread.join(_END_S)
        with self._lock:
            if self._child is not None:
                self._child.kill()
        if self._thread.is_alive():
            self._thread.join(_END_S)
        self._state = ReaderState(Presence.GONE, datetime.now(UTC))

    def want_preview(self, wanted: bool) -> None:
        """Whether somebody looks: only then pictures are made and given to *on_preview*. Never blocks."""
        with self._lock:
            self._wanted = wanted
            self._say(Kind.PREVIEW, bytes((wanted,)))

    def refused(self, payload: bytes) -> None:
        """Nobody took the code: it is told again after a few seconds if it is still held there. Never blocks."""
        with self._lock:
            self._say(Kind.REFUSED, payload)

    # -- the process -------------------------------------------------------------------------------------------

    def _run(self) -> None:
        pause = self._restart_after
        while not self._stopping.is_set():
            began = time.monotonic()
            self._report(self._one_child())
            if time.monotonic() - began > _GOOD_AFTER_S:
                pause = self._restart_after
            self._stopping.wait(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_S)

    def _one_child(self) -> Trouble:
        """Start a child and listen until it ends; what ended it."""
        command = [sys.executable, "-I", "-m", "kiosk.readers.camera_child", self._settings.encode()]
        passed_on = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        try:
            child = subprocess.Popen(  # noqa: S603 - our own module, no shell
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,  # libraries would tell of every attempt at a missing camera
                env=passed_on | _ENVIRONMENT,
                bufsize=0,
            )
        except OSError:
            return Trouble.NO_PROCESS
        assert child.stdin is not None  # noqa: S101 - for the type checker
        assert child.stdout is not None  # noqa: S101 - likewise
        os.set_blocking(child.stdin.fileno(), False)  # a hung child must not hang the event loop
        with self._lock:
            self._child = child
            self._say(Kind.PREVIEW, bytes((self._wanted,)))
            if self._stopping.is_set():
                child.kill()
        try:
            return self._listen(child.stdout.fileno())
        except PipeError as error:
            _LOG.error("the camera's process talks nonsense and is killed: %s", error)
            return Trouble.CRASHED
        finally:
            with self._lock:
                self._child = None
            child.kill()
            child.wait()
            child.stdin.close()
            child.stdout.close()

    def _say(self, kind: Kind, body: bytes) -> None:
        child = self._child
        if child is None or child.stdin is None or child.stdin.closed:
            return
        try:
            os.write(child.stdin.fileno(), encode(kind, body))
        except OSError:
            return  # it is gone or takes nothing more, and will be replaced

    def _listen(self, pipe: int) -> Trouble:
        decoder = Decoder()
        last_words = Trouble.CRASHED
        while True:
            patience = self._beat_within if self._reported is Presence.ATTACHED else _OPENS_WITHIN_S
            if not select.select([pipe], [], [], patience)[0]:
                return Trouble.HUNG
            data = os.read(pipe, 65_536)
            if not data:
                return last_words
            for kind, body in decoder.feed(data):
                if kind is Kind.LOST:
                    last_words = trouble_of(body)
                elif kind is Kind.OPENED:
                    last_words = Trouble.CRASHED
                self._heard(kind, body)

    # -- what it tells -----------------------------------------------------------------------------------------

    def _heard(self, kind: Kind, body: bytes) -> None:
        match kind:
            case Kind.OPENED:
                self._report(None)
            case Kind.LOST:
                self._report(trouble_of(body))
            case Kind.SEEN:
                self._tell(partial(self._on_seen, Seen.decode(body)))
            case Kind.JPEG if self._on_preview is not None and self._wanted:
                self._tell(partial(self._on_preview, body))
            case Kind.MIXED if self._on_mixed is not None:
                self._tell(self._on_mixed)
            case Kind.DISPUTED:
                self._note_dispute()
            case Kind.FAILED:
                _LOG.error("the camera's process failed: %s", body.decode("ascii", "replace"))
            case Kind.IGNORED:
                _LOG.warning("the camera does not know the setting camera.%s", body.decode("ascii", "replace"))

    def _note_dispute(self) -> None:
        now = time.monotonic()
        if now - self._disputed_at >= _DISPUTES_EVERY_S:
            self._disputed_at = now
            _LOG.warning("decoders disagreed about a code, which was not taken")

    def _report(self, trouble: Trouble | None) -> None:
        presence = Presence.ATTACHED if trouble is None else Presence.GONE
        if self._stopping.is_set():
            return
        self._trouble = trouble
        if presence is self._reported:
            return
        self._reported = presence
        self._state = ReaderState(presence, datetime.now(UTC))
        if trouble is None:
            _LOG.info("camera %s gives pictures", self._settings.device)
        else:
            _LOG.warning("camera %s gone: %s", self._settings.device, trouble)
        if self._on_state is not None:
            self._tell(partial(self._on_state, self._state))

    def _tell(self, callback: Callable[[], None]) -> None:
        if self._stopping.is_set():
            return
        try:
            callback()
        except Exception as error:
            # The thread must outlive its listener; the error's text might quote the code.
            _LOG.error("listener of the camera failed: %s", type(error).__name__)
