"""A barcode scanner on a serial line.

Source: identity-documents.md 1.5 and 8.2, components.md 3, faults-threats-speed.md F6. Only this file imports pyserial
for scanners; none of its errors leave. No byte of a scan is ever logged.
"""

import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import serial

from kiosk.errors import ConfigError, ReaderUnavailable
from kiosk.readers.scanner_thread import ScannerThread
from kiosk.readers.state import ReaderState

_READ_TIMEOUT_S = 0.05
# SerialException is an OSError; termios.error is not; pyserial turns a refused speed into a ValueError.
_PORT_ERRORS = (OSError, termios.error, ValueError)


class SerialScanner(ScannerThread):
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
        super().__init__(port, on_scan, on_state, idle_gap, reopen_every, broken=_PORT_ERRORS)
        self._baud = baud
        _check(port, baud)

    @contextmanager
    def _opened(self) -> Iterator[Callable[[], bytes]]:
        device = _device(self._place, self._baud)
        try:
            device.open()
            # One byte, then what has come with it: a larger read would wait out its whole time-out.
            yield lambda: bytes(first + device.read(device.in_waiting)) if (first := device.read(1)) else b""
        finally:
            device.close()


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
