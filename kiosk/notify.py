"""Tells systemd that the daemon is ready and alive (sd_notify); without NOTIFY_SOCKET all of it does nothing."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable


def notify(message: str) -> None:
    """Send one message such as ``READY=1``; a leading ``@`` in the address names an abstract socket."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.sendto(message.encode(), address)


async def keep_alive(healthy: Callable[[], bool]) -> None:
    """Ping the watchdog at half its period while *healthy* says so; returns at once when there is none."""
    period = int(os.environ.get("WATCHDOG_USEC", "0")) / 1_000_000
    while period > 0:
        if healthy():
            notify("WATCHDOG=1")
        await asyncio.sleep(period / 2)
