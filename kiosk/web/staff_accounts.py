"""Staff accounts and sessions: Argon2 hashes in the store, sessions in memory, a brake on guessing."""

from __future__ import annotations

import asyncio
import base64
import hmac
import secrets
import time
from dataclasses import dataclass, field

import argon2
import sqlalchemy as sa
from argon2.low_level import ARGON2_VERSION

from kiosk.errors import KioskError
from kiosk.ports import Clock
from kiosk.store import Store
from kiosk.tables import staff_user

MIN_PASSWORD = 14
_IDLE_SECONDS = 30 * 60.0
_LIFE_SECONDS = 12 * 3600.0
_TRIES = 5
_TRY_WINDOW = 300.0
_NAMES = 2000
"""Names tried in that window beyond which nobody is let in: somebody is hammering at the door."""


class AccountRefusal(KioskError):
    """Set-up or login was refused; ``status`` is the HTTP status."""

    def __init__(self, code: str, status: int) -> None:
        """Carry a stable *code*."""
        super().__init__(code)
        self.code = code
        self.status = status


@dataclass(slots=True)
class _Session:
    user: str
    born: float
    seen: float


@dataclass
class StaffAccounts:
    """All accounts of this daemon. *setup_code*: what the first account's maker must know."""

    store: Store
    clock: Clock
    setup_code: str
    min_password: int = MIN_PASSWORD
    _hasher: argon2.PasswordHasher = field(default_factory=argon2.PasswordHasher)
    _sessions: dict[str, _Session] = field(default_factory=dict)
    _failures: dict[str, list[float]] = field(default_factory=dict)
    _hashing: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))  # each takes 64 MiB

    async def setup_needed(self) -> bool:
        """True until there is an account."""
        return await self.store.read(lambda c: c.execute(sa.select(staff_user.c.name).limit(1)).first() is None)

    async def set_up(self, code: str, name: str, password: str) -> str:
        """Make the first account; returns its session. AccountRefusal NOT_NEEDED, BAD_CODE, WEAK_PASSWORD, BAD_NAME."""
        self._brake("setup")
        if not await self.setup_needed():
            raise AccountRefusal("NOT_NEEDED", 403)
        if not hmac.compare_digest(code.strip().encode(), self.setup_code.encode()):
            self._failed("setup")
            raise AccountRefusal("BAD_CODE", 403)
        if not 1 <= len(name.strip()) <= 60:
            raise AccountRefusal("BAD_NAME", 422)
        if len(password) < self.min_password:
            raise AccountRefusal("WEAK_PASSWORD", 422)
        if not await self.add(name.strip(), password, first=True):
            raise AccountRefusal("NOT_NEEDED", 403)
        return self._open(name.strip())

    async def add(self, name: str, password: str, *, first: bool = False) -> bool:
        """Write an account unless there is one of that name (*first*: any); returns whether it was written."""
        in_the_way = sa.select(staff_user.c.name).limit(1)
        if not first:
            in_the_way = in_the_way.where(staff_user.c.name == name)
        if await self.store.read(lambda c: c.execute(in_the_way).first() is not None):
            return False
        async with self._hashing:
            hashed = await asyncio.to_thread(self._hasher.hash, password)
        now = self.clock()

        def work(connection: sa.Connection) -> bool:
            if connection.execute(in_the_way).first() is not None:
                return False
            connection.execute(staff_user.insert().values(name=name, password_hash=hashed, created_at=now))
            return True

        return await self.store.run(work)

    async def log_in(self, name: str, password: str) -> str:
        """A new session token; AccountRefusal BAD_LOGIN, or TOO_MANY after five failures in five minutes."""
        name = name.strip()
        self._brake(name)
        self._failed(name)  # until proven otherwise, so that tries at the same time count too
        query = sa.select(staff_user.c.password_hash).where(staff_user.c.name == name)
        stored = await self.store.read(lambda c: c.execute(query).scalar())
        async with self._hashing:
            good = await asyncio.to_thread(self._verify, stored, password)
        if not good:
            raise AccountRefusal("BAD_LOGIN", 401)
        self._failures.pop(name, None)
        return self._open(name)

    def _verify(self, stored: str | None, password: str) -> bool:
        try:
            return self._hasher.verify(stored or hash_of_nobody(self._hasher), password)
        except argon2.exceptions.Argon2Error:
            return False

    def user_of(self, token: str | None) -> str | None:
        """Who this session belongs to; None when there is none, or it is over."""
        session = self._sessions.get(token or "")
        now = time.monotonic()
        if token is None or session is None:
            return None
        if now - session.seen > _IDLE_SECONDS or now - session.born > _LIFE_SECONDS:
            del self._sessions[token]
            return None
        session.seen = now
        return session.user

    def log_out(self, token: str | None) -> None:
        """End a session."""
        self._sessions.pop(token or "", None)

    def _open(self, user: str) -> str:
        token = secrets.token_urlsafe(32)
        now = time.monotonic()
        for old in [old for old, session in self._sessions.items() if now - session.seen > _IDLE_SECONDS]:
            del self._sessions[old]
        self._sessions[token] = _Session(user, now, now)
        return token

    def _brake(self, who: str) -> None:
        now = time.monotonic()
        self._failures = {name: recent for name, tries in self._failures.items() if (recent := _recent(tries, now))}
        if len(self._failures.get(who, ())) >= _TRIES or len(self._failures) > _NAMES:
            raise AccountRefusal("TOO_MANY", 429)

    def _failed(self, who: str) -> None:
        self._failures.setdefault(who, []).append(time.monotonic())


def _recent(tries: list[float], now: float) -> list[float]:
    return [moment for moment in tries if now - moment < _TRY_WINDOW]


def hash_of_nobody(hasher: argon2.PasswordHasher) -> str:
    """A hash that no password has, for names without an account: to check against it takes *hasher* as long."""
    cost = f"m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}"
    salt, digest = (_unpadded(secrets.token_bytes(size)) for size in (hasher.salt_len, hasher.hash_len))
    return f"$argon2id$v={ARGON2_VERSION}${cost}${salt}${digest}"


def _unpadded(raw: bytes) -> str:
    return base64.b64encode(raw).rstrip(b"=").decode("ascii")
