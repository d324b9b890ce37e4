"""Registers visits through the kiosk interface C06, as published and as met in hospitals (his-kiosk-c06.md 0 to 8).

Menu, patient look-up, registration, and where a hospital has them: what is shut or full today, the look-up of
registered visits, and the lookup of a person at the insurer.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from hospital_adapters import c06_body as body_of
from hospital_adapters import c06_insurance as insurance
from hospital_adapters import c06_mapping as mapping
from hospital_adapters import c06_menu as menu
from hospital_adapters import c06_settings
from hospital_adapters import c06_wire as wire
from hospital_adapters.base import BaseAdapter
from hospital_adapters.c06_availability import AvailabilityNow
from hospital_adapters.c06_calls import Calls, rows_of
from hospital_adapters.c06_outcome import SIGNATURE
from hospital_adapters.c06_patients import Patients, SexSelfTest
from hospital_adapters.c06_settings import C06Settings
from hospital_adapters.c06_tree import flatten
from hospital_adapters.http_line import Answer
from kiosk.errors import ConfigError, HospitalUnavailable
from kiosk.hospital_model import (
    Availability,
    Capabilities,
    Encounter,
    Idempotency,
    PatientMatch,
    PatientRef,
    Receipt,
    Service,
)
from kiosk.model import AdapterHealth, Eligibility, Identity, LookupKey
from kiosk.ports import AdapterContext, Clock

log = logging.getLogger(__name__)

_SKEW_S = 60.0
_FULL_PAGE = 50
_CANCELLED = "3"
_CODE_LISTS = (
    ("/dan-toc", "MA_DANTOC", "ethnicity_code"),
    ("/quoc-gia", "MA_QUOCTICH", "nationality_code"),
    ("/nghe-nghiep", "MA_NGHE_NGHIEP", "occupation_code"),
)


def _now() -> datetime:
    return datetime.now(UTC)


def create(settings: Mapping[str, Any], context: AdapterContext) -> C06Adapter:
    """Entry point ``c06``: *settings* as C06Settings describes them. ConfigError names a wrong key or secret."""
    checked = c06_settings.load(settings)
    secret = context.secret(checked.secret_file).strip()
    if not secret:
        raise ConfigError("hospital.secret_file: expected a file that holds the secret, it is empty")
    return C06Adapter(checked, secret, context.facility)


class C06Adapter(BaseAdapter):
    """One HIS behind C06. All errors are HospitalErrors; their texts hold no person, number or URL."""

    def __init__(
        self,
        settings: C06Settings,
        secret: str,
        facility: str,
        clock: Clock = _now,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """*facility* is our own code (MA_CSKCB). *clock* signs, *monotonic* ages the menu."""
        self.capabilities = _capabilities(settings)
        self._settings = settings
        self._facility = facility
        self._clock = clock
        self._calls = Calls(settings, secret, clock, monotonic)
        self._self_test = SexSelfTest()
        self._patients = Patients(self._calls, settings, self._self_test)
        self._menu = menu.MenuCache(self._load_menu, monotonic)
        self._available = AvailabilityNow(self._calls, settings, clock, monotonic)
        self._told_unknown_types = False

    async def close(self) -> None:
        """End what is being refreshed, release connections."""
        await self._available.close()
        await self._menu.close()
        await self._calls.close()

    async def check(self) -> AdapterHealth:
        """Ask ``/loai-kham``: reachability, signature, clock (``Date`` header), the insured exam type. Never raises.

        Also the code lists where the HIS has them, and whether the sex of people was the other way round lately.
        ``details``: ``exam_types``, their number; ``skew_s``, how far the HIS's clock is ahead of ours.
        """
        problems, details = [], {}
        if self._self_test.failed:
            problems.append("the HIS states the other sex for most people: check the setting sex")
        try:
            end = await self._calls.probe("/loai-kham", {}, ())
            if isinstance(end, Answer) and end.date is not None:
                details["skew_s"] = skew = round((end.date - self._clock()).total_seconds())
                if abs(skew) > _SKEW_S:
                    problems.append(f"the clock of the HIS differs from ours by {skew} s")
            types = rows_of(self._calls.judge(end))
            details["exam_types"] = len(types)
            if not menu.exam_type_listed(types, self._settings.insured_exam_type):
                problems.append("the HIS lists no exam type that is the setting insured_exam_type")
            problems += await self._unlisted_codes()
        except HospitalUnavailable as failure:
            problems.append(_problem(failure.reason))
        return AdapterHealth(ok=not problems, problems=tuple(problems), details=details)

    async def services(self, day: date) -> tuple[Service, ...]:
        """The menu, cached (MenuCache), with what is shut or full on *day*. HospitalUnavailable without any copy.

        C06 has one menu for all days.
        """
        entries = await self._menu.get()
        known = await self._available.of(entries, day)
        return tuple(
            replace(entry.service, available=known.get(entry.service.id, Availability.UNKNOWN)) for entry in entries
        )

    async def find_patient(self, identity: Identity, card: str | None = None) -> PatientMatch:
        """Call #6 with the personal number, then the old one if ``old_id_type`` is set, then the *card*'s if
        ``patient_by_card`` is. HospitalUnavailable.

        Code 404 is NONE, so is an identity without a number that can be asked for. A name without accents, a birth
        year, sex or number that differs is MISMATCH.
        """
        return await self._patients.find(identity, card)

    async def find_visits(
        self, identity: Identity, ref: PatientRef | None, day: date
    ) -> tuple[tuple[str, Receipt], ...]:
        """The vendor's call ``history_path`` with SO_GTTT and NGAY, both signed: (check-in id or "", receipt) pairs.

        An id is there where the HIS kept DU_PHONG. A cancelled visit (TRANG_THAI_LK 3) is left out; one of ours comes
        without its id, because it is neither a visit nor a reason to register again. HospitalUnavailable also when the
        list is cut short or the identity has no number, because an empty list must mean that there surely is no visit.
        """
        if not self.capabilities.history:
            return await super().find_visits(identity, ref, day)
        number = identity.personal_id or identity.old_id
        if not number:
            raise HospitalUnavailable("c06.no_number")
        fields = {"SO_GTTT": number, "NGAY": day.isoformat()}
        path = self._settings.history_path
        envelope = await self._calls.ask(path, fields, tuple(fields.values()), may_be_absent=True)
        if envelope is None:
            return ()
        visits = rows_of(envelope)
        if not all(isinstance(visit, dict) for visit in visits):
            raise HospitalUnavailable("c06.malformed")
        if envelope.pages > 1 and len(visits) >= _FULL_PAGE:
            raise HospitalUnavailable("c06.incomplete")
        told = [(_own_id(visit), mapping.visit_receipt(visit, None, None)) for visit in visits]
        return tuple(
            (checkin_id if receipt.raw_status != _CANCELLED else "", receipt)
            for checkin_id, receipt in told
            if checkin_id or receipt.raw_status != _CANCELLED
        )

    async def eligibility(self, key: LookupKey) -> Eligibility:
        """Call #7, by the citizen number: no other kind of document is published. HospitalUnavailable.

        Without such a number nothing is asked: ``needs_staff`` with ``his_no_number``. Code 404 is ``not_found``.
        """
        if not self.capabilities.eligibility:
            return await super().eligibility(key)
        asked_at, number = self._clock(), insurance.citizen_number(key)
        if number is None:
            return insurance.without_card(insurance.NO_NUMBER, asked_at, asked=False)
        fields = insurance.question(key, number, self._settings)
        signed = tuple(fields[name] for name in self._settings.sign.bhyt)
        envelope = await self._calls.ask("/bhyt", fields, signed, may_be_absent=True)
        if envelope is None:
            return insurance.without_card(insurance.NOT_FOUND, asked_at, asked=True)
        answer = insurance.answer_of(envelope.data, asked_at, self._settings)
        if answer is None:
            raise HospitalUnavailable("c06.malformed")
        return answer

    async def push(self, encounter: Encounter) -> Receipt:
        """Call #8, once; without ``encounter.patient`` a new person. Errors as in c06_outcome and c06_body.

        In the profile ``field`` a known person's row is asked for first and sent back: HospitalUnavailable or
        HospitalRejected ``c06.patient_changed`` when it cannot be had, and nothing was registered.
        """
        body_of.registration(encounter, self._facility, self._settings)  # what cannot be sent asks nothing either
        row = await self._own_row(encounter) if body_of.sends_row_back(encounter, self._settings) else None
        body = body_of.registration(encounter, self._facility, self._settings, row)
        signed = tuple(body_of.signed_value(body, name) for name in self._settings.sign.dangky_kcb)
        envelope = await self._calls.tell("/dangky-kcb", body, signed)
        return mapping.receipt_of(envelope.data, body_of.patient_block(body), encounter)

    async def _own_row(self, encounter: Encounter) -> Mapping[str, Any]:
        patient = encounter.patient
        ref = (patient.ref if patient is not None else None) or PatientRef(None, None)
        card = encounter.coverage.number if encounter.coverage is not None else None
        return await self._patients.row(encounter.identity, card, ref)

    async def _load_menu(self) -> tuple[menu.Entry, ...]:
        if self._settings.tree_path:
            types, departments, services = flatten(await self._calls.ask_rows(self._settings.tree_path))
        else:
            types = await self._calls.ask_rows("/loai-kham")
            departments = await self._calls.ask_rows("/khoa")
            services = await self._calls.ask_rows("/dichvu", signed=(None,))
        built = menu.build(types, departments, services, self._settings)
        if built.unknown_types and not self._told_unknown_types:
            self._told_unknown_types = True
            log.warning("C06: %d services name an exam type that the HIS does not list", built.unknown_types)
        return built.entries

    async def _unlisted_codes(self) -> list[str]:
        if not self._settings.code_lists:
            return []
        unlisted = []
        for path, field, setting in _CODE_LISTS:
            envelope = await self._calls.ask(path, {}, ())
            listed = {wire.text(row.get(field)) for row in rows_of(envelope) if isinstance(row, dict)}
            cut_short = envelope is not None and envelope.pages > 1
            if getattr(self._settings, setting) not in listed and not cut_short:
                unlisted.append(f"the HIS does not list the setting {setting}")
        return unlisted


def _capabilities(settings: C06Settings) -> Capabilities:
    idempotency = Idempotency.NONE
    if settings.history_path:
        idempotency = Idempotency.NATURAL
    if settings.dedup == "du_phong":
        idempotency = Idempotency.KEY
    return Capabilities(
        menu=True,
        find_patient=True,
        eligibility=settings.asks_insurer,
        history=bool(settings.history_path),
        new_patient=True,
        idempotency=idempotency,
        queue_number=settings.queue_number,
    )


def _own_id(visit: Mapping[str, Any]) -> str:
    inner = (mapping.section(visit, name) for name in ("THONG_TIN_DICH_VU", "THONG_TIN_DANG_KY", "THONG_TIN_TIEP_NHAN"))
    marks = (part.get("DU_PHONG") for part in (visit, *inner))
    return next((found for mark in marks if (found := body_of.checkin_id(mark))), "")


def _problem(reason: str) -> str:
    if reason == SIGNATURE:
        return "the HIS refuses the signature: check merchant, secret and clock"
    if reason in ("c06.unreachable", "c06.connect_timeout"):
        return "the HIS cannot be reached"
    if reason == "c06.tls":
        return "the HIS's certificate is not trusted or TLS failed: check ca_file"
    return f"the HIS does not answer as agreed ({reason})"
