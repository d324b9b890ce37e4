"""Signing in with name and password, with a brake on guessing per account and per address.

A try counts as wrong until it has proved right, so that tries at the same time count too. Names without an account are
braked like the others: the answer never tells which of name and password was wrong, or whose brake it is.
"""

import hashlib
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa

from province.access.accounts import account_name, check_password, open_session, set_password
from province.access_tables import wrong_password
from province.store import Store

WINDOW: Final = timedelta(minutes=15)
TRIES_PER_ACCOUNT: Final = 5
TRIES_PER_ADDRESS: Final = 30
"""More than for an account: a hospital may be behind one address."""


class SignInRefused(Exception):
    """Nobody was let in; `code` is stable."""

    def __init__(self, code: str) -> None:
        """`code`: bad_login or too_many_tries."""
        super().__init__(code)
        self.code = code


def sign_in(store: Store, name: str, password: str, address: str, now: datetime) -> str:
    """The token of a new session. Slow: off the event loop.

    *address*: of the network, kept only as a hash and for 15 minutes. Raises SignInRefused `bad_login` (unknown name,
    wrong password, or an account that is disabled or was not used for 45 days) or `too_many_tries`.
    """
    _prove(store, name, password, address, now)
    return open_session(store, name, now)


def change_password(store: Store, name: str, password: str, wanted: str, address: str, now: datetime) -> str:
    """Give oneself another password; all sessions of the account end, the token of a new one is returned. Slow.

    Raises what `sign_in` raises, and AccountRefused `bad_password` when *wanted* may not be one.
    """
    _prove(store, name, password, address, now)
    set_password(store, name, wanted)
    return open_session(store, name, now)


def _prove(store: Store, name: str, password: str, address: str, now: datetime) -> None:
    account, place = _hash(f"account {account_name(name)}"), _hash(f"address {address}")
    _count_try(store, account, place, now)
    with store.read() as connection:
        if not check_password(connection, name, password, now):
            raise SignInRefused("bad_login")
    mine = sa.or_(
        wrong_password.c.who_hash == account,
        sa.and_(wrong_password.c.who_hash == place, wrong_password.c.tried_at == now),
    )
    with store.write() as connection:
        connection.execute(sa.delete(wrong_password).where(mine))


def _count_try(store: Store, account: str, place: str, now: datetime) -> None:
    with store.write() as connection:
        store.lock_facility(connection, "sign-in")
        connection.execute(sa.delete(wrong_password).where(wrong_password.c.tried_at < now - WINDOW))
        for who, most in ((account, TRIES_PER_ACCOUNT), (place, TRIES_PER_ADDRESS)):
            query = sa.select(sa.func.count()).where(wrong_password.c.who_hash == who)
            if (connection.scalar(query) or 0) >= most:
                raise SignInRefused("too_many_tries")
        connection.execute(sa.insert(wrong_password), [{"who_hash": who, "tried_at": now} for who in (account, place)])


def _hash(who: str) -> str:
    return hashlib.sha256(who.encode("utf-8", "replace")).hexdigest()
