"""A station and its facility's relay: the same answers as asked directly, and nobody waits for a relay that is away."""

import asyncio
import gzip
import json
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from kiosk.errors import ConfigError, RegisterUnavailable
from kiosk.insurance import relay_wire as wire
from kiosk.insurance.relay_client import RelayGateway
from kiosk.insurance.relay_line import MAX_BODY, RelayLine
from kiosk.insurance.relay_register import RelayRegister
from kiosk.insurance.vss_codes import Reason
from kiosk.model import (
    AdapterHealth,
    Attempt,
    Coverage,
    Eligibility,
    Holder,
    Identity,
    KeyKind,
    LookupKey,
    Moment,
    PartialDate,
    Sex,
)
from kiosk.model import EligibilityClass as Class
from kiosk.register_model import Elsewhere, Handed, Passage
from kiosk.relay_config import fingerprint
from kiosk.store import Store, read_or_make_key
from kiosk.web.relay import relay_app
from simulators.serve import serve_in_thread

DAY = date(2026, 11, 2)
NOW = datetime(2026, 11, 2, 1, tzinfo=UTC)
KEY = LookupKey(
    "099190000001", KeyKind.PERSONAL_12, "Trần Thị Mẫu", PartialDate(1990, 9, 2), Sex.FEMALE, ("0190000001",)
)
CARD = Coverage("DN4999900000001", KeyKind.BHYT_15, "99001", date(2026, 1, 1), date(2026, 12, 31), benefit_level="4")
CALL = Attempt("0192f0c0-0000-7000-8000-000000000001", NOW, KeyKind.PERSONAL_12, "valid", "000", 200, 41)
EARLIER = Eligibility(Class.NEEDS_STAFF, "not_found", NOW, "050", attempts=1, trail=(replace(CALL, request_id="r0"),))
GOOD = Eligibility(
    Class.INSURED,
    "valid",
    NOW,
    result_code="000",
    coverage=CARD,
    reached_gateway=True,
    latency_ms=41,
    key_kind=KeyKind.PERSONAL_12,
    held=Holder("TRẦN THỊ MẪU", PartialDate(1990, 9, 2), Sex.FEMALE, "Ấp Thử 1"),
    earlier=(EARLIER,),
    trail=(CALL,),
    answer=b'{"maKetQua": "000", "x": "\xe1\xba\xa4"}\xff\x00',
)
FACILITY_KEY = b"f" * 32
PASSAGE = Passage(
    "c-1", str(DAY), (KEY.number,), Identity(full_name="Trần Thị Mẫu", birth_date=PartialDate(1990, 9, 2))
)
TICKET = Handed("23", "his", "Khám Nội", "Khoa Nội", "P101", Class.INSURED, "7ZK3M-0QX9T")


class AskedGateway:
    """The relay's own gateway, as these tests want it."""

    def __init__(self) -> None:
        self.says: Eligibility = GOOD
        self.takes = 0.0
        self.asked: list[tuple[LookupKey, date, Moment]] = []

    async def lookup(self, key: LookupKey, visit_day: date, moment: Moment = Moment.ARRIVAL) -> Eligibility:
        self.asked.append((key, visit_day, moment))
        await asyncio.sleep(self.takes)
        return self.says

    async def check(self) -> AdapterHealth:
        return AdapterHealth(False, ("the gateway refuses the account with code 402",), {"login_ms": 3})

    async def close(self) -> None:
        """Nothing to release."""


class Relay:
    """A relay's app over real HTTP, in a thread."""

    def __init__(self, url: str, gateway: AskedGateway) -> None:
        self.url = url
        self.gateway = gateway

    def line(self, station: str = "kiosk-1") -> RelayLine:
        return RelayLine(url=self.url, key=f"key-of-{station}")


@pytest.fixture
def relay(tmp_path: Path) -> Iterator[Relay]:
    store, gateway = Store(tmp_path, read_or_make_key(tmp_path)), AskedGateway()

    async def ready() -> list[str]:
        return []

    async def metrics() -> bytes:
        return b""

    app = relay_app(
        gateway=gateway,
        store=store,
        facility_key=FACILITY_KEY,
        keys={station: fingerprint(f"key-of-{station}") for station in ("kiosk-1", "kiosk-2")},
        clock=lambda: NOW,
        ready=ready,
        metrics=metrics,
        observe=lambda answer: None,
    )
    with serve_in_thread(app) as server:
        yield Relay(server.url, gateway)
    store.close()


