"""Accounts of people, and their sessions (issue: roles facility, viewer, analyst, admin).

A session is a random token; only its SHA-256 is kept, in the database, so that several hub processes know it.
"""

import hashlib
import re
import secrets
from datetime import UTC, datetime, timedelta
from typing import Final

import sqlalchemy as sa

from province.access.caller import Caller, Role
from province.access.passwords import fits, hash_of, is_good
from province.access_tables import account, account_session
from province.store import Store
from province.tables import facility

IDLE_ACCOUNT: Final = timedelta(days=45)
SESSION_LIFE: Final = timedelta(hours=8)
SESSION_IDLE: Final = timedelta(minutes=30)
_SEEN_EVERY: Final = timedelta(minutes=1)
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{1,39}")


class AccountRefused(Exception):
    """A command about accounts that cannot be done."""

    def __init__(self, code: str) -> None:
        """`code` is one of those that the functions below name."""
        super().__init__(code)
        self.code = code


def account_name(typed: str) -> str:
    """The name as it is kept: without spaces around, in small letters."""
    return typed.strip().lower()


def add_account(store: Store, name: str, role: Role, password: str, facility_code: str | None = None) -> None:
    """Make an account. A facility is for the role FACILITY, and that role needs one.

    Raises AccountRefused `bad_name` (2 to 40 of a-z 0-9 . _ -), `bad_password` (see `passwords.is_good`),
    `facility_needed`, `facility_not_for_role`, `unknown_facility` or `name_taken`.
    """
    name = account_name(name)
    if not _NAME.fullmatch(name):
        raise AccountRefused("bad_name")
    _refuse_unfit(role, facility_code)
    hashed = _hashed(password)
    now = datetime.now(UTC)
    with store.write() as connection:
        store.lock_facility(connection, "accounts")
        _refuse_unknown(connection, facility_code)
        if _exists(connection, account.c.name == name):
            raise AccountRefused("name_taken")
        connection.execute(
            sa.insert(account).values(
                name=name, role=role, facility=facility_code, password_hash=hashed, created_at=now, active_at=now
            )
        )


def set_password(store: Store, name: str, password: str) -> None:
    """Give a new password, which also lets a disabled or idle account in again; its sessions end.

    Raises AccountRefused `bad_password` or `unknown_account`.
    """
    hashed = _hashed(password)
    values = {"password_hash": hashed, "active_at": datetime.now(UTC), "disabled_at": None}
    _change(store, name, values)


def set_role(store: Store, name: str, role: Role, facility_code: str | None = None) -> None:
    """Give an account another role, or a facility's account another facility; its sessions end.

    Raises AccountRefused `facility_needed`, `facility_not_for_role`, `unknown_facility` or `unknown_account`.
    """
    _refuse_unfit(role, facility_code)
    with store.read() as connection:
        _refuse_unknown(connection, facility_code)
    _change(store, name, {"role": role, "facility": facility_code})


def disable_account(store: Store, name: str) -> None:
    """Let nobody in with this account from now on; its sessions end. Raises AccountRefused `unknown_account`."""
    _change(store, name, {"disabled_at": datetime.now(UTC)})


def list_accounts(store: Store, now: datetime) -> list[dict[str, str | None]]:
    """All accounts: name, role, facility, state (active, idle or disabled), when made and last used (ISO 8601)."""
    with store.read() as connection:
        rows = connection.execute(sa.select(account).order_by(account.c.name)).all()
    return [
        {
            "name": row.name,
            "role": row.role,
            "facility": row.facility,
            "state": "disabled" if row.disabled_at else "idle" if now - row.active_at > IDLE_ACCOUNT else "active",
            "created_at": row.created_at.isoformat(timespec="seconds"),
            "active_at": row.active_at.isoformat(timespec="seconds"),
        }
        for row in rows
    ]


