"""One scan for a diagnosis, from a terminal or from a scanner that types: the bytes just as they come."""

from __future__ import annotations

import os
import queue
import select
import termios
import time
import tty
from collections.abc import Iterator
from contextlib import contextmanager

from kiosk.errors import ReaderUnavailable
from kiosk.readers.keyboard_scanner import KeyboardScanner


def read_typed(descriptor: int, seconds: float, idle_gap: float | None, most: int = 8192) -> bytes:
    """What is typed or piped into *descriptor*; b"" if nothing comes within *seconds*.

    Ends at the end of the input, after *most* bytes, and if nothing follows for *idle_gap* seconds (None: waits for
    the end). A terminal shows nothing of it, because somebody may scan a real card.
    """
    burst, until = bytearray(), time.monotonic() + seconds
    with _hidden(descriptor):
        while len(burst) < most:
            ready, _, _ = select.select([descriptor], [], [], max(0.0, until - time.monotonic()))
            more = os.read(descriptor, most) if ready else b""
            if not more:
                break
            burst += more
            if idle_gap is not None:
                until = time.monotonic() + idle_gap
    return bytes(burst[:most])


def read_grabbed(device: str, seconds: float) -> bytes:
    """The next scan, without its suffix, of the scanner that types as *device*, which nobody else hears meanwhile.

    b"" if none comes within *seconds*. ReaderUnavailable if the device cannot be had, ConfigError without evdev.
    """
    scans: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    scanner = KeyboardScanner(device, scans.put)
    scanner.start()
    try:
        return scans.get(timeout=seconds)
    except queue.Empty:
        if not scanner.state.attached:
            raise ReaderUnavailable(f"{device} cannot be used: not there, not allowed, or in use") from None
        return b""
    finally:
        scanner.stop()


@contextmanager
def _hidden(descriptor: int) -> Iterator[None]:
    if not os.isatty(descriptor):
        yield
        return
    before = termios.tcgetattr(descriptor)
    tty.setcbreak(descriptor)
    try:
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSAFLUSH, before)