def gateway_on(line: RelayLine, total: float = 3.0) -> RelayGateway:
    return RelayGateway(line, total, lambda: NOW)


async def answer_through(url: str, total: float = 3.0, key: str = "key-of-kiosk-1") -> Eligibility:
    gateway = gateway_on(RelayLine(url=url, key=key), total)
    try:
        return await gateway.lookup(KEY, DAY)
    finally:
        await gateway.close()


def http(body: bytes, head: str = "200 OK", *headers: str) -> bytes:
    lines = (f"HTTP/1.1 {head}", f"Content-Length: {len(body)}", "Connection: close", *headers, "", "")
    return "\r\n".join(lines).encode() + body


def answering(whole: bytes) -> Callable[[str, asyncio.StreamWriter], Awaitable[None]]:
    async def behave(path: str, writer: asyncio.StreamWriter) -> None:
        writer.write(whole)
        await writer.drain()

    return behave


# -- lookups -------------------------------------------------------------------------------------------------------


async def test_the_whole_answer_comes_through_untouched(relay: Relay) -> None:
    gateway = gateway_on(relay.line())
    answer = await gateway.lookup(KEY, DAY, Moment.CLOSING)
    await gateway.close()
    assert answer == GOOD
    assert answer.answer == GOOD.answer
    assert relay.gateway.asked == [(KEY, DAY, Moment.CLOSING)]


async def test_an_answer_given_to_another_station_before_is_marked_as_shared(relay: Relay) -> None:
    first, second = gateway_on(relay.line("kiosk-1")), gateway_on(relay.line("kiosk-2"))
    answers = [await each.lookup(KEY, DAY) for each in (first, second, first)]
    assert [answer.attempts for answer in answers] == [1, 0, 1]
    assert [answer.shared for answer in answers] == [False, True, False]
    for each in (first, second):
        await each.close()


@pytest.mark.parametrize(
    ("changes", "status", "reason"),
    [
        ({"coverage": None}, Class.NEEDS_STAFF, Reason.NO_CARD_DATA),
        ({"coverage": replace(CARD, valid_to=date(2026, 11, 1))}, Class.NEEDS_STAFF, Reason.NOT_VALID_ON_DAY),
        ({"held": Holder("LÊ VĂN KHÁC", PartialDate(1950))}, Class.NEEDS_STAFF, Reason.WRONG_PERSON),
        ({"result_code": "110"}, Class.NOT_INSURED, Reason.WITHDRAWN),
    ],
)
async def test_not_even_a_relay_is_believed_more_than_it_shows(
    relay: Relay, changes: dict[str, Any], status: Class, reason: Reason
) -> None:
    relay.gateway.says = replace(GOOD, **changes)
    answer = await answer_through(relay.url)
    assert (answer.status, answer.reason) == (status, reason)


async def test_a_refusal_of_the_insurer_passes_as_it_is(relay: Relay) -> None:
    relay.gateway.says = replace(EARLIER, reached_gateway=True)
    assert await answer_through(relay.url) == relay.gateway.says


async def test_a_relay_that_takes_too_long_says_so_itself_within_the_stations_time(relay: Relay) -> None:
    relay.gateway.takes = 2.0
    answer = await answer_through(relay.url, total=0.5)
    assert (answer.status, answer.reason) == (Class.CANNOT_SAY, Reason.NET_TIMEOUT)
    assert answer.trail[0].reason == Reason.NET_TIMEOUT


async def test_a_wrong_key_is_a_wrong_configuration(relay: Relay) -> None:
    answer = await answer_through(relay.url, key="guessed")
    assert (answer.status, answer.reason, answer.attempts) == (Class.MISCONFIGURED, Reason.RELAY_REFUSED, 1)
    assert relay.gateway.asked == []


async def test_a_key_that_cannot_be_asked_with_is_not_sent(relay: Relay) -> None:
    gateway = gateway_on(relay.line())
    answer = await gateway.lookup(replace(KEY, number="9" * 41), DAY)
    await gateway.close()
    assert (answer.status, answer.reason, answer.attempts) == (Class.NEEDS_STAFF, Reason.BAD_KEY, 0)


LIE = {
    "eligibility": {"status": "insured", "reason": "valid", "asked_at": "2026-11-02T01:00:00Z", "reached_gateway": True}
}


