"""Talking to systemd through a real datagram socket."""

import asyncio
import os
import socket
from collections.abc import Iterator

import pytest

from kiosk.notify import keep_alive, notify


@pytest.fixture(params=["path", "abstract"])
def listener(request, tmp_path, monkeypatch) -> Iterator[socket.socket]:
    """The socket that systemd would listen on."""
    name = str(tmp_path / "notify") if request.param == "path" else f"\0kiosk-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(name)
        sock.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", name.replace("\0", "@"))
        yield sock


def test_a_message_arrives(listener):
    notify("READY=1")
    assert listener.recv(100) == b"READY=1"


def test_without_systemd_nothing_happens(monkeypatch):
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    notify("READY=1")


async def test_the_watchdog_is_fed_at_half_its_period_while_healthy(listener, monkeypatch):
    monkeypatch.setenv("WATCHDOG_USEC", "100000")
    healthy = True
    feeding = asyncio.create_task(keep_alive(lambda: healthy))
    loop = asyncio.get_running_loop()
    started = loop.time()
    for _ in range(3):
        assert await asyncio.to_thread(listener.recv, 100) == b"WATCHDOG=1"
    assert 0.08 <= loop.time() - started < 2
    healthy = False
    await asyncio.sleep(0.12)
    listener.setblocking(False)
    with pytest.raises(BlockingIOError):
        while True:  # what was sent before may still be there
            listener.recv(100)
    await asyncio.sleep(0.15)
    with pytest.raises(BlockingIOError):
        listener.recv(100)
    feeding.cancel()


async def test_without_a_watchdog_there_is_nothing_to_feed(monkeypatch):
    monkeypatch.delenv("WATCHDOG_USEC", raising=False)
    async with asyncio.timeout(5):
        await keep_alive(lambda: True)
