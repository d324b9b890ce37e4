"""The check-in, top to bottom: present a document, look the person up, choose a service, accept.

One rule carries all others: what a screen may say is decided by what one committed transaction holds (invariant 1).
The hospital is reached only through the outbox; this module commits, rings the bell, and waits a little for the
number (architecture, section 4).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa

from kiosk import answers, events, outbox_table, records
from kiosk.across_stations import ALSO_ELSEWHERE, AcrossStations, existing, give_way, seen_there, shown_as
from kiosk.checkin_model import Arrival, Key, Policy, Presented
from kiosk.choice import Known
from kiosk.hospital_model import MatchKind, Service, Slip
from kiosk.journal import Journal
from kiosk.model import (
    Document,
    Eligibility,
    EligibilityClass,
    Identity,
    KeyKind,
    Moment,
    local_day,
)
from kiosk.outbox import Outbox
from kiosk.patient_search import find_patient
from kiosk.ports import Clock, EligibilityGateway, HospitalAdapter
from kiosk.records import CheckIn
from kiosk.register_model import Elsewhere, Passage
from kiosk.returning import appointments_of, last_service
from kiosk.seen_elsewhere import seen_elsewhere
from kiosk.service_menu import service_menu
from kiosk.store import Store
from kiosk.ticket_numbers import next_number
from kiosk.to_hospital import send_visit

__all__ = ["Arrival", "CheckIns", "Key", "Policy", "Presented"]


@dataclass(frozen=True, slots=True)
class CheckIns:
    """The use case. One instance serves all stations of a daemon."""

    store: Store
    journal: Journal
    gateway: EligibilityGateway
    hospital: HospitalAdapter
    outbox: Outbox
    clock: Clock
    policy: Policy
    observe: Callable[[CheckIn, Eligibility], None]
    insights: Callable[[Eligibility, date], Eligibility] = lambda answer, day: answer
    across: AcrossStations = field(default_factory=AcrossStations)

    async def present(
        self,
        document: Document,
        key: Key,
        arrival: Arrival,
        *,
        another: bool = False,
    ) -> Presented:
        """Open a check-in for *document*, or find the one that this person already has today.

        *another*: the person asked for a second examination, so an accepted check-in of today does not count.
        Somebody who left with the answer in hand and comes back goes on with the same check-in, because the visit must
        join its lookup (interfaces, section 6). Staff are told of the same person at another station just before.
        StoreError if it could not be written: then nothing was opened.
        """
        now = self.clock()
        person = records.person_key(self.journal.facility_key, key.number)
        identity = document.identity or Identity()
        here = arrival.station or self.policy.station
        holder_check = "staff" if arrival.attended else "none"
        checkin_id, day = events.new_event_id(), str(local_day(now))
        passage = Passage(checkin_id, day, (key.number,), identity, another)
        elsewhere = await self.across.register.find(passage)
        ticket = elsewhere.ticket if elsewhere and not another else None

        def work(connection: sa.Connection) -> Presented:
            earlier = records.accepted_today(connection, person, identity, day)
            if earlier is not None and not another:
                # a crash can have come between the acceptance and the number
                return Presented(self.with_number(connection, earlier.checkin_id), again=True)
            seen = seen_elsewhere(connection, person, here, now) or seen_there(elsewhere)
            left = records.left_after_answer(connection, person, day, now - self.policy.remember)
            going_on = left is not None and not another and ticket is None
            if left is not None and going_on and records.same_person(left.identity, identity):
                records.update(
                    connection,
                    left.checkin_id,
                    state="looked_up",
                    lane=arrival.lane.value,
                    station=here,
                    holder_check=holder_check,
                    seen_at=seen or left.seen_at,
                )
                return Presented(existing(connection, left.checkin_id), again=False)
            records.insert(
                connection,
                checkin_id=checkin_id,
                state="presented" if ticket is None else "abandoned",
                station=here,
                happened_at=now,
                person_key=person,
                document_kind=document.kind.value,
                method=key.method.value,
                lane=arrival.lane.value,
                carrier=arrival.carrier.value,
                carrier_source=arrival.carrier_source.value,
                not_by_chip=arrival.not_by_chip,
                notice=records.keep_notice(connection, arrival.notice),
                holder_check=holder_check,
                warnings=document.warnings,
                identity=identity,
                document_coverage=document.coverage,
                key_kind=key.kind.value,
                key_number=key.number,
                seen_at=seen,
            )
            opened = existing(connection, checkin_id)
            return Presented(opened, again=False) if ticket is None else Presented(shown_as(opened, ticket), again=True)

        return await self.store.run(work)

    async def abandon(self, checkin_id: str, *, forget: bool = False) -> None:
        """The person went away before anything was accepted.

        *forget*: it was not even the patient; nothing of them is kept unless the insurer was asked, which is kept as
        any question is.
        """

        def work(connection: sa.Connection) -> None:
            if existing(connection, checkin_id).state not in ("presented", "looked_up"):
                return
            if not forget or not records.remove_unasked(connection, checkin_id):
                records.update(connection, checkin_id, state="abandoned")

        await self.store.run(work)
        if forget:
            await self.across.forget(checkin_id)

    async def look_up(
        self,
        checkin_id: str,
        *,
        another: bool = False,
        identity: Identity | None = None,
        proven: Awaitable[object] | None = None,
    ) -> CheckIn:
        """Ask the gateway, and beside it whether the hospital knows the person; returns the check-in with both answers.

        A real answer about the same person within ``policy.remember`` is used again instead of a second question;
        not for *another* examination, which is a visit of its own and must join a lookup of its own.

        *identity*: ask about the person whom the chip named while the rest of it is being read; the answer is kept only
        when *proven* is done, so that its event can say what the chip proved.
        """
        checkin = await self.store.read(lambda c: existing(c, checkin_id))
        if identity is not None:
            checkin = replace(checkin, identity=identity)
        since = self.policy.remember
        now = self.clock()
        known = None if another else await self.store.read(lambda c: records.recent_answer(c, checkin, now, since))
        finding = asyncio.create_task(find_patient(self.hospital, checkin.identity, self.policy.find_patient_wait))
        try:
            answer = known or await self.ask(checkin)
            patient = await finding
        finally:
            finding.cancel()
        if proven is not None:
            await proven

        def work(connection: sa.Connection) -> CheckIn:
            fresh = existing(connection, checkin_id)
            shared = known is None and answer.shared
            asked = known is None and not shared and (another or not records.is_kept(connection, fresh, answer))
            changes: dict[str, Any] = {} if patient is None else {"patient": patient}
            if asked:
                attempt = records.lookups_of(connection, checkin_id) + 1
                receipt = self.journal.lookup(connection, fresh, answer, attempt, self.clock(), again=another)
            elif shared:
                receipt = answers.keep(connection, self.journal.facility_key, answer, Moment.ARRIVAL, checkin_id)
            else:
                receipt = answers.receipt_again(connection, self.journal.facility_key, fresh, answer.asked_at)
            changes["lookup_receipt"] = receipt
            if fresh.state == "presented":
                changes["state"] = "looked_up"
            records.update(
                connection,
                checkin_id,
                eligibility=answer,
                status=answer.status.value,
                answer_origin="live" if asked else "remembered",
                **changes,
            )
            return existing(connection, checkin_id)

        result = await self.store.run(work)
        self.outbox.wake(outbox_table.PROVINCE)
        return result

    async def ask(
        self, checkin: CheckIn, moment: Moment = Moment.ARRIVAL, number: tuple[KeyKind, str] | None = None
    ) -> Eligibility:
        """One question to the gateway for this check-in; a person without name or birth date goes to staff instead.

        *number*: another one of the same person, of a paper card, in the place of the one that was read.
        """
        key = checkin.lookup_key
        if key is not None and number is not None:
            key = replace(key, kind=number[0], number=number[1], other_numbers=(key.number, *key.other_numbers))
        if key is None:
            return Eligibility(EligibilityClass.NEEDS_STAFF, "identity_incomplete", self.clock(), attempts=0)
        day = local_day(checkin.happened_at)
        answer = self.insights(await self.gateway.lookup(key, day, moment), day)
        self.observe(checkin, answer)
        return answer

    async def menu(self, *, keep: bool = True) -> tuple[Service, ...]:
        """Today's services, empty when there is none; *keep*: remember the menu for when the hospital is away."""
        wait = self.policy.find_patient_wait
        fixed = self.policy.services
        return await service_menu(self.store, self.hospital, local_day(self.clock()), wait, fixed, keep=keep)

    def staff_reason(self, checkin: CheckIn) -> str | None:
        """Why this person must see staff before a service can be chosen, or None."""
        if checkin.status is EligibilityClass.NEEDS_STAFF:
            return checkin.eligibility.reason if checkin.eligibility else "needs_staff"
        if checkin.patient is not None and checkin.patient.kind is MatchKind.MANY:
            return "hospital_patient_ambiguous"
        if checkin.patient is not None and checkin.patient.kind is MatchKind.MISMATCH:
            return "hospital_patient_differs"
        return None

    async def known(self, checkin_id: str) -> Known:
        """What is known of a person who was here before; asks the hospital for at most ``find_patient_wait``."""
        checkin = await self.store.read(lambda c: existing(c, checkin_id))
        last = await self.store.read(lambda c: last_service(c, checkin))
        return Known(await appointments_of(self.hospital, checkin, self.policy.find_patient_wait), last)

    def asks_slip(self, checkin: CheckIn) -> bool:
        """Whether the person is asked for papers: who is insured and registered at a place that is not this one."""
        place = checkin.coverage.registered_facility if checkin.coverage else None
        if place is None or checkin.status is None or not checkin.status.insured:
            return False
        return not self.policy.registered_here(place, local_day(checkin.happened_at))

    async def accept(
        self,
        checkin_id: str,
        service: Service,
        *,
        insured: bool,
        another: bool = False,
        follows: str | None = None,
        slip: Slip | None = None,
    ) -> CheckIn:
        """Accept the visit and wait a little for the hospital's number; the result always carries a number.

        *follows*: the appointment that it keeps; *slip*: the papers that the person says to have.

        *insured*: register as an insured visit. Accepting twice, or a person already accepted today, gives the
        ticket of the first time (unless *another* examination was asked for).
        """
        if (taken := await self._taken_elsewhere(checkin_id, another=another)) is not None:
            return await self._give_way(checkin_id, taken)
        with self.outbox.expecting(checkin_id) as attempted:
            papers = {"follows": follows, "slip": slip.value if slip else None}
            checkin = await self.store.run(
                lambda c: self._accept(c, checkin_id, service, papers, insured=insured, another=another)
            )
            for destination in (outbox_table.HOSPITAL, outbox_table.PROVINCE, outbox_table.GATEWAY):
                self.outbox.wake(destination)
            sent = not (self._held(checkin) or self.hospital.capabilities.hand_over)
            if checkin.number is None and sent:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self.policy.number_wait):
                        await attempted
        numbered = await self.store.run(lambda c: self.with_number(c, checkin.checkin_id))
        self.outbox.wake(outbox_table.REGISTER)
        return numbered

    async def _taken_elsewhere(self, checkin_id: str, *, another: bool) -> Elsewhere | None:
        checkin = await self.store.read(lambda c: existing(c, checkin_id))
        return await self.across.claim(checkin, another=another)

    async def _give_way(self, checkin_id: str, taken: Elsewhere) -> CheckIn:
        """The ticket of the station that was first; without one in time, a number for the desk and no visit."""
        if taken.ticket is None:
            return await self._to_desk(checkin_id, ALSO_ELSEWHERE, another=False)
        return shown_as(await self.store.run(lambda c: give_way(c, checkin_id, taken)), taken.ticket)

    def _accept(
        self,
        connection: sa.Connection,
        checkin_id: str,
        service: Service,
        papers: dict[str, str | None],
        *,
        insured: bool,
        another: bool,
    ) -> CheckIn:
        now = self.clock()
        checkin = existing(connection, checkin_id)
        if checkin.state == "accepted":
            return checkin
        if (earlier := self._already(connection, checkin, another=another)) is not None:
            return earlier
        records.update(
            connection,
            checkin_id,
            state="accepted",
            accepted_at=now,
            service=service,
            bhyt=insured,
            hospital_state="waiting",
            priority=checkin.priority or self.policy.priority.by_age(checkin.identity, local_day(checkin.happened_at)),
            **papers,
        )
        if not self._held(checkin):
            send_visit(connection, self.hospital.capabilities, checkin_id, now)
        if checkin.unanswered:
            self.schedule_recheck(connection, checkin_id)
        self.journal.visit(connection, checkin, bhyt=insured, now=now)
        self.across.tell(connection, checkin_id, now, another=another)
        return existing(connection, checkin_id)

    @staticmethod
    def _already(connection: sa.Connection, checkin: CheckIn, *, another: bool) -> CheckIn | None:
        """The check-in under which this person was accepted meanwhile elsewhere; *checkin* is given up for it."""
        earlier = records.accepted_today(connection, checkin.person_key, checkin.identity, checkin.day)
        if earlier is not None and not another:
            records.update(connection, checkin.checkin_id, state="abandoned")
            return earlier
        return None

    def _held(self, checkin: CheckIn) -> bool:
        return checkin.unanswered and self.policy.unchecked == "hold"

    def schedule_recheck(self, connection: sa.Connection, checkin_id: str) -> None:
        """Ask the gateway again later, by the schedule of the policy; once per check-in."""
        open_row = outbox_table.of_ref(connection, outbox_table.GATEWAY, checkin_id)
        if open_row is None or open_row.state == "done":
            now = self.clock()
            due = now + timedelta(seconds=self.policy.recheck_after[0])
            outbox_table.enqueue(connection, outbox_table.GATEWAY, "recheck", checkin_id, now, due=due)

    def with_number(self, connection: sa.Connection, checkin_id: str) -> CheckIn:
        """Whoever is accepted leaves with a number: the kiosk's own when the hospital gave none in time."""
        checkin = existing(connection, checkin_id)
        if checkin.number is None:
            service = checkin.service.id if checkin.service else None
            number = next_number(connection, local_day(self.clock()), self.policy.numbers, service)
            records.update(connection, checkin_id, kiosk_number=number)
        return existing(connection, checkin_id)

    async def send_to_staff(self, checkin_id: str, reason: str, *, another: bool = False) -> CheckIn:
        """Accept the person with a number for the desk; staff decide what the visit will be.

        A person accepted meanwhile under another check-in keeps that one, unless *another* examination was asked for.
        """
        if (taken := await self._taken_elsewhere(checkin_id, another=another)) is not None:
            return await self._give_way(checkin_id, taken)
        return await self._to_desk(checkin_id, reason, another=another)

    async def _to_desk(self, checkin_id: str, reason: str, *, another: bool) -> CheckIn:
        def work(connection: sa.Connection) -> CheckIn:
            checkin = existing(connection, checkin_id)
            if checkin.state != "accepted":
                if (earlier := self._already(connection, checkin, another=another)) is not None:
                    return self.with_number(connection, earlier.checkin_id)
                now = self.clock()
                records.update(connection, checkin_id, state="accepted", accepted_at=now)
                records.call_staff(connection, checkin_id, reason, now)
                if checkin.status is not None and checkin.unanswered:
                    self.schedule_recheck(connection, checkin_id)
                self.across.tell(connection, checkin_id, now, another=another)
            return self.with_number(connection, checkin_id)

        checkin = await self.store.run(work)
        for destination in (outbox_table.GATEWAY, outbox_table.REGISTER):
            self.outbox.wake(destination)
        return checkin

    async def ask_hospital_for(self, number: str) -> Identity | None:
        """The person whom the hospital knows under a 12-digit number, for an entry by number alone; None if nobody."""
        match = await find_patient(self.hospital, Identity(personal_id=number), self.policy.find_patient_wait)
        return match.person if match is not None and match.kind in (MatchKind.ONE, MatchKind.MISMATCH) else None