@pytest.mark.parametrize(
    ("whole", "status", "reason"),
    [
        (http(b"<html>busy</html>"), Class.CANNOT_SAY, Reason.RELAY_ERROR),
        (http(b"{}"), Class.CANNOT_SAY, Reason.RELAY_ERROR),
        (http(b'{"eligibility": {"status": "insured"}}'), Class.CANNOT_SAY, Reason.RELAY_ERROR),
        (http(b"[" * 100_000), Class.CANNOT_SAY, Reason.RELAY_ERROR),
        (http(json.dumps(LIE).encode()), Class.NEEDS_STAFF, Reason.NO_CARD_DATA),
        (http(b" " * (MAX_BODY + 1)), Class.CANNOT_SAY, Reason.RELAY_ERROR),
        (http(gzip.compress(b"{}"), "200 OK", "Content-Encoding: gzip"), Class.CANNOT_SAY, Reason.RELAY_ERROR),
        (http(b'{"error":"INTERNAL"}', "500 Internal Server Error"), Class.CANNOT_SAY, Reason.RELAY_ERROR),
        (http(b"", "302 Found", "Location: http://192.0.2.1/"), Class.CANNOT_SAY, Reason.RELAY_ERROR),
        (http(b'{"error":"TOO_MANY"}', "429 Too Many Requests"), Class.CANNOT_SAY, Reason.THROTTLED),
        (http(b'{"error":"UNKNOWN_HOST"}', "403 Forbidden"), Class.MISCONFIGURED, Reason.RELAY_REFUSED),
        (b"SSH-2.0-OpenSSH\r\n", Class.CANNOT_SAY, Reason.RELAY_UNREACHABLE),
        (b"", Class.CANNOT_SAY, Reason.RELAY_UNREACHABLE),
        (http(b"{}")[:-1], Class.CANNOT_SAY, Reason.RELAY_UNREACHABLE),
    ],
)
async def test_odd_answers(
    serve_raw: Callable[..., Awaitable[Any]], whole: bytes, status: Class, reason: Reason
) -> None:
    server = await serve_raw(answering(whole))
    answer = await answer_through(server.url)
    assert (answer.status, answer.reason) == (status, reason)


