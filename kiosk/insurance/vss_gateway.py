"""Asks the Vietnam Social Security gateway directly: the EligibilityGateway of facilities whose IP is registered.

Call ``KQNhanLichSuKCB2024`` (insurance-gateway.md 0-3, 6). One lookup, top to bottom: the number is checked, the same
question is shared, put by ``vss_question``, followed by others where the rules allow it (``vss_fallback``), and each
answer judged by ``card_choice``.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date

from kiosk.errors import GatewayMisconfigured, GatewayUnavailable
from kiosk.insurance.card_choice import Decision, decide, held_of
from kiosk.insurance.shared_calls import SharedCalls
from kiosk.insurance.vss_answer import Answer
from kiosk.insurance.vss_call import LookupCall, normal_number
from kiosk.insurance.vss_codes import Reason
from kiosk.insurance.vss_fallback import next_call
from kiosk.insurance.vss_question import Outcome, Questions, utc_now
from kiosk.insurance.vss_settings import VssSettings
from kiosk.model import AdapterHealth, Eligibility, EligibilityClass, LookupKey, Moment
from kiosk.ports import Clock, OfficerDuty

_log = logging.getLogger(__name__)


class VssGateway:
    """The gateway of one facility account, as kiosk.ports.EligibilityGateway.

    ``reached_gateway`` of an answer: an HTTP answer to the question itself came back; False when nothing came, even if
    a request had been written, and when only the login was answered, because then no question got out. ``attempts``:
    how often it was tried, login included; 0 when nothing was sent. ``result_code``: the last one that could be read,
    a refused login's too. ``reason``: a value of kiosk.insurance.vss_codes.Reason.

    ConfigError when the CA bundle cannot be read.
    """

    def __init__(
        self,
        settings: VssSettings,
        officers: OfficerDuty,
        *,
        clock: Clock = utc_now,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare; nothing is sent before the first lookup or check. *officers*: who answers for each lookup."""
        self._total = settings.total_timeout
        self._clock = clock
        self._monotonic = monotonic
        self._questions = Questions(settings, officers, clock=clock, monotonic=monotonic)
        self._shared: SharedCalls[Outcome] = SharedCalls(
            settings.dedup_seconds, lambda outcome: outcome.about_the_person
        )
        self._closed = False

    async def lookup(self, key: LookupKey, visit_day: date, moment: Moment = Moment.ARRIVAL) -> Eligibility:
        """Ask about *key* for a visit on *visit_day* (Vietnam's calendar day); always ends within ``total_timeout``.

        Equal number, name and birth date share one call, also for ``dedup_seconds`` after an answer about the person.
        People who stand there go before questions of any other *moment*. Where section 3 allows another question (the
        card's number, the name without accents), it is put too; its answer stands unless it is none.
        Raises nothing but asyncio.CancelledError: refusals, outages and nonsense are classes of the answer.
        """
        try:
            call = LookupCall.of(key)
        except ValueError:
            return self._unasked(EligibilityClass.NEEDS_STAFF, Reason.BAD_KEY)
        if self._closed:
            return self._unasked(EligibilityClass.CANNOT_SAY, Reason.CLOSED)
        try:
            return await self._whole(call, key, visit_day, moment)
        except GatewayUnavailable as error:
            return self._unasked(EligibilityClass.CANNOT_SAY, Reason(error.reason))
        except Exception as error:
            # The port promises that no fault of ours stops a check-in; text of the error could name the person.
            _log.error("insurance lookup failed inside: %s", type(error).__name__)
            return self._unasked(EligibilityClass.CANNOT_SAY, Reason.INTERNAL_ERROR)

    async def check(self) -> AdapterHealth:
        """Log in, ask nothing; never raises. While a refused login's back-off lasts, that refusal is the result.

        Details: ``login_ms``, and where it can be seen ``clock_offset_s`` (this machine's clock less the gateway's) and
        ``certificate_days`` (until the gateway's certificate ends).
        """
        started = self._monotonic()
        try:
            await self._questions.tokens.renew()
        except GatewayMisconfigured as error:
            return AdapterHealth(False, (f"the gateway refuses the account with code {error.reason}",))
        except GatewayUnavailable as error:
            return AdapterHealth(False, (f"no usable answer to the login: {error.reason}",))
        taken = round((self._monotonic() - started) * 1000)
        return AdapterHealth(True, details={"login_ms": taken, **self._questions.surroundings})

    async def close(self) -> None:
        """End running questions (their callers get ``cannot_say``) and release all connections."""
        self._closed = True
        await self._shared.close()
        await self._questions.close()

    async def _whole(self, call: LookupCall, key: LookupKey, day: date, moment: Moment) -> Eligibility:
        ends = self._monotonic() + self._total
        others = (key.number, *key.other_numbers)
        standing = _judged(await self._ask(call, moment, self._total), key, day)
        before: list[Eligibility] = []
        asked = [call]
        while (following := next_call(asked[-1], standing.result_code or "", others, asked)) is not None:
            left = ends - self._monotonic()
            if left <= 0:
                break
            asked.append(following)
            newer = _judged(await self._ask(following, moment, left), key, day)
            if newer.status.unanswered:
                before.append(newer)
                break
            before.append(standing)
            standing = newer
        return replace(standing, earlier=tuple(before)) if before else standing

    async def _ask(self, call: LookupCall, moment: Moment, within: float) -> Outcome:
        return await self._shared.run(call, lambda: self._questions.ask(call, moment, within))

    def _unasked(self, status: EligibilityClass, reason: Reason) -> Eligibility:
        return Eligibility(status, reason, self._clock(), attempts=0)


def _judged(outcome: Outcome, key: LookupKey, visit_day: date) -> Eligibility:
    finding = outcome.finding
    held = None
    if isinstance(finding, Answer):
        decision = decide(finding, key, visit_day)
        held = None if decision.reason is Reason.WRONG_PERSON else held_of(finding, key)
    else:
        decision = Decision(finding.status, finding.reason)
    return Eligibility(
        status=decision.status,
        reason=decision.reason,
        asked_at=outcome.asked_at,
        result_code=outcome.result_code,
        coverage=decision.coverage,
        notices=decision.notices,
        reached_gateway=outcome.reached,
        attempts=outcome.attempts,
        latency_ms=outcome.latency_ms,
        key_kind=normal_number(outcome.call.number)[0],
        held=held,
        trail=outcome.trail,
        answer=outcome.body,
    )
