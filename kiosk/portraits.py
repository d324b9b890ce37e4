"""Portraits of chips for a glance of staff: in memory only, for a minute, and a few at a time.

Image decoders are attack surface and the bytes come from a stranger's card. A JPEG goes on to the browser as it is;
JPEG 2000, which no browser shows, is decoded only if staff look, in a process of its own with limits
(``portrait_child``). Nothing is written to a disk or to a log.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from dataclasses import dataclass
from typing import Final

from kiosk.emrtd.lds import ImageFormat

MAX_BYTES: Final = 128 * 1024
"""A portrait of a citizen card has about 15 kB."""

_JPEG_STARTS: Final = b"\xff\xd8\xff"  # SOI and the first marker, ISO 10918-1 B.1.1
_JP2_STARTS: Final = (
    bytes.fromhex("0000000C6A5020200D0A870A"),  # the signature box, ISO 15444-1 I.5.1
    bytes.fromhex("FF4FFF51"),  # a bare codestream: SOC and SIZ, ISO 15444-1 A.4
)
_CHILD: Final = "kiosk.portrait_child"


@dataclass(slots=True)
class _Kept:
    data: bytes
    is_jpeg: bool
    forget: asyncio.TimerHandle
    converting: asyncio.Lock


class Portraits:
    """At most *limit* portraits, each for *seconds*; all methods run on the daemon's event loop."""

    def __init__(self, *, seconds: float = 60.0, limit: int = 4, convert_seconds: float = 5.0) -> None:
        """*convert_seconds*: how long a JPEG 2000 image may take before it is given up."""
        self._seconds = seconds
        self._limit = limit
        self._convert_seconds = convert_seconds
        self._kept: dict[str, _Kept] = {}

    def keep(self, checkin_id: str, image_format: ImageFormat, data: bytes) -> None:
        """Keep the portrait of a check-in, in place of an earlier one; *image_format* as DG2 states it.

        Bytes that are too many or do not begin like such an image are not kept. The oldest makes room.
        """
        self.forget(checkin_id)
        is_jpeg = image_format == "jpeg"
        if len(data) > MAX_BYTES or not data.startswith(_JPEG_STARTS if is_jpeg else _JP2_STARTS):
            return
        while len(self._kept) >= self._limit:
            self.forget(next(iter(self._kept)))
        timer = asyncio.get_running_loop().call_later(self._seconds, self.forget, checkin_id)
        self._kept[checkin_id] = _Kept(data, is_jpeg, timer, asyncio.Lock())

    def holds(self, checkin_id: str) -> bool:
        """Whether there is a portrait to look at."""
        return checkin_id in self._kept

    async def get(self, checkin_id: str) -> tuple[str, bytes] | None:
        """Media type and bytes as a browser shows them; None when it is gone or cannot be shown."""
        kept = self._kept.get(checkin_id)
        if kept is None:
            return None
        async with kept.converting:
            if not kept.is_jpeg:
                converted = await _convert(kept.data, self._convert_seconds)
                if converted is None:
                    if self._kept.get(checkin_id) is kept:
                        self.forget(checkin_id)
                    return None
                kept.data, kept.is_jpeg = converted, True
        return ("image/jpeg", kept.data) if self._kept.get(checkin_id) is kept else None

    def forget(self, checkin_id: str) -> None:
        """Drop a portrait before its time."""
        if (kept := self._kept.pop(checkin_id, None)) is not None:
            kept.forget.cancel()


async def _convert(jp2: bytes, seconds: float) -> bytes | None:
    """The image as JPEG; None when it is damaged, takes too long, or Pillow is not installed."""
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",
        "-m",
        _CHILD,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        cwd=os.sep,
        env={},
    )
    try:
        async with asyncio.timeout(seconds):
            jpeg, _ = await child.communicate(jp2)
    except TimeoutError:
        return None
    finally:
        if child.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                child.kill()
            await child.wait()
    usable = child.returncode == 0 and jpeg.startswith(_JPEG_STARTS) and len(jpeg) <= MAX_BYTES
    return jpeg if usable else None
