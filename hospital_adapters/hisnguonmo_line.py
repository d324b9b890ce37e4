"""Signs in to a hisnguonmo server, asks and registers; each end is told as one of the three errors."""

from __future__ import annotations

import base64
import logging
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NoReturn

from hospital_adapters.hisnguonmo_settings import HisnguonmoSettings
from hospital_adapters.hisnguonmo_wire import Envelope, parse, query, request
from hospital_adapters.http_line import Answer, HttpLine, NoAnswer
from kiosk.errors import HospitalOutcomeUnknown, HospitalRejected, HospitalUnavailable
from kiosk.ports import Clock

log = logging.getLogger(__name__)

LOGIN = "hisnguonmo.login"
_REFUSED = frozenset((401, 403))
_REFUSED_BEFORE_PROCESSING = frozenset((400, 404, 405, 413, 415, 422))
_PAUSE_S = 60.0
"""After a refused login nothing is sent for so long: a server may lock out who keeps trying."""


class Line:
    """The calls of one server. All errors are HospitalErrors; their texts hold no person, number or URL."""

    def __init__(
        self,
        settings: HisnguonmoSettings,
        secret: str,
        clock: Clock,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """*secret*: the password, or the token that does not end. ConfigError when ``ca_file`` cannot be read."""
        self._settings = settings
        self._secret = secret
        self._monotonic = monotonic
        self._http = HttpLine(settings.url, settings.ca_file, settings.timeouts.connect, clock)
        self._token: str | None = secret if settings.token_file else None
        self._paused_until = 0.0
        self.clock_said: datetime | None = None

    async def ask(self, path: str, data: Mapping[str, Any]) -> Any:
        """The ``Data`` of a GET, asked twice when no answer came. HospitalUnavailable."""
        target = f"{self._settings.url}/{path}?{query(data)}"
        limit = self._settings.timeouts.get
        end = await self._signed_in("GET", target, None, limit)
        if isinstance(end, NoAnswer):
            end = await self._signed_in("GET", target, None, limit)
        if isinstance(end, NoAnswer):
            raise HospitalUnavailable(f"hisnguonmo.{end.reason}")
        envelope = parse(end.body)
        if end.status in _REFUSED:
            raise HospitalUnavailable(LOGIN)
        if envelope is None or end.status != 200:
            raise HospitalUnavailable("hisnguonmo.malformed" if end.status == 200 else f"hisnguonmo.http_{end.status}")
        if not envelope.success or envelope.broken:
            raise HospitalUnavailable("hisnguonmo.refused")
        return envelope.data

    async def register(self, path: str, data: Mapping[str, Any]) -> Any:
        """The ``Data`` of a POST, sent once. All three hospital errors."""
        end = await self._signed_in("POST", f"{self._settings.url}/{path}", request(data), self._settings.timeouts.post)
        if isinstance(end, NoAnswer):
            if end.sent:
                raise HospitalOutcomeUnknown(f"hisnguonmo.{end.reason}")
            raise HospitalUnavailable(f"hisnguonmo.{end.reason}")
        return _registered(end, parse(end.body))

    async def sign_in(self) -> None:
        """Get a new token, where there is a login. HospitalUnavailable."""
        if self._settings.token_file:
            return
        wait = self._paused_until - self._monotonic()
        if wait > 0:
            raise HospitalUnavailable(LOGIN, retry_after=wait)
        pair = f"{self._settings.application_code}:{self._settings.user}:{self._secret}"
        headers = {"authorization": "Basic " + base64.b64encode(pair.encode()).decode("ascii")}
        target = f"{self._settings.login_url or self._settings.url}/{self._settings.paths.login}"
        end = await self._http.call("GET", target, headers, None, self._settings.timeouts.get)
        if isinstance(end, NoAnswer):
            raise HospitalUnavailable(f"hisnguonmo.{end.reason}")
        self.clock_said = end.date
        envelope = parse(end.body)
        data = envelope.data if envelope is not None and envelope.success else None
        token = data.get("TokenCode") if isinstance(data, dict) else None
        if isinstance(token, str) and token.isascii() and token.isprintable() and 0 < len(token) <= 512:
            self._token = token
            return
        if end.status in _REFUSED or (envelope is not None and not envelope.success):
            self._refused()
        raise HospitalUnavailable("hisnguonmo.malformed" if end.status == 200 else f"hisnguonmo.http_{end.status}")

    async def close(self) -> None:
        """Release connections."""
        await self._http.close()

    async def _signed_in(self, method: str, target: str, content: bytes | None, limit: float) -> Answer | NoAnswer:
        """One call with a token; with a new one when the server knows the old one no more: then nothing was done."""
        if self._token is None:
            await self.sign_in()
        end = await self._call(method, target, content, limit)
        if isinstance(end, Answer):
            self.clock_said = end.date
            if end.status in _REFUSED and not self._settings.token_file:
                self._token = None
                await self.sign_in()
                end = await self._call(method, target, content, limit)
        return end

    async def _call(self, method: str, target: str, content: bytes | None, limit: float) -> Answer | NoAnswer:
        headers = {
            self._settings.token_header: self._token or "",
            self._settings.application_header: self._settings.application_code,
        }
        if content is not None:
            headers["content-type"] = "application/json"
        return await self._http.call(method, target, headers, content, limit)

    def _refused(self) -> NoReturn:
        self._paused_until = self._monotonic() + _PAUSE_S
        log.error("hisnguonmo: the server refuses our account; nothing is sent for %d s", _PAUSE_S)
        raise HospitalUnavailable(LOGIN, retry_after=_PAUSE_S)


def _registered(end: Answer, envelope: Envelope | None) -> Any:
    """What a registration's answer means: the server takes back what it had begun when it says no (10.1)."""
    if end.status in _REFUSED:
        raise HospitalUnavailable(LOGIN)
    if envelope is not None and end.status == 200:
        if envelope.broken:
            raise HospitalOutcomeUnknown("hisnguonmo.exception")
        if envelope.success and isinstance(envelope.data, dict):
            return envelope.data
        if not envelope.success:
            raise HospitalRejected("hisnguonmo.refused", "; ".join(envelope.messages)[:500])
    if end.status in _REFUSED_BEFORE_PROCESSING:
        raise HospitalRejected(f"hisnguonmo.http_{end.status}")
    raise HospitalOutcomeUnknown("hisnguonmo.malformed" if end.status == 200 else f"hisnguonmo.http_{end.status}")
