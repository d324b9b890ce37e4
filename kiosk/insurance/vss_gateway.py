"""Asks the Vietnam Social Security gateway directly: the EligibilityGateway of facilities whose IP is registered.

Call ``KQNhanLichSuKCB2024`` (insurance-gateway.md 0-3, 6). One lookup, top to bottom: the number is checked, the same
question is shared, a turn is waited for, a token taken, the question asked, repeated where the rules allow it, and the
answer judged by ``card_choice``.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime

from kiosk.errors import GatewayMisconfigured, GatewayUnavailable
from kiosk.insurance.card_choice import Decision, decide
from kiosk.insurance.limits import Breaker, Throttle
from kiosk.insurance.shared_calls import SharedCalls
from kiosk.insurance.vss_answer import Answer, parse_answer
from kiosk.insurance.vss_call import LookupCall
from kiosk.insurance.vss_codes import REPEATABLE, Reason, rule_for
from kiosk.insurance.vss_http import GatewayHttp, HttpAnswer
from kiosk.insurance.vss_settings import VssSettings
from kiosk.insurance.vss_token import Token, TokenCache, parse_login
from kiosk.model import AdapterHealth, Eligibility, EligibilityClass, LookupKey, Moment
from kiosk.ports import Clock

_REFUSED_TOKEN = "401"
_OUR_MISTAKE = "205"

_log = logging.getLogger(__name__)


def utc_now() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class _Failure:
    """Why there is no answer about the person; ``code`` when the gateway named one."""

    status: EligibilityClass
    reason: Reason
    code: str | None = None


@dataclass(slots=True)
class _Progress:
    """What is known of a question while it runs, so that a time-out can still be told honestly."""

    asked_at: datetime
    started: float
    attempts: int = 0
    reached: bool = False
    waits_for_turn: bool = False
    token: Token | None = None
    code: str | None = None


@dataclass(frozen=True, slots=True)
class _Outcome:
    """One question, finished; callers who share it judge it each for their own key and day."""

    finding: Answer | _Failure
    asked_at: datetime
    result_code: str | None
    attempts: int
    reached: bool
    latency_ms: int

    @property
    def about_the_person(self) -> bool:
        return isinstance(self.finding, Answer) and not rule_for(self.finding.code).status.unanswered


class VssGateway:
    """The gateway of one facility account, as kiosk.ports.EligibilityGateway.

    ``reached_gateway`` of an answer: an HTTP answer to the question itself came back; False when nothing came, even if
    a request had been written, and when only the login was answered, because then no question got out. ``attempts``:
    how often it was tried, login included; 0 when nothing was sent. ``result_code``: the last one that could be read,
    a refused login's too. ``reason``: a value of kiosk.insurance.vss_codes.Reason.

    ConfigError when the CA bundle cannot be read.
    """

    def __init__(
        self, settings: VssSettings, *, clock: Clock = utc_now, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        """Prepare; nothing is sent before the first lookup or check."""
        self._settings = settings
        self._clock = clock
        self._monotonic = monotonic
        digest = hashlib.md5(settings.password.encode(), usedforsecurity=False).hexdigest()
        self._password_hash = digest.upper() if settings.md5_case == "upper" else digest
        self._http = GatewayHttp(settings)
        self._tokens = TokenCache(self._log_in, backoff=settings.login_backoff, monotonic=monotonic)
        self._throttle = Throttle(settings.max_in_flight, settings.per_second, monotonic)
        self._breaker = Breaker(settings.breaker_failures, settings.breaker_seconds, monotonic)
        self._questions: SharedCalls[_Outcome] = SharedCalls(
            settings.dedup_seconds, lambda outcome: outcome.about_the_person
        )
        self._alarm: str | None = None
        self._closed = False

    async def lookup(self, key: LookupKey, visit_day: date, moment: Moment = Moment.ARRIVAL) -> Eligibility:
        """Ask about *key* for a visit on *visit_day* (Vietnam's calendar day); always ends within ``total_timeout``.

        Equal number, name and birth date share one call, also for ``dedup_seconds`` after an answer about the person.
        Raises nothing but asyncio.CancelledError: refusals, outages and nonsense are classes of the answer.
        """
        try:
            call = LookupCall.of(key)
        except ValueError:
            return self._unasked(EligibilityClass.NEEDS_STAFF, Reason.BAD_KEY)
        if self._closed:
            return self._unasked(EligibilityClass.CANNOT_SAY, Reason.CLOSED)
        try:
            outcome = await self._questions.run(call, lambda: self._ask(call))
            return _judged(outcome, key, visit_day)
        except GatewayUnavailable as error:
            return self._unasked(EligibilityClass.CANNOT_SAY, Reason(error.reason))
        except Exception as error:
            # The port promises that no fault of ours stops a check-in; text of the error could name the person.
            _log.error("insurance lookup failed inside: %s", type(error).__name__)
            return self._unasked(EligibilityClass.CANNOT_SAY, Reason.INTERNAL_ERROR)

    async def check(self) -> AdapterHealth:
        """Log in, ask nothing; never raises. While a refused login's back-off lasts, that refusal is the result."""
        started = self._monotonic()
        try:
            await self._tokens.renew()
        except GatewayMisconfigured as error:
            return AdapterHealth(False, (f"the gateway refuses the account with code {error.reason}",))
        except GatewayUnavailable as error:
            return AdapterHealth(False, (f"no usable answer to the login: {error.reason}",))
        return AdapterHealth(True, details={"login_ms": self._milliseconds_since(started)})

    async def close(self) -> None:
        """End running questions (their callers get ``cannot_say``) and release all connections."""
        self._closed = True
        await self._questions.close()
        await self._tokens.close()
        await self._http.close()

    async def _ask(self, call: LookupCall) -> _Outcome:
        progress = _Progress(self._clock(), self._monotonic())
        finding: Answer | _Failure
        try:
            async with asyncio.timeout(self._settings.total_timeout):
                finding = await self._with_repeats(call, progress)
        except TimeoutError:
            reason = Reason.THROTTLED if progress.waits_for_turn else Reason.NET_TIMEOUT
            finding = _Failure(EligibilityClass.CANNOT_SAY, reason)
        outcome = _Outcome(
            finding,
            progress.asked_at,
            finding.code or progress.code,
            progress.attempts,
            progress.reached,
            self._milliseconds_since(progress.started),
        )
        self._tell_operators(outcome, call)
        return outcome

    async def _with_repeats(self, call: LookupCall, progress: _Progress) -> Answer | _Failure:
        logged_in_again = repeated = False
        while True:
            finding = await self._attempt(call, progress)
            if _token_refused(finding) and progress.token is not None and not logged_in_again:
                logged_in_again = True
                self._tokens.drop(progress.token)
            elif not repeated and self._worth_repeating(finding, progress):
                repeated = True
                progress.code = finding.code
                await asyncio.sleep(self._settings.retry_pause)
            else:
                return finding

    def _worth_repeating(self, finding: Answer | _Failure, progress: _Progress) -> bool:
        passed = self._monotonic() - progress.started
        if passed + self._settings.retry_pause >= self._settings.total_timeout:
            return False
        if isinstance(finding, Answer):
            return finding.code in REPEATABLE
        return finding.reason is Reason.NET_CONNECT

    async def _attempt(self, call: LookupCall, progress: _Progress) -> Answer | _Failure:
        try:
            answer = await self._exchange(call, progress)
        except GatewayMisconfigured as error:
            return _Failure(EligibilityClass.MISCONFIGURED, rule_for(error.reason).reason, error.reason)
        except GatewayUnavailable as error:
            return _Failure(EligibilityClass.CANNOT_SAY, Reason(error.reason))
        parsed = parse_answer(answer.status, answer.body)
        return _Failure(EligibilityClass.CANNOT_SAY, parsed) if isinstance(parsed, Reason) else parsed

    async def _exchange(self, call: LookupCall, progress: _Progress) -> HttpAnswer:
        self._refuse_at_once()
        progress.waits_for_turn = True
        async with self._throttle.slot():
            progress.waits_for_turn = False
            self._refuse_at_once()
            with self._breaker.attempt():
                progress.attempts += 1
                progress.token = await self._tokens.get()
                return await self._put_question(call, progress.token, progress)

    async def _put_question(self, call: LookupCall, token: Token, progress: _Progress) -> HttpAnswer:
        settings = self._settings
        try:
            answer = await self._http.post(
                settings.lookup_path,
                call.body(settings.officer_name, settings.officer_id),
                encoding=settings.encoding,
                query={
                    "token": token.access,
                    "id_token": token.id,
                    "username": settings.account,
                    "password": self._password_hash,
                },
            )
        except GatewayUnavailable as error:
            progress.reached = progress.reached or error.reached
            raise
        progress.reached = True
        return answer

    def _refuse_at_once(self) -> None:
        if self._tokens.refusal is not None:
            raise GatewayMisconfigured(self._tokens.refusal)
        if self._breaker.refuses:
            raise GatewayUnavailable(Reason.BREAKER_OPEN)

    async def _log_in(self) -> Token:
        fields = {"username": self._settings.account, "password": self._password_hash}
        try:
            async with asyncio.timeout(self._settings.total_timeout):
                answer = await self._http.post(self._settings.login_path, fields, encoding="form")
        except TimeoutError:
            raise GatewayUnavailable(Reason.NET_TIMEOUT) from None
        return parse_login(answer.status, answer.body, self._clock())

    def _unasked(self, status: EligibilityClass, reason: Reason) -> Eligibility:
        return Eligibility(status, reason, self._clock(), attempts=0)

    def _milliseconds_since(self, started: float) -> int:
        return round((self._monotonic() - started) * 1000)

    def _tell_operators(self, outcome: _Outcome, call: LookupCall) -> None:
        code = outcome.result_code
        if isinstance(outcome.finding, Answer):
            status = rule_for(outcome.finding.code).status
        else:
            status = outcome.finding.status
        if status is EligibilityClass.MISCONFIGURED:
            if self._alarm != code:
                _log.error("insurance gateway refuses this facility's account or officer: code %s", code)
            self._alarm = code
        elif outcome.about_the_person:
            self._alarm = None
        if code == _OUR_MISTAKE:
            lengths = (len(call.number), len(call.name), len(call.birth))
            _log.error("insurance gateway finds our fields malformed: number %d, name %d, birth date %d long", *lengths)


def _token_refused(finding: Answer | _Failure) -> bool:
    return isinstance(finding, Answer) and finding.code == _REFUSED_TOKEN


def _judged(outcome: _Outcome, key: LookupKey, visit_day: date) -> Eligibility:
    finding = outcome.finding
    if isinstance(finding, Answer):
        decision = decide(finding, key, visit_day)
    else:
        decision = Decision(finding.status, finding.reason)
    return Eligibility(
        status=decision.status,
        reason=decision.reason,
        asked_at=outcome.asked_at,
        result_code=outcome.result_code,
        coverage=decision.coverage,
        reached_gateway=outcome.reached,
        attempts=outcome.attempts,
        latency_ms=outcome.latency_ms,
    )
