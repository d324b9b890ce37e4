"""Two receivers of HL7 v2 messages, each on a library of its own, that keep what they are told in a ledger."""

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import hl7
from hl7.mllp import HL7StreamReader, HL7StreamWriter, InvalidBlockError, start_hl7_server
from hl7apy.mllp import AbstractErrorHandler, AbstractHandler, MLLPServer
from hl7apy.parser import parse_message

# It tells of the whole text that it could not read.
logging.getLogger("hl7").setLevel(logging.CRITICAL)

EVENTS = {"A04": "ADT_A01", "A08": "ADT_A01", "A11": "ADT_A09", "A28": "ADT_A05"}


def acknowledgement(code: str, control_id: str, more: str = "") -> str:
    """A plain acknowledgement."""
    head = "MSH|^~\\&|HIS|99001|KIOSK|99001|20260105071232||ACK|77|P|2.5.1"
    return f"{head}\rMSA|{code}|{control_id}\r{more}"


def block(message: str) -> str:
    """*message* as MLLP carries it."""
    return f"\x0b{message}\x1c\r"


GARBAGE: dict[str, Callable[[str], str | None]] = {
    "hang_up": lambda control_id: None,
    "no_block": lambda control_id: acknowledgement("AA", control_id),
    "text": lambda control_id: block("xin chào"),
    "empty": lambda control_id: block(""),
    "no_msa": lambda control_id: block("MSH|^~\\&|HIS|||||ACK|1|P|2.5.1\r"),
    "bare_msa": lambda control_id: block("MSH|^~\\&|HIS\rMSA\r"),
    "other_id": lambda control_id: block(acknowledgement("AE", "ACK12345")),
    "no_id": lambda control_id: block(acknowledgement("AA", "")),
    "no_id_rejected": lambda control_id: block(acknowledgement("AR", "")),
    "other_code": lambda control_id: block(acknowledgement("0991900", control_id)),
    "busy": lambda control_id: block(acknowledgement("AR", control_id)),
    "unsupported": lambda control_id: block(acknowledgement("AR", control_id, "ERR|||203^Unsupported version id|E\r")),
    "twice": lambda control_id: block(acknowledgement("AA", control_id)) * 2,
    "endless": lambda control_id: block(acknowledgement("AA", "X" * 70_000)),
}
"""What a receiver can answer instead, by a name; each gets MSH-10 of what it was sent."""


@dataclass(frozen=True)
class Told:
    """What a receiver read in a message, with its own library."""

    event: str
    control_id: str
    visit: str
    text: str


@dataclass
class Ledger:
    """What a hospital system holds. `fault`: what to do with the next message, a key of GARBAGE, "refuse" or None;
    a message of the event `spared` is not meant.
    """

    deduplicates: bool = True
    spared: str | None = None
    told: list[Told] = field(default_factory=list)
    visits: dict[str, int] = field(default_factory=dict)
    fault: str | None = None
    _seen: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, told: Told) -> str:
        """Store a message; the acknowledgement's code."""
        with self._lock:
            self.told.append(told)
            if self.deduplicates and told.control_id in self._seen:
                return "AA"
            self._seen.add(told.control_id)
            if told.event == "A04":
                self.visits[told.visit] = self.visits.get(told.visit, 0) + 1
            elif told.event == "A11":
                self.visits[told.visit] = 0
            return "AA"

    def next_fault(self, event: str) -> str | None:
        """What the next message is to meet, once."""
        if event == self.spared:
            return None
        fault, self.fault = self.fault, None
        return fault


class Receiver(Protocol):
    """A receiver on a port of 127.0.0.1 that stays the same when it comes back."""

    ledger: Ledger
    port: int

    async def start(self) -> None: ...
    async def stop(self) -> None: ...


def _event(name: str) -> str:
    event, structure = name.split("^")[1:3]
    assert EVENTS[event] == structure, name
    return event


class _Adt(AbstractHandler):  # type: ignore[misc]
    def __init__(self, message: str, ledger: Ledger) -> None:
        super().__init__(message)
        self._ledger = ledger

    def reply(self) -> str:
        message = parse_message(self.incoming_message, find_groups=False)
        told = Told(
            _event(message.msh.msh_9.to_er7()),
            message.msh.msh_10.to_er7(),
            message.pv1.pv1_19.pv1_19_1.to_er7(),
            self.incoming_message,
        )
        fault = self._ledger.next_fault(told.event)
        if fault == "refuse":
            return block(acknowledgement("AE", told.control_id, "ERR|||207^Application internal error|E||||Trùng\r"))
        code = self._ledger.take(told)
        answer = GARBAGE[fault](told.control_id) if fault else block(acknowledgement(code, told.control_id))
        if answer is None:
            raise ConnectionAbortedError
        return answer


class _HangUp(AbstractErrorHandler):  # type: ignore[misc]
    def reply(self) -> str:
        raise self.exc


class Hl7apyReceiver:
    """hl7apy's MLLPServer: one thread and one message a connection."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.port = 0
        self._server: Any = None

    async def start(self) -> None:
        handlers: dict[str, tuple[Any, ...]] = {
            f"ADT^{event}^{structure}": (_Adt, self.ledger) for event, structure in EVENTS.items()
        }
        self._server = MLLPServer("127.0.0.1", self.port, handlers | {"ERR": (_HangUp,)})
        self._server.daemon_threads = False
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    async def stop(self) -> None:
        if self._server is not None:
            await asyncio.to_thread(self._server.shutdown)
            await asyncio.to_thread(self._server.server_close)
            await asyncio.to_thread(self._thread.join)
            self._server = None


class PythonHl7Receiver:
    """python-hl7's asyncio server: many messages a connection, until it has answered with garbage."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.port = 0
        self._server: asyncio.Server | None = None
        self._serving: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        self._server = await start_hl7_server(self._accept, "127.0.0.1", self.port, encoding="utf-8")
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            for task in self._serving:
                task.cancel()
            await asyncio.gather(*self._serving, return_exceptions=True)
            await self._server.wait_closed()
            self._server = None

    def _accept(self, reader: HL7StreamReader, writer: HL7StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def _serve(self, reader: HL7StreamReader, writer: HL7StreamWriter) -> None:
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, InvalidBlockError):
                while self._answer(await reader.readmessage(), writer):
                    await writer.drain()
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    def _answer(self, message: hl7.Message, writer: HL7StreamWriter) -> bool:
        told = Told(
            _event(str(message.segment("MSH")[9])),
            message.extract_field("MSH", 1, 10),
            message.extract_field("PV1", 1, 19) if len(message.segment("PV1")) > 19 else "",
            str(message),
        )
        fault = self.ledger.next_fault(told.event)
        if fault == "refuse":
            writer.writemessage(message.create_ack("AE"))
            return True
        code = self.ledger.take(told)
        if fault is None:
            writer.writemessage(message.create_ack(code))
            return True
        answer = GARBAGE[fault](told.control_id)
        if answer is not None:
            writer.write(answer.encode())
        return False
