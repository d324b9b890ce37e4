"""Receivers that do one odd thing, and one that does them all by the dice; no HL7 library reads for them."""

import asyncio
import contextlib
import random
import socket
import ssl
import struct
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.peers.mllp import acknowledgement, block

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]
_RESET = struct.pack("ii", 1, 0)


@contextlib.asynccontextmanager
async def listening(handler: Handler, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A server on a free port of 127.0.0.1 that does nothing but *handler* with each connection; gives the port."""
    served: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served.add(asyncio.create_task(guarded(reader, writer)))

    async def guarded(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await handler(reader, writer)
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    server = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()
        await asyncio.wait_for(asyncio.gather(*served), 10)


async def read_message(reader: asyncio.StreamReader) -> dict[str, list[str]]:
    """The next message's segments by name, each as its fields; MSH's are counted as in the standard."""
    text = (await reader.readuntil(b"\x1c\r"))[1:-2].decode()
    segments = {line[:3]: line.split("|") for line in text.split("\r") if line}
    segments["MSH"].insert(1, "|")
    return segments


def answering(*pieces: str | bytes | float) -> Handler:
    """Read messages; answer each with *pieces*, ``{id}`` in them being its MSH-10; a number: wait so many seconds."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            message = await read_message(reader)
            for piece in pieces:
                if isinstance(piece, float):
                    await asyncio.sleep(piece)
                else:
                    raw = piece if isinstance(piece, bytes) else piece.replace("{id}", message["MSH"][10]).encode()
                    writer.write(raw)
                    await writer.drain()

    return handler


@contextlib.contextmanager
def refusing_certificates(tls: ssl.SSLContext) -> Iterator[int]:
    """A server that makes the handshake of *tls*, which must fail, and lets the client hear of it; gives the port."""
    failures: list[str] = []
    stopping = threading.Event()

    def serve() -> None:
        while True:
            connection, _ = listener.accept()
            if stopping.is_set():
                connection.close()
                return
            with tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False) as secured:
                try:
                    secured.do_handshake()
                except ssl.SSLError as failure:
                    failures.append(str(failure.reason))
                    with contextlib.suppress(OSError):
                        while socket.socket.recv(secured, 4096):
                            pass

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            stopping.set()
            socket.create_connection(listener.getsockname()).close()
            thread.join()
    assert failures


def reset(writer: asyncio.StreamWriter) -> None:
    """Tear the connection down, so that the other side sees a reset."""
    sock: socket.socket = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    writer.transport.abort()


@dataclass
class Chaotic:
    """Stores each MSH-10 once. With the chance of *share*, a message meets one of FAULTS; each is counted."""

    share: float
    seed: int
    deduplicates: bool = True
    visits: dict[str, int] = field(default_factory=dict)
    faults: dict[str, int] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)

    FAULTS = ("lost", "silent", "twice", "foreign", "only_foreign", "busy", "reset_before", "reset_after")

    def __post_init__(self) -> None:
        self._dice = random.Random(self.seed)

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        while True:
            fault = self._dice.choice(self.FAULTS) if self._dice.random() < self.share else ""
            message = await read_message(reader)
            control_id = message["MSH"][10]
            if fault:
                self.faults[fault] = self.faults.get(fault, 0) + 1
            if fault == "reset_before":
                reset(writer)
                return
            if fault == "busy":
                writer.write(block(acknowledgement("AR", control_id)).encode())
                continue
            if not self.deduplicates or control_id not in self.seen:
                self.seen.add(control_id)
                visit = message["PV1"][19].partition("^")[0]
                self.visits[visit] = self.visits.get(visit, 0) + 1
            if fault == "reset_after":
                reset(writer)
                return
            if fault == "lost":
                return
            if fault in ("foreign", "only_foreign"):
                writer.write(block(acknowledgement("AE", "ACK" + control_id[3:])).encode())
            if fault not in ("silent", "only_foreign"):
                writer.write(block(acknowledgement("AA", control_id)).encode() * (2 if fault == "twice" else 1))
            await writer.drain()
