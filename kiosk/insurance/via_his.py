"""Lets the hospital system ask the insurer for us, where it does so anyway (his-kiosk-c06.md 0, point 8)."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from typing import Final

import uuid_utils
from pydantic import TypeAdapter

from kiosk.errors import ConfigError, GatewayUnavailable, HospitalError, HospitalUnavailable
from kiosk.insurance.judged_again import by_code, judged_again
from kiosk.insurance.limits import Breaker
from kiosk.insurance.shared_calls import SharedCalls
from kiosk.insurance.vss_call import LookupCall
from kiosk.insurance.vss_codes import Reason
from kiosk.model import AdapterHealth, Attempt, Eligibility, EligibilityClass, LookupKey, Moment
from kiosk.ports import Clock, HospitalAdapter

_log = logging.getLogger(__name__)

_FAILURES: Final = 5
_OPEN_SECONDS: Final = 60.0
_SERVES_AGAIN_S: Final = 60.0
"""The same figures as of the direct way (insurance-gateway.md 1.6): behind the hospital stands the same gateway."""
_SAID: Final = TypeAdapter(Eligibility)


class ViaHospital:
    """``kiosk.ports.EligibilityGateway`` through the hospital adapter's capability ``eligibility``.

    Equal questions share one call, also for a minute after an answer about the person. ``answer``: what the hospital
    said, as canonical JSON. Without one: ``cannot_say`` with ``his_unavailable`` (nothing processed there),
    ``his_error`` (refused or unclear), ``net_timeout`` or ``breaker_open``.
    """

    def __init__(
        self,
        hospital: HospitalAdapter,
        total_timeout: float,
        clock: Clock,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """No lookup lasts longer than *total_timeout* seconds. ConfigError when the adapter cannot ask."""
        if not hospital.capabilities.eligibility:
            raise ConfigError("insurance.adapter: via_his needs a hospital adapter that can look people up")
        self._hospital = hospital
        self._total = total_timeout
        self._clock = clock
        self._monotonic = monotonic
        self._breaker = Breaker(_FAILURES, _OPEN_SECONDS, monotonic, "the hospital system, asked for lookups,")
        self._shared: SharedCalls[Eligibility] = SharedCalls(
            _SERVES_AGAIN_S, lambda answer: not answer.status.unanswered
        )

    async def lookup(self, key: LookupKey, visit_day: date, moment: Moment = Moment.ARRIVAL) -> Eligibility:
        """Ask about *key*. Raises nothing but asyncio.CancelledError."""
        try:
            same = LookupCall.of(key)
        except ValueError:
            return Eligibility(EligibilityClass.NEEDS_STAFF, Reason.BAD_KEY, self._clock(), attempts=0)
        try:
            answer = await self._shared.run((same, key.sex), lambda: self._ask(key))
        except GatewayUnavailable as error:
            return Eligibility(EligibilityClass.CANNOT_SAY, Reason(error.reason), self._clock(), attempts=0)
        return judged_again(by_code(answer), key, visit_day)

    async def check(self) -> AdapterHealth:
        """The hospital's own check: nobody can be looked up without a person."""
        return await self._hospital.check()

    async def close(self) -> None:
        """End running questions; the adapter belongs to others."""
        await self._shared.close()

    async def _ask(self, key: LookupKey) -> Eligibility:
        asked_at, started = self._clock(), self._monotonic()
        try:
            with self._breaker.attempt():
                said = await self._said(key)
        except GatewayUnavailable as error:
            if error.reason == Reason.BREAKER_OPEN:
                raise
            return self._ended(
                Eligibility(EligibilityClass.CANNOT_SAY, Reason(error.reason), asked_at), key, asked_at, started
            )
        if said.attempts == 0:
            return replace(said, earlier=(), trail=(), answer=None)
        untouched = json.dumps(
            _SAID.dump_python(said, mode="json", exclude={"answer", "trail", "earlier"}),
            ensure_ascii=False,
            sort_keys=True,
            separators=(",", ":"),
        )
        answer = replace(said, reached_gateway=not said.status.unanswered, earlier=(), answer=untouched.encode())
        return self._ended(answer, key, asked_at, started)

    async def _said(self, key: LookupKey) -> Eligibility:
        try:
            async with asyncio.timeout(self._total):
                return await self._hospital.eligibility(key)
        except TimeoutError:
            raise GatewayUnavailable(Reason.NET_TIMEOUT) from None
        except HospitalUnavailable:
            raise GatewayUnavailable(Reason.HIS_UNAVAILABLE) from None
        except HospitalError:
            raise GatewayUnavailable(Reason.HIS_ERROR, reached=True) from None
        except Exception as error:
            # A plug-in's own fault must not stop a check-in; text of the error could name the person.
            _log.error("the hospital adapter failed inside a lookup: %s", type(error).__name__)
            raise GatewayUnavailable(Reason.INTERNAL_ERROR) from None

    def _ended(self, answer: Eligibility, key: LookupKey, asked_at: datetime, started: float) -> Eligibility:
        latency = round((self._monotonic() - started) * 1000)
        call = Attempt(
            str(uuid_utils.uuid7()), asked_at, key.kind, answer.reason, answer.result_code, latency_ms=latency
        )
        return replace(answer, asked_at=asked_at, attempts=1, latency_ms=latency, key_kind=key.kind, trail=(call,))
