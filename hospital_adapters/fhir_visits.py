"""Visits in a FHIR server: of a person and day, of a receipt, and what is said of one. Nothing here writes."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from hospital_adapters import fhir_outcome as outcome
from hospital_adapters import fhir_read as read
from hospital_adapters.fhir_bundle import Outcome
from hospital_adapters.fhir_people import People
from hospital_adapters.fhir_read import Resource
from hospital_adapters.fhir_session import Session
from hospital_adapters.fhir_settings import FhirSettings
from hospital_adapters.fhir_text import is_id, number
from kiosk.errors import HospitalOutcomeUnknown, HospitalRejected, HospitalUnavailable
from kiosk.hospital_model import PatientRef, Receipt
from kiosk.model import VIETNAM, Identity

WRONG = "fhir.wrong_person"
_PAGE = "50"


def day_range(day: date) -> list[tuple[str, str]]:
    """The search parameters for *day* in Vietnam."""
    first = datetime.combine(day, time(), VIETNAM)
    last = first + timedelta(days=1)
    return [("date", f"ge{first.isoformat()}"), ("date", f"lt{last.isoformat()}")]


class Visits:
    """The Encounters of one server."""

    def __init__(self, session: Session, people: People, settings: FhirSettings) -> None:
        """Nothing is asked yet."""
        self._session = session
        self._people = people
        self._settings = settings

    async def of_day(self, identity: Identity, ref: PatientRef | None, day: date) -> tuple[tuple[str, Receipt], ...]:
        """(our check-in id or "", receipt) of each visit of *day* that stands. HospitalUnavailable.

        A visit without an end matches every later day in a search; its start is looked at here.
        """
        codes = await self._records(identity, ref)
        if not codes:
            return ()
        asked = ",".join(f"Patient/{id_}" for id_ in sorted(codes))
        parameters = [("patient", asked), *day_range(day), ("_sort", "-date"), ("_count", _PAGE)]
        found = []
        for visit in await self._session.search("Encounter", parameters):
            patient = read.reference_id(read.part(visit, "subject"), "Patient")
            began = read.day(read.part(visit, "period", "start"))
            if patient in codes and read.stands(visit) and began in (None, day):
                ours = read.identifiers(visit, self._settings.system("checkin"))
                found.append((ours[0] if ours else "", read.receipt(visit, codes[patient], self._settings)))
        return tuple(found)

    async def _records(self, identity: Identity, ref: PatientRef | None) -> dict[str, str | None]:
        """The hospital's own number by the id of the person's record, or of each that may be theirs."""
        if ref is not None and ref.id is not None and is_id(ref.id):
            return {ref.id: ref.code}
        found = await self._people.find(identity, None)
        refs = [read.patient_ref(patient, self._settings) for patient in found.patients] if found else []
        return {ref.id: ref.code for ref in refs if ref.id}

    async def of(self, receipt: Receipt) -> Resource:
        """The Encounter of a receipt: ours, or one that staff typed by its MA_LK. HospitalUnavailable;
        HospitalRejected ``fhir.visit_gone``, ``fhir.several``.
        """
        id_ = read.reference_id(receipt.registration_id, "Encounter")
        if id_:
            return await self.read(id_)
        system, value = self._settings.system("visit"), number(receipt.visit_id)
        found: list[Resource] = []
        if system and value:
            found = await self._session.search("Encounter", [("identifier", f"{system}|{value}")])
            found = [visit for visit in found if value in read.identifiers(visit, system)]
        if len(found) > 1:
            raise HospitalRejected(outcome.SEVERAL)
        if found:
            # a search may show an older state than a read
            return await self.read(read.id_of(found[0]))
        if not is_id(receipt.visit_id):
            raise HospitalRejected("fhir.visit_gone")
        return await self.read(receipt.visit_id or "")

    async def read(self, id_: str) -> Resource:
        """The Encounter as it is now. HospitalUnavailable; HospitalRejected ``fhir.visit_gone``."""
        visit = await self._session.read("Encounter", id_)
        if visit is None:
            raise HospitalRejected("fhir.visit_gone")
        return visit

    async def receipt(self, checkin_id: str, opened: Outcome, patient_code: str | None) -> Receipt:
        """What the server says of the visit that it has just opened; it stands, whatever can be read of it.

        HospitalOutcomeUnknown ``fhir.malformed`` when it cannot be found, ``fhir.wrong_person`` when it is not ours:
        a server that does not look at ``ifNoneExist``.
        """
        visit = opened.resource
        if visit is None:
            try:
                visit = await self._by_checkin(checkin_id, opened.id)
            except HospitalUnavailable:
                visit = None
        if visit is None and not opened.id:
            raise HospitalOutcomeUnknown(outcome.MALFORMED)
        if visit is None:
            return Receipt(opened.id, patient_code, f"Encounter/{opened.id}")
        if checkin_id not in read.identifiers(visit, self._settings.system("checkin")):
            raise HospitalOutcomeUnknown(WRONG)
        return read.receipt({**visit, "id": opened.id or read.id_of(visit)}, patient_code, self._settings)

    async def _by_checkin(self, checkin_id: str, id_: str) -> Resource | None:
        if id_:
            return await self._session.read("Encounter", id_)
        system = self._settings.system("checkin")
        found = await self._session.search("Encounter", [("identifier", f"{system}|{checkin_id}")])
        ours = [visit for visit in found if checkin_id in read.identifiers(visit, system)]
        return ours[0] if len(ours) == 1 else None
