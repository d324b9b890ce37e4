"""Stands between the adapter and a Tryton server and spoils single calls: loses, refuses, answers nonsense."""

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

NAME = "TRẦN THỊ MẪU"
VISIT_CALLS = ("model.gnuhealth.appointment.create", "model.gnuhealth.appointment.write")


def _http(status: str, body: bytes, kind: str = "application/json") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return head.encode() + body


def _said(**answer: Any) -> Callable[[int], bytes]:
    return lambda number: _http("200 OK", json.dumps({"id": number} | answer).encode())


def _raw(text: str) -> Callable[[int], bytes]:
    return lambda number: _http("200 OK", text.replace("ID", str(number)).encode())


def _status(status: str) -> Callable[[int], bytes]:
    return lambda number: _http(status, b"<html>" + NAME.encode(), "text/html")


def _error(name: str) -> Callable[[int], bytes]:
    return _said(error=[name, [f"refused: {NAME} 099190050001", "", None]])


GARBAGE: dict[str, Callable[[int], bytes]] = {
    "html": _status("200 OK"),
    "empty": lambda number: _http("200 OK", b""),
    "cut": lambda number: _http("200 OK", b'{"id":1}')[:-3],
    "moved": _status("308 Permanent Redirect"),
    "bad_request": _status("400 Bad Request"),
    "stranger": _status("401 Unauthorized"),
    "forbidden": _status("403 Forbidden"),
    "not_found": _status("404 Not Found"),
    "too_many": _status("429 Too Many Requests"),
    "broken": _status("500 Internal Server Error"),
    "away": _status("503 Service Unavailable"),
    "zip": lambda number: b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n\x1f\x8b",
    "no_http": lambda number: b"\x15\x03\x01\x00\x02\x02P",
    "null": _said(result=None),
    "object": _said(result={"name": NAME}),
    "texts": _said(result=[NAME]),
    "no_ids": _said(result=[{"name": NAME}]),
    "odd_rows": _said(
        result=[{"id": 7, "ref": 7, "name": [NAME], "dob": {}, "party.": 3, "patient.": [], "state": {}}]
    ),
    "odd_numbers": _raw('{"id":ID,"result":[true,-1,1e400]}'),
    "nan": _raw('{"id":ID,"result":NaN}'),
    "deep": _raw('{"id":ID,"result":' + "[" * 5000 + "]" * 5000 + "}"),
    "other_call": _raw('{"id":99999999,"result":[1]}'),
    "both": _said(result=[1], error=["UserError", ["", "", None]]),
    "error_null": _said(error=None),
    "user_error": _error("UserError"),
    "user_warning": _error("UserWarning"),
    "concurrency": _error("ConcurrencyException"),
    "login": _error("LoginException"),
    "key_error": _said(error=[f"'{NAME}'", ""]),
    "busy": _said(error=["could not serialize access due to concurrent update", ""]),
    "lost": _said(error=["server closed the connection unexpectedly", ""]),
}


class Proxy:
    """Takes one call a connection. ``calls``: the methods that came, in order."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._far = (parts.hostname or "", parts.port or 0)
        self._server: asyncio.Server | None = None
        self._served: set[asyncio.Task[None]] = set()
        self._port = 0
        self.calls: list[str] = []
        self._lose = self._refuse = False
        self._lost_method: str | None = None
        self._garbage: str | None = None
        self.before: Callable[[str], Awaitable[None]] | None = None
        self.fate: Callable[[], str] | None = None
        """Throws dice for each call: "" to let it be, "before" or "after" to cut the line, or a name of GARBAGE."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None
        if self._served:
            await asyncio.wait_for(asyncio.gather(*self._served, return_exceptions=True), 30)

    def lose_answer_of(self, method: str) -> None:
        """The next call of this method is done, and its answer lost."""
        self._lost_method = method

    def lose_next_visit(self) -> None:
        self._lose = True

    def refuse_next_visit(self) -> None:
        """The next visit reaches the server with a state that it does not know, so that it refuses."""
        self._refuse = True

    def answer_next_with(self, garbage: str) -> None:
        self._garbage = garbage

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._served.add(task)
        task.add_done_callback(self._served.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            sizes = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")]
            body = await reader.readexactly(int(sizes[0]))
            writer.write(await self._answer(head, body))
            await writer.drain()
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    async def _answer(self, head: bytes, body: bytes) -> bytes:
        call = json.loads(body)
        method = str(call["method"])
        self.calls.append(method)
        if self._garbage is not None:
            garbage, self._garbage = self._garbage, None
            return GARBAGE[garbage](call["id"])
        fate = self.fate() if self.fate is not None else ""
        if fate in GARBAGE:
            return GARBAGE[fate](call["id"])
        if fate == "before":
            return b""
        if self.before is not None:
            await self.before(method)
        if self._refuse and method in VISIT_CALLS:
            self._refuse = False
            body = body.replace(b'"checked_in"', b'"checked_up"')
        answer = await self._forward(head, body)
        if method == self._lost_method or (self._lose and method in VISIT_CALLS):
            self._lose, self._lost_method = False, None
            return b""
        return b"" if fate == "after" else answer

    async def _forward(self, head: bytes, body: bytes) -> bytes:
        reader, writer = await asyncio.open_connection(*self._far)
        kept = [line for line in head.split(b"\r\n") if line and not line.lower().startswith(b"connection:")]
        writer.write(b"\r\n".join([*kept, b"Connection: close", b"", b""]) + body)
        answer = await reader.read(-1)
        writer.close()
        await writer.wait_closed()
        return answer