async def test_a_relay_that_says_nothing_ends_with_the_total_time(serve_raw: Callable[..., Awaitable[Any]]) -> None:
    async def silent(path: str, writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    server = await serve_raw(silent)
    async with asyncio.timeout(5):
        answer = await answer_through(server.url, total=0.2)
    assert (answer.status, answer.reason) == (Class.CANNOT_SAY, Reason.RELAY_UNREACHABLE)


async def test_after_two_failures_nobody_waits_and_what_was_not_sent_leaves_no_evidence(
    serve_raw: Callable[..., Awaitable[Any]],
) -> None:
    server = await serve_raw(answering(b""))
    gateway = gateway_on(RelayLine(url=server.url, key="key"))
    answers = [await gateway.lookup(KEY, DAY) for _ in range(4)]
    await gateway.close()
    unreachable, refused = Reason.RELAY_UNREACHABLE, Reason.BREAKER_OPEN
    assert [answer.reason for answer in answers] == [unreachable, unreachable, refused, refused]
    assert [(answer.attempts, len(answer.trail)) for answer in answers] == [(1, 1), (1, 1), (0, 0), (0, 0)]
    assert len(server.paths) == 2


async def test_the_check_is_the_relays_look_at_the_gateway(relay: Relay) -> None:
    gateway = gateway_on(relay.line())
    assert await gateway.check() == await relay.gateway.check()
    await gateway.close()
    stranger = gateway_on(RelayLine(url=relay.url, key="guessed"))
    assert await stranger.check() == AdapterHealth(False, ("the relay refuses this station's key",))
    await stranger.close()


async def test_the_check_of_a_relay_that_is_away_names_it(serve_raw: Callable[..., Awaitable[Any]]) -> None:
    server = await serve_raw(answering(b""))
    gateway = gateway_on(RelayLine(url=server.url, key="key"))
    assert await gateway.check() == AdapterHealth(False, ("the relay does not answer: relay_unreachable",))
    await gateway.close()


async def test_nothing_of_a_person_is_logged(
    serve_raw: Callable[..., Awaitable[Any]], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    server = await serve_raw(answering(http(b'{"eligibility": "TR\\u1ea6N"}')))
    await answer_through(server.url)
    for secret in ("0991900", "Mẫu", "MẪU", "key-of-kiosk-1"):
        assert secret not in caplog.text


# -- what may be configured ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"url": "http://relay.example"}, r"^insurance\.url: http is for loopback"),
        ({"url": "ftp://relay.example"}, r"^insurance\.url: expected https"),
        ({"url": "https://u:p@relay.example"}, r"^insurance\.url: expected https"),
        ({"url": "https://relay.example/?a=1"}, r"^insurance\.url: expected https"),
        ({"url": "https://[::1"}, r"^insurance\.url: not a URL"),
        ({"key": ""}, r"^insurance\.key_file: "),
        ({"key": "khoá"}, r"^insurance\.key_file: "),
        ({"key": "a\nb"}, r"^insurance\.key_file: "),
        ({"ca_file": Path("/nowhere/ca.pem")}, r"^insurance\.ca_file: "),
    ],
)
def test_what_is_not_safe_refuses_the_start(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        RelayLine(**({"url": "https://relay.example", "key": "key"} | changes))


async def test_the_facility_key_is_not_given_without_tls(relay: Relay) -> None:
    line = relay.line()
    assert await asyncio.to_thread(line.facility_key) is None
    await line.close()


# -- the register --------------------------------------------------------------------------------------------------


async def test_two_stations_share_one_register(relay: Relay) -> None:
    lines = relay.line("kiosk-1"), relay.line("kiosk-2")
    one, two = RelayRegister(lines[0], "kiosk-1"), RelayRegister(lines[1], "kiosk-2")
    other = replace(PASSAGE, checkin_id="c-2")
    assert await one.find(PASSAGE) is None
    assert await one.claim(PASSAGE) is None
    assert await two.claim(other) == Elsewhere("c-1", "kiosk-1", NOW, True, None)
    assert await one.accepted(PASSAGE, TICKET) is None
    assert await two.find(other) == Elsewhere("c-1", "kiosk-1", NOW, True, TICKET)
    await one.ended("c-1")
    assert await two.claim(other) is None
    for line in lines:
        await line.close()


async def test_a_station_cannot_speak_for_another(relay: Relay) -> None:
    line = relay.line("kiosk-1")
    impostor = RelayRegister(line, "kiosk-2")
    with pytest.raises(RegisterUnavailable):
        await impostor.accepted(PASSAGE, TICKET)
    with pytest.raises(RegisterUnavailable):
        await impostor.ended("c-1")
    assert await impostor.claim(PASSAGE) is None
    await line.close()


async def test_without_the_relay_nobody_is_held_back_and_news_wait(serve_raw: Callable[..., Awaitable[Any]]) -> None:
    server = await serve_raw(answering(b""))
    line = RelayLine(url=server.url, key="key")
    register = RelayRegister(line, "kiosk-1")
    assert await register.find(PASSAGE) is None
    assert await register.claim(PASSAGE) is None
    with pytest.raises(RegisterUnavailable):
        await register.accepted(PASSAGE, TICKET)
    with pytest.raises(RegisterUnavailable):
        await register.ended("c-1")
    await line.close()


@pytest.mark.parametrize("body", [b"{}", b'{"first": "perhaps"}', b'{"first": false, "elsewhere": {"station": 1}}'])
async def test_nonsense_from_the_register_holds_nobody_back(
    serve_raw: Callable[..., Awaitable[Any]], body: bytes
) -> None:
    server = await serve_raw(answering(http(body)))
    line = RelayLine(url=server.url, key="key")
    register = RelayRegister(line, "kiosk-1")
    assert await register.claim(PASSAGE) is None
    assert await register.find(PASSAGE) is None
    await line.close()


async def test_a_passage_that_cannot_be_told_holds_nobody_back(relay: Relay) -> None:
    line = relay.line()
    register = RelayRegister(line, "kiosk-1")
    odd = replace(PASSAGE, numbers=("not a number!",))
    assert await register.claim(odd) is None
    with pytest.raises(RegisterUnavailable):
        await register.accepted(odd, TICKET)
    await line.close()


def test_a_question_comes_back_as_it_was() -> None:
    asked = wire.Question.of(KEY, DAY, Moment.STAFF, 14.0)
    assert wire.Question.model_validate_json(asked.model_dump_json()).key() == KEY
