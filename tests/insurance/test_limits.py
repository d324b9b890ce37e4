"""Pace, questions in flight, and the circuit breaker (insurance-gateway.md 1.6)."""

import asyncio
import time

import pytest

from kiosk.errors import GatewayMisconfigured, GatewayUnavailable
from kiosk.insurance.limits import HEAD_START_S, Breaker, Throttle


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


async def order_of(throttle: Throttle, clock: Clock, arrivals: list[tuple[str, bool, float]]) -> list[str]:
    """Who is let in, in order: (name, urgent, seconds since the one before) come while the only place is taken."""
    order: list[str] = []

    async def one(name: str, urgent: bool) -> None:
        async with throttle.slot(urgent=urgent):
            order.append(name)

    async with throttle.slot():
        waiting = []
        for name, urgent, later in arrivals:
            clock.now += later
            waiting.append(asyncio.create_task(one(name, urgent)))
            await asyncio.sleep(0)
    await asyncio.gather(*waiting)
    return order


async def test_people_who_stand_there_go_before_questions_that_can_wait() -> None:
    clock = Clock()
    arrivals = [("later 1", False, 0.0), ("later 2", False, 1.0), ("person 1", True, 1.0), ("person 2", True, 1.0)]
    order = await order_of(Throttle(1, 1000, clock), clock, arrivals)
    assert order == ["person 1", "person 2", "later 1", "later 2"]


async def test_questions_that_can_wait_do_not_wait_for_ever() -> None:
    clock = Clock()
    people = [(f"person {number}", True, 1.0) for number in range(1, 15)]
    order = await order_of(Throttle(1, 1000, clock), clock, [("later", False, 0.0), *people])
    assert order.index("later") == HEAD_START_S - 1


@pytest.mark.parametrize("urgent", [True, False])
async def test_who_is_cancelled_in_the_moment_of_his_turn_leaves_the_place(urgent: bool) -> None:
    clock = Clock()
    throttle = Throttle(1, 1000, clock)

    async def one() -> None:
        async with throttle.slot(urgent=urgent):
            pytest.fail("entered")

    async with throttle.slot():
        next_one = asyncio.create_task(one())
        await asyncio.sleep(0)
        clock.now += 1  # the pace lets the next one in at once
    next_one.cancel()
    await asyncio.gather(next_one, return_exceptions=True)
    assert next_one.cancelled()
    clock.now += 1
    async with asyncio.timeout(1), throttle.slot():
        pass
