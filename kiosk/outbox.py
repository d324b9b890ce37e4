"""The outbox worker: delivers what must still reach the hospital, the gateway or the province, and never gives up.

Rows go out in the order they were written. A row that fails waits by itself (exponential back-off with jitter) while
the next one is tried, and is due again behind those, so a poison row delays nobody; only when two different rows in a
row find the destination down does the whole destination pause, or as soon and as long as it asks for it. What a human
must solve is parked with reason, owner and age (invariant 5).
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Protocol

import sqlalchemy as sa

from kiosk import outbox_table
from kiosk.errors import StoreError
from kiosk.outbox_table import OutboxRow
from kiosk.ports import Clock
from kiosk.store import Store

log = logging.getLogger(__name__)

_SHORTEST_REST: Final = 0.2

Effect = Callable[[sa.Connection], None]


@dataclass(frozen=True, slots=True)
class Done:
    """It arrived. ``effect`` runs in the transaction that closes the row."""

    effect: Effect | None = None


@dataclass(frozen=True, slots=True)
class Retry:
    """Not now: again after *after* seconds, after *rest*, or by the usual back-off.

    ``down``: the destination itself did not answer. ``uncertain``: this attempt may have arrived (None: as before).
    ``counts``: False when nothing was tried, so that the row's schedule goes on where it was.
    ``rest``: seconds for which the destination, which answered, asked to be left alone: they lead over our own pauses.
    """

    reason: str
    after: float | None = None
    down: bool = False
    uncertain: bool | None = None
    effect: Effect | None = None
    counts: bool = True
    rest: float | None = None


@dataclass(frozen=True, slots=True)
class Park:
    """A human must act: *owner* is ``staff`` or ``operator``. ``uncertain`` as in Retry."""

    reason: str
    owner: str
    uncertain: bool | None = None
    effect: Effect | None = None


Outcome = Done | Retry | Park


class Delivery(Protocol):
    """How one destination takes rows. Raises nothing: whatever happens is one Outcome a row, in the same order."""

    destination: str
    workers: int
    batch: int

    async def deliver(self, rows: Sequence[OutboxRow]) -> Sequence[Outcome]:
        """Try to deliver *rows* (at most ``batch``) now."""
        ...

    def give_up(self, row: OutboxRow) -> Park:
        """How *row* is parked when a fault of ours kept its delivery or its outcome from being handled."""
        ...


@dataclass(frozen=True, slots=True)
class Backoff:
    """Pauses in seconds: *base* doubled at each attempt up to *cap*, each multiplied by 0.8 to 1.2 at random."""

    base: float = 2.0
    cap: float = 300.0

    def pause(self, attempts: int) -> float:
        """The pause after attempt number *attempts* (from 1)."""
        doubled = self.base * 2.0 ** min(max(attempts - 1, 0), 30)
        return min(self.cap, doubled) * random.uniform(0.8, 1.2)  # noqa: S311 - jitter, no secret

    def rest(self, asked: float) -> float:
        """How long to leave a destination alone that *asked* for so many seconds: never much longer than *cap*.

        Up to a fifth more, so that those who were told the same do not all come back at the same moment.
        """
        return min(self.cap, max(asked, _SHORTEST_REST)) * random.uniform(1.0, 1.2)  # noqa: S311 - jitter, no secret


class Outbox:
    """Runs the workers of all destinations and tells waiters when an attempt about their check-in has ended."""

    def __init__(self, store: Store, clock: Clock, deliveries: Sequence[Delivery], backoff: Backoff) -> None:
        """Wire the worker; nothing runs before ``run()``."""
        self._store = store
        self._clock = clock
        self._deliveries: list[Delivery] = []
        self._backoff = backoff
        self._lanes: dict[str, _Lane] = {}
        self._waiting: dict[str, set[asyncio.Future[None]]] = {}
        self._stopping = False
        for delivery in deliveries:
            self.add(delivery)

    def add(self, delivery: Delivery) -> None:
        """One more destination; before ``run()``."""
        self._deliveries.append(delivery)
        self._lanes[delivery.destination] = _Lane()

    async def run(self) -> None:
        """Deliver until ``stop()``."""
        async with asyncio.TaskGroup() as group:
            for delivery in self._deliveries:
                for number in range(delivery.workers):
                    group.create_task(self._work(delivery), name=f"outbox-{delivery.destination}-{number}")

    def wake(self, destination: str) -> None:
        """Rows for *destination* were committed just now."""
        if lane := self._lanes.get(destination):
            lane.news.set()

    @contextmanager
    def expecting(self, ref: str) -> Iterator[asyncio.Future[None]]:
        """A future, done when an attempt about *ref* has ended, whichever way; open it before the row is committed."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(ref, set()).add(future)
        try:
            yield future
        finally:
            waiters = self._waiting[ref]
            waiters.discard(future)
            if not waiters:
                del self._waiting[ref]

    async def resume(self, destination: str) -> None:
        """Something has changed for the better: try all that waits for *destination* now. StoreError."""
        now = self._clock()
        await self._store.run(lambda c: outbox_table.hasten(c, destination, now))
        self.reopen(destination)

    def reopen(self, destination: str) -> None:
        """End the pause of *destination*: what is due now goes out, the rest keeps its time."""
        if lane := self._lanes.get(destination):
            lane.reopen()

    def stop(self) -> None:
        """Claim nothing more; ``run()`` returns when the deliveries under way have ended."""
        self._stopping = True
        for lane in self._lanes.values():
            lane.news.set()

    async def _work(self, delivery: Delivery) -> None:
        lane = self._lanes[delivery.destination]
        while not self._stopping:
            try:
                if (closed := lane.closed_for()) > 0:
                    await asyncio.sleep(min(closed, 0.5))
                    continue
                lane.news.clear()
                rows = await self._claim(delivery)
                if rows:
                    await self._deliver(delivery, lane, rows)
                elif not self._stopping:
                    await self._sleep(delivery.destination, lane)
            except StoreError as exc:
                log.error("outbox cannot use the store", extra={"code": exc.code})
                await asyncio.sleep(1)

    async def _claim(self, delivery: Delivery) -> list[OutboxRow]:
        due = await self._store.read(lambda c: outbox_table.next_due(c, delivery.destination))
        if due is None:
            return []
        now = self._clock()
        return await self._store.run(lambda c: outbox_table.claim(c, delivery.destination, now, delivery.batch))

    async def _sleep(self, destination: str, lane: _Lane) -> None:
        due = await self._store.read(lambda c: outbox_table.next_due(c, destination))
        seconds = 30.0 if due is None else min(30.0, max(0.01, (due - self._clock()).total_seconds()))
        await lane.sleep(seconds)

    async def _deliver(self, delivery: Delivery, lane: _Lane, rows: list[OutboxRow]) -> None:
        try:
            outcomes = await delivery.deliver(rows)
        except StoreError as exc:  # what was to be sent could not be read
            outcomes = [Retry(exc.code) for _ in rows]
        except Exception:  # a fault of ours must not lose the row or stop the others
            log.exception("delivery failed", extra={"destination": delivery.destination})
            outcomes = [delivery.give_up(row) for row in rows]
        down = any(isinstance(outcome, Retry) and outcome.down for outcome in outcomes)
        whose = rows[0].id if delivery.batch == 1 else None
        recovered = lane.note(whose, down=down, pause=self._backoff.pause, name=delivery.destination)
        asked = [outcome.rest for outcome in outcomes if isinstance(outcome, Retry) and outcome.rest is not None]
        if asked:
            lane.rest(self._backoff.rest(max(asked)))
        await self._settle(delivery, list(zip(rows, outcomes, strict=True)), recovered=recovered)
        for row in rows:
            for future in self._waiting.get(row.ref, ()):
                if not future.done():
                    future.set_result(None)

    async def _settle(self, delivery: Delivery, pairs: list[tuple[OutboxRow, Outcome]], *, recovered: bool) -> None:
        """Write the outcomes; as long as the store takes nothing, hold on to them: the rows stay ``sending``."""

        def write(connection: sa.Connection) -> None:
            now = self._clock()
            for row, outcome in pairs:
                self._write(connection, row, outcome)
            if recovered:
                outbox_table.hasten(connection, delivery.destination, now)

        while True:
            try:
                await self._store.run(write)
                break
            except StoreError as exc:
                log.error("outbox cannot record an outcome", extra={"code": exc.code})
                await asyncio.sleep(1)
            except Exception:
                log.exception("outcome not understood", extra={"destination": delivery.destination})
                if any(isinstance(outcome, Park) and outcome.reason == "internal_error" for _, outcome in pairs):
                    pairs = [(row, Park("internal_error", "operator")) for row, _ in pairs]
                else:
                    pairs = [(row, delivery.give_up(row)) for row, _ in pairs]
        if recovered or any(outcome.effect for _, outcome in pairs):
            for destination in self._lanes:  # an effect may have written rows for others
                self.wake(destination)

    def _write(self, connection: sa.Connection, row: OutboxRow, outcome: Outcome) -> None:
        now = self._clock()
        if outcome.effect:
            outcome.effect(connection)
        match outcome:
            case Done():
                outbox_table.settle(connection, row.id, "done", now, reason=None, owner=None, uncertain=False)
            case Park():
                uncertain = row.uncertain if outcome.uncertain is None else outcome.uncertain
                outbox_table.settle(
                    connection, row.id, "parked", now, reason=outcome.reason, owner=outcome.owner, uncertain=uncertain
                )
            case Retry():
                after = self._pause(row, outcome)
                uncertain = row.uncertain if outcome.uncertain is None else outcome.uncertain
                due = now + min(timedelta(seconds=after), outbox_table.LONGEST_PAUSE)
                attempts = row.attempts + 1 if outcome.counts else row.attempts
                changes = {"next_at": due, "reason": outcome.reason, "uncertain": uncertain, "attempts": attempts}
                outbox_table.settle(connection, row.id, "waiting", now, **changes)

    def _pause(self, row: OutboxRow, outcome: Retry) -> float:
        if outcome.after is not None:
            return outcome.after
        if outcome.rest is not None:
            return min(outcome.rest, self._backoff.cap)
        return self._backoff.pause(row.attempts + 1)