def any_account(connection: sa.Connection) -> bool:
    """Whether anybody has an account; there is no way back to none."""
    return connection.scalar(sa.select(sa.literal(1)).select_from(account).limit(1)) is not None


def known_account(connection: sa.Connection, name: str) -> Caller | None:
    """The person of this account, whatever its state; None when there is no such account."""
    row = connection.execute(sa.select(account).where(account.c.name == account_name(name))).first()
    return None if row is None else Caller(row.name, Role(row.role), row.facility, signed_in=True)


def check_password(connection: sa.Connection, name: str, password: str, now: datetime) -> bool:
    """Whether somebody with this name and password may sign in now; slow, and as slow for a name that nobody has."""
    query = sa.select(account.c.password_hash, account.c.active_at, account.c.disabled_at)
    row = connection.execute(query.where(account.c.name == account_name(name))).first()
    right = fits(password, row.password_hash if row else None)
    return right and row is not None and row.disabled_at is None and now - row.active_at <= IDLE_ACCOUNT


def open_session(store: Store, name: str, now: datetime) -> str:
    """The token of a new session of an existing account; sessions that are over are forgotten."""
    token = secrets.token_urlsafe(32)
    name = account_name(name)
    over = sa.or_(account_session.c.born_at < now - SESSION_LIFE, account_session.c.seen_at < now - SESSION_IDLE)
    with store.write() as connection:
        connection.execute(sa.delete(account_session).where(over))
        connection.execute(
            sa.insert(account_session).values(token_hash=_hash(token), account=name, born_at=now, seen_at=now)
        )
        connection.execute(sa.update(account).where(account.c.name == name).values(active_at=now))
    return token


def caller_of_session(store: Store, token: str, now: datetime) -> Caller | None:
    """Whose session this is; None for an unknown one, one that is over, or one of a disabled account."""
    query = (
        sa.select(account.c.name, account.c.role, account.c.facility, account_session.c.seen_at)
        .join_from(account_session, account, account.c.name == account_session.c.account)
        .where(account_session.c.token_hash == _hash(token), account.c.disabled_at.is_(None))
        .where(account_session.c.born_at >= now - SESSION_LIFE, account_session.c.seen_at >= now - SESSION_IDLE)
    )
    with store.read() as connection:
        row = connection.execute(query).first()
    if row is None:
        return None
    if now - row.seen_at >= _SEEN_EVERY:
        with store.write() as connection:
            mine = account_session.c.token_hash == _hash(token)
            connection.execute(sa.update(account_session).where(mine).values(seen_at=now))
    return Caller(row.name, Role(row.role), row.facility, signed_in=True)


def close_session(store: Store, token: str) -> None:
    """End a session; an unknown one is none already."""
    with store.write() as connection:
        connection.execute(sa.delete(account_session).where(account_session.c.token_hash == _hash(token)))


def _refuse_unfit(role: Role, facility_code: str | None) -> None:
    if (facility_code is not None) is not (role is Role.FACILITY):
        raise AccountRefused("facility_needed" if role is Role.FACILITY else "facility_not_for_role")


def _refuse_unknown(connection: sa.Connection, facility_code: str | None) -> None:
    if facility_code is not None and not _exists(connection, facility.c.code == facility_code):
        raise AccountRefused("unknown_facility")


def _hashed(password: str) -> str:
    if not is_good(password):
        raise AccountRefused("bad_password")
    return hash_of(password)


def _change(store: Store, name: str, values: dict[str, object]) -> None:
    name = account_name(name)
    with store.write() as connection:
        if not connection.execute(sa.update(account).where(account.c.name == name).values(**values)).rowcount:
            raise AccountRefused("unknown_account")
        connection.execute(sa.delete(account_session).where(account_session.c.account == name))


def _exists(connection: sa.Connection, condition: sa.ColumnElement[bool]) -> bool:
    return connection.scalar(sa.select(sa.literal(1)).where(condition)) is not None


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
