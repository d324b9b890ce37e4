"""Registers visits through the published kiosk interface C06, profile ``doc`` (his-kiosk-c06.md 0 to 8).

Menu, patient look-up, registration, and where a hospital has them: the look-up of registered visits, and the lookup of
a person at the insurer.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any

from hospital_adapters import c06_insurance as insurance
from hospital_adapters import c06_mapping as mapping
from hospital_adapters import c06_menu as menu
from hospital_adapters import c06_settings
from hospital_adapters.base import BaseAdapter
from hospital_adapters.c06_http import Answer, C06Client, NoAnswer
from hospital_adapters.c06_outcome import SIGNATURE, question_outcome, registration_outcome
from hospital_adapters.c06_settings import C06Settings
from hospital_adapters.c06_wire import Envelope
from kiosk.errors import ConfigError, HospitalRejected, HospitalUnavailable
from kiosk.hospital_model import (
    Capabilities,
    Encounter,
    Idempotency,
    MatchKind,
    PatientMatch,
    PatientRef,
    QueueNumber,
    Receipt,
    Service,
)
from kiosk.model import AdapterHealth, Eligibility, Identity, LookupKey
from kiosk.ports import AdapterContext, Clock

log = logging.getLogger(__name__)

_SIGNATURE_PAUSE_S = 60.0
_SKEW_S = 60.0
_FULL_PAGE = 50


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
    """One HIS behind C06. All errors are HospitalErrors; their texts hold no person, number or URL.

    After a refused signature nothing is sent for a minute (HospitalUnavailable ``c06.signature``): neither a wrong
    secret nor a wrong clock gets better by asking, and a HIS may lock out who keeps trying.
    """

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
        self._monotonic = monotonic
        self._client = C06Client(settings, secret, clock)
        self._menu = menu.MenuCache(self._load_menu, monotonic)
        self._paused_until: float | None = None
        self._told_unknown_types = False

    async def close(self) -> None:
        """End a refresh of the menu that runs, release connections."""
        await self._menu.close()
        await self._client.close()

    async def check(self) -> AdapterHealth:
        """Ask ``/loai-kham``: reachability, signature, clock (``Date`` header), the insured exam type. Never raises.

        ``details``: ``exam_types``, their number; ``skew_s``, how far the HIS's clock is ahead of ours.
        """
        problems, details = [], {}
        try:
            self._refuse_while_paused()
            end = await self._client.get("/loai-kham", {}, ())
            if isinstance(end, Answer) and end.date is not None:
                details["skew_s"] = skew = round((end.date - self._clock()).total_seconds())
                if abs(skew) > _SKEW_S:
                    problems.append(f"the clock of the HIS differs from ours by {skew} s")
            types = _rows(self._judge(end))
            details["exam_types"] = len(types)
            if not menu.exam_type_listed(types, self._settings.insured_exam_type):
                problems.append("the HIS lists no exam type that is the setting insured_exam_type")
        except HospitalUnavailable as failure:
            problems.append(_problem(failure.reason))
        return AdapterHealth(ok=not problems, problems=tuple(problems), details=details)

    async def services(self, day: date) -> tuple[Service, ...]:
        """Calls #1 to #3, cached (MenuCache); C06 has one menu for all days. HospitalUnavailable without any copy."""
        return await self._menu.get()

    async def find_patient(self, identity: Identity, card: str | None = None) -> PatientMatch:
        """Call #6 with the personal number, then with the old one if ``old_id_type`` is set. HospitalUnavailable.

        Code 404 is NONE, so is an identity without a number that can be asked for. A name without accents, a birth
        year, sex or number that differs is MISMATCH.
        """
        numbers = [(identity.personal_id, self._settings.doc_type), (identity.old_id, self._settings.old_id_type)]
        for number, kind in numbers:
            if number and kind:
                match = await self._ask_patient(identity, number, kind)
                if match.kind is not MatchKind.NONE:
                    return match
        return PatientMatch(MatchKind.NONE)

    async def find_visits(
        self, identity: Identity, ref: PatientRef | None, day: date
    ) -> tuple[tuple[str, Receipt], ...]:
        """The vendor's call ``history_path`` with SO_GTTT and NGAY, both signed: (check-in id or "", receipt) pairs.

        An id is there where the HIS kept DU_PHONG. HospitalUnavailable also when the list is cut short or the identity
        has no number, because an empty list must mean that there surely is no visit.
        """
        if not self.capabilities.history:
            return await super().find_visits(identity, ref, day)
        number = identity.personal_id or identity.old_id
        if not number:
            raise HospitalUnavailable("c06.no_number")
        fields = {"SO_GTTT": number, "NGAY": day.isoformat()}
        envelope = await self._ask(self._settings.history_path, fields, tuple(fields.values()), may_be_absent=True)
        if envelope is None:
            return ()
        visits = _rows(envelope)
        if not all(isinstance(visit, dict) for visit in visits):
            raise HospitalUnavailable("c06.malformed")
        if envelope.pages > 1 and len(visits) >= _FULL_PAGE:
            raise HospitalUnavailable("c06.incomplete")
        return tuple((_own_id(visit), mapping.visit_receipt(visit, None, None)) for visit in visits)

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
        envelope = await self._ask("/bhyt", fields, signed, may_be_absent=True)
        if envelope is None:
            return insurance.without_card(insurance.NOT_FOUND, asked_at, asked=True)
        answer = insurance.answer_of(envelope.data, asked_at, self._settings)
        if answer is None:
            raise HospitalUnavailable("c06.malformed")
        return answer

    async def push(self, encounter: Encounter) -> Receipt:
        """Call #8, once; without ``encounter.patient`` a new person. Errors as in c06_outcome and c06_mapping."""
        body = mapping.registration(encounter, self._facility, self._settings)
        signed = tuple(mapping.signed_value(body, name) for name in self._settings.sign.dangky_kcb)
        self._refuse_while_paused()
        end = await self._client.post("/dangky-kcb", body, signed)
        try:
            envelope = registration_outcome(end, self._settings)
        except HospitalRejected as refusal:
            if refusal.reason == SIGNATURE:
                self._pause()
            raise
        return mapping.receipt_of(envelope.data, body, encounter)

    async def _ask_patient(self, identity: Identity, number: str, kind: str) -> PatientMatch:
        fields = {"SO_GTTT": number, "LOAI_GTTT": kind}
        envelope = await self._ask("/benhnhan", fields, (number, kind), may_be_absent=True)
        if envelope is None:
            return PatientMatch(MatchKind.NONE)
        match = mapping.match_of(envelope.data, identity, number, self._settings)
        if match is None:
            raise HospitalUnavailable("c06.malformed")
        return match

    async def _load_menu(self) -> tuple[Service, ...]:
        types = _rows(await self._ask("/loai-kham", {}, ()))
        departments = _rows(await self._ask("/khoa", {}, ()))
        services = _rows(await self._ask("/dichvu", {}, (None,)))
        built = menu.build(types, departments, services, self._settings)
        if built.unknown_types and not self._told_unknown_types:
            self._told_unknown_types = True
            log.warning("C06: %d services name an exam type that the HIS does not list", built.unknown_types)
        return built.services

    async def _ask(
        self, path: str, fields: Mapping[str, str], signed: tuple[str | None, ...], may_be_absent: bool = False
    ) -> Envelope | None:
        self._refuse_while_paused()
        return self._judge(await self._client.get(path, fields, signed), may_be_absent)

    def _judge(self, end: Answer | NoAnswer, may_be_absent: bool = False) -> Envelope | None:
        try:
            return question_outcome(end, self._settings, may_be_absent)
        except HospitalUnavailable as failure:
            if failure.reason == SIGNATURE:
                self._pause()
            raise

    def _pause(self) -> None:
        self._paused_until = self._monotonic() + _SIGNATURE_PAUSE_S
        log.error("C06: the HIS refuses our merchant, secret or clock; nothing is sent for %d s", _SIGNATURE_PAUSE_S)

    def _refuse_while_paused(self) -> None:
        left = (self._paused_until or 0.0) - self._monotonic()
        if self._paused_until is not None and left > 0:
            raise HospitalUnavailable(SIGNATURE, retry_after=left)


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
        queue_number=QueueNumber.IN_RECEIPT,
    )


def _rows(envelope: Envelope | None) -> list[Any]:
    if envelope is None or not isinstance(envelope.data, list):
        raise HospitalUnavailable("c06.malformed")
    return envelope.data


def _own_id(visit: Mapping[str, Any]) -> str:
    inner = (mapping.section(visit, name) for name in ("THONG_TIN_DICH_VU", "THONG_TIN_DANG_KY", "THONG_TIN_TIEP_NHAN"))
    marks = (part.get("DU_PHONG") for part in (visit, *inner))
    return next((found for mark in marks if (found := mapping.checkin_id(mark))), "")


def _problem(reason: str) -> str:
    if reason == SIGNATURE:
        return "the HIS refuses the signature: check merchant, secret and clock"
    if reason in ("c06.unreachable", "c06.connect_timeout"):
        return "the HIS cannot be reached"
    if reason == "c06.tls":
        return "the HIS's certificate is not trusted or TLS failed: check ca_file"
    return f"the HIS does not answer as agreed ({reason})"
