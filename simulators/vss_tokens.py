"""Accounts and login tokens of the simulated gateway (insurance-gateway.md 1.3, 1.5, 8.1)."""

import base64
import hashlib
import hmac
import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

PASSWORD = "sim-secret"
_PASSWORD_MD5 = hashlib.md5(PASSWORD.encode(), usedforsecurity=False).hexdigest()
_FILETIME_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)


def accounts_of(facility: str) -> dict[str, str]:
    """Result code of a login with the right password, by account: the facility's own, and three for tests.

    `99002_BV` is another facility, `99003_BV` one restricted from other services, `99004_BV` has no right (403).
    """
    others = {"99002_BV": "200", "99003_BV": "200", "99004_BV": "403"}
    return others | {f"{facility}_BV": "200"}


def password_matches(md5_hex: str) -> bool:
    """Whether `md5_hex` is the MD5 of the password; either case, as the real gateway seems to compare."""
    return md5_hex.lower() == _PASSWORD_MD5


@dataclass(frozen=True)
class _Token:
    access_token: str
    account: str
    address: str
    number: int
    expires_at: datetime


class Tokens:
    """Tokens in force. `lifetime_s` seconds each; `bound`: only from the address that took it. Several may coexist."""

    def __init__(self, lifetime_s: int, *, bound: bool) -> None:
        self._lifetime = timedelta(seconds=lifetime_s)
        self._bound = bound
        self._key = secrets.token_bytes(32)
        self._by_id: dict[str, _Token] = {}
        self.logins = 0

    def take(self, account: str, address: str) -> dict[str, Any]:
        """A new token for `account` called from `address`, as the `APIKey` object of the login answer."""
        now = datetime.now(UTC)
        self._by_id = {known: token for known, token in self._by_id.items() if token.expires_at > now}
        self.logins += 1
        id_token = str(uuid.uuid4())
        issued = _filetime(now)
        signed = f"{account}:{address}:{id_token}:{issued}".encode()
        signature = base64.b64encode(hmac.digest(self._key, signed, "sha256")).decode()
        access_token = base64.b64encode(f"{signature}:{account}:{issued}".encode()).decode()
        expires_at = now + self._lifetime
        self._by_id[id_token] = _Token(access_token, account, address, self.logins, expires_at)
        return {
            "access_token": access_token,
            "id_token": id_token,
            "token_type": "Bearer",
            "username": account,
            "expires_in": f"{expires_at:%Y-%m-%dT%H:%M:%S}.{expires_at.microsecond:06d}0Z",
        }

    def login_number(self, query: Mapping[str, str], address: str) -> int | None:
        """Which login made the token that `query` (token, id_token, username, password) presents from `address`.

        None when the token is missing, unknown, expired, of another address or account, or the password hash is wrong.
        """
        token = self._by_id.get(query.get("id_token", ""))
        if token is None or token.expires_at <= datetime.now(UTC):
            return None
        if self._bound and token.address != address:
            return None
        if query.get("token") != token.access_token or query.get("username") != token.account:
            return None
        return token.number if password_matches(query.get("password", "")) else None

    def drop(self, id_token: str) -> None:
        """Make one token invalid, if it is known."""
        self._by_id.pop(id_token, None)

    def drop_all(self) -> int:
        """Make all tokens invalid; how many there were."""
        count = len(self._by_id)
        self._by_id.clear()
        return count


def _filetime(moment: datetime) -> int:
    """100 ns steps since 1601, the time stamp inside a real access token."""
    return (moment - _FILETIME_EPOCH) // timedelta(microseconds=1) * 10
