"""Registers visits in a FHIR R4 server by one transaction each (health-data-standards.md 4.1, his-kiosk-c06.md 12).

A visit is created on our check-in id (``ifNoneExist``), so that a repeat finds the first one: `Idempotency.KEY`. What
each answer means: `fhir_outcome`. What is sent: `fhir_bundle`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from hospital_adapters import fhir_build as build
from hospital_adapters import fhir_bundle as bundle
from hospital_adapters import fhir_menu as menu
from hospital_adapters import fhir_outcome as outcome
from hospital_adapters import fhir_read as read
from hospital_adapters import fhir_settings
from hospital_adapters.base import BaseAdapter
from hospital_adapters.fhir_bundle import Held
from hospital_adapters.fhir_health import health_of
from hospital_adapters.fhir_people import People
from hospital_adapters.fhir_read import Resource
from hospital_adapters.fhir_session import Session
from hospital_adapters.fhir_settings import FhirSettings
from hospital_adapters.fhir_text import carried, encoded, is_id, number
from hospital_adapters.fhir_visits import Visits, day_range
from kiosk.errors import HospitalOutcomeUnknown, HospitalRejected, HospitalUnavailable
from kiosk.hospital_model import (
    Appointment,
    Candidate,
    Capabilities,
    Encounter,
    Idempotency,
    MatchKind,
    PatientMatch,
    PatientRef,
    Receipt,
    Service,
    VisitCount,
)
from kiosk.model import AdapterHealth, Identity
from kiosk.ports import AdapterContext, Clock

_TRIES = 3
_LARGE_PAGE = "200"
_OPEN_APPOINTMENTS = "proposed,pending,booked,waitlist"


def _now() -> datetime:
    return datetime.now(UTC)


def create(settings: Mapping[str, Any], context: AdapterContext) -> FhirAdapter:
    """Entry point ``fhir``: *settings* as FhirSettings describes them. ConfigError names a wrong key or secret."""
    checked = fhir_settings.load(settings)
    return FhirAdapter(checked, Session(checked, context.secret), context.facility)


class FhirAdapter(BaseAdapter):
    """One FHIR server. All errors are HospitalErrors; their texts hold no person, number or URL."""

    def __init__(self, settings: FhirSettings, session: Session, facility: str, clock: Clock = _now) -> None:
        """*facility* is our own code; *clock* dates what we say of the insurer's answer."""
        self.capabilities = Capabilities(
            menu=settings.menu != "none",
            find_patient=True,
            history=True,
            new_patient=True,
            amend=True,
            cancel=True,
            visit_count=bool(settings.visit_count_query),
            appointments=settings.appointments,
            suggest=True,
            idempotency=Idempotency.KEY,
            queue_number=settings.queue_number,
        )
        self._settings = settings
        self._session = session
        self._facility = facility
        self._clock = clock
        self._people = People(session, settings)
        self._visits = Visits(session, self._people, settings)

    async def close(self) -> None:
        """Release connections."""
        await self._session.close()

    async def check(self) -> AdapterHealth:
        """CapabilityStatement, login, and the right to search visits; asks about nobody. Never raises."""
        return await health_of(self._session, self._settings, self._clock())

    async def services(self, day: date) -> tuple[Service, ...]:
        """The HealthcareServices or Locations in use; the same every *day*."""
        if not self.capabilities.menu:
            return await super().services(day)
        kind = "HealthcareService" if self._settings.menu == "healthcare_service" else "Location"
        wanted = self._settings.menu_query
        found = await self._session.everything(kind, f"_count={_LARGE_PAGE}" + (f"&{wanted}" if wanted else ""))
        return menu.menu(found, self._settings)

    async def find_patient(self, identity: Identity, card: str | None = None) -> PatientMatch:
        """Who bears the citizen number, else the old one, else the card: as the Patient's or a Coverage's."""
        return await self._people.match(identity, card)

    async def suggest(self, identity: Identity) -> tuple[Candidate, ...]:
        """People of exactly this name and birth date."""
        return await self._people.suggest(identity)

    async def find_visits(
        self, identity: Identity, ref: PatientRef | None, day: date
    ) -> tuple[tuple[str, Receipt], ...]:
        """The visits of *day* that stand, of *ref* or of whoever bears a number of *identity*."""
        return await self._visits.of_day(identity, ref, day)

    async def appointments(self, identity: Identity, day: date) -> tuple[Appointment, ...]:
        """Unused appointments, of one person whom the hospital holds beyond doubt."""
        if not self.capabilities.appointments:
            return await super().appointments(identity, day)
        match = await self._people.match(identity, None)
        if match.kind is not MatchKind.ONE or match.ref is None or match.ref.id is None:
            return ()
        parameters = [("patient", f"Patient/{match.ref.id}"), *day_range(day), ("status", _OPEN_APPOINTMENTS)]
        return menu.appointments(await self._session.search("Appointment", parameters), match.ref.id, day)

    async def visit_count(self, day: date) -> VisitCount | None:
        """The ``total`` of the configured search for *day*."""
        if not self.capabilities.visit_count:
            return await super().visit_count(day)
        first, last = (encoded(value[2:]) for _, value in day_range(day))
        wanted = self._settings.visit_count_query
        for name, value in (("from", first), ("to", last), ("facility", self._facility)):
            wanted = wanted.replace("{" + name + "}", value)
        found = await self._session.bundle("Encounter", f"{wanted}&_summary=count")
        total = found.get("total")
        if type(total) is not int or total < 0:
            raise HospitalUnavailable(outcome.MALFORMED)
        return VisitCount(day, total)

    async def push(self, encounter: Encounter) -> Receipt:
        """One transaction: the person if they are new, the confirmed card, the visit.

        HospitalRejected ``fhir.checkin_id`` and ``fhir.incomplete_identity`` (no name) before anything is sent,
        ``fhir.patient_many`` and ``fhir.patient_mismatch`` where staff must first say who this is, ``fhir.not_valid``;
        the rest as in `fhir_outcome`. ``visit_id``: MA_LK where the server knows it, else the Encounter's id.
        """
        if number(encounter.checkin_id) is None:
            raise HospitalRejected("fhir.checkin_id")
        if not carried(encounter.identity.full_name):
            raise HospitalRejected("fhir.incomplete_identity")
        ref = await self._patient_of(encounter)
        patient = f"Patient/{ref.id}" if ref else None
        sent = bundle.registration(encounter, Held(patient), self._facility, self._clock(), self._settings)
        try:
            answer = await self._transact(sent)
        except HospitalRejected as refusal:
            held = await self._held_card(encounter, patient) if refusal.reason == outcome.SEVERAL else None
            if held is None:
                raise
            both = Held(patient, held)
            sent = bundle.registration(encounter, both, self._facility, self._clock(), self._settings)
            answer = await self._transact(sent)
        opened, made = bundle.answered(answer, sent, "Encounter"), bundle.answered(answer, sent, "Patient")
        if opened is None or made is None:
            raise HospitalOutcomeUnknown(outcome.MALFORMED)
        code = ref.code if ref else read.hospital_number(made.resource, self._settings)
        return await self._visits.receipt(encounter.checkin_id, opened, code)

    async def amend(self, receipt: Receipt, encounter: Encounter) -> Receipt:
        """Write card and answer beside the visit and into it, in the version that was read (``ifMatch``).

        When somebody else has written in between, it is read again. HospitalRejected ``fhir.visit_gone``,
        ``fhir.visit_withdrawn``, ``fhir.no_person`` for a visit of nobody, ``fhir.no_version`` for a server that keeps
        no versions, on which a write could undo another's; HospitalUnavailable ``fhir.changes_too_fast``.
        """
        visit = await self._visits.of(receipt)
        for _ in range(_TRIES):
            if not read.stands(visit):
                raise HospitalRejected("fhir.visit_withdrawn")
            patient = read.reference_id(read.part(visit, "subject"), "Patient")
            if not patient:
                raise HospitalRejected("fhir.no_person")
            if not bundle.if_match(visit):
                raise HospitalRejected("fhir.no_version")
            changed = await self._amended(visit, f"Patient/{patient}", encounter)
            if changed is not None:
                return replace(read.receipt(changed, receipt.patient_code, self._settings), amount=receipt.amount)
            visit = await self._visits.read(read.id_of(visit))
        raise HospitalUnavailable("fhir.changes_too_fast")

    async def cancel(self, receipt: Receipt, reason: str) -> None:
        """Set the visit's status as the setting says, with *reason*. Errors as for `amend`; twice changes nothing."""
        visit = await self._visits.of(receipt)
        for _ in range(_TRIES):
            if not read.stands(visit):
                return
            if not bundle.if_match(visit):
                raise HospitalRejected("fhir.no_version")
            changed, version = build.withdrawn(visit, reason, self._settings), {"if-match": bundle.if_match(visit)}
            try:
                await self._session.write("PUT", f"/Encounter/{read.id_of(visit)}", changed, version)
                return
            except HospitalRejected as refusal:
                if refusal.reason not in (outcome.SEVERAL, outcome.CONFLICT):
                    raise
            visit = await self._visits.read(read.id_of(visit))
        raise HospitalUnavailable("fhir.changes_too_fast")

    async def _patient_of(self, encounter: Encounter) -> PatientRef | None:
        """The person whom the hospital holds; None for somebody new."""
        match = encounter.patient
        if match is None or (match.kind is MatchKind.ONE and not (match.ref and is_id(match.ref.id))):
            card = build.confirmed_card(encounter)
            match = await self._people.match(encounter.identity, card.number if card else None)
        if match.kind in (MatchKind.MANY, MatchKind.MISMATCH):
            raise HospitalRejected(f"fhir.patient_{match.kind}")
        return match.ref if match.kind is MatchKind.ONE else None

    async def _amended(self, visit: Resource, patient: str, encounter: Encounter) -> Resource | None:
        """The visit as it is now; None when it was changed since it was read, and nothing was written."""
        held: str | None = None
        while True:
            sent = bundle.amendment(encounter, visit, patient, held, self._clock(), self._settings)
            try:
                done = bundle.answered(await self._transact(sent), sent, "Encounter")
            except HospitalRejected as refusal:
                if refusal.reason not in (outcome.SEVERAL, outcome.CONFLICT):
                    raise
                now = await self._visits.read(read.id_of(visit))
                if bundle.if_match(now) != bundle.if_match(visit):
                    return None
                # the visit is the same, so it is the card of which there are several
                held = await self._held_card(encounter, patient) if held is None else None
                if held is None:
                    raise
                continue
            if done is None:
                raise HospitalOutcomeUnknown(outcome.MALFORMED)
            return done.resource if read.id_of(done.resource) == read.id_of(visit) and done.resource else visit

    async def _held_card(self, encounter: Encounter, patient: str | None) -> str | None:
        """Of several Coverages of the card in this person's record, the one that runs longest."""
        card = build.confirmed_card(encounter)
        if card is None or patient is None:
            return None
        key = f"{self._settings.system('card')}|{card.number}"
        found = await self._session.search("Coverage", [("identifier", key), ("beneficiary", patient)])
        theirs = [
            row
            for row in found
            if card.number in read.identifiers(row, self._settings.system("card"))
            and f"Patient/{read.reference_id(read.part(row, 'beneficiary'), 'Patient')}" == patient
        ]
        theirs.sort(key=lambda row: (str(read.part(row, "period", "end") or "9999"), read.id_of(row)))
        return f"Coverage/{read.id_of(theirs[-1])}" if theirs else None

    async def _transact(self, sent: Resource) -> Resource | None:
        """The answer to a transaction; tried once more at once after a conflict with another one."""
        try:
            answer = await self._session.write("POST", "", sent)
        except HospitalRejected as refusal:
            if refusal.reason != outcome.CONFLICT:
                raise
            answer = await self._session.write("POST", "", sent)
        return read.parse(answer.body)
