"""Asks this facility's relay in the place of the insurer: just another EligibilityGateway.

The relay owns account, token, pace and de-duplication. A station works on without it: then nobody can say.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import date, datetime
from typing import Final

import uuid_utils
from pydantic import ValidationError

from kiosk.errors import GatewayMisconfigured, GatewayUnavailable
from kiosk.insurance import relay_wire as wire
from kiosk.insurance.judged_again import judged_again
from kiosk.insurance.relay_line import RelayLine
from kiosk.insurance.vss_codes import Reason
from kiosk.model import AdapterHealth, Attempt, Eligibility, EligibilityClass, LookupKey, Moment
from kiosk.ports import Clock

_log = logging.getLogger(__name__)

_WAY_BACK_S: Final = 1.0
"""So much earlier does the relay answer in any case: a gateway that hangs must not look like a relay that is away."""


class RelayGateway:
    """``kiosk.ports.EligibilityGateway`` through the relay.

    Answers are the relay's, as of ``VssGateway``, with evidence and the untouched body. Without one: ``cannot_say``
    with ``relay_unreachable``, ``relay_error``, ``throttled`` or ``breaker_open``, and ``misconfigured`` with
    ``relay_refused`` when the relay does not take this station's key. An answer that another station was given first
    has ``attempts`` 0: it counts as that one's lookup.
    """

    def __init__(
        self, line: RelayLine, total_timeout: float, clock: Clock, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        """No lookup lasts longer than *total_timeout* seconds."""
        self._line = line
        self._total = total_timeout
        self._clock = clock
        self._monotonic = monotonic

    async def lookup(self, key: LookupKey, visit_day: date, moment: Moment = Moment.ARRIVAL) -> Eligibility:
        """Ask about *key*. Raises nothing but asyncio.CancelledError."""
        asked_at, started = self._clock(), self._monotonic()
        try:
            question = wire.Question.of(key, visit_day, moment, max(self._total - _WAY_BACK_S, self._total / 2))
        except ValidationError:
            return Eligibility(EligibilityClass.NEEDS_STAFF, Reason.BAD_KEY, asked_at, attempts=0)
        status, reason = EligibilityClass.CANNOT_SAY, Reason.INTERNAL_ERROR
        try:
            answer = wire.Reply.model_validate_json(await self._line.post(wire.LOOKUP, question, self._total))
            found = answer.eligibility
            return judged_again(found, key, visit_day) if found.status.insured else found
        except GatewayMisconfigured:
            status, reason = EligibilityClass.MISCONFIGURED, Reason.RELAY_REFUSED
        except GatewayUnavailable as error:
            reason = Reason(error.reason)
        except ValidationError:
            reason = Reason.RELAY_ERROR
        except Exception as error:
            # The port promises that no fault of ours stops a check-in; text of the error could name the person.
            _log.error("asking the relay failed inside: %s", type(error).__name__)
        return self._none(status, reason, key, asked_at, started)

    async def check(self) -> AdapterHealth:
        """Let the relay probe the gateway; never raises."""
        try:
            answer = wire.Checked.model_validate_json(await self._line.post(wire.CHECK, wire.Nothing(), self._total))
        except GatewayMisconfigured:
            return AdapterHealth(False, ("the relay refuses this station's key",))
        except (GatewayUnavailable, ValidationError) as error:
            reason = error.reason if isinstance(error, GatewayUnavailable) else Reason.RELAY_ERROR
            return AdapterHealth(False, (f"the relay does not answer: {reason}",))
        return AdapterHealth(answer.ok, answer.problems, answer.details)

    async def close(self) -> None:
        """Release connections."""
        await self._line.close()

    def _none(
        self, status: EligibilityClass, reason: Reason, key: LookupKey, asked_at: datetime, started: float
    ) -> Eligibility:
        """No answer, with the call as evidence if one was made."""
        if reason is Reason.BREAKER_OPEN:
            return Eligibility(status, reason, asked_at, attempts=0)
        latency = round((self._monotonic() - started) * 1000)
        call = Attempt(str(uuid_utils.uuid7()), asked_at, key.kind, reason, latency_ms=latency)
        return Eligibility(status, reason, asked_at, latency_ms=latency, key_kind=key.kind, trail=(call,))
