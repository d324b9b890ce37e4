"""Telling systemd that the service is ready, alive and stopping (sd_notify(3), Type=notify with WatchdogSec)."""

import asyncio
import itertools
import os
import socket


def notify(state: str) -> bool:
    """Send one state, such as `READY=1`, to the socket in NOTIFY_SOCKET; False when systemd did not ask for it.

    Raises OSError when the socket named there cannot be reached.
    """
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return False
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
        channel.connect(address)
        channel.sendall(state.encode())
    return True


async def keep_watchdog_fed() -> None:
    """Send `WATCHDOG=1` at half of WATCHDOG_USEC until cancelled; returns at once when no watchdog is set.

    It runs on the event loop, so that a loop that hangs stops feeding.
    """
    microseconds = int(os.environ.get("WATCHDOG_USEC", "0"))
    for pause in itertools.repeat(microseconds / 2_000_000):
        if pause == 0 or not notify("WATCHDOG=1"):
            return
        await asyncio.sleep(pause)
