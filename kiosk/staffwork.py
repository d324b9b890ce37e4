"""What staff decide: typed entries, registrations, lost answers, withdrawals.

Each decision is one transaction with its line in the audit.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import sqlalchemy as sa

from kiosk import outbox_table, overrides, records, withdrawal
from kiosk.amendment import bring_to_hospital, entered_by_hand, send_amendment
from kiosk.checkin import Arrival, CheckIns
from kiosk.documents.card_number import classify_number
from kiosk.hospital_model import MatchKind, PatientMatch, Receipt, Service, TicketLine
from kiosk.model import Identity, Lane, local_day
from kiosk.recheck import recheck_now
from kiosk.records import CheckIn
from kiosk.staff_entry import Entry, StaffRefusal, parse_birth_date
from kiosk.to_hospital import HAND_OVER, send_visit
from kiosk.typed_entry import typed_person
from kiosk.visit_owner import holders

__all__ = ["DESK", "DOUBTS", "Entry", "StaffRefusal", "StaffWork", "parse_birth_date"]

DESK = "desk"
"""The station of what staff enter: people stand there in front of staff, not in front of the kiosk."""

BY_STAFF = Arrival(Lane.DESK, attended=True, station=DESK)
"""How somebody comes whom staff enter."""

DOUBTS = frozenset(
    {
        "chip_forged",
        "chip_suspected_copy",
        "chip_other_person",
        "chip_mismatch",
        "chip_provider_refused",
        "holder_differs",
    }
)
"""Why staff must look at card and person; no answer of the gateway changes that."""


class StaffWork:
    """Staff's use cases on top of the check-in."""

    def __init__(self, checkins: CheckIns) -> None:
        """Share store, hospital and journal with the check-in."""
        self._checkins = checkins
        self._store = checkins.store

    async def enter(self, entry: Entry, who: str, arrival: Arrival = BY_STAFF) -> tuple[CheckIn, bool]:
        """Check a person in by typed number; returns the check-in and whether it is new.

        The person leaves with a number at once and stays on the staff list until the visit is registered.
        StaffRefusal: BAD_NUMBER, BAD_DATE, NAME_AND_BIRTH_DATE_NEEDED.
        """
        document, key = await typed_person(self._checkins, entry)
        identity = document.identity or Identity()
        if (corrected := await self._correct(key.number, identity, who)) is not None:
            return corrected, False
        presented = await self._checkins.present(document, key, arrival)
        checkin_id = presented.checkin.checkin_id
        if presented.again:
            return presented.checkin, False
        await self._audit(checkin_id, who, "entered", {"key_kind": key.kind.value})
        checkin = await self._checkins.look_up(checkin_id)
        reason = self._checkins.staff_reason(checkin) or "manual_entry"
        return await self._checkins.send_to_staff(checkin_id, reason), True

    async def _correct(self, number: str, identity: Identity, who: str) -> CheckIn | None:
        """Put right what was mistyped under this number today, and ask again; None if there is nothing to put right."""
        key = records.person_key(self._checkins.journal.facility_key, number)
        day = str(local_day(self._checkins.clock()))
        typed = await self._store.read(lambda c: records.typed_and_unregistered(c, key, day))
        if typed is None or records.same_person(typed.identity, identity):
            return None
        await self._mark(typed.checkin_id, who, "corrected", {}, identity=identity)
        return await self.recheck(typed.checkin_id, who)

    async def register(
        self, checkin_id: str, service: Service, *, insured: bool, reason: str, patient: str | None, who: str
    ) -> CheckIn:
        """Staff decide what the visit is and send it to the hospital; waits a little for the hospital's number.

        *patient*: ``known`` or ``new`` when the hospital's record of the person was unclear. StaffRefusal:
        IDENTIFY_FIRST, ALREADY_REGISTERED, UNDER_WAY, OUTCOME_UNKNOWN, PATIENT_UNCLEAR, CLOSED; REASON_NEEDED: against
        the insurer's answer only with a *reason* of `kiosk.overrides`.
        """

        def work(connection: sa.Connection) -> CheckIn:
            checkin = self._open(connection, checkin_id)
            if checkin.nameless:
                raise StaffRefusal("IDENTIFY_FIRST")
            if checkin.hospital_state == "accepted" or self._accepted_elsewhere(connection, checkin):
                raise StaffRefusal("ALREADY_REGISTERED")
            if checkin.staff_reason == "hospital_outcome_unknown":
                raise StaffRefusal("OUTCOME_UNKNOWN")
            now = self._checkins.clock()
            row = outbox_table.of_ref(connection, outbox_table.HOSPITAL, checkin_id)
            if row is not None and row.state in ("waiting", "sending"):
                raise StaffRefusal("UNDER_WAY")
            if row is not None and row.state == "parked" and row.uncertain:
                raise StaffRefusal("OUTCOME_UNKNOWN")
            match = _decided(checkin, patient)
            against = overrides.is_override(checkin, insured=insured)
            if reason not in overrides.REASONS and (against or reason):
                raise StaffRefusal("REASON_NEEDED")
            if against:
                overrides.note(connection, checkin, insured=insured, reason=reason, who=who, now=now)
            records.update(
                connection,
                checkin_id,
                state="accepted",
                accepted_at=checkin.accepted_at or now,
                service=service,
                bhyt=insured,
                patient=match,
                hospital_state="waiting",
                staff_reason=None,
                staff_since=None,
            )
            if row is not None and row.state == "parked":
                outbox_table.reopen(connection, row.id, now, certain=True)
            else:
                send_visit(connection, self._checkins.hospital.capabilities, checkin_id, now)
            if insured and checkin.unanswered:
                self._checkins.schedule_recheck(connection, checkin_id)
            self._checkins.journal.visit(connection, checkin, bhyt=insured, now=now)
            detail = {"insured": insured, "service_id": service.id, "reason": reason, "patient": patient}
            records.add_audit(connection, now, who, "registered", checkin_id, detail)
            return self._open(connection, checkin_id)

        return await self._and_wait(checkin_id, work)

    @staticmethod
    def _accepted_elsewhere(connection: sa.Connection, checkin: CheckIn) -> bool:
        """Whether the person left this check-in and was accepted under another one today."""
        if checkin.state == "accepted":
            return False
        return records.accepted_today(connection, checkin.person_key, checkin.identity, checkin.day) is not None

    async def push_again(self, checkin_id: str, *, patient: str | None, who: str) -> CheckIn:
        """Staff looked: the visit is not in the hospital system. Send it again. StaffRefusal: NOTHING_PARKED."""

        def work(connection: sa.Connection) -> CheckIn:
            checkin = self._open(connection, checkin_id)
            row = outbox_table.of_ref(connection, outbox_table.HOSPITAL, checkin_id)
            if row is None or row.state != "parked" or row.kind == withdrawal.KIND:
                raise StaffRefusal("NOTHING_PARKED")
            now = self._checkins.clock()
            # a visit that could not be amended stays registered
            waiting = {} if row.kind == "amend" else {"hospital_state": "waiting"}
            decided = _decided(checkin, patient)
            records.update(connection, checkin_id, patient=decided, staff_reason=None, staff_since=None, **waiting)
            outbox_table.reopen(connection, row.id, now, certain=True)
            records.add_audit(connection, now, who, "pushed_again", checkin_id, {"patient": patient})
            return self._open(connection, checkin_id)

        return await self._and_wait(checkin_id, work)

    async def found_in_hospital(self, checkin_id: str, visit_id: str, number: str, who: str) -> CheckIn:
        """Staff found the registration in the hospital system and typed its visit id and queue number.

        StaffRefusal NOTHING_PARKED; VISIT_OF_ANOTHER: this visit is somebody else's.
        """

        def work(connection: sa.Connection) -> CheckIn:
            checkin = self._open(connection, checkin_id)
            row = outbox_table.of_ref(connection, outbox_table.HOSPITAL, checkin_id)
            if withdrawal.row_of(connection, checkin_id) is not None:
                raise StaffRefusal("NOTHING_PARKED")
            if row.state != "parked" if row is not None else checkin.staff_reason is None:
                raise StaffRefusal("NOTHING_PARKED")
            if holders(connection, checkin, visit_id):
                raise StaffRefusal("VISIT_OF_ANOTHER")
            now = self._checkins.clock()
            receipt = Receipt(visit_id=visit_id, tickets=(TicketLine(number),) if number else ())
            if row is not None:
                outbox_table.settle(connection, row.id, "done", now, reason="found_by_staff", uncertain=False)
            if checkin.bhyt is None:  # registered by hand over there: it is a visit all the same
                insured = checkin.status is not None and checkin.status.insured
                records.update(connection, checkin_id, bhyt=insured)
                self._checkins.journal.visit(connection, checkin, bhyt=insured, now=now)
            records.update(
                connection,
                checkin_id,
                hospital_state="accepted",
                receipt=receipt,
                his_number=number or checkin.his_number,
                registered_status=(checkin.registered_status or checkin.registered_as).value,
                staff_reason=None,
                staff_since=None,
            )
            records.add_audit(connection, now, who, "found_in_hospital", checkin_id, {"visit_id": visit_id})
            updated = self._open(connection, checkin_id)
            can_amend = self._checkins.hospital.capabilities.amend
            bring_to_hospital(connection, updated, can_amend=can_amend, now=now)
            return self._open(connection, checkin_id)

        return await self._store.run(work)

    async def close_item(self, checkin_id: str, who: str) -> CheckIn:
        """What staff were called for is done by hand.

        StaffRefusal HAND_OVER_FIRST: the visit must be entered first; PARKED: nobody knows yet what became of it.
        """

        def work(connection: sa.Connection) -> CheckIn:
            if _existing(connection, checkin_id).staff_reason == HAND_OVER:
                raise StaffRefusal("HAND_OVER_FIRST")
            now = self._checkins.clock()
            entered_by_hand(connection, checkin_id, now)
            row = outbox_table.of_ref(connection, outbox_table.HOSPITAL, checkin_id)
            if row is not None and row.state == "parked":
                raise StaffRefusal("PARKED")
            records.update(connection, checkin_id, staff_reason=None, staff_since=None)
            records.add_audit(connection, now, who, "item_closed", checkin_id, {})
            return _existing(connection, checkin_id)

        return await self._store.run(work)

    async def cancel(self, checkin_id: str, reason: str, who: str) -> CheckIn:
        """The person left or it was a mistake: nothing more is sent, and it counts as no insured visit.

        Where the hospital holds the visit, it is withdrawn there first, if that can be done from here; waits a little
        for it. StaffRefusal ALREADY_REGISTERED when staff must withdraw it there; UNDER_WAY while it may be arriving
        there just now.
        """

        def work(connection: sa.Connection) -> CheckIn:
            checkin = self._open(connection, checkin_id)
            now = self._checkins.clock()
            if checkin.state in ("presented", "looked_up"):
                raise StaffRefusal("AT_THE_STATION")
            row = outbox_table.of_ref(connection, outbox_table.HOSPITAL, checkin_id)
            if row is not None and (row.state == "sending" or (row.state == "waiting" and row.uncertain)):
                raise StaffRefusal("UNDER_WAY")
            if checkin.hospital_state == "accepted":
                if not self._checkins.hospital.capabilities.cancel:
                    raise StaffRefusal("ALREADY_REGISTERED")
                withdrawal.ask(connection, checkin, reason, who, now)
                return _existing(connection, checkin_id)
            if row is not None and row.state != "done":
                outbox_table.settle(connection, row.id, "done", now, reason="cancelled", owner=None)
            self._withdrawn(connection, checkin_id)
            records.add_audit(connection, now, who, "cancelled", checkin_id, {"reason": reason})
            return _existing(connection, checkin_id)

        registered = await self._store.read(lambda c: _existing(c, checkin_id).hospital_state == "accepted")
        cancelled = await (self._and_wait(checkin_id, work) if registered else self._store.run(work))
        for destination in (outbox_table.PROVINCE, outbox_table.REGISTER):
            self._checkins.outbox.wake(destination)
        return cancelled

    async def looked_for_withdrawn(self, checkin_id: str, who: str, *, stands: bool) -> CheckIn:
        """Staff looked into the hospital system after a withdrawal that failed: whether the visit *stands* there.

        If it does, it goes on as before. StaffRefusal NOTHING_PARKED.
        """

        def work(connection: sa.Connection) -> CheckIn:
            self._open(connection, checkin_id)
            row = withdrawal.row_of(connection, checkin_id)
            if row is None or row.state != "parked":
                raise StaffRefusal("NOTHING_PARKED")
            now = self._checkins.clock()
            outbox_table.settle(connection, row.id, "done", now, reason="seen_by_staff", owner=None, uncertain=False)
            if stands:
                records.update(connection, checkin_id, staff_reason=None, staff_since=None)
                if self._checkins.hospital.capabilities.amend:  # what was learnt meanwhile was held back
                    send_amendment(connection, checkin_id, now)
            else:
                self._withdrawn(connection, checkin_id)
            records.add_audit(connection, now, who, "visit_stands" if stands else "cancelled", checkin_id, {})
            return _existing(connection, checkin_id)

        decided = await self._store.run(work)
        for destination in (outbox_table.HOSPITAL, outbox_table.PROVINCE, outbox_table.REGISTER):
            self._checkins.outbox.wake(destination)
        return decided

    def _withdrawn(self, connection: sa.Connection, checkin_id: str) -> None:
        checkins = self._checkins
        withdrawal.close(connection, checkins.journal, checkins.across, checkin_id, checkins.clock())

    async def note(self, checkin_id: str, text: str, who: str) -> CheckIn:
        """Add a note to the audit."""
        return await self._mark(checkin_id, who, "note", {"text": text})

    async def recheck(self, checkin_id: str, who: str, number: str = "") -> CheckIn:
        """Ask the gateway now; why staff were called follows the new answer as long as nothing is registered.

        *number*: of the person's paper card, to ask with instead. StaffRefusal BAD_NUMBER.
        """
        typed = classify_number(number) if number else None
        if number and typed is None:
            raise StaffRefusal("BAD_NUMBER")
        await self._audit(checkin_id, who, "rechecked", {"key_kind": typed[0].value} if typed else {})
        await recheck_now(self._checkins, checkin_id, typed)

        def work(connection: sa.Connection) -> CheckIn:
            checkin = _existing(connection, checkin_id)
            if checkin.hospital_state is None and checkin.staff_reason not in (None, *DOUBTS):
                reason = self._checkins.staff_reason(checkin) or "manual_entry"
                records.update(connection, checkin_id, staff_reason=reason)
            return _existing(connection, checkin_id)

        return await self._store.run(work)

    async def reveal(self, checkin_id: str, who: str) -> CheckIn:
        """Show a person's full data to staff; who looked is kept."""
        return await self._mark(checkin_id, who, "revealed", {})

    async def _mark(self, checkin_id: str, who: str, action: str, detail: dict[str, Any], **changes: Any) -> CheckIn:
        def work(connection: sa.Connection) -> CheckIn:
            _existing(connection, checkin_id)
            if changes:
                records.update(connection, checkin_id, **changes)
            records.add_audit(connection, self._checkins.clock(), who, action, checkin_id, detail)
            return _existing(connection, checkin_id)

        return await self._store.run(work)

    async def _audit(self, checkin_id: str, who: str, action: str, detail: dict[str, Any]) -> None:
        await self._mark(checkin_id, who, action, detail)

    async def _and_wait(self, checkin_id: str, work: Any) -> CheckIn:
        with self._checkins.outbox.expecting(checkin_id) as attempted:
            await self._store.run(work)
            for destination in (outbox_table.HOSPITAL, outbox_table.PROVINCE, outbox_table.GATEWAY):
                self._checkins.outbox.wake(destination)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._checkins.policy.number_wait):
                    await attempted
        return await self._store.read(lambda c: _existing(c, checkin_id))

    @staticmethod
    def _open(connection: sa.Connection, checkin_id: str) -> CheckIn:
        checkin = _existing(connection, checkin_id)
        if checkin.closed_reason is not None:
            raise StaffRefusal("CLOSED")
        return checkin


def _existing(connection: sa.Connection, checkin_id: str) -> CheckIn:
    checkin = records.get(connection, checkin_id)
    if checkin is None:
        raise StaffRefusal("NO_SUCH_CHECK_IN")
    return checkin


def _decided(checkin: CheckIn, patient: str | None) -> PatientMatch | None:
    """The hospital's record to use, as staff decided it; unclear ones need that decision."""
    match = checkin.patient
    if match is None or match.kind in (MatchKind.NONE, MatchKind.ONE):
        return match
    if patient == "known" and match.ref is not None:
        return PatientMatch(MatchKind.ONE, match.ref, match.person)
    if patient == "new":
        return PatientMatch(MatchKind.NONE, decided=True)
    raise StaffRefusal("PATIENT_UNCLEAR")
