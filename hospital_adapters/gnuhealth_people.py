"""Patients and their cards in GNU Health: found, or made once however many ask at the same time.

Nothing here registers a visit. What a failed attempt leaves behind (a patient, a card) is found again by the next one,
so a lost answer is a HospitalUnavailable. Two rules of the server keep it single: the PUID of a party is unique, and a
card's number is unique for its insurer (components.md 5).
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from typing import Any

from hospital_adapters import gnuhealth_mapping as mapping
from hospital_adapters.gnuhealth_session import USER_ERROR, Kind, Session
from hospital_adapters.gnuhealth_settings import GnuHealthSettings
from kiosk.documents.text import same_name
from kiosk.errors import HospitalRejected, HospitalUnavailable
from kiosk.hospital_model import Candidate, Encounter, MatchedBy, MatchKind, PatientMatch, PatientRef
from kiosk.model import Coverage, Identity, PartialDate

_MOST_SUGGESTED = 10
_MOST_OF_A_DAY = 500
Domain = list[Any]


@dataclass(frozen=True, slots=True)
class Patient:
    """Record ids of a patient, of the party behind it and of the card it shows, if known, and the PUID."""

    patient: int
    party: int
    puid: str | None
    insurance: int | None = None


class People:
    """The people of one server."""

    def __init__(self, session: Session, settings: GnuHealthSettings) -> None:
        """Nothing is asked yet."""
        self._session = session
        self._settings = settings

    async def find(self, identity: Identity, card: str | None) -> PatientMatch:
        """Who is held under the citizen number, else the old one, else the card. HospitalUnavailable.

        A number counts as PUID and as another identification. Under several people it is MANY.
        """
        for number, by in ((identity.personal_id, MatchedBy.PERSONAL_ID), (identity.old_id, MatchedBy.OLD_ID)):
            found = await self._parties(under(number)) if number else []
            if found:
                return _match(found, identity, by)
        found = await self._holders(card) if card else []
        return _match(found, identity, MatchedBy.CARD) if found else PatientMatch(MatchKind.NONE)

    async def suggest(self, identity: Identity) -> tuple[Candidate, ...]:
        """At most ten people of the same name, accents aside, born on the same day as far as both are known."""
        born = identity.birth_date
        if born is None or not identity.full_name:
            return ()
        found = await self._parties([*_born(born), ["is_patient", "=", True]], _MOST_OF_A_DAY)
        candidates = []
        for row in found:
            ref, known = mapping.reference(row), mapping.person(row)
            if ref and known.full_name and same_name(known.full_name, identity.full_name):
                candidates.append(Candidate(ref, known))
        return tuple(candidates[:_MOST_SUGGESTED])

    async def patient_for(self, encounter: Encounter) -> Patient:
        """The patient of a visit: the one that was matched, else found again, else made.

        HospitalRejected ``gnuhealth.patient_many`` and ``gnuhealth.patient_mismatch`` where staff must say who this is,
        ``gnuhealth.patient_gone`` when the matched one no longer exists.
        """
        match = encounter.patient
        if match is None or match.kind is MatchKind.NONE:
            match = await self._find_or_make(encounter)
        party = mapping.number_of(match.ref.id) if match.kind is MatchKind.ONE and match.ref else None
        if match.kind is not MatchKind.ONE:
            raise HospitalRejected(f"gnuhealth.patient_{match.kind}")
        if party is None:
            raise HospitalRejected("gnuhealth.patient_gone")
        return await self._patient_of(party)

    async def insurance(self, party: int, card: Coverage) -> int:
        """The id of the card's record, made or brought up to date.

        HospitalRejected ``gnuhealth.card_of_another`` when the number is somebody else's there.
        """
        company = await self.insurer()
        found = await self._card(card.number, company)
        if found is None:
            values = {"party": party, "number": card.number, "company": company, "insurance_type": "state"}
            try:
                made = await self._write("gnuhealth.insurance.create", [values | mapping.card(card)])
                return _only_id(made)
            except HospitalRejected as refusal:
                found = await self._card(card.number, company) if refusal.reason == USER_ERROR else None
                if found is None:
                    raise
        insurance = mapping.row_id(found)
        if insurance is None or found.get("party") != party:
            raise HospitalRejected("gnuhealth.card_of_another")
        changed = {name: value for name, value in mapping.card(card).items() if found.get(name) != value}
        if changed:
            await self._write("gnuhealth.insurance.write", [insurance], changed)
        return insurance

    async def make_current(self, patient: Patient, insurance: int) -> None:
        """Let the patient's own record show this card."""
        if patient.insurance != insurance:
            await self._write("gnuhealth.patient.write", [patient.patient], {"current_insurance": insurance})

    async def insurer(self) -> int:
        """The party that is the social insurance; HospitalUnavailable ``gnuhealth.insurer_unknown``: an operator's."""
        domain = [["ref", "=", self._settings.insurer], ["is_insurance_company", "=", True]]
        found = await self.rows("party.party", domain, ("ref",), 2)
        if len(found) != 1:
            raise HospitalUnavailable("gnuhealth.insurer_unknown")
        return _only_id([row["id"] for row in found])

    async def rows(
        self, model: str, domain: Domain, fields: tuple[str, ...], limit: int, order: list[list[str]] | None = None
    ) -> list[dict[str, Any]]:
        """Records of *model*, each with an id. HospitalUnavailable ``gnuhealth.malformed`` for anything else."""
        found = await self._session.call(
            Kind.QUESTION, f"model.{model}.search_read", domain, 0, limit, order, list(fields)
        )
        if not isinstance(found, list) or not all(mapping.row_id(row) for row in found):
            raise HospitalUnavailable("gnuhealth.malformed")
        return found

    async def _find_or_make(self, encounter: Encounter) -> PatientMatch:
        card = mapping.confirmed_card(encounter)
        identity, code = encounter.identity, mapping.mark(encounter.checkin_id)
        values = mapping.new_party(identity, code, self._settings.name_split, self._settings.prefix)
        match = await self._known(identity, code, card)
        if match.kind is not MatchKind.NONE:
            return match
        try:
            party = _only_id(await self._write("party.party.create", [values]))
        except HospitalRejected as refusal:
            # somebody was faster: the server refuses a second party with the same PUID or code
            match = await self._known(identity, code, card) if refusal.reason == USER_ERROR else match
            if match.kind is MatchKind.NONE:
                raise
            return match
        return PatientMatch(MatchKind.ONE, PatientRef(str(party), None))

    async def _known(self, identity: Identity, code: str, card: Coverage | None) -> PatientMatch:
        match = await self.find(identity, card.number if card else None)
        if match.kind is MatchKind.NONE and not (identity.personal_id or identity.old_id):
            made = await self._parties([["code", "=", code]])
            if made:
                return PatientMatch(MatchKind.ONE, mapping.reference(made[0]))
        return match

    async def _patient_of(self, party: int) -> Patient:
        domain, fields = [["party", "=", party]], ("puid", "current_insurance")
        found = await self.rows("gnuhealth.patient", domain, fields, 1)
        if not found:
            await self._make_patient(party)
            found = await self.rows("gnuhealth.patient", domain, fields, 1)
        if not found:
            raise HospitalRejected("gnuhealth.patient_gone")
        shown = found[0].get("current_insurance")
        insurance = shown if type(shown) is int else None
        return Patient(_only_id([found[0]["id"]]), party, mapping.text(found[0].get("puid")), insurance)

    async def _make_patient(self, party: int) -> None:
        """A person who is known, but was no patient so far: a relative, or somebody who works there."""
        if not await self._parties([["id", "=", party]]):
            raise HospitalRejected("gnuhealth.patient_gone")
        await self._write("party.party.write", [party], {"is_patient": True})
        try:
            await self._write("gnuhealth.patient.create", [{"party": party}])
        except HospitalRejected as refusal:
            # another kiosk may have made it; the caller looks
            if refusal.reason != USER_ERROR:
                raise

    async def _parties(self, domain: Domain, limit: int = 3) -> list[dict[str, Any]]:
        return await self.rows("party.party", [["is_person", "=", True], *domain], mapping.PERSON_FIELDS, limit)

    async def _holders(self, card: str) -> list[dict[str, Any]]:
        domain = [["number", "=", card], ["company.ref", "=", self._settings.insurer], ["party", "!=", None]]
        fields = tuple(f"party.{name}" for name in mapping.PERSON_FIELDS)
        rows = await self.rows("gnuhealth.insurance", domain, fields, 3)
        holders = [row.get("party.") for row in rows]
        if not all(mapping.row_id(holder) for holder in holders):
            raise HospitalUnavailable("gnuhealth.malformed")
        return [holder for holder in holders if isinstance(holder, dict)]

    async def _card(self, number: str, company: int) -> dict[str, Any] | None:
        domain = [["number", "=", number], ["company", "=", company]]
        fields = ("party", "member_since", "member_exp", "category", "notes")
        found = await self.rows("gnuhealth.insurance", domain, fields, 1)
        return found[0] if found else None

    async def _write(self, method: str, *params: Any) -> Any:
        return await self._session.call(Kind.PREPARATION, f"model.{method}", *params)


