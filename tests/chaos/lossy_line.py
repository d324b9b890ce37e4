"""A TCP line between an adapter and its peer that loses requests and answers by chance."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import struct
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

FATES = ("reset_before", "reset_after", "silent", "twice")
_RESET = struct.pack("ii", 1, 0)


class LossyLine:
    """Forwards to *port*; each exchange meets one of `FATES` with a chance of *share* together, else none.

    An exchange begins with what the client says after the other side has spoken.
    """

    def __init__(self, port: int, share: float, seed: int) -> None:
        self._target = port
        self._share = share
        self._random = random.Random(seed)
        self.met: Counter[str] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0

    def _fate(self) -> str:
        fate = self._random.choice(FATES) if self._random.random() < self._share else "none"
        self.met[fate] += 1
        return fate

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.close()
            return
        line = _Line(self)
        forward = asyncio.create_task(line.forward(reader, up_writer, writer))
        back = asyncio.create_task(line.back(up_reader, writer))
        try:
            await asyncio.wait([forward, back], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (forward, back):
                task.cancel()
            await asyncio.gather(forward, back, return_exceptions=True)
            for end in (writer, up_writer):
                end.close()
        for end in (writer, up_writer):
            with contextlib.suppress(OSError):
                await end.wait_closed()


class _Line:
    def __init__(self, owner: LossyLine) -> None:
        self._owner = owner
        self._fate = "none"
        self._asking = False

    async def forward(self, reader: asyncio.StreamReader, up: asyncio.StreamWriter, down: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65_536):
                if not self._asking:
                    self._asking = True
                    self._fate = self._owner._fate()
                if self._fate == "reset_before":
                    _reset(down)
                    return
                up.write(data)
                await up.drain()

    async def back(self, reader: asyncio.StreamReader, down: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65_536):
                self._asking = False
                if self._fate == "reset_after":
                    _reset(down)
                    return
                if self._fate == "silent":
                    continue
                down.write(data * 2 if self._fate == "twice" else data)
                await down.drain()
            if self._fate == "silent":
                await asyncio.Event().wait()  # the client's own time-out ends it


def _reset(writer: asyncio.StreamWriter) -> None:
    plug: socket.socket = writer.get_extra_info("socket")
    plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    writer.transport.abort()


@asynccontextmanager
async def lossy_line(port: int, *, share: float = 0.2, seed: int = 7) -> AsyncIterator[LossyLine]:
    """A line to *port* of this machine on a port of its own."""
    line = LossyLine(port, share, seed)

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(line.serve(reader, writer))
        line._tasks.add(task)
        task.add_done_callback(line._tasks.discard)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    line.port = server.sockets[0].getsockname()[1]
    try:
        yield line
    finally:
        server.close()
        for task in list(line._tasks):
            task.cancel()
        await asyncio.gather(*line._tasks, return_exceptions=True)
        await server.wait_closed()
