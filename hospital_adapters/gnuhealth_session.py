"""A session with a Tryton server: logs in, names us in every call, and says in our errors what came of a call.

=====================================================  ==================  ===================  ====================
End of a call                                          a question          a preparation        a visit
=====================================================  ==================  ===================  ====================
nothing left this machine, or the login failed         HospitalUnavailable the same             the same
the session is not known (401, 403)                    log in once, again  the same             the same
429; the database is busy; somebody wrote meanwhile    HospitalUnavailable the same             the same
UserError and other errors that the server reports     HospitalUnavailable HospitalRejected     HospitalRejected
404 405 413 415: no such database, no such server      HospitalUnavailable the same             the same
anything else: time-out, reset, 5xx, HTML, nonsense    HospitalUnavailable the same             HospitalOutcomeUnknown
=====================================================  ==================  ===================  ====================

A *preparation* writes what is harmless if it stays behind and is found again by the next attempt: a patient, a card.
"""

from __future__ import annotations

import asyncio
import base64
import itertools
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from hospital_adapters import gnuhealth_wire as wire
from hospital_adapters.gnuhealth_settings import GnuHealthSettings
from hospital_adapters.gnuhealth_wire import Failure
from hospital_adapters.http_line import Answer, HttpLine, NoAnswer
from kiosk.errors import HospitalOutcomeUnknown, HospitalRejected, HospitalUnavailable

log = logging.getLogger(__name__)

LOGIN = "gnuhealth.login"
FORBIDDEN = "gnuhealth.forbidden"
USER_ERROR = "gnuhealth.user_error"
_PAUSE_S = 60.0
_STRANGER = (401, 403)
_NOT_THERE = (404, 405, 413, 415)
_TRY_AGAIN = (Failure.CONCURRENCY, Failure.DATABASE_BUSY)
_CONTEXT_KEYS = ("company", "employee", "language")


class Kind(StrEnum):
    """What a call does there, which decides what a lost answer means."""

    QUESTION = "question"
    PREPARATION = "preparation"
    VISIT = "visit"


@dataclass(frozen=True, slots=True)
class _Ticket:
    """A session of ours. ``context``: what every call carries, as Tryton's own clients do."""

    authorization: str
    context: dict[str, Any]


class Session:
    """Calls of one account. After a refused login nothing is sent for a minute, because the server delays and at last
    locks out who keeps trying: HospitalUnavailable ``gnuhealth.login``.
    """

    def __init__(
        self, settings: GnuHealthSettings, password: str, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        """Nothing is opened yet. ConfigError when ``ca_file`` cannot be read."""
        self._settings = settings
        self._password = password
        self._monotonic = monotonic
        self._target = f"{settings.url}/{settings.database}/"
        self._line = HttpLine(settings.url, settings.ca_file, settings.timeouts.connect)
        self._numbers = itertools.count(1)
        self._lock = asyncio.Lock()
        self._ticket: _Ticket | None = None
        self._paused_until: float | None = None
        self.server_date: datetime | None = None

    async def call(self, kind: Kind, method: str, *params: Any, context: dict[str, Any] | None = None) -> Any:
        """The value of ``model.MODEL.METHOD``; *context* is added to the session's. Errors: the table above."""
        stale: _Ticket | None = None
        for _ in range(2):
            ticket = await self._logged_in(stale)
            end, number = await self._send(kind, method, [*params, ticket.context | (context or {})], ticket)
            if not _unknown_session(end, number):
                return _judge(end, number, kind)
            stale = ticket
        raise HospitalUnavailable(FORBIDDEN)

    async def close(self) -> None:
        """Release connections; the server forgets the session by itself."""
        await self._line.close()

    async def _send(
        self, kind: Kind, method: str, params: list[Any], ticket: _Ticket | None
    ) -> tuple[Answer | NoAnswer, int]:
        number = next(self._numbers)
        limit = self._settings.timeouts.visit if kind is Kind.VISIT else self._settings.timeouts.ask
        headers = {"content-type": "application/json"} | ({"authorization": ticket.authorization} if ticket else {})
        end = await self._line.call("POST", self._target, headers, wire.request(number, method, params), limit)
        if isinstance(end, Answer):
            self.server_date = end.date
        return end, number

    async def _logged_in(self, stale: _Ticket | None) -> _Ticket:
        async with self._lock:
            if self._ticket is None or self._ticket is stale:
                self._ticket = None
                self._ticket = await self._login()
            return self._ticket

    async def _login(self) -> _Ticket:
        left = (self._paused_until or 0.0) - self._monotonic()
        if self._paused_until is not None and left > 0:
            raise HospitalUnavailable(LOGIN, retry_after=left)
        user = self._settings.user
        end, number = await self._send(Kind.QUESTION, "common.db.login", [user, {"password": self._password}], None)
        if _unknown_session(end, number) or (isinstance(end, Answer) and end.status == 429):
            self._paused_until = self._monotonic() + _PAUSE_S
            log.error("GNU Health: the login is refused; nothing is sent for %d s", _PAUSE_S)
            raise HospitalUnavailable(LOGIN, retry_after=_PAUSE_S)
        match _judge(end, number, Kind.QUESTION):
            case [int(uid), str(key)]:
                secret = base64.b64encode(f"{user}:{uid}:{key}".encode(errors="replace")).decode()
            case _:
                raise HospitalUnavailable("gnuhealth.malformed")
        bare = _Ticket(f"Session {secret}", {})
        end, number = await self._send(Kind.QUESTION, "model.res.user.get_preferences", [True, {}], bare)
        preferences = _judge(end, number, Kind.QUESTION)
        if not isinstance(preferences, dict):
            raise HospitalUnavailable("gnuhealth.malformed")
        return _Ticket(bare.authorization, {key: preferences[key] for key in _CONTEXT_KEYS if preferences.get(key)})


def _unknown_session(end: Answer | NoAnswer, number: int) -> bool:
    if isinstance(end, NoAnswer):
        return False
    if end.status in _STRANGER:
        return True
    said = wire.parse(end.body, number) if end.status == 200 else None
    return isinstance(said, wire.Problem) and said.failure is Failure.LOGIN


def _judge(end: Answer | NoAnswer, number: int, kind: Kind) -> Any:
    """The value in a good answer, else the error of the table above."""
    if isinstance(end, NoAnswer):
        raise _lost(end.reason, kind) if end.sent else HospitalUnavailable(f"gnuhealth.{end.reason}")
    if end.status == 200:
        said = wire.parse(end.body, number)
        if isinstance(said, wire.Result):
            return said.value
        raise _lost("malformed", kind) if said is None else _refused(said, kind)
    if end.status == 429 or end.status in _STRANGER or end.status in _NOT_THERE:
        raise HospitalUnavailable(f"gnuhealth.http_{end.status}")
    raise _lost(f"http_{end.status}", kind)


def _lost(reason: str, kind: Kind) -> HospitalOutcomeUnknown | HospitalUnavailable:
    if kind is Kind.VISIT:
        return HospitalOutcomeUnknown(f"gnuhealth.{reason}")
    return HospitalUnavailable(f"gnuhealth.{reason}")


def _refused(problem: wire.Problem, kind: Kind) -> HospitalOutcomeUnknown | HospitalUnavailable | HospitalRejected:
    if problem.failure is Failure.LOST:
        return _lost(problem.failure, kind)
    if kind is Kind.QUESTION or problem.failure in _TRY_AGAIN:
        return HospitalUnavailable(f"gnuhealth.{problem.failure}")
    return HospitalRejected(f"gnuhealth.{problem.failure}", problem.text)
