"""Questions of the hospital system and the cashier: is this person still insured, during treatment and before closing?

Circular 12/2026/TT-BTC article 4 asks for lookups at arrival, when needed during treatment, and before the visit is
closed. The same gateway is asked, with the same pace and de-duplication. A visit that has no answer yet is completed by
the one that comes; a visit that has one is never changed by a later one: what differs goes to whoever asked, and on the
staff list.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import sqlalchemy as sa

from kiosk import answers, outbox_table, records
from kiosk.checkin import CheckIns
from kiosk.errors import KioskError
from kiosk.model import Eligibility, EligibilityClass, LookupKey, Moment, local_day
from kiosk.recheck import record_late_answer
from kiosk.records import CheckIn
from kiosk.tables import checkin as checkin_table

ASKER: Final = "hospital"
"""Who the audit names for these questions."""

_SEARCHED_DAYS: Final = 60


class NoSuchVisit(KioskError):
    """No check-in has that id, or no visit of the last two months that id of the hospital's."""

    code = "NO_SUCH_VISIT"


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of a question. ``checkin_id``: None for a person without a visit here; ``receipt``: of this answer.

    ``asked``: False when an answer of a moment ago served.
    """

    checkin_id: str | None
    eligibility: Eligibility
    receipt: str | None
    asked: bool

    @property
    def evidence_id(self) -> str | None:
        """Our id of the newest call, as it stands in the evidence."""
        return self.eligibility.trail[-1].request_id if self.eligibility.trail else None


async def ask_about_visit(checkins: CheckIns, checkin_id: str | None, visit_id: str | None, moment: Moment) -> Answered:
    """Ask again about the person of a visit, by our id or the hospital's. NoSuchVisit, StoreError."""
    now = checkins.clock()
    oldest = str(local_day(now) - timedelta(days=_SEARCHED_DAYS))
    checkin = await checkins.store.read(
        lambda c: records.get(c, checkin_id) if checkin_id else _of_hospital(c, visit_id or "", oldest)
    )
    if checkin is None or checkin.closed_reason is not None or not checkin.key_number:
        raise NoSuchVisit("no such visit")
    answer = await asyncio.shield(checkins.ask(checkin, moment))
    answered = await checkins.store.run(lambda c: _take_in(c, checkins, checkin, answer, moment))
    for destination in (outbox_table.PROVINCE, outbox_table.HOSPITAL):
        checkins.outbox.wake(destination)
    return answered


async def ask_about_person(checkins: CheckIns, key: LookupKey, moment: Moment) -> Answered:
    """Ask about a person who has no visit here. StoreError.

    Evidence, answer and receipt are kept; no event is written: the province counts what a facility looks up outside
    our stations by the hospital system's own figures (interfaces, section 5, desk_lookups).
    """
    day = local_day(checkins.clock())
    answer = checkins.insights(await asyncio.shield(checkins.gateway.lookup(key, day, moment)), day)
    now = checkins.clock()

    def work(connection: sa.Connection) -> str | None:
        records.add_audit(connection, now, ASKER, "asked_about_person", None, {"moment": moment.value})
        return answers.keep(connection, checkins.journal.facility_key, answer, moment, None)

    receipt = await checkins.store.run(work)
    return Answered(None, answer, receipt, answer.attempts > 0)


def _of_hospital(connection: sa.Connection, visit_id: str, oldest: str) -> CheckIn | None:
    found = connection.execute(
        sa.select(checkin_table.c.checkin_id)
        .where(
            checkin_table.c.day >= oldest,
            checkin_table.c.closed_reason.is_(None),
            sa.func.json_extract(checkin_table.c.receipt, "$.visit_id") == visit_id,
        )
        .order_by(checkin_table.c.happened_at.desc())
        .limit(1)
    ).scalar()
    return None if found is None or not visit_id else records.get(connection, found)


def _take_in(
    connection: sa.Connection, checkins: CheckIns, of: CheckIn, answer: Eligibility, moment: Moment
) -> Answered:
    now = checkins.clock()
    fresh = records.get(connection, of.checkin_id)
    if fresh is None:
        raise NoSuchVisit("no such visit")
    records.add_audit(connection, now, ASKER, "asked", of.checkin_id, {"moment": moment.value})
    asked = not records.is_kept(connection, fresh, answer)
    if fresh.unanswered:
        record_late_answer(connection, checkins, of.checkin_id, answer, moment)
        updated = records.get(connection, of.checkin_id)
        return Answered(of.checkin_id, answer, updated.lookup_receipt if updated else None, asked)
    key = checkins.journal.facility_key
    if asked:
        attempt = records.lookups_of(connection, of.checkin_id) + 1
        receipt = checkins.journal.lookup(connection, fresh, answer, attempt, now, moment)
    else:
        receipt = answers.receipt_again(connection, key, fresh, answer.asked_at)
    if reason := _difference(fresh, answer):
        records.call_staff(connection, of.checkin_id, reason, now)
    return Answered(of.checkin_id, answer, receipt, asked)


def _difference(checkin: CheckIn, answer: Eligibility) -> str | None:
    """Why staff must look at a visit whose answer on record was another; None when nothing turned."""
    if answer.status.unanswered or checkin.status is None or checkin.state != "accepted":
        return None
    if checkin.status.insured:
        if answer.status is EligibilityClass.NOT_INSURED:
            return "later_not_insured"
        if not answer.status.insured:
            return "later_needs_staff"
        known, new = checkin.coverage, answer.coverage
        return "later_other_card" if known and new and known.number != new.number else None
    return "later_insured" if answer.status.insured else None
