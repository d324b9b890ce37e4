"""Staff accounts in the store: who may come in, the brake on guessing, and everybody's own secrets.

Five wrong passwords lock an account for a quarter of an hour, over restarts too. An account that nobody used for 45
days is disabled (TCVN 14423:2026). What changes an account stands in the audit, in the same transaction.
"""

from __future__ import annotations

import asyncio
import hmac
import time
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import argon2
import sqlalchemy as sa

from kiosk import records
from kiosk.errors import KioskError
from kiosk.ports import Clock
from kiosk.store import Store
from kiosk.tables import staff_user
from kiosk.web import staff_passwords
from kiosk.web.staff_roles import ALL_ROLES, Role
from kiosk.web.staff_sessions import Sessions

MIN_PASSWORD = 14
IDLE_DAYS: Final = 45
_TRIES = 5
_TRY_WINDOW = 300.0
_LOCKED: Final = timedelta(minutes=15)
_NAMES = 2000
"""Names tried in that window beyond which nobody is let in: somebody is hammering at the door."""


class AccountRefusal(KioskError):
    """Set-up, login or a change was refused; ``status`` is the HTTP status."""

    def __init__(self, code: str, status: int) -> None:
        """Carry a stable *code*."""
        super().__init__(code)
        self.code = code
        self.status = status


