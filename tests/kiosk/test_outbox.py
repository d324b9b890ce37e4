"""The outbox worker on a real store, with destinations that note what arrives."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from kiosk import outbox_table, records
from kiosk.errors import StoreFull
from kiosk.outbox import Backoff, Done, Outbox, Outcome, Park, Retry
from kiosk.outbox_table import OutboxRow
from kiosk.store import Store
from kiosk.tables import outbox as table
from tests.kiosk.world import MovableClock, capped, until

NOW = datetime(2026, 11, 2, 1, 0, tzinfo=UTC)


class Destination:
    """Takes rows as *decide* says, and notes each attempt in order."""

    def __init__(
        self,
        decide: Callable[[OutboxRow], Awaitable[Outcome]],
        *,
        name: str = "hospital",
        workers: int = 1,
        batch: int = 1,
    ) -> None:
        self.destination = name
        self.workers = workers
        self.batch = batch
        self.attempts: list[str] = []
        self._decide = decide

    async def deliver(self, rows: Sequence[OutboxRow]) -> Sequence[Outcome]:
        self.attempts += [row.ref for row in rows]
        return [await self._decide(row) for row in rows]

    def give_up(self, row: OutboxRow) -> Park:
        return Park("internal_error", "operator")


async def takes_all(row: OutboxRow) -> Outcome:
    return Done()


class Box:
    """A store with an outbox; rows are written before or while it runs."""

    def __init__(self, store: Store, *destinations: Destination, backoff: Backoff | None = None) -> None:
        self.store = store
        self.clock = MovableClock()
        self.outbox = Outbox(store, self.clock, destinations, backoff or Backoff(0.01, 0.02))

    async def put(self, *refs: str, to: str = "hospital", due: timedelta | None = None) -> None:
        now = self.clock()

        def work(connection: sa.Connection) -> None:
            for ref in refs:
                later = now + due if due else None
                outbox_table.enqueue(connection, to, "push", ref, now, due=later)

        await self.store.run(work)
        self.outbox.wake(to)

    async def rows(self) -> dict[str, OutboxRow]:
        query = sa.select(table).order_by(table.c.id)
        rows = await self.store.read(lambda c: [OutboxRow(**row._mapping) for row in c.execute(query)])
        return {row.ref: row for row in rows}

    async def states(self) -> dict[str, str]:
        return {ref: row.state for ref, row in (await self.rows()).items()}

    async def all_become(self, state: str) -> None:
        async def ready() -> bool:
            return set((await self.states()).values()) == {state}

        await until(ready, f"all {state}")

    @asynccontextmanager
    async def running(self):
        task = asyncio.create_task(self.outbox.run())
        try:
            yield
        finally:
            self.outbox.stop()
            async with asyncio.timeout(10):
                await task


async def test_rows_leave_in_the_order_they_were_written(store):
    to = Destination(takes_all)
    box = Box(store, to)
    await box.put("a", "b", "c")
    async with box.running():
        await box.all_become("done")
        await box.put("d", "e")
        await box.all_become("done")
    assert to.attempts == ["a", "b", "c", "d", "e"]


@pytest.mark.parametrize("fault", ["retry", "raise", "park"])
async def test_a_poison_row_delays_nobody(store, fault):
    async def decide(row: OutboxRow) -> Outcome:
        if row.ref != "poison":
            return Done()
        if fault == "raise":
            raise ZeroDivisionError("text that could name a person")
        return Park("rejected", "staff") if fault == "park" else Retry("again", after=0.001)

    to = Destination(decide)
    box = Box(store, to)
    await box.put("a", "poison", "b", "c")
    async with box.running():

        async def others_done() -> bool:
            states = await box.states()
            return all(states[ref] == "done" for ref in "abc")

        await until(others_done)
    assert to.attempts[:4] == ["a", "poison", "b", "c"]
    row = (await box.rows())["poison"]
    assert (row.state, row.owner, row.reason) == {
        "retry": ("waiting", None, "again"),
        "raise": ("parked", "operator", "internal_error"),
        "park": ("parked", "staff", "rejected"),
    }[fault]


async def test_one_row_that_finds_the_destination_down_again_and_again_does_not_close_it(store):
    async def decide(row: OutboxRow) -> Outcome:
        return Retry("malformed", after=0.001, down=True) if row.ref == "poison" else Done()

    to = Destination(decide)
    box = Box(store, to)
    await box.put("poison")
    async with box.running():
        await until(lambda: done_when(len(to.attempts) >= 5))
        before = len(to.attempts)
        await box.put("fresh")
        await until(lambda: done_when("fresh" in to.attempts))
    assert to.attempts.index("fresh") - before <= 2


async def test_an_outcome_that_cannot_be_written_parks_its_row_and_the_others_go_on(store):
    def broken(connection: sa.Connection) -> None:
        raise ZeroDivisionError

    async def decide(row: OutboxRow) -> Outcome:
        return Done(broken) if row.ref == "odd" else Done()

    to = Destination(decide)
    box = Box(store, to)
    await box.put("odd", "even")
    async with box.running():
        await until(lambda: done_when("even" in to.attempts))
    row = (await box.rows())["odd"]
    assert (row.state, row.reason) == ("parked", "internal_error")


async def done_when(true: bool) -> bool:
    return true


async def test_nothing_is_dropped_and_what_waits_can_be_seen_with_reason_owner_and_age(store):
    async def decide(row: OutboxRow) -> Outcome:
        return {"ok": Done(), "no": Park("c06.999", "staff"), "later": Retry("busy", after=60)}[row.ref]

    box = Box(store, Destination(decide))
    await box.put("ok", "no", "later")
    written = box.clock()
    async with box.running():

        async def tried() -> bool:
            return all(row.attempts for row in (await box.rows()).values())

        await until(tried)
    assert await box.states() == {"ok": "done", "no": "parked", "later": "waiting"}
    waiting = {row.ref: row for row in await store.read(outbox_table.unfinished)}
    assert set(waiting) == {"no", "later"}
    assert (waiting["no"].reason, waiting["no"].owner) == ("c06.999", "staff")
    assert abs((waiting["no"].created_at - written).total_seconds()) < 5
    depth = {(to, state): (rows, oldest) for to, state, rows, oldest in await store.read(outbox_table.depth)}
    assert depth[("hospital", "parked")] == (1, waiting["no"].created_at)
    assert depth[("hospital", "waiting")][0] == 1


@given(st.integers(1, 10_000), st.floats(0.01, 100), st.floats(0.01, 5000))
def test_pauses_double_up_to_the_cap_with_a_fifth_of_jitter(attempts, base, cap):
    pause = Backoff(base, cap).pause(attempts)
    doubled = min(cap, base * 2.0 ** min(attempts - 1, 30))
    assert 0.8 * doubled <= pause <= 1.2 * doubled


async def test_each_failure_of_a_row_waits_longer_within_the_bounds(store):
    async def decide(row: OutboxRow) -> Outcome:
        return Retry("no")

    to = Destination(decide)
    box = Box(store, to, backoff=Backoff(10, 80))
    await box.put("a")
    pauses = []
    async with box.running():
        for attempt in range(1, 7):

            async def settled(attempts: int = attempt) -> bool:
                row = (await box.rows())["a"]
                return row.attempts == attempts and row.state == "waiting"

            await until(settled)
            row = (await box.rows())["a"]
            pauses.append((row.next_at - row.updated_at).total_seconds())
            box.clock.forward(seconds=120)
            box.outbox.wake("hospital")
    expected = [10, 20, 40, 80, 80, 80]
    assert all(0.8 * e <= p <= 1.2 * e for p, e in zip(pauses, expected, strict=True)), pauses


async def test_a_destination_that_is_down_is_left_alone_and_hastened_when_it_is_back(store):
    up = asyncio.Event()

    async def decide(row: OutboxRow) -> Outcome:
        return Done() if up.is_set() else Retry("net", after=3600, down=True)

    to = Destination(decide)
    box = Box(store, to, backoff=Backoff(0.3, 0.3))
    await box.put(*"abcdefgh")
    async with box.running():

        async def two_tried() -> bool:
            return len(to.attempts) >= 2

        await until(two_tried)
        assert to.attempts == ["a", "b"], "two different rows are enough to know"
        up.set()
        await box.all_become("done")
    assert to.attempts[:3] == ["a", "b", "c"], "the next in line is the trial"
    assert sorted(to.attempts[3:]) == sorted("abdefgh")
    assert to.attempts[3:5] == ["a", "b"], "then again in the order they were written"


async def test_an_answer_that_is_a_refusal_shows_too_that_a_destination_is_back(store):
    up = asyncio.Event()

    async def decide(row: OutboxRow) -> Outcome:
        if not up.is_set():
            return Retry("net", after=3600, down=True)
        return Park("no", "staff") if row.ref == "c" else Done()

    to = Destination(decide)
    box = Box(store, to, backoff=Backoff(0.2, 0.2))
    await box.put("a", "b", "c")
    async with box.running():

        async def two_tried() -> bool:
            return len(to.attempts) == 2

        await until(two_tried)
        up.set()

        async def ready() -> bool:
            return await box.states() == {"a": "done", "b": "done", "c": "parked"}

        await until(ready)


async def test_rows_of_unknown_outcome_keep_their_pause_when_a_destination_returns(store):
    box = Box(store)
    await box.put("sure", "unsure", due=timedelta(hours=1))

    def work(connection: sa.Connection) -> None:
        connection.execute(table.update().where(table.c.ref == "unsure").values(uncertain=True))
        outbox_table.hasten(connection, "hospital", box.clock())

    await store.run(work)
    rows = await box.rows()
    assert rows["sure"].next_at <= box.clock() < rows["unsure"].next_at


async def test_one_destination_down_does_not_touch_the_other(store):
    async def fails(row: OutboxRow) -> Outcome:
        return Retry("net", down=True)

    down, other = Destination(fails), Destination(takes_all, name="province")
    box = Box(store, down, other, backoff=Backoff(5, 5))
    await box.put("a", "b", "c")
    async with box.running():
        await box.put("x", "y", to="province")

        async def delivered() -> bool:
            states = await box.states()
            return states["x"] == states["y"] == "done"

        await until(delivered)
    assert other.attempts == ["x", "y"]


async def test_resuming_tries_at_once_what_waited_for_a_closed_destination(store):
    open_now = asyncio.Event()

    async def decide(row: OutboxRow) -> Outcome:
        return Done() if open_now.is_set() else Retry("not_enrolled", after=30, down=True)

    box = Box(store, Destination(decide), backoff=Backoff(60, 60))
    await box.put("a", "b", "c")
    async with box.running():

        async def closed() -> bool:
            rows = (await box.rows()).values()
            return [row.attempts for row in rows] == [1, 1, 0] and {row.state for row in rows} == {"waiting"}

        await until(closed)
        open_now.set()
        await box.outbox.resume("hospital")
        await box.all_become("done")


@given(st.floats(0, 10**6), st.floats(0.01, 5000))
def test_a_rest_is_what_was_asked_for_within_the_cap_and_up_to_a_fifth_more(asked, cap):
    rest = Backoff(2, cap).rest(asked)
    assert min(cap, max(asked, 0.2)) <= rest <= 1.2 * min(cap, max(asked, 0.2))


@pytest.mark.parametrize("down", [False, True], ids=["busy", "out of order"])
async def test_the_rest_that_a_destination_asks_for_leads_over_our_pauses(store, down):
    times: list[float] = []

    async def decide(row: OutboxRow) -> Outcome:
        times.append(time.monotonic())
        if len(times) > 4:
            return Done()
        return Retry("later", down=down, counts=down, rest=0.3)

    to = Destination(decide)
    box = Box(store, to, backoff=Backoff(60, 60))
    await box.put("a", "b")
    async with box.running():
        await box.all_become("done")
    waits = [later - earlier for earlier, later in pairwise(times[:5])]
    assert all(0.3 <= wait < 2 for wait in waits), waits


async def test_being_told_to_come_again_counts_as_no_attempt_and_hastens_what_waited(store):
    answers = [Retry("net", down=True), Retry("net", down=True), Retry("busy", counts=False, rest=0.2)]

    async def decide(row: OutboxRow) -> Outcome:
        return answers.pop(0) if answers else Done()

    to = Destination(decide)
    box = Box(store, to, backoff=Backoff(0.3, 0.3))
    await box.put("a", "b", "c")
    async with box.running():
        await box.all_become("done")
    assert to.attempts[:3] == ["a", "b", "c"]
    assert {ref: row.attempts for ref, row in (await box.rows()).items()} == {"a": 2, "b": 2, "c": 1}


async def test_no_destination_can_ask_for_more_than_the_longest_pause(store):
    answers = [Retry("busy", counts=False, rest=99_999)]

    async def decide(row: OutboxRow) -> Outcome:
        return answers.pop() if answers else Done()

    box = Box(store, Destination(decide), backoff=Backoff(0.1, 0.3))
    await box.put("a")
    async with box.running():
        await box.all_become("done")


async def test_stopping_lets_a_delivery_end_and_keeps_its_outcome(store):
    started, may_end = asyncio.Event(), asyncio.Event()

    async def decide(row: OutboxRow) -> Outcome:
        started.set()
        await may_end.wait()
        return Done()

    to = Destination(decide)
    box = Box(store, to)
    await box.put("a", "b")
    task = asyncio.create_task(box.outbox.run())
    await asyncio.wait_for(started.wait(), 10)
    box.outbox.stop()
    await asyncio.sleep(0)
    assert not task.done()
    assert (await box.states())["a"] == "sending"
    may_end.set()
    await asyncio.wait_for(task, 10)
    assert await box.states() == {"a": "done", "b": "waiting"}
    assert to.attempts == ["a"]


@pytest.mark.parametrize("back", [timedelta(days=400), timedelta(hours=4)])
async def test_a_clock_set_back_freezes_no_row(store, back):
    to = Destination(takes_all)
    box = Box(store, to)
    await box.put("old", due=timedelta(minutes=5))
    box.clock.shift -= back
    async with box.running():
        await box.all_become("done")
        await box.put("new")
        await box.all_become("done")
    assert to.attempts == ["old", "new"]


async def test_no_row_waits_longer_than_the_longest_pause(store):
    async def decide(row: OutboxRow) -> Outcome:
        return Retry("slow_down", after=99_999)

    to = Destination(decide)
    box = Box(store, to)
    await box.put("told")
    await box.put("planned", due=timedelta(days=3))
    async with box.running():

        async def told() -> bool:
            row = (await box.rows())["told"]
            return row.attempts == 1 and row.state == "waiting"

        await until(told)
        await asyncio.sleep(0.1)
    rows = await box.rows()
    assert to.attempts == ["told"], "a long pause is not mistaken for a clock set back"
    for row in rows.values():
        assert row.next_at - row.updated_at <= outbox_table.LONGEST_PAUSE


async def test_an_outcome_is_held_until_the_store_takes_it(store):
    written = asyncio.Event()

    def effect(connection: sa.Connection) -> None:
        count = records.get_setting(connection, "times") or 0
        records.put_setting(connection, "big", "x" * 200_000)
        records.put_setting(connection, "times", count + 1)

    async def decide(row: OutboxRow) -> Outcome:
        written.set()
        return Done(effect)

    to = Destination(decide)
    box = Box(store, to)
    await box.put("a")
    async with box.running():
        with capped(store):
            await asyncio.wait_for(written.wait(), 10)
            await asyncio.sleep(0.2)
            assert (await box.states())["a"] == "sending"
        await box.all_become("done")
    assert to.attempts == ["a"]
    assert await store.read(lambda c: records.get_setting(c, "times")) == 1


async def test_a_store_that_fails_to_read_for_a_delivery_parks_nothing(store):
    failing = [StoreFull("once"), StoreFull("twice")]

    async def decide(row: OutboxRow) -> Outcome:
        if failing:
            raise failing.pop()
        return Done()

    box = Box(store, Destination(decide))
    await box.put("a")
    async with box.running():
        await box.all_become("done")


async def test_after_a_crash_only_hospital_rows_are_uncertain_and_wait_the_grace(store):
    box = Box(store)
    await box.put("visit")
    await box.put("event", to="province")
    await box.put("question", to="gateway")
    now = box.clock()

    def crash(connection: sa.Connection) -> int:
        for to in ("hospital", "province", "gateway"):
            assert len(outbox_table.claim(connection, to, now, 10)) == 1
        return outbox_table.recover(connection, now, timedelta(seconds=60))

    assert await store.run(crash) == 1
    rows = await box.rows()
    assert {ref: (row.state, row.uncertain) for ref, row in rows.items()} == {
        "visit": ("waiting", True),
        "event": ("waiting", False),
        "question": ("waiting", False),
    }
    assert rows["visit"].next_at == now + timedelta(seconds=60)
    assert rows["event"].next_at == now


async def test_a_claimed_row_is_nobody_elses(store):
    box = Box(store)
    await box.put(*(str(number) for number in range(30)))
    now = box.clock()
    claims = await asyncio.gather(
        *(store.run(lambda c: outbox_table.claim(c, "hospital", now, 4)) for _ in range(10)),
    )
    refs = [row.ref for claim in claims for row in claim]
    assert sorted(refs, key=int) == [str(number) for number in range(30)]


async def test_who_waits_for_an_attempt_is_told_whichever_way_it_ended(store):
    async def decide(row: OutboxRow) -> Outcome:
        return Retry("no", after=60)

    box = Box(store, Destination(decide))
    async with box.running():
        with box.outbox.expecting("a") as attempted:
            await box.put("a")
            await asyncio.wait_for(attempted, 10)
        assert (await box.rows())["a"].attempts == 1
