"""Pace, questions in flight, and the circuit breaker (insurance-gateway.md 1.6)."""

import asyncio
import time

import pytest

from kiosk.errors import GatewayMisconfigured, GatewayUnavailable
from kiosk.insurance.limits import Breaker, Throttle


class Clock:
    """A monotonic clock that moves when told."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def fail(breaker: Breaker, error: BaseException | None = None) -> None:
    with pytest.raises(type(error) if error else GatewayUnavailable), breaker.attempt():
        raise error or GatewayUnavailable("net_connect")


def opened(clock: Clock) -> Breaker:
    breaker = Breaker(5, 60, clock)
    for _ in range(5):
        assert not breaker.refuses
        fail(breaker)
    return breaker


def test_opens_after_five_failures_in_a_row() -> None:
    breaker = opened(Clock())
    assert breaker.refuses
    with pytest.raises(GatewayUnavailable, match="breaker_open"), breaker.attempt():
        pytest.fail("entered")


@pytest.mark.parametrize("error", [None, GatewayMisconfigured("401"), GatewayUnavailable("http_error", reached=True)])
def test_any_http_answer_ends_the_row(error: Exception | None) -> None:
    breaker = Breaker(2, 60, Clock())
    for _ in range(3):
        fail(breaker)
        if error:
            fail(breaker, error)
        else:
            with breaker.attempt():
                pass
    assert not breaker.refuses


def test_a_cancelled_question_counts_as_unanswered() -> None:
    breaker = Breaker(1, 60, Clock())
    fail(breaker, asyncio.CancelledError())
    assert breaker.refuses


def test_after_a_minute_one_may_try_and_success_closes() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.now = 60
    assert not breaker.refuses
    with breaker.attempt():
        assert breaker.refuses
    assert not breaker.refuses
    fail(breaker)
    assert not breaker.refuses


def test_a_failed_trial_opens_for_another_minute() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.now = 61
    fail(breaker)
    clock.now = 120
    assert breaker.refuses
    clock.now = 121
    assert not breaker.refuses


def test_fall_and_return_are_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    breaker = opened(clock)
    for moment in (61, 130, 200):
        clock.now = moment
        fail(breaker)
    clock.now = 300
    with breaker.attempt():
        pass
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]


async def test_never_more_in_flight_than_allowed() -> None:
    throttle = Throttle(2, 1000, time.monotonic)
    inside, most = 0, 0

    async def one() -> None:
        nonlocal inside, most
        async with throttle.slot():
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0.005)
            inside -= 1

    await asyncio.gather(*(one() for _ in range(10)))
    assert most == 2


async def test_the_pace_holds_after_the_first_burst() -> None:
    throttle = Throttle(2, 20, time.monotonic)
    starts: list[float] = []

    async def one() -> None:
        async with throttle.slot():
            starts.append(time.monotonic())

    await asyncio.gather(*(one() for _ in range(6)))
    assert starts[1] - starts[0] < 0.04
    assert starts[5] - starts[0] >= 0.19


async def test_who_gives_up_waiting_blocks_nobody() -> None:
    throttle = Throttle(1, 1000, time.monotonic)
    async with throttle.slot():
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01), throttle.slot():
                pytest.fail("entered")
    async with asyncio.timeout(1), throttle.slot():
        pass