@dataclass
class StaffAccounts:
    """All accounts of this daemon. *setup_code*: what the first account's maker must know."""

    store: Store
    clock: Clock
    setup_code: str
    min_password: int = MIN_PASSWORD
    sessions: Sessions = field(default_factory=Sessions)
    _hasher: argon2.PasswordHasher = field(default_factory=argon2.PasswordHasher)
    _failures: dict[str, list[float]] = field(default_factory=dict)
    _hashing: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))  # each takes 64 MiB

    async def setup_needed(self) -> bool:
        """True until there is an account."""
        return await self.store.read(lambda c: c.execute(sa.select(staff_user.c.name).limit(1)).first() is None)

    async def set_up(self, code: str, name: str, password: str) -> str:
        """Make the first account, with all roles; returns its session.

        AccountRefusal NOT_NEEDED, BAD_CODE, WEAK_PASSWORD, BAD_NAME.
        """
        self._brake("setup")
        if not await self.setup_needed():
            raise AccountRefusal("NOT_NEEDED", 403)
        if not hmac.compare_digest(code.strip().encode(), self.setup_code.encode()):
            self._failed("setup")
            raise AccountRefusal("BAD_CODE", 403)
        name = self.name_of(name)
        self.check_strength(password)
        if not await self.add(name, password, first=True):
            raise AccountRefusal("NOT_NEEDED", 403)
        return self.sessions.begin(name, frozenset(ALL_ROLES), must_change=False)

    async def add(
        self,
        name: str,
        password: str,
        roles: Collection[Role] = ALL_ROLES,
        *,
        first: bool = False,
        must_change: bool = False,
        by: str = "",
    ) -> bool:
        """Write an account unless there is one of that name (*first*: any); returns whether it was written.

        *by*: who makes it, for the audit; nobody: its owner.
        """
        in_the_way = sa.select(staff_user.c.name).limit(1)
        if not first:
            in_the_way = in_the_way.where(staff_user.c.name == name)
        if await self.store.read(lambda c: c.execute(in_the_way).first() is not None):
            return False
        hashed = await self.hash_of(password)
        now = self.clock()

        def work(connection: sa.Connection) -> bool:
            if connection.execute(in_the_way).first() is not None:
                return False
            row = {"name": name, "password_hash": hashed, "created_at": now, "seen_at": now}
            connection.execute(staff_user.insert().values(**row, roles=sorted(roles), must_change=must_change))
            records.add_audit(connection, now, by or name, "user_added", None, {"user": name, "roles": sorted(roles)})
            return True

        return await self.store.run(work)

    async def log_in(self, name: str, password: str, code: str = "") -> str:
        """A new session's token. *code*: of the authenticator, where the account has one.

        AccountRefusal: BAD_LOGIN; TOO_MANY after five failures; CODE_NEEDED and BAD_TOTP; ACCOUNT_DISABLED, to who
        knows the password.
        """
        name = name.strip()
        self._brake(name)
        self._failed(name)  # until proven otherwise, so that tries at the same time count too
        user = await self._tried(name)
        if not await self.is_right(user["password_hash"] if user else None, password) or user is None:
            raise AccountRefusal("BAD_LOGIN", 401)
        now = self.clock()
        if user["disabled"] or is_idle(user["seen_at"] or user["created_at"], now):
            told = None if user["disabled"] else "user_idle"
            await self.write(name, told, name, {"disabled": True, "failures": 0, "locked_until": None})
            raise AccountRefusal("ACCOUNT_DISABLED", 403)
        step = user["totp_step"]
        if secret := user["totp_secret"]:
            if not code.strip():
                await self.write(name, None, name, {"failures": user["failures"], "locked_until": None})
                self._failures.pop(name, None)
                raise AccountRefusal("CODE_NEEDED", 401)
            step = staff_passwords.totp_step(secret, code, now)
            if step is None or step <= user["totp_step"]:  # a code that was looked at is good only once
                raise AccountRefusal("BAD_TOTP", 401)
        proven = {"failures": 0, "locked_until": None, "seen_at": now, "totp_step": step}
        await self.write(name, "signed_in", name, proven)
        self._failures.pop(name, None)
        roles = frozenset(Role(each) for each in user["roles"])
        return self.sessions.begin(name, roles, must_change=user["must_change"])

    async def unlock(self, token: str | None, secret: str) -> None:
        """Open a locked session again with PIN or password. AccountRefusal SIGN_IN, BAD_LOGIN."""
        session = self.sessions.get(token)
        if token is None or session is None:
            raise AccountRefusal("SIGN_IN", 401)
        user = await self.account(session.user)
        if user is not None and not user["disabled"]:
            for stored in (user["pin_hash"] if staff_passwords.is_pin(secret) else None, user["password_hash"]):
                if stored and await self.is_right(stored, secret) and self.sessions.get(token) is not None:
                    self.sessions.unlock(token)
                    return
        if self.sessions.get(token) is not None:
            self.sessions.failed_unlock(token)
        raise AccountRefusal("BAD_LOGIN", 401)

    async def account(self, name: str) -> dict[str, Any] | None:
        """The stored account."""
        query = sa.select(staff_user).where(staff_user.c.name == name)
        row = await self.store.read(lambda c: c.execute(query).first())
        return row._asdict() if row else None

    async def write(
        self, name: str, action: str | None, who: str, values: dict[str, Any], detail: dict[str, Any] | None = None
    ) -> bool:
        """Change an account and say so in the audit (unless *action* is None); False if there is none of that name."""

        def work(connection: sa.Connection) -> bool:
            changed = connection.execute(staff_user.update().where(staff_user.c.name == name).values(**values)).rowcount
            if changed and action:
                records.add_audit(connection, self.clock(), who, action, None, {"user": name} | (detail or {}))
            return bool(changed)

        return await self.store.run(work)

    async def hash_of(self, password: str) -> str:
        """For the store; one at a time."""
        async with self._hashing:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def is_right(self, stored: str | None, password: str) -> bool:
        """Whether *password* is the one that was stored; takes as long when none was."""
        async with self._hashing:
            return await asyncio.to_thread(staff_passwords.is_right, self._hasher, stored, password)

    def check_strength(self, password: str) -> None:
        """AccountRefusal WEAK_PASSWORD."""
        if len(password) < self.min_password or len(set(password)) < 5:
            raise AccountRefusal("WEAK_PASSWORD", 422)

    @staticmethod
    def name_of(text: str) -> str:
        """A name as accounts have it. AccountRefusal BAD_NAME."""
        name = text.strip()
        if not 1 <= len(name) <= 60 or not name.isprintable():
            raise AccountRefusal("BAD_NAME", 422)
        return name

    async def _tried(self, name: str) -> dict[str, Any] | None:
        """Count a try before its outcome is known; the account as it was. AccountRefusal TOO_MANY while locked."""
        query = sa.select(staff_user).where(staff_user.c.name == name)
        if await self.store.read(lambda c: c.execute(query).first()) is None:
            return None

        def work(connection: sa.Connection) -> dict[str, Any] | None:
            row = connection.execute(query).first()
            now = self.clock()
            if row is None or (row.locked_until is not None and row.locked_until > now):
                return None
            failures = row.failures + 1
            values: dict[str, Any] = {"failures": failures}
            if failures >= _TRIES:
                values = {"failures": 0, "locked_until": now + _LOCKED}
                records.add_audit(connection, now, name, "user_locked", None, {"user": name})
            connection.execute(staff_user.update().where(staff_user.c.name == name).values(**values))
            return row._asdict()

        user = await self.store.run(work)
        if user is None:
            raise AccountRefusal("TOO_MANY", 429)
        return user

    def forgive(self, name: str) -> None:
        """Forget the failed tries of this process under *name*."""
        self._failures.pop(name, None)

    def _brake(self, who: str) -> None:
        now = time.monotonic()
        self._failures = {name: recent for name, tries in self._failures.items() if (recent := _recent(tries, now))}
        if len(self._failures.get(who, ())) >= _TRIES or len(self._failures) > _NAMES:
            raise AccountRefusal("TOO_MANY", 429)

    def _failed(self, who: str) -> None:
        self._failures.setdefault(who, []).append(time.monotonic())


def _recent(tries: list[float], now: float) -> list[float]:
    return [moment for moment in tries if now - moment < _TRY_WINDOW]


def is_idle(seen: datetime, now: datetime) -> bool:
    """Whether an account last used at *seen* is disabled at its next login."""
    return now - seen > timedelta(days=IDLE_DAYS)
