"""What the end of a call means, by the table of gnuhealth_session; the other side is a bare server."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from hospital_adapters import gnuhealth_settings
from hospital_adapters.gnuhealth_session import Kind, Session
from hospital_adapters.http_line import ANSWER_LIMIT
from kiosk.errors import HospitalError, HospitalOutcomeUnknown, HospitalRejected, HospitalUnavailable
from tests.contracts.hospital import assert_ours
from tests.hospital_adapters.c06_peer import bare_server, closed_port

QUESTION, PREPARATION, VISIT = Kind.QUESTION, Kind.PREPARATION, Kind.VISIT
SECRET = "mat-khau-quay-thu"
Answers = Callable[[dict[str, Any]], bytes | None]


def http(body: bytes, status: str = "200 OK", extra: str = "") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{extra}\r\n".encode() + body


def said(call: dict[str, Any], **answer: Any) -> bytes:
    return http(json.dumps({"id": call["id"]} | answer).encode())


def normal(call: dict[str, Any]) -> bytes:
    """A login as the server's; any other call gets back what it sent."""
    if call["method"] == "common.db.login":
        return said(call, result=[2, "key"])
    if call["method"] == "model.res.user.get_preferences":
        return said(call, result={"company": 3, "language": "en", "employee": None, "groups": [1]})
    return said(call, result=call["params"])


@asynccontextmanager
async def session(answers: Answers, **timeouts: float) -> AsyncIterator[tuple[Session, list[dict[str, Any]]]]:
    """A session with a server that answers so; None means never. And the calls that came, with their headers."""
    calls: list[dict[str, Any]] = []

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        size = int(head.lower().partition("content-length:")[2].split()[0])
        call = json.loads(await reader.readexactly(size))
        calls.append(call | {"head": head})
        answer = answers(call)
        if answer is None:
            await reader.read(-1)
            return
        writer.write(answer)
        await writer.drain()

    async with bare_server(handler) as port:
        running = Session(settings(port, **timeouts), SECRET)
        try:
            yield running, calls
        finally:
            await running.close()


def settings(port: int, **timeouts: float) -> gnuhealth_settings.GnuHealthSettings:
    table = {"url": f"http://127.0.0.1:{port}", "database": "health", "user": "kiosk", "password_file": "x"}
    return gnuhealth_settings.load(table | {"institution": "99001", "insurer": "BHXH", "timeouts": timeouts})


async def test_logs_in_once_and_carries_the_context_of_the_account() -> None:
    async with session(normal) as (running, calls):
        context = {"company": 3, "language": "en"}
        assert await running.call(QUESTION, "model.a.b", 1) == [1, context]
        assert await running.call(VISIT, "model.a.b", context={"x": 2}) == [context | {"x": 2}]
    assert [call["method"] for call in calls] == [
        *("common.db.login", "model.res.user.get_preferences"),
        *("model.a.b", "model.a.b"),
    ]
    assert calls[0]["params"] == ["kiosk", {"password": SECRET}] and "uthorization" not in calls[0]["head"]
    assert all("authorization: Session a2lvc2s6MjprZXk=" in call["head"] for call in calls[1:])
    assert all(call["head"].startswith("POST /health/ HTTP/1.1") for call in calls)


UNAVAILABLE, REJECTED, UNKNOWN = HospitalUnavailable, HospitalRejected, HospitalOutcomeUnknown


