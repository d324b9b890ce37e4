"""Asks the gateway again about people who left with a number while it could not say (insurance-gateway.md 6)."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import sqlalchemy as sa

from kiosk import answers, outbox_table, records
from kiosk.amendment import take_in_late_answer
from kiosk.checkin import CheckIns
from kiosk.errors import StoreError
from kiosk.model import Eligibility, EligibilityClass, KeyKind, Moment
from kiosk.outbox import Done, Effect, Outcome, Park, Retry
from kiosk.outbox_table import OutboxRow
from kiosk.to_hospital import send_visit

OUTSIDE_HOURS: Final = "outside_hours"
"""Why a question waits that is due between closing and opening."""


class Recheck:
    """The delivery of destination ``gateway``: one lookup a row, until an answer comes.

    Only questions that left this machine move a row along the schedule: while the facility is closed, the breaker is
    open or no officer is there, it waits where it stood.
    """

    destination = outbox_table.GATEWAY
    workers = 1
    batch = 1

    def __init__(self, checkins: CheckIns) -> None:
        """Use the same gateway, journal and policy as the check-in itself."""
        self._checkins = checkins
        self._away = True
        self._hastening: set[asyncio.Task[None]] = set()

    async def deliver(self, rows: Sequence[OutboxRow]) -> Sequence[Outcome]:
        """Ask for each row."""
        return [await self._one(row) for row in rows]

    def give_up(self, row: OutboxRow) -> Park:
        """Only an operator can help."""
        return Park("internal_error", "operator")

    def answered(self, answer: Eligibility) -> None:
        """Take in how any question of anybody ended: the first answer after none hastens what waits, one by one.

        Also the first one after a start, because nobody knows how long the machine was off. Runs on the event loop.
        """
        if answer.attempts == 0:
            return
        about_one_person = answer.status is EligibilityClass.CANNOT_SAY and answer.result_code is not None
        if about_one_person:  # the gateway is there; whose register it cannot read is asked about by the schedule
            return
        came_back = self._away and not answer.status.unanswered
        self._away = answer.status.unanswered
        if came_back:
            task = asyncio.create_task(self._hasten(), name="recheck-hasten")
            self._hastening.add(task)
            task.add_done_callback(self._hastening.discard)

    async def _hasten(self) -> None:
        now = self._checkins.clock()
        gap = timedelta(seconds=self._checkins.policy.recheck_gap)
        try:
            await self._checkins.store.run(lambda c: outbox_table.hasten_gently(c, self.destination, now, gap))
        except StoreError:
            self._away = True  # the next answer hastens them
        self._checkins.outbox.wake(self.destination)

    async def _one(self, row: OutboxRow) -> Outcome:
        checkin = await self._checkins.store.read(lambda c: records.get(c, row.ref))
        if checkin is None or checkin.closed_reason is not None or not checkin.unanswered:
            return Done()
        now = self._checkins.clock()
        since = self._checkins.policy.remember
        known = await self._checkins.store.read(lambda c: records.recent_answer(c, checkin, now, since))
        if known is not None:  # the same person stood here again meanwhile
            return self._settled(row, known)
        closed_for = self._checkins.policy.hours.next_open(now) - now
        if closed_for > timedelta():
            return Retry(
                OUTSIDE_HOURS, after=closed_for.total_seconds(), counts=False, effect=self._hand_over_unchecked(row)
            )
        answer = await self._checkins.ask(checkin, Moment.PENDING)
        if not answer.status.unanswered:
            return self._settled(row, answer)
        if answer.attempts == 0:
            return Retry(answer.reason, after=self._pause(1), counts=False)
        return Retry(answer.reason, after=self._pause(row.attempts + 1), effect=self._effect(row, answer))

    def _hand_over_unchecked(self, row: OutboxRow) -> Effect | None:
        """Where a clerk enters the visits, those held back for an answer are entered without it before the day ends."""
        able = self._checkins.hospital.capabilities
        if not able.hand_over:
            return None

        def effect(connection: sa.Connection) -> None:
            checkin = records.get(connection, row.ref)
            if checkin is not None and checkin.hospital_state == "waiting" and checkin.staff_reason is None:
                send_visit(connection, able, row.ref, self._checkins.clock())

        return effect

    def _settled(self, row: OutboxRow, answer: Eligibility) -> Done:
        return Done(self._effect(row, answer))

    def _effect(self, row: OutboxRow, answer: Eligibility) -> Effect:
        return lambda connection: record_late_answer(connection, self._checkins, row.ref, answer, Moment.PENDING)

    def _pause(self, step: int) -> float:
        schedule = self._checkins.policy.recheck_after
        return schedule[min(step, len(schedule) - 1)] * random.uniform(0.9, 1.1)  # noqa: S311 - spreads, no secret


def record_late_answer(
    connection: sa.Connection, checkins: CheckIns, checkin_id: str, answer: Eligibility, moment: Moment
) -> None:
    """Keep a lookup made after the person had left, with its event, and follow it up when it says something."""
    checkin = records.get(connection, checkin_id)
    if checkin is None:
        return
    now = checkins.clock()
    receipt = checkin.lookup_receipt
    if records.is_kept(connection, checkin, answer):
        receipt = answers.receipt_again(connection, checkins.journal.facility_key, checkin, answer.asked_at) or receipt
    else:
        attempt = records.lookups_of(connection, checkin_id) + 1
        receipt = checkins.journal.lookup(connection, checkin, answer, attempt, now, moment) or receipt
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
        take_in_late_answer(connection, checkins.journal, updated, able=checkins.hospital.capabilities, now=now)


async def recheck_now(
    checkins: CheckIns, checkin_id: str, number: tuple[KeyKind, str] | None = None
) -> Eligibility | None:
    """Staff ask again, now; None if there is no such check-in. The answer is kept even when it says nothing.

    *number*: the one of the paper card, instead of what was read.
    """
    checkin = await checkins.store.read(lambda c: records.get(c, checkin_id))
    if checkin is None:
        return None
    answer = await asyncio.shield(checkins.ask(checkin, Moment.STAFF, number))
    await checkins.store.run(lambda c: record_late_answer(c, checkins, checkin_id, answer, Moment.STAFF))
    checkins.outbox.wake(outbox_table.PROVINCE)
    checkins.outbox.wake(outbox_table.HOSPITAL)
    return answer
