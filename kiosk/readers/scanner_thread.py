"""What all scanners share: a thread that reads one device, frames what it sends, and waits for ever when it is gone."""

from __future__ import annotations

import logging
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from functools import partial

from kiosk.readers.framing import Framer
from kiosk.readers.state import Presence, ReaderState

_LOG = logging.getLogger(__name__)
_JOIN_S = 2.0


class ScannerThread(ABC):
    """Reads scans from the device at one *place* on a daemon thread of its own.

    *on_scan* gets each frame without its line end, *on_state* each change of presence (the first finding included);
    both run on the thread and must hand over quickly. *idle_gap* ends a scan that has no suffix, *reopen_every* is
    the pause between two attempts at a missing device; both in seconds. *broken*: the errors of a device that is gone.
    """

    def __init__(
        self,
        place: str,
        on_scan: Callable[[bytes], None],
        on_state: Callable[[ReaderState], None] | None,
        idle_gap: float,
        reopen_every: float,
        *,
        broken: tuple[type[Exception], ...],
    ) -> None:
        """Nothing is opened before `start`."""
        self._place = place
        self._on_scan = on_scan
        self._on_state = on_state
        self._idle_gap = idle_gap
        self._reopen_every = reopen_every
        self._broken = broken
        self._framer = Framer()
        self._stopping = threading.Event()
        self._reported: Presence | None = None
        self._state = ReaderState(Presence.GONE, datetime.now(UTC))
        self._thread = threading.Thread(target=self._run, name="scanner", daemon=True)

    @abstractmethod
    def _opened(self) -> AbstractContextManager[Callable[[], bytes]]:
        """The open device, as a function that gives what came within a twentieth of a second."""

    @property
    def state(self) -> ReaderState:
        """The device's presence now; gone before `start` and after `stop`."""
        return self._state

    def start(self) -> None:
        """Start the thread, once; it opens the device and keeps reopening it until `stop`."""
        self._thread.start()

    def stop(self) -> None:
        """Close the device and end the thread; no callback runs afterwards. Waits at most two seconds."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(_JOIN_S)
        self._state = ReaderState(Presence.GONE, datetime.now(UTC))

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                with self._opened() as read:
                    self._report(Presence.ATTACHED)
                    self._read(read)
            except self._broken as error:
                self._framer.reset()
                self._report(Presence.GONE, error)
                self._stopping.wait(self._reopen_every)

    def _read(self, read: Callable[[], bytes]) -> None:
        last_byte = time.monotonic()
        while not self._stopping.is_set():
            if more := read():
                self._deliver(self._framer.feed(more))
                last_byte = time.monotonic()
            elif time.monotonic() - last_byte >= self._idle_gap:
                self._deliver(self._framer.idle())

    def _deliver(self, frames: list[bytes]) -> None:
        for frame in frames:
            self._tell(partial(self._on_scan, frame))

    def _report(self, presence: Presence, error: BaseException | None = None) -> None:
        if presence is self._reported:
            return
        self._reported = presence
        self._state = ReaderState(presence, datetime.now(UTC))
        if error is None:
            _LOG.info("scanner on %s attached", self._place)
        else:
            _LOG.warning("scanner on %s gone: %s %s", self._place, type(error).__name__, getattr(error, "errno", None))
        if self._on_state is not None:
            self._tell(partial(self._on_state, self._state))

    def _tell(self, callback: Callable[[], None]) -> None:
        if self._stopping.is_set():
            return
        try:
            callback()
        except Exception as error:
            # The thread must outlive its listener; the error's text might quote the scan.
            _LOG.error("listener of scanner on %s failed: %s", self._place, type(error).__name__)
