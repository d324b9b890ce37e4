"""API keys: made, listed, revoked, and who a presented one stands for (interfaces.md 6).

A key is kept only as SHA-256: it is random, so a hash cannot be searched for it. Its id is the beginning of the hash.
"""

import hashlib
import secrets
from datetime import UTC, datetime, timedelta
from typing import Final

import sqlalchemy as sa

from province.access.caller import Caller, Role, Scope
from province.store import Store
from province.tables import api_key, facility

_ID_LENGTH: Final = 12
_MAX_LABEL: Final = 80


class KeyRefused(Exception):
    """A command about API keys that cannot be done."""

    def __init__(self, code: str) -> None:
        """`code`: unknown_facility, bad_label or unknown_key."""
        super().__init__(code)
        self.code = code


def new_api_key(
    store: Store,
    scope: str,
    *,
    facility_code: str | None = None,
    label: str | None = None,
    days: int | None = None,
) -> dict[str, str | None]:
    """A new API key; it is shown only here.

    In: what it is good for (a Scope), the only facility it may see and speak for, a name for the audit, and for how
    many days from now. Out: `{"key", "scope", "id", "facility", "label", "expires_at"}`. Raises KeyRefused
    `unknown_facility` or `bad_label` (empty, longer than 80 or with control characters).
    """
    if label is not None and not (0 < len(label) <= _MAX_LABEL and label.isprintable()):
        raise KeyRefused("bad_label")
    key = secrets.token_urlsafe(32)
    now = datetime.now(UTC)
    expires_at = now + timedelta(days=days) if days is not None else None
    with store.write() as connection:
        if facility_code is not None and not _is_facility(connection, facility_code):
            raise KeyRefused("unknown_facility")
        connection.execute(
            sa.insert(api_key).values(
                key_hash=_hash(key),
                scope=Scope(scope),
                created_at=now,
                facility=facility_code,
                label=label,
                expires_at=expires_at,
            )
        )
    made = {"key": key, "scope": scope, "id": _hash(key)[:_ID_LENGTH]}
    return made | {"facility": facility_code, "label": label, "expires_at": _text(expires_at)}


def list_api_keys(store: Store) -> list[dict[str, str | None]]:
    """All API keys ever made: id, scope, facility, label, when made, until when, when revoked (ISO 8601 or None)."""
    with store.read() as connection:
        rows = connection.execute(sa.select(api_key).order_by(api_key.c.created_at, api_key.c.key_hash)).all()
    return [
        {
            "id": row.key_hash[:_ID_LENGTH],
            "scope": row.scope,
            "facility": row.facility,
            "label": row.label,
            "created_at": _text(row.created_at),
            "expires_at": _text(row.expires_at),
            "revoked_at": _text(row.revoked_at),
        }
        for row in rows
    ]


def revoke_api_key(store: Store, key_id: str) -> dict[str, str | None]:
    """Refuse an API key from now on: `{"id", "revoked_at"}`. Raises KeyRefused `unknown_key`."""
    mine = sa.func.substr(api_key.c.key_hash, 1, _ID_LENGTH) == key_id
    with store.write() as connection:
        connection.execute(
            sa.update(api_key).where(mine, api_key.c.revoked_at.is_(None)).values(revoked_at=datetime.now(UTC))
        )
        revoked_at = connection.scalar(sa.select(api_key.c.revoked_at).where(mine))
    if revoked_at is None:
        raise KeyRefused("unknown_key")
    return {"id": key_id, "revoked_at": _text(revoked_at)}


def caller_of_key(connection: sa.Connection, key: str) -> Caller | None:
    """Who presents this key; None for an unknown, revoked or expired one.

    A key bound to a facility is that facility's caller, any other a viewer: no key ever has a higher role.
    """
    row = connection.execute(sa.select(api_key).where(api_key.c.key_hash == _hash(key))).first()
    if row is None or row.revoked_at is not None:
        return None
    if row.expires_at is not None and row.expires_at <= datetime.now(UTC):
        return None
    name = row.label or f"key {row.key_hash[:_ID_LENGTH]}"
    role = Role.VIEWER if row.facility is None else Role.FACILITY
    return Caller(name, role, row.facility, frozenset({Scope(row.scope)}))


def _is_facility(connection: sa.Connection, code: str) -> bool:
    return connection.scalar(sa.select(facility.c.code).where(facility.c.code == code)) is not None


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="seconds") if moment else None