@pytest.mark.parametrize(
    ("answer", "expected", "reason"),
    [
        (
            lambda call: said(call, error=["UserError", ["Nguyễn", "", None]]),
            (UNAVAILABLE, REJECTED, REJECTED),
            "user_error",
        ),
        (
            lambda call: said(call, error=["UserWarning", ["a", "Nguyễn"]]),
            (UNAVAILABLE, REJECTED, REJECTED),
            "user_warning",
        ),
        (lambda call: said(call, error=["'Nguyễn'", ""]), (UNAVAILABLE, REJECTED, REJECTED), "server_error"),
        (lambda call: said(call, error=["ConcurrencyException", ""]), (UNAVAILABLE,) * 3, "concurrency"),
        (lambda call: said(call, error=["deadlock detected", ""]), (UNAVAILABLE,) * 3, "database_busy"),
        (
            lambda call: said(call, error=["connection already closed", ""]),
            (UNAVAILABLE, UNAVAILABLE, UNKNOWN),
            "database_lost",
        ),
        (lambda call: http(b"", "429 Too Many Requests"), (UNAVAILABLE,) * 3, "http_429"),
        (lambda call: http(b"", "404 Not Found"), (UNAVAILABLE,) * 3, "http_404"),
        (lambda call: http(b"", "413 Too Large"), (UNAVAILABLE,) * 3, "http_413"),
        (lambda call: http(b"", "400 Bad Request"), (UNAVAILABLE, UNAVAILABLE, UNKNOWN), "http_400"),
        (lambda call: http(b"", "308 Moved", "Location: /\r\n"), (UNAVAILABLE, UNAVAILABLE, UNKNOWN), "http_308"),
        (lambda call: http(b"", "500 Oops"), (UNAVAILABLE, UNAVAILABLE, UNKNOWN), "http_500"),
        (lambda call: http(b"", "503 Away"), (UNAVAILABLE, UNAVAILABLE, UNKNOWN), "http_503"),
        (lambda call: http(b"<html>"), (UNAVAILABLE, UNAVAILABLE, UNKNOWN), "malformed"),
        (lambda call: said(call, id=99, result=1), (UNAVAILABLE, UNAVAILABLE, UNKNOWN), "malformed"),
        (lambda call: http(b"x", extra="Content-Encoding: gzip\r\n"), (UNAVAILABLE, UNAVAILABLE, UNKNOWN), "encoding"),
        (lambda call: http(b" " * (ANSWER_LIMIT + 1)), (UNAVAILABLE, UNAVAILABLE, UNKNOWN), "too_large"),
        (lambda call: b"", (UNAVAILABLE, UNAVAILABLE, UNKNOWN), "connection_lost"),
        (lambda call: None, (UNAVAILABLE, UNAVAILABLE, UNKNOWN), "read_timeout"),
        (lambda call: http(b"", "403 Forbidden"), (UNAVAILABLE,) * 3, "forbidden"),
        (lambda call: http(b"", "401 Unauthorized"), (UNAVAILABLE,) * 3, "forbidden"),
    ],
)
async def test_the_end_of_a_call(answer: Answers, expected: tuple[type[HospitalError], ...], reason: str) -> None:
    def answers(call: dict[str, Any]) -> bytes | None:
        return answer(call) if call["method"] == "model.a.b" else normal(call)

    hasty = {"ask": 0.5, "visit": 0.5} if answer({"id": 1}) is None else {}
    async with session(answers, **hasty) as (running, _):
        for kind, error in zip((QUESTION, PREPARATION, VISIT), expected, strict=True):
            with pytest.raises(error) as failed:
                await running.call(kind, "model.a.b")
            assert str(failed.value) == f"gnuhealth.{reason}"
            assert_ours(failed.value, ("Nguyễn", SECRET))


async def test_what_the_server_says_is_kept_for_staff() -> None:
    def refuse(call: dict[str, Any]) -> bytes:
        return said(call, error=["UserError", ["Nguyễn", "", None]]) if "a.b" in call["method"] else normal(call)

    async with session(refuse) as (running, _):
        with pytest.raises(HospitalRejected) as refused:
            await running.call(VISIT, "model.a.b")
        assert refused.value.text == "Nguyễn"


@pytest.mark.parametrize("status", ["401 Unauthorized", "403 Forbidden", "200 OK"])
async def test_an_expired_session_is_renewed_once_for_all_who_wait(status: str) -> None:
    expired = True

    def answers(call: dict[str, Any]) -> bytes:
        nonlocal expired
        if call["method"] == "model.a.b" and expired:
            known = {"id": call["id"], "error": ["LoginException", ["password", "Password:"]]}
            return http(json.dumps(known).encode() if status.startswith("2") else b"", status)
        if call["method"] == "common.db.login" and len(logins) > 0:
            expired = False
        if call["method"] == "common.db.login":
            logins.append(call)
        return normal(call)

    logins: list[dict[str, Any]] = []
    async with session(answers) as (running, calls):
        found = await asyncio.gather(*[running.call(VISIT, "model.a.b", number) for number in range(4)])
    assert [value[0] for value in found] == [0, 1, 2, 3]
    assert len(logins) == 2 and len(calls) == 2 * 2 + 4 + 4


@pytest.mark.parametrize("status", ["401 Unauthorized", "403 Forbidden", "429 Too Many Requests"])
async def test_a_refused_login_is_followed_by_a_minute_of_silence(status: str) -> None:
    now = 1000.0
    async with session(lambda call: http(b"", status)) as (running, calls):
        running._monotonic = lambda: now
        for kind in (QUESTION, VISIT):
            with pytest.raises(HospitalUnavailable) as unable:
                await running.call(kind, "model.a.b")
            assert unable.value.reason == "gnuhealth.login" and unable.value.retry_after == 60
        assert len(calls) == 1
        now = 1060.0
        with pytest.raises(HospitalUnavailable):
            await running.call(VISIT, "model.a.b")
        assert len(calls) == 2


@pytest.mark.parametrize("login", [None, [], [1], ["1", "key"], [1, 2], {"uid": 1}, [1, "key", "more"]])
async def test_a_login_that_is_none_sends_nothing_more(login: Any) -> None:
    async with session(lambda call: said(call, result=login)) as (running, calls):
        with pytest.raises(HospitalUnavailable) as unable:
            await running.call(VISIT, "model.a.b")
        assert unable.value.reason == "gnuhealth.malformed" and len(calls) == 1


async def test_nothing_listens() -> None:
    running = Session(settings(closed_port()), SECRET)
    for kind in Kind:
        with pytest.raises(HospitalUnavailable) as unable:
            await running.call(kind, "model.a.b")
        assert unable.value.reason == "gnuhealth.unreachable"
    await running.close()
