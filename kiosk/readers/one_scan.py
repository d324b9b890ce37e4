"""One scan from a terminal, for a diagnosis: the bytes just as they come."""

from __future__ import annotations

import os
import select
import termios
import time
import tty
from collections.abc import Iterator
from contextlib import contextmanager


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
