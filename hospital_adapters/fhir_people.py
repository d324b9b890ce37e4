"""Patients of a FHIR server: found by number, or suggested by name and birth date. Nothing here writes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from hospital_adapters import fhir_read as read
from hospital_adapters.fhir_read import Resource
from hospital_adapters.fhir_session import Session
from hospital_adapters.fhir_settings import FhirSettings
from hospital_adapters.fhir_text import carried, number, search_value
from kiosk.hospital_model import Candidate, MatchedBy, MatchKind, PatientMatch
from kiosk.model import Identity

_MOST_SUGGESTED = 10
_PAGE = "50"


@dataclass(frozen=True, slots=True)
class Found:
    """Who stands under one of a person's numbers."""

    by: MatchedBy
    patients: tuple[Resource, ...]


class People:
    """The people of one server. HospitalUnavailable is all that is raised."""

    def __init__(self, session: Session, settings: FhirSettings) -> None:
        """Nothing is asked yet."""
        self._session = session
        self._settings = settings

    async def match(self, identity: Identity, card: str | None) -> PatientMatch:
        """Who is held under the citizen number, else the old one, else the card. Under several people it is MANY."""
        found = await self.find(identity, card)
        if found is None:
            return PatientMatch(MatchKind.NONE)
        if len(found.patients) > 1:
            return PatientMatch(MatchKind.MANY, matched_by=found.by)
        known = read.person(found.patients[0], self._settings)
        ref = read.patient_ref(found.patients[0], self._settings)
        differences = read.differences(identity, known)
        if differences:
            return PatientMatch(MatchKind.MISMATCH, ref, differences=differences, matched_by=found.by)
        return PatientMatch(MatchKind.ONE, ref, known, matched_by=found.by)

    async def find(self, identity: Identity, card: str | None) -> Found | None:
        """The records under the first of a person's numbers that is known; merged ones as what they became."""
        for by, system, value in (
            (MatchedBy.PERSONAL_ID, "citizen", identity.personal_id),
            (MatchedBy.OLD_ID, "old", identity.old_id),
            (MatchedBy.CARD, "card", card),
        ):
            patients = await self._under(self._settings.system(system), value)
            if not patients and by is MatchedBy.CARD:
                patients = await self._holders(self._settings.system(system), value)
            if patients:
                return Found(by, tuple(patients))
        return None

    async def suggest(self, identity: Identity) -> tuple[Candidate, ...]:
        """At most ten people of exactly the same name, case aside, and birth date."""
        name, born = carried(identity.full_name), identity.birth_date
        if not name or born is None:
            return ()
        parameters = [("name", search_value(name)), ("birthdate", str(born)), ("_count", _PAGE)]
        candidates = []
        for patient in await self._current(await self._session.search("Patient", parameters)):
            known = read.person(patient, self._settings)
            same_name = known.full_name is not None and known.full_name.casefold() == name.casefold()
            if same_name and known.birth_date is not None and known.birth_date.agrees_with(born):
                candidates.append(Candidate(read.patient_ref(patient, self._settings), known))
        return tuple(candidates[:_MOST_SUGGESTED])

    async def _under(self, system: str, value: str | None) -> list[Resource]:
        """The Patients that bear this identifier; what else a server may send is passed over."""
        if not system or number(value) is None:
            return []
        parameters = [("identifier", f"{system}|{value}"), ("_count", _PAGE)]
        found = await self._session.search("Patient", parameters)
        return await self._current(patient for patient in found if value in read.identifiers(patient, system))

    async def _holders(self, system: str, value: str | None) -> list[Resource]:
        """The Patients whose Coverage bears the card's number."""
        if not system or number(value) is None:
            return []
        parameters = [("identifier", f"{system}|{value}"), ("_count", _PAGE)]
        cards = await self._session.search("Coverage", parameters)
        borne = (card for card in cards if value in read.identifiers(card, system))
        ids = {read.reference_id(read.part(card, "beneficiary"), "Patient") for card in borne} - {""}
        holders = [await self._session.read("Patient", id_) for id_ in sorted(ids)]
        return await self._current(holder for holder in holders if holder is not None)

    async def _current(self, patients: Iterable[Resource]) -> list[Resource]:
        """Each once; a record that was merged into another gives that other one."""
        current: dict[str, Resource] = {}
        for patient in patients:
            after = [link for link in read.items(patient.get("link")) if link.get("type") == "replaced-by"]
            ids = [read.reference_id(read.part(link, "other"), "Patient") for link in after]
            replaced = await self._session.read("Patient", ids[0]) if ids and ids[0] else None
            kept = replaced or patient
            current[read.id_of(kept)] = kept
        return list(current.values())
