"""One question to the gateway, with the repeats that the rules allow, and the evidence of each call.

The number was checked before; here a turn is waited for, an officer named, a token taken, the question put, and put
again after a refused token (once), a fault of the gateway's own or a connection that could not be made (once).
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import uuid_utils

from kiosk.errors import GatewayMisconfigured, GatewayUnavailable
from kiosk.insurance.limits import Breaker, Throttle
from kiosk.insurance.vss_answer import Answer, parse_answer
from kiosk.insurance.vss_call import LookupCall, normal_number
from kiosk.insurance.vss_codes import REPEATABLE, Reason, rule_for
from kiosk.insurance.vss_http import GatewayHttp, HttpAnswer
from kiosk.insurance.vss_settings import VssSettings
from kiosk.insurance.vss_token import Token, TokenCache, parse_login
from kiosk.model import Attempt, EligibilityClass, Moment, Officer
from kiosk.ports import Clock, OfficerDuty

MAX_CALLS = 3
"""HTTP calls of one question at most: the first, one after a refused token, one repeat."""

_REFUSED_TOKEN = "401"
_OFFICER_CODES = frozenset({"054", "055"})
_SAYS_NOTHING_OF_THE_OFFICER = frozenset({"205", "401", "402", "403"}) | REPEATABLE
_OUR_MISTAKE = "205"
_URGENT = frozenset({Moment.ARRIVAL, Moment.STAFF})

_log = logging.getLogger(__name__)


def utc_now() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Failure:
    """Why there is no answer about the person; ``code`` when the gateway named one."""

    status: EligibilityClass
    reason: Reason
    code: str | None = None


@dataclass(slots=True)
class _Progress:
    """What is known of a question while it runs, so that a time-out can still be told honestly."""

    asked_at: datetime
    started: float
    urgent: bool
    attempts: int = 0
    reached: bool = False
    waits_for_turn: bool = False
    token: Token | None = None
    code: str | None = None
    body: bytes | None = None
    calling: tuple[str, datetime, float] | None = None
    trail: list[Attempt] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Outcome:
    """One question, finished; callers who share it judge it each for their own key and day.

    ``body``: the untouched last answer that was a JSON object with a result code.
    """

    call: LookupCall
    finding: Answer | Failure
    asked_at: datetime
    result_code: str | None
    attempts: int
    reached: bool
    latency_ms: int
    trail: tuple[Attempt, ...]
    body: bytes | None = field(default=None, repr=False)

    @property
    def about_the_person(self) -> bool:
        """True when the gateway said something about the person, insured or not."""
        return isinstance(self.finding, Answer) and not rule_for(self.finding.code).status.unanswered


class Questions:
    """Puts questions under one facility account.

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
        """Prepare; nothing is sent yet. *officers*: who answers for each question."""
        self._settings = settings
        self._officers = officers
        self._clock = clock
        self._monotonic = monotonic
        digest = hashlib.md5(settings.password.encode(), usedforsecurity=False).hexdigest()
        self._password_hash = digest.upper() if settings.md5_case == "upper" else digest
        self._http = GatewayHttp(settings)
        self.tokens = TokenCache(self._log_in, backoff=settings.login_backoff, monotonic=monotonic)
        self._throttle = Throttle(settings.max_in_flight, settings.per_second, monotonic)
        self._breaker = Breaker(settings.breaker_failures, settings.breaker_seconds, monotonic)
        self._alarm: str | None = None
        self.surroundings: dict[str, int] = {}
        """What the newest login showed besides a token: ``clock_offset_s`` (ours less theirs), ``certificate_days``."""

    async def ask(self, call: LookupCall, moment: Moment, within: float) -> Outcome:
        """Put *call*; ends within *within* seconds and raises only asyncio.CancelledError."""
        progress = _Progress(self._clock(), self._monotonic(), moment in _URGENT)
        finding: Answer | Failure
        try:
            async with asyncio.timeout(within):
                finding = await self._with_repeats(call, progress, within)
        except TimeoutError:
            reason = Reason.THROTTLED if progress.waits_for_turn else Reason.NET_TIMEOUT
            finding = Failure(EligibilityClass.CANNOT_SAY, reason)
            self._note(call, progress, finding, None)
        outcome = Outcome(
            call,
            finding,
            progress.asked_at,
            finding.code or progress.code,
            progress.attempts,
            progress.reached,
            self._milliseconds_since(progress.started),
            tuple(progress.trail),
            progress.body,
        )
        self._tell_operators(outcome, call)
        return outcome

    async def close(self) -> None:
        """Release all connections."""
        await self.tokens.close()
        await self._http.close()

    async def _with_repeats(self, call: LookupCall, progress: _Progress, within: float) -> Answer | Failure:
        logged_in_again = repeated = False
        while True:
            finding = await self._attempt(call, progress)
            if _token_refused(finding) and progress.token is not None and not logged_in_again:
                logged_in_again = True
                self.tokens.drop(progress.token)
            elif not repeated and self._worth_repeating(finding, progress, within):
                repeated = True
                progress.code = finding.code
                await asyncio.sleep(self._settings.retry_pause)
            else:
                return finding

    def _worth_repeating(self, finding: Answer | Failure, progress: _Progress, within: float) -> bool:
        passed = self._monotonic() - progress.started
        if passed + self._settings.retry_pause >= within:
            return False
        if isinstance(finding, Answer):
            return finding.code in REPEATABLE
        return finding.reason is Reason.NET_CONNECT

    async def _attempt(self, call: LookupCall, progress: _Progress) -> Answer | Failure:
        answer = None
        finding: Answer | Failure
        try:
            answer = await self._exchange(call, progress)
        except GatewayMisconfigured as error:
            finding = Failure(EligibilityClass.MISCONFIGURED, rule_for(error.reason).reason, error.reason)
        except GatewayUnavailable as error:
            ours = error.reason == Reason.NO_OFFICER
            status = EligibilityClass.MISCONFIGURED if ours else EligibilityClass.CANNOT_SAY
            finding = Failure(status, Reason(error.reason))
        else:
            parsed = parse_answer(answer.status, answer.body)
            finding = Failure(EligibilityClass.CANNOT_SAY, parsed) if isinstance(parsed, Reason) else parsed
            if isinstance(parsed, Answer) and answer.body:
                progress.body = answer.body
        self._note(call, progress, finding, answer)
        return finding

    async def _exchange(self, call: LookupCall, progress: _Progress) -> HttpAnswer:
        self._refuse_at_once()
        progress.waits_for_turn = True
        async with self._throttle.slot(urgent=progress.urgent):
            progress.waits_for_turn = False
            self._refuse_at_once()
            officer = self._officers.current()
            if officer is None:
                raise GatewayUnavailable(Reason.NO_OFFICER)
            with self._breaker.attempt():
                progress.attempts += 1
                progress.calling = (str(uuid_utils.uuid7()), self._clock(), self._monotonic())
                progress.token = await self.tokens.get()
                answer = await self._put(call, progress.token, officer, progress)
        self._tell_officers(officer, answer)
        return answer

    async def _put(self, call: LookupCall, token: Token, officer: Officer, progress: _Progress) -> HttpAnswer:
        settings = self._settings
        try:
            answer = await self._http.post(
                settings.lookup_path,
                call.body(officer.full_name, officer.citizen_number),
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

    def _note(
        self, call: LookupCall, progress: _Progress, finding: Answer | Failure, answer: HttpAnswer | None
    ) -> None:
        """Keep the call that has just ended as evidence; nothing when none was made."""
        if progress.calling is None:
            return
        request_id, asked_at, started = progress.calling
        progress.calling = None
        reason = rule_for(finding.code).reason if isinstance(finding, Answer) else finding.reason
        progress.trail.append(
            Attempt(
                request_id,
                asked_at,
                normal_number(call.number)[0],
                reason,
                finding.code,
                answer.status if answer else None,
                self._milliseconds_since(started),
            )
        )

    def _refuse_at_once(self) -> None:
        if self.tokens.refusal is not None:
            raise GatewayMisconfigured(self.tokens.refusal)
        if self._breaker.refuses:
            raise GatewayUnavailable(Reason.BREAKER_OPEN)

    async def _log_in(self) -> Token:
        fields = {"username": self._settings.account, "password": self._password_hash}
        try:
            async with asyncio.timeout(self._settings.total_timeout):
                answer = await self._http.post(self._settings.login_path, fields, encoding="form")
        except TimeoutError:
            raise GatewayUnavailable(Reason.NET_TIMEOUT) from None
        now = self._clock()
        self.surroundings = {}
        if answer.said_at is not None:
            self.surroundings["clock_offset_s"] = round((now - answer.said_at).total_seconds())
        if answer.certificate_ends is not None:
            self.surroundings["certificate_days"] = (answer.certificate_ends - now).days
        return parse_login(answer.status, answer.body, now)

    def _milliseconds_since(self, started: float) -> int:
        return round((self._monotonic() - started) * 1000)

    def _tell_officers(self, officer: Officer, answer: HttpAnswer) -> None:
        parsed = parse_answer(answer.status, answer.body)
        if not isinstance(parsed, Answer):
            return
        if parsed.code in _OFFICER_CODES:
            self._officers.refused(officer, parsed.code)
        elif parsed.code not in _SAYS_NOTHING_OF_THE_OFFICER:
            self._officers.accepted(officer)

    def _tell_operators(self, outcome: Outcome, call: LookupCall) -> None:
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


def _token_refused(finding: Answer | Failure) -> bool:
    return isinstance(finding, Answer) and finding.code == _REFUSED_TOKEN
