"""The clerk's list of what must be typed into a hospital system: whole visits where it has no interface, and what one
that cannot amend a visit must still learn (his-kiosk-c06.md 12).

Nobody but the clerk knows what stands in that system. So each entry is shown to one page at a time, and only the
clerk's word ends it; a visit whose data changed meanwhile is shown again before it counts as entered.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from kiosk import outbox_table, records
from kiosk.amendment import bring_to_hospital, entered_by_hand
from kiosk.checkin import CheckIns
from kiosk.errors import HospitalError
from kiosk.hand_over_content import COVERAGE_TO_ENTER, LISTED, Kind, Shown, content_of
from kiosk.hospital_model import Receipt, TicketLine
from kiosk.model import EligibilityClass, local_day
from kiosk.records import CheckIn
from kiosk.staffwork import StaffRefusal
from kiosk.tables import audit
from kiosk.to_hospital import HAND_OVER

_DONE: Final = "handed_over"
_CLAIM_SECONDS: Final = 300.0
_LATEST: Final = 8
_A_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Claim:
    """*who* enters it now, on *page*, since *at*."""

    page: str
    who: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Queue:
    """``waiting``: what is to be entered, oldest first. ``done``: what was entered last today, newest first."""

    waiting: tuple[tuple[CheckIn, Claim | None], ...]
    done: tuple[tuple[CheckIn, datetime, str], ...]


class HandOvers:
    """The list, and what clerks do with it. Claims live in this process only: after a restart nobody holds one."""

    def __init__(self, checkins: CheckIns, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Share store, hospital and clock with the check-in. *monotonic* ages claims."""
        self._checkins = checkins
        self._monotonic = monotonic
        self._claims: dict[str, tuple[Claim, float]] = {}

    async def queue(self) -> Queue:
        """What is to be entered, and what was entered last."""

        def work(connection: sa.Connection) -> Queue:
            needy = records.find(connection, needs_staff=True)
            waiting = tuple((one, self._claim_on(one.checkin_id)) for one in needy if one.staff_reason in LISTED)
            return Queue(waiting, self._done(connection))

        return await self._checkins.store.read(work)

    async def show(self, checkin_id: str, who: str, page: str, *, take_over: bool = False) -> Shown:
        """The content for *who*, whose *page* holds it for five minutes; who looked is kept in the audit.

        *take_over*: although another page holds it. StaffRefusal: NO_SUCH_CHECK_IN, CLOSED, NOTHING_TO_ENTER,
        BEING_ENTERED (by another page), HAND_OVER_FAILED.
        """
        checkin = await self._checkins.store.read(lambda c: _open(c, checkin_id))
        shown = await self._shown(checkin)
        held = self._claim_on(checkin_id)
        if held is not None and held.page != page and not take_over:
            raise StaffRefusal("BEING_ENTERED")
        self._forget(page)
        self._claims[checkin_id] = (Claim(page, who, self._checkins.clock()), self._monotonic() + _CLAIM_SECONDS)
        now = self._checkins.clock()
        await self._checkins.store.run(lambda c: records.add_audit(c, now, who, "revealed", checkin_id, {}))
        return shown

    async def confirm(self, checkin_id: str, who: str, *, number: str, told: EligibilityClass, digest: str) -> CheckIn:
        """*who* has entered what was shown with *told* and *digest*; *number*: the hospital's, or empty.

        An answer of the gateway that came meanwhile is followed up as for any registered visit. StaffRefusal:
        NO_SUCH_CHECK_IN, CLOSED, NOTHING_TO_ENTER (somebody was faster), CHANGED (other fields than were shown:
        show again), HAND_OVER_FAILED.
        """
        current = await self._shown(await self._checkins.store.read(lambda c: _open(c, checkin_id)))

        def work(connection: sa.Connection) -> CheckIn:
            checkin = _open(connection, checkin_id)
            if checkin != current.checkin or (digest != current.digest and not _late_answer(told, current)):
                raise StaffRefusal("CHANGED")
            now = self._checkins.clock()
            kind = HAND_OVER if current.kind is Kind.VISIT else checkin.staff_reason
            detail = {"kind": kind, "number": number}
            records.add_audit(connection, now, who, _DONE, checkin_id, detail)
            changes: dict[str, Any] = {"staff_reason": None, "staff_since": None, "registered_status": told.value}
            if current.kind is Kind.VISIT:
                tickets = (TicketLine(number),) if number else ()
                changes |= {"hospital_state": "accepted", "receipt": Receipt(tickets=tickets)}
                changes |= {"his_number": number} if number else {}
            else:
                entered_by_hand(connection, checkin_id, now)
            records.update(connection, checkin_id, **changes)
            if number and checkin.kiosk_number is not None:
                self._checkins.across.tell_again(connection, checkin_id, now)
            can_amend = self._checkins.hospital.capabilities.amend
            bring_to_hospital(connection, _open(connection, checkin_id), can_amend=can_amend, now=now)
            return _open(connection, checkin_id)

        confirmed = await self._checkins.store.run(work)
        self._claims.pop(checkin_id, None)
        for destination in (outbox_table.HOSPITAL, outbox_table.REGISTER):
            self._checkins.outbox.wake(destination)
        return confirmed

    async def again(self, checkin_id: str, who: str) -> CheckIn:
        """What was confirmed by mistake is still to be entered. StaffRefusal: NO_SUCH_CHECK_IN, CLOSED, NOT_ENTERED."""

        def work(connection: sa.Connection) -> CheckIn:
            checkin = _open(connection, checkin_id)
            was = next((kind for one, _, kind in self._done(connection) if one.checkin_id == checkin_id), None)
            if was is None:
                raise StaffRefusal("NOT_ENTERED")
            now = self._checkins.clock()
            changes: dict[str, Any] = {}
            if was == COVERAGE_TO_ENTER:
                changes = {"registered_status": EligibilityClass.CANNOT_SAY.value}
            elif was == HAND_OVER:
                changes = {"hospital_state": "waiting", "receipt": None, "his_number": None, "registered_status": None}
            records.update(connection, checkin_id, staff_reason=None, staff_since=None, **changes)
            records.call_staff(connection, checkin_id, was, now)
            records.add_audit(connection, now, who, "hand_over_undone", checkin_id, {})
            if checkin.his_number is not None and was == HAND_OVER:
                self._checkins.across.tell_again(connection, checkin_id, now)
            return _open(connection, checkin_id)

        undone = await self._checkins.store.run(work)
        self._checkins.outbox.wake(outbox_table.REGISTER)
        return undone

    def release(self, checkin_id: str, page: str) -> None:
        """*page* does not enter it now."""
        held = self._claim_on(checkin_id)
        if held is not None and held.page == page:
            del self._claims[checkin_id]

    async def _shown(self, checkin: CheckIn) -> Shown:
        try:
            shown = await content_of(checkin, self._checkins.hospital, self._checkins.policy.facility)
        except HospitalError:
            raise StaffRefusal("HAND_OVER_FAILED") from None
        if shown is None:
            raise StaffRefusal("NOTHING_TO_ENTER")
        return shown

    def _done(self, connection: sa.Connection) -> tuple[tuple[CheckIn, datetime, str], ...]:
        """(check-in, when, staff reason that it had) of what was confirmed last today and still stands."""
        now = self._checkins.clock()
        query = sa.select(audit).where(audit.c.action == _DONE, audit.c.at >= now - _A_DAY).order_by(audit.c.id.desc())
        found: dict[str, tuple[CheckIn, datetime, str]] = {}
        for row in connection.execute(query.limit(_LATEST)):
            checkin = records.get(connection, row.checkin_id)
            if row.checkin_id in found or checkin is None or local_day(row.at) != local_day(now):
                continue
            kind = str(row.detail.get("kind", HAND_OVER))
            stands = checkin.hospital_state == "accepted" and (kind == HAND_OVER or checkin.staff_reason not in LISTED)
            if stands and checkin.closed_reason is None:
                found[row.checkin_id] = (checkin, row.at, kind)
        return tuple(found.values())

    def _claim_on(self, checkin_id: str) -> Claim | None:
        claim, until = self._claims.get(checkin_id, (None, 0.0))
        return claim if self._monotonic() < until else None

    def _forget(self, page: str) -> None:
        """A page enters one thing at a time; what is over goes too."""
        now = self._monotonic()
        kept = {one: held for one, held in self._claims.items() if held[0].page != page and now < held[1]}
        self._claims = kept


def _late_answer(told: EligibilityClass, current: Shown) -> bool:
    """Whether the content changed because the gateway answered: what was entered without it stands as it is."""
    return current.kind is Kind.VISIT and told.unanswered and not current.told.unanswered


def _open(connection: sa.Connection, checkin_id: str) -> CheckIn:
    checkin = records.get(connection, checkin_id)
    if checkin is None:
        raise StaffRefusal("NO_SUCH_CHECK_IN")
    if checkin.closed_reason is not None:
        raise StaffRefusal("CLOSED")
    return checkin
