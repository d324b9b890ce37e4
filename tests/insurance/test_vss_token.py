"""Login answers, token life, single flight and back-off (insurance-gateway.md 1.3-1.5)."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.errors import GatewayMisconfigured, GatewayUnavailable
from kiosk.insurance.vss_token import DEFAULT_LIFE, Token, TokenCache, parse_login, token_life
from kiosk.model import VIETNAM

NOW = datetime(2026, 11, 2, 1, 23, 8, tzinfo=UTC)
GOOD = {"access_token": "QUJD+/=", "id_token": "b5a1", "token_type": "Bearer", "username": "99001_BV"}


class Clock:
    """A monotonic clock that moves when told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Logins:
    """A login that takes a moment and counts; `outcome` is what it gives or raises."""

    def __init__(self, outcome: Token | Exception) -> None:
        self.outcome = outcome
        self.count = 0

    async def __call__(self) -> Token:
        self.count += 1
        await asyncio.sleep(0.01)
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return Token(f"access-{self.count}", self.outcome.id, self.outcome.life)


def cache(logins: Logins, clock: Clock) -> TokenCache:
    return TokenCache(logins, backoff=300, monotonic=clock)


@pytest.mark.parametrize(
    ("expires_in", "seconds"),
    [
        ("2026-11-02T01:33:08.5454145Z", 600),
        ("2026-11-02T01:33:08Z", 600),
        ("2026-11-02T08:33:08.5454145+07:00", 600),
        ("2026-11-02T01:33:08.5454145", 600),
        ("2026-11-02T01:24:00Z", 52),
        (1793583188, 600),
        ("1793583188", 600),
        (1793583188000, 600),
        (900, 900),
        ("900", 900),
        (900.5, 900),
    ],
)
def test_token_life_in_all_known_forms(expires_in: object, seconds: int) -> None:
    assert int(token_life(expires_in, NOW).total_seconds()) == seconds


@pytest.mark.parametrize("expires_in", [None, "", "soon", True, [], -5, 0, "2026-11-02T01:00:00Z", 1e400, "9" * 400])
def test_token_life_otherwise_is_the_documented_one(expires_in: object) -> None:
    assert token_life(expires_in, NOW) == DEFAULT_LIFE


def test_a_local_clock_in_another_zone_changes_nothing() -> None:
    assert token_life("2026-11-02T01:33:08Z", NOW.astimezone(VIETNAM)) == timedelta(minutes=10)


@given(st.none() | st.text(max_size=30) | st.floats() | st.integers() | st.datetimes().map(str))
def test_token_life_never_raises_and_is_never_over(expires_in: object) -> None:
    assert token_life(expires_in, NOW) > timedelta(0)


def test_a_good_login() -> None:
    body = {"maKetQua": "200", "APIKey": GOOD | {"expires_in": "2026-11-02T01:33:08.5454145Z"}}
    token = parse_login(200, json.dumps(body).encode(), NOW)
    assert (token.access, token.id) == ("QUJD+/=", "b5a1")
    assert "QUJD" not in repr(token)


@pytest.mark.parametrize("part", ["access_token", "id_token"])
@pytest.mark.parametrize("text", ["", "\ud800", "a\r\nb", "khóa", "x" * 100_000, 5, ["a"], None])
def test_a_token_that_fits_no_url_is_none(part: str, text: object) -> None:
    body = json.dumps({"maKetQua": "200", "APIKey": GOOD | {part: text}}).encode()
    with pytest.raises(GatewayUnavailable, match="login_unreadable"):
        parse_login(200, body, NOW)


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (200, b'{"maKetQua":"401","APIKey":null}', "401"),
        (200, b'{"maKetQua":402}', "402"),
        (200, b'{"maKetQua":"403"}', "403"),
        (401, b"", "401"),
        (401, b'{"maKetQua":"403"}', "403"),
    ],
)
def test_refused_logins(status: int, body: bytes, code: str) -> None:
    with pytest.raises(GatewayMisconfigured) as caught:
        parse_login(status, body, NOW)
    assert caught.value.reason == code


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (200, b'{"maKetQua":"500"}', "gateway_error"),
        (500, b"<html>", "http_error"),
        (200, b"<html>", "login_unreadable"),
        (200, b"", "login_unreadable"),
        (200, b'{"maKetQua":"200","APIKey":null}', "login_unreadable"),
        (200, b'{"maKetQua":"200","APIKey":{"access_token":"x"}}', "login_unreadable"),
        (200, b'{"maKetQua":"200","APIKey":{"access_token":1,"id_token":"y"}}', "login_unreadable"),
        (200, b'{"maKetQua":"205"}', "login_unreadable"),
    ],
)
def test_unusable_logins(status: int, body: bytes, reason: str) -> None:
    with pytest.raises(GatewayUnavailable) as caught:
        parse_login(status, body, NOW)
    assert (caught.value.reason, caught.value.reached) == (reason, True)


async def test_parallel_callers_share_one_login() -> None:
    logins = Logins(Token("", "id"))
    tokens = cache(logins, Clock())
    got = await asyncio.gather(*(tokens.get() for _ in range(20)))
    assert {token.access for token in got} == {"access-1"}
    assert (await tokens.get()).access == "access-1"


async def test_a_cancelled_caller_does_not_take_the_login_from_the_others() -> None:
    tokens = cache(Logins(Token("", "id")), Clock())
    first, second = asyncio.create_task(tokens.get()), asyncio.create_task(tokens.get())
    await asyncio.sleep(0)
    first.cancel()
    assert (await second).access == "access-1"
    assert first.cancelled()


async def test_renewed_when_less_than_a_minute_remains() -> None:
    clock = Clock()
    tokens = cache(Logins(Token("", "id", timedelta(minutes=10))), clock)
    await tokens.get()
    clock.now += 539
    assert (await tokens.get()).access == "access-1"
    clock.now += 2
    assert (await tokens.get()).access == "access-2"


async def test_a_short_token_still_serves_the_call_that_took_it() -> None:
    tokens = cache(Logins(Token("", "id", timedelta(seconds=5))), Clock())
    assert (await tokens.get()).access == "access-1"
    assert (await tokens.get()).access == "access-2"


async def test_dropping_an_old_token_keeps_the_newer() -> None:
    tokens = cache(Logins(Token("", "id")), Clock())
    old = await tokens.get()
    tokens.drop(old)
    new = await tokens.get()
    tokens.drop(old)
    assert (await tokens.get()) is new
    assert new.access == "access-2"


async def test_a_refused_login_is_not_repeated_for_five_minutes() -> None:
    clock, logins = Clock(), Logins(GatewayMisconfigured("401"))
    tokens = cache(logins, clock)
    for _ in range(3):
        with pytest.raises(GatewayMisconfigured):
            await tokens.get()
    assert (logins.count, tokens.refusal) == (1, "401")
    clock.now += 301
    logins.outcome = Token("", "id")
    assert tokens.refusal is None
    assert (await tokens.get()).access == "access-2"


async def test_an_unanswered_login_may_be_repeated_at_once() -> None:
    logins = Logins(GatewayUnavailable("net_connect"))
    tokens = cache(logins, Clock())
    with pytest.raises(GatewayUnavailable):
        await tokens.get()
    logins.outcome = Token("", "id")
    assert (await tokens.get()).access == "access-2"


async def test_closing_ends_a_running_login() -> None:
    tokens = cache(Logins(Token("", "id")), Clock())
    waiting = asyncio.create_task(tokens.get())
    await asyncio.sleep(0)
    await tokens.close()
    with pytest.raises(GatewayUnavailable):
        await waiting
