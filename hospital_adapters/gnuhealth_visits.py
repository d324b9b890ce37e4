"""Visits in GNU Health: an appointment that is checked in, with our check-in id in a line of its comments.

Nothing there keeps a second appointment of the same check-in away, so every registration looks first. Only what is
written here makes, changes or withdraws a visit; the last call of a registration is the only one that counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from hospital_adapters import gnuhealth_mapping as mapping
from hospital_adapters.gnuhealth_people import Domain, Patient, People, under
from hospital_adapters.gnuhealth_session import Kind, Session
from hospital_adapters.gnuhealth_wire import utc
from kiosk.documents.text import same_name
from kiosk.errors import HospitalOutcomeUnknown, HospitalRejected, HospitalUnavailable
from kiosk.hospital_model import Encounter, PatientRef, Receipt
from kiosk.model import VIETNAM, Identity, local_day

_MOST_OF_A_PERSON = 100
_PERSON = ("patient.party.name", "patient.party.lastname")


class Visits:
    """The appointments of one server."""

    def __init__(self, session: Session, people: People) -> None:
        """Nothing is asked yet."""
        self._session = session
        self._people = people

    async def of_person(
        self, identity: Identity, ref: PatientRef | None, day: date, states: tuple[str, ...]
    ) -> list[dict[str, Any]]:
        """Appointments of *day*, by any of the person's numbers; without any by name and birth date.

        HospitalUnavailable, also ``gnuhealth.no_person`` when there is nothing to look for, and
        ``gnuhealth.incomplete`` when there are more than can be listed: an empty list must mean that there is none.
        """
        who: list[Any] = (
            [["patient.party", "=", mapping.number_of(ref.id)]] if ref and mapping.number_of(ref.id) else []
        )
        for number in (identity.personal_id, identity.old_id):
            if number:
                who += under(number, "patient.party.")
        born = identity.birth_date
        nameless = not who
        if nameless:
            if born is None or not identity.full_name:
                raise HospitalUnavailable("gnuhealth.no_person")
            who = [["patient.party.dob", "=", born.exact or date(born.year, born.month or 1, 1)]]
        rows = await self._rows([["OR", *who], ["state", "in", list(states)], *_on(day)])
        return [row for row in rows if not nameless or _named(row, identity.full_name or "")]

    async def of_patient(self, patient: Patient, day: date) -> list[dict[str, Any]]:
        """All appointments of a patient on *day*, in any state."""
        return await self._rows([["patient", "=", patient.patient], *_on(day)])

    async def by_id(self, visit_id: str | None) -> dict[str, Any]:
        """The appointment that a receipt names. HospitalRejected ``gnuhealth.no_visit``; HospitalUnavailable."""
        number = mapping.number_of(visit_id)
        found = await self._rows([["id", "=", number]]) if number else []
        if not found:
            raise HospitalRejected("gnuhealth.no_visit")
        return found[0]

    async def open(self, encounter: Encounter, patient: Patient, values: dict[str, Any]) -> Receipt:
        """The visit of a check-in: the one that is there, the appointment that it keeps, or a new one.

        *values* are fields beside those of the encounter. HospitalRejected ``gnuhealth.visit_cancelled`` when somebody
        has withdrawn this visit; HospitalOutcomeUnknown when the last answer was lost.
        """
        known = await self.of_patient(patient, local_day(encounter.happened_at))
        for row in known:
            if mapping.checkin_id(row) == encounter.checkin_id:
                if row.get("state") not in mapping.STANDING:
                    raise HospitalRejected("gnuhealth.visit_cancelled")
                return mapping.receipt(row)
        values = mapping.visit(encounter) | values
        kept = next((row for row in known if encounter.follows and _can_be_kept(row, encounter.follows)), None)
        if kept is not None:
            return await self._keep(kept, values)
        moment = utc(encounter.happened_at)
        fields = {"patient": patient.patient, "appointment_date": moment, "appointment_type": "outpatient"}
        made = await self._session.call(Kind.VISIT, "model.gnuhealth.appointment.create", [fields | values])
        if not isinstance(made, list) or len(made) != 1 or type(made[0]) is not int or made[0] < 1:
            raise HospitalOutcomeUnknown("gnuhealth.malformed")
        return Receipt(str(made[0]), patient.puid, raw_status=mapping.CHECKED_IN)

    async def change(self, row: Mapping[str, Any], values: dict[str, Any]) -> None:
        """Change an appointment, unless somebody has changed it since it was read: HospitalUnavailable then."""
        number, read_at = row["id"], row.get("_timestamp")
        context = {"_timestamp": {f"gnuhealth.appointment,{number}": read_at}} if isinstance(read_at, str) else None
        method = "model.gnuhealth.appointment.write"
        await self._session.call(Kind.VISIT, method, [number], values, context=context)

    async def count(self, day: date, institution: int, insurer: int) -> int:
        """Standing visits of *day* on an account of the insurer. HospitalUnavailable."""
        domain = [
            ["state", "in", list(mapping.STANDING)],
            ["institution", "=", institution],
            ["insurance.company", "=", insurer],
            *_on(day),
        ]
        found = await self._session.call(Kind.QUESTION, "model.gnuhealth.appointment.search_count", domain)
        if type(found) is not int or found < 0:
            raise HospitalUnavailable("gnuhealth.malformed")
        return found

    async def _keep(self, row: dict[str, Any], values: dict[str, Any]) -> Receipt:
        earlier = row.get("comments")
        if isinstance(earlier, str) and earlier.strip():
            values = values | {"comments": f"{earlier.rstrip()}\n{values['comments']}"}
        await self.change(row, values)
        return replace(mapping.receipt(row), raw_status=mapping.CHECKED_IN)

    async def _rows(self, domain: Domain) -> list[dict[str, Any]]:
        rows = await self._people.rows(
            "gnuhealth.appointment",
            domain,
            (*mapping.VISIT_FIELDS, *_PERSON),
            _MOST_OF_A_PERSON + 1,
            [["appointment_date", "ASC"], ["id", "ASC"]],
        )
        if len(rows) > _MOST_OF_A_PERSON:
            raise HospitalUnavailable("gnuhealth.incomplete")
        return rows


def day_of(row: Mapping[str, Any]) -> date | None:
    """The day in Vietnam of an appointment."""
    moment = row.get("appointment_date")
    return moment.astimezone(VIETNAM).date() if isinstance(moment, datetime) else None


def patient_behind(row: Mapping[str, Any]) -> Patient:
    """Whose an appointment is. HospitalUnavailable ``gnuhealth.malformed`` when it does not say."""
    patient = row.get("patient.")
    party = patient.get("party.") if isinstance(patient, dict) else None
    patient_id, party_id = mapping.row_id(patient), mapping.row_id(party)
    if patient_id is None or party_id is None or not isinstance(patient, dict):
        raise HospitalUnavailable("gnuhealth.malformed")
    return Patient(patient_id, party_id, mapping.text(patient.get("puid")))


def specialty_of(row: Mapping[str, Any]) -> str | None:
    """The code of an appointment's specialty."""
    specialty = row.get("speciality.")
    return mapping.text(specialty.get("code")) if isinstance(specialty, dict) else None


def _on(day: date) -> Domain:
    start, end = mapping.day_bounds(day)
    return [["appointment_date", ">=", start], ["appointment_date", "<", end]]


def _can_be_kept(row: Mapping[str, Any], follows: str) -> bool:
    return str(row["id"]) == follows and row.get("state") == mapping.CONFIRMED and not mapping.checkin_id(row)


def _named(row: Mapping[str, Any], name: str) -> bool:
    patient = row.get("patient.")
    party = patient.get("party.") if isinstance(patient, dict) else None
    known = mapping.person(party).full_name if isinstance(party, dict) else None
    return known is not None and same_name(known, name)