def under(number: str, path: str = "") -> Domain:
    """Who is held under *number*, as PUID or as another identification; *path*: from the model to its party."""
    return [["OR", [f"{path}ref", "=", number], [f"{path}alternative_ids.code", "=", number]]]


def _born(born: PartialDate) -> Domain:
    """A known day, or an estimate of the same year; of a bare year, all estimates of it."""
    first, last = date(born.year, 1, 1), date(born.year, 12, 31)
    estimates = [["est_dob", "=", True], ["dob", ">=", first], ["dob", "<=", last]]
    if born.exact is not None:
        return [["OR", [["dob", "=", born.exact]], estimates]]
    if born.month is not None:
        end = date(born.year, born.month, monthrange(born.year, born.month)[1])
        known = [["dob", ">=", date(born.year, born.month, 1)], ["dob", "<=", end]]
        return [["OR", known, estimates]]
    return estimates


def _match(found: list[dict[str, Any]], asked: Identity, by: MatchedBy) -> PatientMatch:
    if len(found) > 1:
        return PatientMatch(MatchKind.MANY, matched_by=by)
    ref, known = mapping.reference(found[0]), mapping.person(found[0])
    differences = mapping.differences(asked, known)
    if differences:
        return PatientMatch(MatchKind.MISMATCH, ref, differences=differences, matched_by=by)
    return PatientMatch(MatchKind.ONE, ref, known, matched_by=by)


def _only_id(made: Any) -> int:
    if not isinstance(made, list) or len(made) != 1 or type(made[0]) is not int or made[0] < 1:
        raise HospitalUnavailable("gnuhealth.malformed")
    return made[0]
