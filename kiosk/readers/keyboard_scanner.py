"""A scanner in keyboard mode, read below the keyboard layout and kept from everything else that listens to keys.

Its events come from ``/dev/input/by-id/...-event-kbd`` through python-evdev (the extra ``hid``), grabbed, so that no
layout, input method or desktop touches them. Only this file imports evdev; none of its errors leave. Accents that the
scanner itself drops do not come back. Source: identity-documents.md 1.5, 8.2.
"""

from __future__ import annotations

import errno
import importlib.util
import select
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from kiosk.errors import ConfigError
from kiosk.readers.keys import DIGIT_KEYS, Keys, scan_bytes
from kiosk.readers.scanner_thread import ScannerThread
from kiosk.readers.state import ReaderState

_READ_TIMEOUT_S = 0.05
_EV_SYN, _EV_KEY = 0, 1
_SYN_REPORT, _SYN_DROPPED = 0, 3


class KeyEvent(Protocol):
    """One input event of Linux; keys (type 1) count, and the word that some were lost."""

    type: int
    code: int
    value: int


class Grabbed(Protocol):
    """An open input device that only this process hears. OSError when it is gone."""

    def fileno(self) -> int:
        """What to wait on."""
        ...

    def read(self) -> Iterable[KeyEvent]:
        """The events that are there."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


def grab(path: str) -> Grabbed:
    """The input device at *path*, for this process alone. OSError: not there, not allowed, taken, no keyboard."""
    import evdev  # noqa: PLC0415 - compiled, and only such kiosks have it

    device: Any = evdev.InputDevice(path)
    try:
        if not DIGIT_KEYS.issubset(device.capabilities().get(_EV_KEY, ())):  # buttons and mice have keys too
            raise OSError(errno.ENODEV, "no keyboard")
        device.grab()
    except BaseException:
        device.close()
        raise
    return device  # type: ignore[no-any-return]


class KeyboardScanner(ScannerThread):
    """Reads scans from the keyboard at *device*, a stable path; callbacks and times as for every scanner thread.

    Raises ConfigError when python-evdev is not installed. A missing device is no error: it is waited for.
    """

    def __init__(
        self,
        device: str,
        on_scan: Callable[[bytes], None],
        on_state: Callable[[ReaderState], None] | None = None,
        idle_gap: float = 0.1,
        reopen_every: float = 0.5,
        opener: Callable[[str], Grabbed] = grab,
    ) -> None:
        """Check that it can work here; nothing is opened before `start`. *opener* gets the device for this process."""
        super().__init__(
            device, lambda frame: on_scan(scan_bytes(frame)), on_state, idle_gap, reopen_every, broken=(OSError,)
        )
        self._opener = opener
        if opener is grab and importlib.util.find_spec("evdev") is None:
            raise ConfigError('keyboard.device: expected the extra "hid" to be installed')

    @contextmanager
    def _opened(self) -> Iterator[Callable[[], bytes]]:
        device = self._opener(self._place)
        keys = _EventsToKeys()

        def read() -> bytes:
            ready, _, _ = select.select([device.fileno()], [], [], _READ_TIMEOUT_S)
            return b"".join(map(keys.take, device.read())) if ready else b""

        try:
            yield read
        finally:
            device.close()


class _EventsToKeys:
    """Passes key events on; where the kernel lost some, what is left up to its next report counts for nothing."""

    def __init__(self) -> None:
        self._keys = Keys()
        self._skipping = False

    def take(self, event: KeyEvent) -> bytes:
        if event.type == _EV_SYN and event.code == _SYN_DROPPED:
            self._skipping = True
            return self._keys.lost()
        if event.type == _EV_SYN and event.code == _SYN_REPORT:
            self._skipping = False
        if event.type != _EV_KEY or self._skipping:
            return b""
        return self._keys.take(event.code, event.value)
