"""A TCP proxy that behaves as badly as a network: between the kiosk and any server, told over HTTP what to do.

Control: ``POST /_sim/toxic`` adds one (`fault_toxics.Toxic`), ``DELETE /_sim/toxics`` ends all, ``GET /_sim/toxics``
lists them, ``GET /_sim/connections`` counts, ``POST /_sim/reset`` tears down what is open. The dice follow a seed that
is told at the start, so a run can be repeated.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import struct
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI

from simulators.fault_toxics import Broken, Direction, Lane, Toxic

_PIECE = 16 * 1024
_LINGER_RESET = struct.pack("ii", 1, 0)


@dataclass(frozen=True)
class Settings:
    """Where to listen and to whom it leads; port 0 takes a free one. *seed*: of the dice, None chooses one."""

    to_host: str
    to_port: int
    host: str = "127.0.0.1"
    port: int = 0
    seed: int | None = None


@dataclass
class FaultProxy:
    """The proxy; runs on the loop that calls ``start``."""

    settings: Settings
    toxics: list[Toxic] = field(default_factory=list)
    accepted: int = 0
    hit: int = 0

    def __post_init__(self) -> None:
        """Throw the dice's seed."""
        self.seed = random.randrange(2**32) if self.settings.seed is None else self.settings.seed
        self._chance = random.Random(self.seed)
        self._open: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    @property
    def port(self) -> int:
        """The port it listens on."""
        if self._server is None:
            raise RuntimeError("not started")
        return int(self._server.sockets[0].getsockname()[1])

    @property
    def open(self) -> int:
        """Connections that are open now."""
        return len(self._open)

    async def start(self) -> None:
        """Listen. OSError when the address is taken."""
        self._server = await asyncio.start_server(self._accept, self.settings.host, self.settings.port)

    async def stop(self) -> None:
        """Take no more and end what is open."""
        if self._server is not None:
            self._server.close()
        await self.reset_open()

    async def reset_open(self) -> None:
        """End what is open; toxics work on connections from their beginning."""
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None:
            return
        self.accepted += 1
        self._open.add(task)
        toxics = [toxic for toxic in self.toxics if self._chance.random() < toxic.probability]
        self.hit += bool(toxics)
        try:
            await self._serve(reader, writer, toxics)
        except asyncio.CancelledError:
            _reset(writer)  # a task of a server that is cancelled must not be reported as one that failed
        finally:
            self._open.discard(task)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, toxics: list[Toxic]) -> None:
        kinds = {toxic.kind for toxic in toxics}
        if "refuse" in kinds:
            _reset(writer)
            return
        if "half_open" in kinds:
            with contextlib.suppress(ConnectionError):
                while await reader.read(_PIECE):
                    pass
            writer.close()
            return
        try:
            far_reader, far_writer = await asyncio.open_connection(self.settings.to_host, self.settings.to_port)
        except OSError:
            _reset(writer)
            return
        try:
            await self._both_ways((reader, writer), (far_reader, far_writer), toxics)
        finally:
            _reset(far_writer)
            writer.close()

    async def _both_ways(
        self,
        near: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        far: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        toxics: list[Toxic],
    ) -> None:
        ways = [
            asyncio.create_task(_pump(near[0], far[1], self._lane(toxics, "up"))),
            asyncio.create_task(_pump(far[0], near[1], self._lane(toxics, "down"))),
        ]
        try:
            await asyncio.gather(*ways)
        except Broken as broken:
            if broken.by_reset:
                _reset(near[1])
                _reset(far[1])
        except ConnectionError:
            _reset(near[1])
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)

    def _lane(self, toxics: list[Toxic], direction: Direction) -> Lane:
        return Lane([toxic for toxic in toxics if toxic.works(direction)], self._chance)


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter, lane: Lane) -> None:
    while piece := await source.read(_PIECE):
        end = lane.ends_within(piece)
        if end is not None:
            left, broken = end
            await _write(sink, piece[:left], lane)
            raise broken
        await _write(sink, await lane.through(piece), lane)
    if sink.can_write_eof():
        sink.write_eof()


async def _write(sink: asyncio.StreamWriter, piece: bytes, lane: Lane) -> None:
    if lane.drips is None:
        sink.write(piece)
        await sink.drain()
        return
    for byte in piece:
        await asyncio.sleep(lane.drips)
        sink.write(bytes((byte,)))
        await sink.drain()


def _reset(writer: asyncio.StreamWriter) -> None:
    sock = writer.get_extra_info("socket")
    if sock is not None and not writer.is_closing():
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_RESET)
    writer.transport.abort()


def create_app(proxy: FaultProxy) -> FastAPI:
    """The control of *proxy*, which runs as long as the application."""

    @contextlib.asynccontextmanager
    async def running(_: FastAPI) -> AsyncIterator[None]:
        await proxy.start()
        try:
            yield
        finally:
            await proxy.stop()

    app = FastAPI(title="Fault proxy", docs_url=None, redoc_url=None, lifespan=running)

    @app.get("/_sim/health")
    async def health() -> dict[str, Any]:
        return {"status": "ok", "port": proxy.port, "seed": proxy.seed}

    @app.get("/_sim/toxics")
    async def listed() -> list[Toxic]:
        return proxy.toxics

    @app.post("/_sim/toxic")
    async def add(toxic: Toxic) -> list[Toxic]:
        proxy.toxics.append(toxic)
        return proxy.toxics

    @app.delete("/_sim/toxics", status_code=204)
    async def clear() -> None:
        proxy.toxics.clear()

    @app.get("/_sim/connections")
    async def connections() -> dict[str, int]:
        return {"accepted": proxy.accepted, "open": proxy.open, "hit": proxy.hit}

    @app.post("/_sim/reset", status_code=204)
    async def reset() -> None:
        proxy.toxics.clear()
        await proxy.reset_open()

    return app
