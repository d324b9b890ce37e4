"""Registers visits in GNU Health on Tryton over JSON-RPC (components.md 5).

A visit is a checked-in appointment. Before it the person is found or made a patient, and the card entered; these stay
behind harmlessly where the appointment fails, and are found again.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from weakref import WeakValueDictionary

from hospital_adapters import gnuhealth_mapping as mapping
from hospital_adapters import gnuhealth_settings
from hospital_adapters.base import BaseAdapter
from hospital_adapters.gnuhealth_people import People
from hospital_adapters.gnuhealth_session import FORBIDDEN, LOGIN, Kind, Session
from hospital_adapters.gnuhealth_settings import GnuHealthSettings
from hospital_adapters.gnuhealth_visits import Visits, day_of, patient_behind, specialty_of
from kiosk.errors import ConfigError, HospitalRejected, HospitalUnavailable
from kiosk.hospital_model import (
    Appointment,
    Candidate,
    Capabilities,
    Encounter,
    Idempotency,
    PatientMatch,
    PatientRef,
    QueueNumber,
    Receipt,
    Service,
    VisitCount,
)
from kiosk.model import AdapterHealth, Identity, local_day
from kiosk.ports import AdapterContext, Clock

_SKEW_S = 60.0
_MOST_SPECIALTIES = 200
_MODULES = ("health", "party")
_RIGHTS = {
    "party.party": ("read", "write", "create"),
    "gnuhealth.patient": ("read", "write", "create"),
    "gnuhealth.insurance": ("read", "write", "create"),
    "gnuhealth.appointment": ("read", "write", "create"),
    "gnuhealth.institution": ("read",),
    "gnuhealth.institution.specialties": ("read",),
    "gnuhealth.specialty": ("read",),
}


def _now() -> datetime:
    return datetime.now(UTC)


def create(settings: Mapping[str, Any], context: AdapterContext) -> GnuHealthAdapter:
    """Entry point ``gnuhealth``: *settings* as GnuHealthSettings describes. ConfigError names a wrong key or secret."""
    checked = gnuhealth_settings.load(settings)
    password = context.secret(checked.password_file).strip()
    if not password:
        raise ConfigError("hospital.password_file: expected a file that holds the password, it is empty")
    return GnuHealthAdapter(checked, password)


@dataclass(frozen=True, slots=True)
class _Specialty:
    id: int
    code: str
    name: str
    institution: int


class GnuHealthAdapter(BaseAdapter):
    """One database of one Tryton server. All errors are HospitalErrors; their messages hold no person, number or URL.

    It has no queue numbers. A repeated push finds the visit of the same check-in. Nothing there would stop two of the
    same check-in at the same moment, so here one waits for the other.
    """

    capabilities = Capabilities(
        menu=True,
        find_patient=True,
        history=True,
        new_patient=True,
        amend=True,
        cancel=True,
        visit_count=True,
        appointments=True,
        suggest=True,
        idempotency=Idempotency.NATURAL,
        queue_number=QueueNumber.NEVER,
    )

    def __init__(
        self,
        settings: GnuHealthSettings,
        password: str,
        clock: Clock = _now,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Nothing is opened yet. *clock* is compared with the server's, *monotonic* ends the pause after a refusal."""
        self._settings = settings
        self._clock = clock
        self._session = Session(settings, password, monotonic)
        self._people = People(self._session, settings)
        self._visits = Visits(self._session, self._people)
        self._pushes: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def close(self) -> None:
        """Release connections."""
        await self._session.close()

    async def check(self) -> AdapterHealth:
        """Login, modules, rights, the configured institution and insurer, and the clock. Never raises.

        ``details``: ``health``, the version of the module; ``specialties``, their number; ``skew_s``, how far the
        server's clock is ahead of ours.
        """
        problems: list[str] = []
        details: dict[str, Any] = {}
        try:
            details["health"] = await self._check_modules(problems)
            if self._session.server_date is not None:
                details["skew_s"] = skew = round((self._session.server_date - self._clock()).total_seconds())
                if abs(skew) > _SKEW_S:
                    problems.append(f"the clock of the server differs from ours by {skew} s")
            await self._check_rights(problems)
            await self._people.insurer()
            await self._institution()
            details["specialties"] = len(await self._specialties())
            if not details["specialties"]:
                problems.append("the institution offers no specialty, so the menu is empty")
        except HospitalUnavailable as failure:
            problems.append(_problem(failure.reason))
        return AdapterHealth(ok=not problems, problems=tuple(problems), details=details)

    async def services(self, day: date) -> tuple[Service, ...]:
        """The institution's specialties, the same every day. HospitalUnavailable."""
        found = await self._specialties()
        return mapping.services([(row.code, row.name) for row in found], self._settings.self_pay)

    async def find_patient(self, identity: Identity, card: str | None = None) -> PatientMatch:
        """By citizen number, old number, card. A record of another name, birth year, sex or number is MISMATCH."""
        return await self._people.find(identity, card)

    async def suggest(self, identity: Identity) -> tuple[Candidate, ...]:
        """Patients of the same name and birth date, for staff to choose from. HospitalUnavailable."""
        return await self._people.suggest(identity)

    async def find_visits(
        self, identity: Identity, ref: PatientRef | None, day: date
    ) -> tuple[tuple[str, Receipt], ...]:
        """Appointments of *day* that were checked in and not withdrawn. HospitalUnavailable: nobody can tell."""
        rows = await self._visits.of_person(identity, ref, day, mapping.STANDING)
        return tuple((mapping.checkin_id(row), mapping.receipt(row)) for row in rows)

    async def appointments(self, identity: Identity, day: date) -> tuple[Appointment, ...]:
        """Confirmed appointments of the person for *day*, with the specialty's insured service. HospitalUnavailable."""
        rows = await self._visits.of_person(identity, None, day, (mapping.CONFIRMED,))
        found = []
        for row in rows:
            code = specialty_of(row)
            service = mapping.service_id(code, insured=True) if code else None
            found.append(Appointment(str(row["id"]), day_of(row) or day, service))
        return tuple(found)

    async def visit_count(self, day: date) -> VisitCount | None:
        """The institution's visits of *day* that name a card of the insurer. HospitalUnavailable."""
        institution, insurer = await self._institution(), await self._people.insurer()
        return VisitCount(day, await self._visits.count(day, institution, insurer))

    async def push(self, encounter: Encounter) -> Receipt:
        """Find or make the patient, enter the card, then check in; errors as in gnuhealth_session, reasons as below.

        HospitalRejected, and no visit: ``gnuhealth.service_unknown`` for a specialty that is none, ``patient_...`` and
        ``card_of_another`` where staff must decide, ``visit_cancelled`` for one that was withdrawn.
        """
        async with self._pushes.setdefault(encounter.checkin_id, asyncio.Lock()):
            return await self._push(encounter)

    async def _push(self, encounter: Encounter) -> Receipt:
        specialty = await self._specialty(encounter.service.code)
        values: dict[str, Any] = {"institution": specialty.institution, "speciality": specialty.id}
        patient = await self._people.patient_for(encounter)
        card = mapping.confirmed_card(encounter)
        if card is not None:
            values["insurance"] = await self._people.insurance(patient.party, card)
            await self._people.make_current(patient, values["insurance"])
        return await self._visits.open(encounter, patient, values)

    async def amend(self, receipt: Receipt, encounter: Encounter) -> Receipt:
        """Enter a card that was confirmed after the visit was registered; without one there is nothing to change.

        HospitalRejected ``gnuhealth.no_visit`` when the visit is not there or not of this check-in, or was withdrawn.
        """
        row = await self._visit_of(receipt, encounter)
        card = mapping.confirmed_card(encounter)
        if card is not None:
            patient = patient_behind(row)
            insurance = await self._people.insurance(patient.party, card)
            await self._people.make_current(patient, insurance)
            await self._visits.change(row, {"insurance": insurance})
        return mapping.receipt(row)

    async def cancel(self, receipt: Receipt, reason: str) -> None:
        """Withdraw the visit; one that is withdrawn already stays so. *reason* is not sent: it is for our own records.

        HospitalRejected ``gnuhealth.no_visit`` when it is not there or none of ours, ``gnuhealth.visit_done`` when a
        doctor has seen the patient.
        """
        row = await self._visits.by_id(receipt.visit_id)
        if not mapping.checkin_id(row):
            raise HospitalRejected("gnuhealth.no_visit")
        if row.get("state") == mapping.DONE:
            raise HospitalRejected("gnuhealth.visit_done")
        if row.get("state") in (mapping.CHECKED_IN, mapping.CONFIRMED):
            await self._visits.change(row, {"state": mapping.CANCELLED})

    async def _visit_of(self, receipt: Receipt, encounter: Encounter) -> dict[str, Any]:
        if receipt.visit_id is not None:
            rows = [await self._visits.by_id(receipt.visit_id)]
        else:
            ref = encounter.patient.ref if encounter.patient else None
            day = local_day(encounter.happened_at)
            rows = await self._visits.of_person(encounter.identity, ref, day, mapping.STANDING)
        for row in rows:
            if mapping.checkin_id(row) == encounter.checkin_id and row.get("state") in mapping.STANDING:
                return row
        raise HospitalRejected("gnuhealth.no_visit")

    async def _specialties(self) -> list[_Specialty]:
        """Each specialty that the institution offers, by name."""
        domain = [["institution.code", "=", self._settings.institution]]
        fields = ("institution", "specialty.code", "specialty.name")
        order = [["specialty.name", "ASC"]]
        rows = await self._people.rows("gnuhealth.institution.specialties", domain, fields, _MOST_SPECIALTIES, order)
        found = []
        for row in rows:
            specialty = row.get("specialty.")
            key = mapping.row_id(specialty)
            code = mapping.text(specialty.get("code")) if isinstance(specialty, dict) else None
            institution = row.get("institution")
            if key is None or code is None or type(institution) is not int or not isinstance(specialty, dict):
                raise HospitalUnavailable("gnuhealth.malformed")
            found.append(_Specialty(key, code, mapping.text(specialty.get("name")) or code, institution))
        return found

    async def _specialty(self, wanted: str) -> _Specialty:
        found = await self._specialties()
        if not found:
            # an operator must set it right; until then no visit is lost
            raise HospitalUnavailable("gnuhealth.no_specialties")
        for specialty in found:
            if specialty.code == wanted:
                return specialty
        raise HospitalRejected("gnuhealth.service_unknown")

    async def _institution(self) -> int:
        domain = [["code", "=", self._settings.institution]]
        found = await self._people.rows("gnuhealth.institution", domain, ("code",), 1)
        if not found:
            raise HospitalUnavailable("gnuhealth.institution_unknown")
        return int(found[0]["id"])

    async def _check_modules(self, problems: list[str]) -> str | None:
        domain = [["state", "=", "activated"], ["name", "in", list(_MODULES)]]
        rows = await self._people.rows("ir.module", domain, ("name", "version"), len(_MODULES))
        versions = {row.get("name"): mapping.text(row.get("version")) for row in rows}
        problems.extend(f"the module {name} is not activated" for name in _MODULES if name not in versions)
        return versions.get("health")

    async def _check_rights(self, problems: list[str]) -> None:
        granted = await self._session.call(Kind.QUESTION, "model.ir.model.access.get_access", list(_RIGHTS))
        for model, needed in _RIGHTS.items():
            rights = granted.get(model) if isinstance(granted, dict) else None
            missing = [right for right in needed if not (isinstance(rights, dict) and rights.get(right))]
            if missing:
                problems.append(f"the account may not {' and '.join(missing)} {model}")


_PROBLEMS = {
    LOGIN: "the server refuses the login: check user and password",
    FORBIDDEN: "the server does not keep our session, or does not offer a call",
    "gnuhealth.unreachable": "the server cannot be reached",
    "gnuhealth.connect_timeout": "the server cannot be reached",
    "gnuhealth.tls": "the server's certificate is not trusted or TLS failed: check ca_file",
    "gnuhealth.http_404": "the server has no such database: check database and url",
    "gnuhealth.insurer_unknown": "no insurance company has the PUID of the setting insurer",
    "gnuhealth.institution_unknown": "no institution has the code of the setting institution",
}


def _problem(reason: str) -> str:
    return _PROBLEMS.get(reason, f"the server does not answer as agreed ({reason})")
