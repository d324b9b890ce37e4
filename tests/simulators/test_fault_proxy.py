"""The fault proxy: each toxic as a client sees it, and that nothing stays open."""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest
from pydantic import ValidationError

from simulators.fault_proxy import FaultProxy, Settings, create_app
from simulators.fault_toxics import Toxic
from simulators.serve import serve_in_thread

PAYLOAD = bytes(range(256)) * 20
Connect = Callable[..., Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]


class World:
    """An echo server behind a proxy."""

    def __init__(self, proxy: FaultProxy) -> None:
        self.proxy = proxy

    async def talk(self, *toxics: Toxic, send: bytes = PAYLOAD, until: int | None = None) -> bytes:
        """What comes back of *send* through *toxics*; ConnectionError for a reset."""
        self.proxy.toxics[:] = toxics
        reader, writer = await asyncio.open_connection("127.0.0.1", self.proxy.port)
        try:
            writer.write(send)
            await writer.drain()
            if until is not None:
                return await reader.readexactly(until)
            writer.write_eof()
            return await reader.read()
        finally:
            writer.transport.abort()


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while piece := await reader.read(1024):
                writer.write(piece)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    proxy = FaultProxy(Settings("127.0.0.1", server.sockets[0].getsockname()[1], seed=1))
    await proxy.start()
    yield World(proxy)
    await proxy.stop()
    server.close()
    assert proxy.open == 0


async def test_without_toxics_all_passes(world: World) -> None:
    assert await world.talk() == PAYLOAD


async def test_delay_and_bandwidth_take_their_time(world: World) -> None:
    started = time.monotonic()
    assert await world.talk(Toxic(kind="delay", delay_ms=100, jitter_ms=20), send=b"abc") == b"abc"
    assert time.monotonic() - started >= 0.1
    started = time.monotonic()
    assert await world.talk(Toxic(kind="bandwidth", bytes_per_second=1000, direction="up"), send=b"a" * 150)
    assert time.monotonic() - started >= 0.15


async def test_a_slow_drip_comes_byte_by_byte(world: World) -> None:
    started = time.monotonic()
    assert await world.talk(Toxic(kind="slow_drip", delay_ms=20), send=b"abcdef", until=3) == b"abc"
    assert time.monotonic() - started >= 0.06


async def test_a_reset_after_some_bytes(world: World) -> None:
    with pytest.raises(ConnectionResetError):
        await world.talk(Toxic(kind="reset", after_bytes=100))
    with pytest.raises(ConnectionResetError):
        await world.talk(Toxic(kind="reset", direction="up"))


async def test_truncated_after_some_bytes(world: World) -> None:
    assert await world.talk(Toxic(kind="truncate", after_bytes=100)) == PAYLOAD[:100]


async def test_garbled_after_some_bytes(world: World) -> None:
    found = await world.talk(Toxic(kind="garble", after_bytes=1000))
    assert found[:1000] == PAYLOAD[:1000]
    assert len(found) == len(PAYLOAD)
    assert found != PAYLOAD


async def test_duplicated(world: World) -> None:
    assert await world.talk(Toxic(kind="duplicate"), send=b"abc") == b"abcabc"


async def test_half_open_says_nothing(world: World) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await world.talk(Toxic(kind="half_open"), until=1)


async def test_refused(world: World) -> None:
    with pytest.raises(ConnectionError):
        await world.talk(Toxic(kind="refuse"))


async def test_nobody_behind_it_is_a_reset() -> None:
    proxy = FaultProxy(Settings("127.0.0.1", 1))
    await proxy.start()
    with pytest.raises(ConnectionError):
        await World(proxy).talk()
    await proxy.stop()


async def test_only_some_connections_are_hit_and_the_seed_repeats_it(world: World) -> None:
    async def run() -> list[bool]:
        world.proxy._chance.seed(7)
        toxic = Toxic(kind="truncate", probability=0.5)
        return [await world.talk(toxic, send=b"abc") == b"abc" for _ in range(20)]

    first = await run()
    assert set(first) == {True, False}
    assert await run() == first


@pytest.mark.parametrize("body", [{"kind": "delay"}, {"kind": "bandwidth"}, {"kind": "slow_drip"}, {"kind": "flood"}])
def test_toxics_that_are_none(body: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Toxic.model_validate(body)


def test_the_control(world: World) -> None:
    proxy = FaultProxy(Settings("127.0.0.1", 1, seed=42))
    with serve_in_thread(create_app(proxy)) as server, httpx.Client(base_url=server.url, trust_env=False) as control:
        assert control.get("/_sim/health").json() == {"status": "ok", "port": proxy.port, "seed": 42}
        control.post("/_sim/toxic", json={"kind": "reset"}).raise_for_status()
        assert [toxic["kind"] for toxic in control.get("/_sim/toxics").json()] == ["reset"]
        assert control.delete("/_sim/toxics").status_code == 204
        assert control.get("/_sim/toxics").json() == []
        assert control.get("/_sim/connections").json() == {"accepted": 0, "open": 0, "hit": 0}
        assert control.post("/_sim/reset").status_code == 204


def test_the_command() -> None:
    command = [sys.executable, "-m", "simulators", "fault-proxy", "--to", "127.0.0.1:1", "--port", "0", "--seed", "3"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as running:
        assert running.stdout is not None
        url = json.loads(running.stdout.readline())["url"]
        for _ in range(200):
            try:
                assert httpx.get(url + "/_sim/health", trust_env=False).json()["seed"] == 3
                break
            except httpx.TransportError:
                time.sleep(0.05)
        running.terminate()
    bad = subprocess.run(  # our own program
        [sys.executable, "-m", "simulators", "fault-proxy", "--to", "nowhere"], capture_output=True, check=False
    )
    assert bad.returncode == 2
