"""Login tokens: one login for any number of callers, renewed in time (insurance-gateway.md 1.3-1.5)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from kiosk.errors import GatewayMisconfigured, GatewayUnavailable
from kiosk.insurance.shared_calls import SharedCalls
from kiosk.insurance.vss_answer import json_object, result_code
from kiosk.insurance.vss_codes import Reason

RENEW_BEFORE = timedelta(seconds=60)
"""A token with less left than this is not used for a new question (1.5)."""
DEFAULT_LIFE = timedelta(minutes=10)
"""The documented life, taken when ``expires_in`` cannot be read or lies in the past (1.5)."""
REFUSALS = frozenset({"401", "402", "403"})
"""Login codes after which an operator must act (1.4)."""

_LONGEST_TOKEN = 4096
_PLAIN_SECONDS_BELOW = 100_000_000
_MILLISECONDS_FROM = 100_000_000_000


@dataclass(frozen=True, slots=True)
class Token:
    """What a lookup needs of a login; ``life`` from the moment of the answer."""

    access: str = field(repr=False)
    id: str = field(repr=False)
    life: timedelta = DEFAULT_LIFE


def token_life(expires_in: object, now: datetime) -> timedelta:
    """How long a token lives from *now* (aware): *expires_in* is an absolute UTC instant in ISO 8601 of any precision.

    Also taken: epoch seconds or milliseconds, and plain seconds, as numbers or digits. DEFAULT_LIFE for anything
    else, and for an instant in the past: a token just given is alive, so it is this machine's clock that is wrong.
    """
    life = _stated_life(expires_in, now)
    return life if life is not None and life > timedelta(0) else DEFAULT_LIFE


def _stated_life(expires_in: object, now: datetime) -> timedelta | None:
    if isinstance(expires_in, bool) or not isinstance(expires_in, str | int | float):
        return None
    try:
        if isinstance(expires_in, str) and not expires_in.strip().isdecimal():
            moment = datetime.fromisoformat(expires_in.strip())
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now
        number = float(expires_in)
        if number < _PLAIN_SECONDS_BELOW:
            return timedelta(seconds=number)
        seconds = number / 1000 if number >= _MILLISECONDS_FROM else number
        return datetime.fromtimestamp(seconds, UTC) - now
    except (ValueError, OverflowError, OSError):
        return None


def parse_login(status: int, body: bytes, now: datetime) -> Token:
    """The token in a login answer.

    GatewayMisconfigured with the code for 401, 402, 403 (as result code or bare HTTP status 401); GatewayUnavailable
    (reached) for everything else without a usable token: 500, HTML, empty, malformed.
    """
    content = json_object(body)
    code = result_code(content.get("maKetQua")) if content else None
    if status == 401 or code in REFUSALS:
        raise GatewayMisconfigured(code if code in REFUSALS else "401")
    key = content.get("APIKey") if content and code == "200" else None
    if not isinstance(key, dict):
        reason = Reason.GATEWAY_ERROR if code == "500" else Reason.HTTP_ERROR if status >= 300 else None
        raise GatewayUnavailable(reason or Reason.LOGIN_UNREADABLE, reached=True)
    access, id_token = key.get("access_token"), key.get("id_token")
    if not (isinstance(access, str) and isinstance(id_token, str) and _fits_url(access) and _fits_url(id_token)):
        raise GatewayUnavailable(Reason.LOGIN_UNREADABLE, reached=True)
    return Token(access, id_token, token_life(key.get("expires_in"), now))


def _fits_url(text: str) -> bool:
    return 0 < len(text) <= _LONGEST_TOKEN and text.isascii() and text.isprintable()


class TokenCache:
    """The token of one facility account.

    An instance belongs to one account of one facility and cannot be asked for another's: mixing them would query under
    the wrong account (1.5). ``login`` takes one token over the network, bounded in time, and raises as ``parse_login``.
    """

    def __init__(
        self, login: Callable[[], Awaitable[Token]], *, backoff: float, monotonic: Callable[[], float]
    ) -> None:
        """Start without a token. *backoff*: seconds without a login after a refused one."""
        self._login = login
        self._backoff = backoff
        self._monotonic = monotonic
        self._logins: SharedCalls[Token] = SharedCalls()
        self._token: Token | None = None
        self._renew_at = 0.0
        self._refused: str | None = None
        self._refused_until = 0.0

    @property
    def refusal(self) -> str | None:
        """The code of a refused login while its back-off lasts, else None."""
        return self._refused if self._monotonic() < self._refused_until else None

    async def get(self) -> Token:
        """A token good for at least RENEW_BEFORE, or fresh. Raises as ``renew``."""
        if self._token is not None and self._monotonic() < self._renew_at:
            return self._token
        return await self.renew()

    async def renew(self) -> Token:
        """A fresh token; callers who come meanwhile share the login.

        GatewayMisconfigured when the login is refused, and without asking while the back-off after that lasts;
        GatewayUnavailable when no usable answer came.
        """
        if self.refusal is not None:
            raise GatewayMisconfigured(self.refusal)
        return await self._logins.run("login", self._log_in)

    def drop(self, token: Token) -> None:
        """Forget *token*, which the gateway refused; a newer one stays."""
        if self._token is token:
            self._token = None

    async def close(self) -> None:
        """End a login that runs."""
        self._token = None
        await self._logins.close()

    async def _log_in(self) -> Token:
        asked_at = self._monotonic()
        try:
            token = await self._login()
        except GatewayMisconfigured as refusal:
            self._refused, self._refused_until = refusal.reason, self._monotonic() + self._backoff
            raise
        self._token = token
        self._renew_at = asked_at + (token.life - RENEW_BEFORE).total_seconds()
        return token
