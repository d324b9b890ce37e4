"""Work on accounts: a supervisor's (or an operator's) on others', and everybody's on their own."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, Final

import sqlalchemy as sa

from kiosk.tables import staff_user
from kiosk.web import staff_passwords
from kiosk.web.staff_accounts import AccountRefusal, StaffAccounts, is_idle
from kiosk.web.staff_roles import Role

_PENDING: Final = 20


@dataclass
class StaffUsers:
    """Changes of accounts; each ends the sessions that it makes untrue."""

    accounts: StaffAccounts
    _offered: dict[str, str] = field(default_factory=dict)

    async def listed(self) -> list[dict[str, Any]]:
        """All accounts by name, without their secrets."""
        query = sa.select(staff_user).order_by(staff_user.c.name)
        rows = await self.accounts.store.read(lambda c: c.execute(query).all())
        now = self.accounts.clock()
        return [
            {
                "name": row.name,
                "roles": row.roles,
                "disabled": row.disabled or is_idle(row.seen_at or row.created_at, now),
                "locked": row.locked_until is not None and row.locked_until > now,
                "must_change": row.must_change,
                "authenticator": row.totp_secret is not None,
                "seen_at": row.seen_at.isoformat() if row.seen_at else None,
            }
            for row in rows
        ]

    async def add(self, name: str, roles: Collection[Role], who: str) -> str:
        """A new account; returns its one-time password. AccountRefusal BAD_NAME, NO_ROLE, NAME_TAKEN."""
        name = self.accounts.name_of(name)
        if not roles:
            raise AccountRefusal("NO_ROLE", 422)
        password = staff_passwords.one_time_password()
        if not await self.accounts.add(name, password, set(roles), must_change=True, by=who):
            raise AccountRefusal("NAME_TAKEN", 409)
        return password

    async def set_roles(self, name: str, roles: Collection[Role], who: str) -> None:
        """Other roles. AccountRefusal NO_SUCH_USER, NO_ROLE, LAST_SUPERVISOR."""
        if not roles:
            raise AccountRefusal("NO_ROLE", 422)
        values = {"roles": sorted(set(roles))}
        await self._change(name, "user_roles", who, values, supervises=Role.SUPERVISOR in roles)
        self.accounts.sessions.end_all_of(name)

    async def disable(self, name: str, who: str) -> None:
        """Let nobody in under this name. AccountRefusal NO_SUCH_USER, LAST_SUPERVISOR."""
        await self._change(name, "user_disabled", who, {"disabled": True}, supervises=False)
        self.accounts.sessions.end_all_of(name)

    async def reset(self, name: str, who: str) -> str:
        """Let somebody in again who forgot everything, or was locked or disabled; returns a one-time password.

        PIN and authenticator are forgotten. AccountRefusal NO_SUCH_USER.
        """
        password = staff_passwords.one_time_password()
        values = {
            "password_hash": await self.accounts.hash_of(password),
            "pin_hash": None,
            "totp_secret": None,
            "disabled": False,
            "must_change": True,
            "failures": 0,
            "locked_until": None,
            "seen_at": self.accounts.clock(),
        }
        if not await self.accounts.write(name, "user_reset", who, values):
            raise AccountRefusal("NO_SUCH_USER", 404)
        self.accounts.forgive(name)
        self.accounts.sessions.end_all_of(name)
        return password

    async def change_password(self, token: str, name: str, old: str, new: str) -> None:
        """One's own. AccountRefusal BAD_LOGIN, WEAK_PASSWORD; SAME_PASSWORD."""
        await self._prove(token, name, old)
        if new == old:
            raise AccountRefusal("SAME_PASSWORD", 422)
        self.accounts.check_strength(new)
        values = {"password_hash": await self.accounts.hash_of(new), "must_change": False}
        await self.accounts.write(name, "password_changed", name, values)
        self.accounts.sessions.end_all_of(name, but=token)
        if (session := self.accounts.sessions.get(token)) is not None:
            session.must_change = False

    async def set_pin(self, token: str, name: str, password: str, pin: str) -> None:
        """For the quick unlock; empty: none any more. AccountRefusal BAD_LOGIN, WEAK_PIN."""
        if pin and not staff_passwords.is_pin(pin):
            raise AccountRefusal("WEAK_PIN", 422)
        await self._prove(token, name, password)
        hashed = await self.accounts.hash_of(pin) if pin else None
        await self.accounts.write(name, "pin_changed", name, {"pin_hash": hashed})

    async def offer_totp(self, token: str, name: str, password: str) -> tuple[str, str]:
        """A secret for an authenticator and its address; it counts once confirmed. AccountRefusal BAD_LOGIN."""
        await self._prove(token, name, password)
        secret = staff_passwords.new_totp_secret()
        while len(self._offered) >= _PENDING:
            self._offered.pop(next(iter(self._offered)))
        self._offered[token] = secret
        return secret, staff_passwords.totp_address(secret, name)

    async def confirm_totp(self, token: str, name: str, code: str) -> None:
        """From now on a code is asked at login. AccountRefusal BAD_TOTP."""
        secret = self._offered.get(token)
        step = staff_passwords.totp_step(secret, code, self.accounts.clock()) if secret else None
        if step is None:
            raise AccountRefusal("BAD_TOTP", 422)
        del self._offered[token]
        await self.accounts.write(name, "totp_set", name, {"totp_secret": secret, "totp_step": step})

    async def remove_totp(self, token: str, name: str, password: str) -> None:
        """No code any more. AccountRefusal BAD_LOGIN."""
        await self._prove(token, name, password)
        await self.accounts.write(name, "totp_removed", name, {"totp_secret": None})

    async def _prove(self, token: str, name: str, password: str) -> None:
        """That it is still the owner who sits there; guesses end the session."""
        account = await self.accounts.account(name)
        if not await self.accounts.is_right(account["password_hash"] if account else None, password):
            if self.accounts.sessions.get(token) is not None:
                self.accounts.sessions.failed_unlock(token)
            raise AccountRefusal("BAD_LOGIN", 403)

    async def _change(self, name: str, action: str, who: str, values: dict[str, Any], *, supervises: bool) -> None:
        """Write *values* unless nobody would supervise any more."""
        if await self.accounts.account(name) is None:
            raise AccountRefusal("NO_SUCH_USER", 404)
        others = [each for each in await self.listed() if each["name"] != name and not each["disabled"]]
        if not supervises and not any(Role.SUPERVISOR in each["roles"] for each in others):
            raise AccountRefusal("LAST_SUPERVISOR", 409)
        await self.accounts.write(name, action, who, values, {"roles": values["roles"]} if "roles" in values else None)
