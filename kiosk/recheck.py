"""Asks the gateway again about people who left with a number while it could not say (insurance-gateway.md 6)."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence

import sqlalchemy as sa

from kiosk import outbox_table, records
from kiosk.amendment import take_in_late_answer
from kiosk.checkin import CheckIns
from kiosk.model import Eligibility, Moment
from kiosk.outbox import Done, Outcome, Park, Retry
from kiosk.outbox_table import OutboxRow


class Recheck:
    """The delivery of destination ``gateway``: one lookup a row, until an answer comes."""

    destination = outbox_table.GATEWAY
    workers = 1
    batch = 1

    def __init__(self, checkins: CheckIns) -> None:
        """Use the same gateway, journal and policy as the check-in itself."""
        self._checkins = checkins

    async def deliver(self, rows: Sequence[OutboxRow]) -> Sequence[Outcome]:
        """Ask for each row."""
        return [await self._one(row) for row in rows]

    def give_up(self, row: OutboxRow) -> Park:
        """Only an operator can help."""
        return Park("internal_error", "operator")

    async def _one(self, row: OutboxRow) -> Outcome:
        checkin = await self._checkins.store.read(lambda c: records.get(c, row.ref))
        if checkin is None or checkin.closed_reason is not None or not checkin.unanswered:
            return Done()
        answer = await self._checkins.ask(checkin, Moment.PENDING)

        def effect(connection: sa.Connection) -> None:
            record_late_answer(connection, self._checkins, row.ref, answer, Moment.PENDING)

        if answer.status.unanswered:
            return Retry(answer.reason, after=self._pause(row.attempts + 1), effect=effect)
        return Done(effect)

    def _pause(self, attempts: int) -> float:
        schedule = self._checkins.policy.recheck_after
        pause = schedule[min(attempts, len(schedule) - 1)]
        return pause * random.uniform(0.9, 1.1)  # noqa: S311 - spreads the load, no secret


def record_late_answer(
    connection: sa.Connection, checkins: CheckIns, checkin_id: str, answer: Eligibility, moment: Moment
) -> None:
    """Keep a lookup made after the person had left, with its event, and follow it up when it says something."""
    checkin = records.get(connection, checkin_id)
    if checkin is None:
        return
    now = checkins.clock()
    receipt = checkin.lookup_receipt
    if not records.is_kept(connection, checkin, answer):
        attempt = records.lookups_of(connection, checkin_id) + 1
        receipt = checkins.journal.lookup(connection, checkin, answer, attempt, now, moment)
    if answer.status.unanswered and not checkin.unanswered:
        return
    records.update(
        connection,
        checkin_id,
        eligibility=answer,
        status=answer.status.value,
        answer_origin="pending",
        lookup_receipt=receipt,
    )
    updated = records.get(connection, checkin_id)
    if updated is not None:
        can_amend = checkins.hospital.capabilities.amend
        take_in_late_answer(connection, checkins.journal, updated, can_amend=can_amend, now=now)


async def recheck_now(checkins: CheckIns, checkin_id: str) -> Eligibility | None:
    """Staff ask again, now; None if there is no such check-in. The answer is kept even when it says nothing."""
    checkin = await checkins.store.read(lambda c: records.get(c, checkin_id))
    if checkin is None:
        return None
    answer = await asyncio.shield(checkins.ask(checkin, Moment.STAFF))
    await checkins.store.run(lambda c: record_late_answer(c, checkins, checkin_id, answer, Moment.STAFF))
    checkins.outbox.wake(outbox_table.PROVINCE)
    checkins.outbox.wake(outbox_table.HOSPITAL)
    return answer