class _Lane:
    """Whether a destination answers, and the bell that wakes its workers."""

    def __init__(self) -> None:
        self.news = asyncio.Event()
        self._failures = 0
        self._last_failed: int | None = None
        self._closed_until = 0.0

    def note(self, row_id: int | None, *, down: bool, pause: Callable[[int], float], name: str) -> bool:
        """Take in the end of an attempt; True when the destination has just come back. Logs fall and return once.

        The same row (*row_id*; None for a batch) failing again says nothing new about the destination.
        """
        again = down and row_id is not None and row_id == self._last_failed
        self._last_failed = row_id if down else None
        if again:
            return False
        if not down:
            came_back = self._failures > 1
            self._failures = 0
            self._closed_until = 0.0
            if came_back:
                log.info("destination is back", extra={"destination": name})
            return came_back
        self._failures += 1
        if self._failures > 1:
            self._closed_until = time.monotonic() + pause(self._failures - 1)
        if self._failures == 2:
            log.warning("destination is down", extra={"destination": name})
        return False

    def rest(self, seconds: float) -> None:
        """Leave the destination alone for so long, whatever pause was meant for it."""
        self._closed_until = time.monotonic() + seconds

    def reopen(self) -> None:
        """Try again at once; whether it answers will be seen."""
        self._closed_until = 0.0
        self.news.set()

    def closed_for(self) -> float:
        """Seconds that the pause of a destination that is down still lasts."""
        return self._closed_until - time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Return after *seconds*, or sooner when there is news."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.news.wait()
