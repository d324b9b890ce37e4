"""A barcode scanner on a serial line: opens it, frames what it sends, and waits for it for ever when it is gone.

Source: identity-documents.md 1.5 and 8.2, components.md 3, faults-threats-speed.md F6. Only this file imports pyserial
for scanners; none of its errors leave. No byte of a scan is ever logged.
"""

import logging
import termios
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

import serial

from kiosk.errors import ConfigError, ReaderUnavailable
from kiosk.readers.framing import Framer
from kiosk.readers.state import Presence, ReaderState

_LOG = logging.getLogger(__name__)
_READ_TIMEOUT_S = 0.05
_JOIN_S = 2.0
# SerialException is an OSError; termios.error is not; pyserial turns a refused speed into a ValueError.
_PORT_ERRORS = (OSError, termios.error, ValueError)


class SerialScanner:
    """Reads scans from one port on a daemon thread of its own.

    *port* is a stable path (``/dev/serial/by-id/...``) or a pyserial URL such as ``socket://host:port``; URLs that
    make pyserial log traffic are refused. *baud* with 8N1, no flow control, device locked exclusively, DTR left alone.
    *on_scan* gets each frame without its line end, *on_state* each change of presence (the first finding included);
    both run on the thread and must hand over quickly. *idle_gap* ends a scan that has no suffix, *reopen_every* is
    the pause between two attempts at a missing device; both in seconds.

    Raises ConfigError for a port or speed that can never work. A missing device is no error: it is waited for.
    """

    def __init__(
        self,
        port: str,
        baud: int,
        on_scan: Callable[[bytes], None],
        on_state: Callable[[ReaderState], None] | None = None,
        idle_gap: float = 0.1,
        reopen_every: float = 0.5,
    ) -> None:
        """Check the settings; nothing is opened before `start`."""
        self._port = port
        self._baud = baud
        self._on_scan = on_scan
        self._on_state = on_state
        self._idle_gap = idle_gap
        self._reopen_every = reopen_every
        self._framer = Framer()
        self._stopping = threading.Event()
        self._reported: Presence | None = None
        self._state = ReaderState(Presence.GONE, datetime.now(UTC))
        self._thread = threading.Thread(target=self._run, name="serial-scanner", daemon=True)
        _check(port, baud)

    @property
    def state(self) -> ReaderState:
        """The device's presence now; gone before `start` and after `stop`."""
        return self._state

    def start(self) -> None:
        """Start the thread, once; it opens the port and keeps reopening it until `stop`."""
        self._thread.start()

    def stop(self) -> None:
        """Close the port and end the thread; no callback runs afterwards. Waits at most two seconds."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(_JOIN_S)
        self._state = ReaderState(Presence.GONE, datetime.now(UTC))

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._read_until_gone()
            except _PORT_ERRORS as error:
                self._framer.reset()
                self._report(Presence.GONE, error)
                self._stopping.wait(self._reopen_every)

    def _read_until_gone(self) -> None:
        device = _device(self._port, self._baud)
        try:
            device.open()
            self._report(Presence.ATTACHED)
            self._read(device)
        finally:
            device.close()

    def _read(self, device: serial.Serial) -> None:
        last_byte = time.monotonic()
        while not self._stopping.is_set():
            # One byte, then what has come with it: a larger read would wait out its whole time-out.
            if first := device.read(1):
                self._deliver(self._framer.feed(first))
                self._deliver(self._framer.feed(device.read(device.in_waiting)))
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
            _LOG.info("scanner on %s attached", self._port)
        else:
            _LOG.warning("scanner on %s gone: %s %s", self._port, type(error).__name__, getattr(error, "errno", None))
        if self._on_state is not None:
            self._tell(partial(self._on_state, self._state))

    def _tell(self, callback: Callable[[], None]) -> None:
        if self._stopping.is_set():
            return
        try:
            callback()
        except Exception as error:
            # The thread must outlive its listener; the error's text might quote the scan.
            _LOG.error("listener of scanner on %s failed: %s", self._port, type(error).__name__)


def read_burst(port: str, baud: int, seconds: float, idle_gap: float = 0.3, most: int = 8192) -> bytes:
    """All bytes of one scan just as they come, suffix included, for a diagnosis; b"" if none came in time.

    Waits up to *seconds* for the first byte and ends when the line was silent for *idle_gap* seconds, or after *most*
    bytes. ReaderUnavailable if the port cannot be opened alone or breaks off; ConfigError as `SerialScanner`.
    """
    _check(port, baud)
    device = _device(port, baud)
    burst, until = bytearray(), time.monotonic() + seconds
    try:
        device.open()
        while time.monotonic() < until and len(burst) < most:
            if more := device.read(1):
                burst += more + device.read(device.in_waiting)
                until = time.monotonic() + idle_gap
    except _PORT_ERRORS as error:
        why = f"{type(error).__name__} {getattr(error, 'errno', None)}"
        raise ReaderUnavailable(f"{port} cannot be used ({why})") from error
    finally:
        device.close()
    return bytes(burst[:most])


def _device(port: str, baud: int) -> serial.Serial:
    # The native class takes the lock; a TCP stream has none to take.
    lock = None if "://" in port else True
    return serial.serial_for_url(port, baud, timeout=_READ_TIMEOUT_S, exclusive=lock, do_not_open=True)


def _check(port: str, baud: int) -> None:
    if port.lower().startswith("spy://") or ("://" in port and "logging=" in port.lower()):
        raise ConfigError("scanner.port: a URL that logs traffic would log personal data")
    try:
        _device(port, baud)
    except ValueError as error:
        raise ConfigError("scanner.port, scanner.baud: expected a device path or pyserial URL, and a speed") from error
    except OSError:
        # hwgrep:// looks for its device here already; that it is not there now does not matter.
        return
