"""What goes into the Authorization header: nothing, a fixed token, or one of OAuth 2 that is renewed before it ends.

RFC 6749 4.4 (client credentials), 5.1 (the answer), RFC 6750 (bearer tokens).
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote_plus, urlencode

from hospital_adapters.fhir_settings import FhirSettings
from hospital_adapters.http_line import HttpLine, NoAnswer
from kiosk.errors import ConfigError, HospitalUnavailable

REFUSED = "fhir.login_refused"
_TOKEN = re.compile(r"[A-Za-z0-9._~+/=-]{1,8192}")
_UNSTATED_LIFE_S = 300.0
_LONGEST_LIFE_S = 24 * 3600.0
_EARLY = 0.1
_EARLY_S = 30.0


class Login:
    """The token of one server; one request for it at a time, however many wait."""

    def __init__(
        self, settings: FhirSettings, secret: Callable[[str], str], monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        """*secret* gives a file's text by its name. ConfigError for one that is empty or no token."""
        self._auth = settings.auth
        self._limit = settings.timeouts.get
        self._monotonic = monotonic
        self._lock = asyncio.Lock()
        self._until = 0.0
        self._token = ""
        self._line: HttpLine | None = None
        if self._auth.kind == "bearer":
            self._token = _read_secret(secret, self._auth.token_file, "token_file")
            if not _TOKEN.fullmatch(self._token):
                raise ConfigError("hospital.auth.token_file: expected a file that holds one token")
        elif self._auth.kind == "client_credentials":
            self._secret = _read_secret(secret, self._auth.client_secret_file, "client_secret_file")
            self._line = HttpLine(self._auth.token_url, settings.ca_file, settings.timeouts.connect)

    @property
    def renewable(self) -> bool:
        """Whether a token that was refused may be replaced by asking for another."""
        return self._line is not None

    async def header(self, refused: str | None = None) -> str | None:
        """The header's value, None for no login. *refused*: the one that the server has just refused.

        HospitalUnavailable ``fhir.login_*`` when there is no token to be had: nothing was sent to the hospital.
        """
        if self._line is None:
            return f"Bearer {self._token}" if self._token else None
        async with self._lock:
            worn = self._monotonic() >= self._until or refused == f"Bearer {self._token}"
            if worn:
                self._token, life = await self._ask(self._line)
                self._until = self._monotonic() + life - min(max(life * _EARLY, _EARLY_S), life / 2)
            return f"Bearer {self._token}"

    async def close(self) -> None:
        """Release connections."""
        if self._line is not None:
            await self._line.close()

    async def _ask(self, line: HttpLine) -> tuple[str, float]:
        """A token and the seconds it lives."""
        auth = self._auth
        headers = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
        form = {"grant_type": "client_credentials"} | ({"scope": auth.scope} if auth.scope else {})
        if auth.client_auth == "header":
            # RFC 6749 2.3.1: each part is form-encoded before both are joined
            pair = f"{quote_plus(auth.client_id)}:{quote_plus(self._secret)}"
            headers["authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        else:
            form |= {"client_id": auth.client_id, "client_secret": self._secret}
        end = await line.call("POST", auth.token_url, headers, urlencode(form).encode(), self._limit)
        if isinstance(end, NoAnswer):
            raise HospitalUnavailable(f"fhir.login_{end.reason}")
        if end.status in (400, 401, 403):
            raise HospitalUnavailable(REFUSED)
        if end.status != 200:
            raise HospitalUnavailable(f"fhir.login_http_{end.status}", retry_after=end.retry_after)
        token, life = _read_token(end.body)
        if token is None:
            raise HospitalUnavailable("fhir.login_malformed")
        return token, life


def _read_secret(secret: Callable[[str], str], name: str, key: str) -> str:
    text = secret(name).strip()
    if not text:
        raise ConfigError(f"hospital.auth.{key}: expected a file that holds the secret, it is empty")
    return text


def _read_token(body: bytes) -> tuple[str | None, float]:
    try:
        answer: Any = json.loads(body)
    except (ValueError, RecursionError):
        answer = None
    fields = answer if isinstance(answer, dict) else {}
    token, kind, life = fields.get("access_token"), fields.get("token_type", "bearer"), fields.get("expires_in")
    usable = isinstance(token, str) and _TOKEN.fullmatch(token) and isinstance(kind, str) and kind.lower() == "bearer"
    stated = life if isinstance(life, int) and not isinstance(life, bool) and life > 0 else _UNSTATED_LIFE_S
    return (token if usable else None), float(min(stated, _LONGEST_LIFE_S))
