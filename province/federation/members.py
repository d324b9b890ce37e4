"""Which hubs may send sums here: codes to join with, keys with their rotation, as stations have them (`enrolment`)."""

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import sqlalchemy as sa
import uuid_utils

from province.enrolment import CODE_LIFE, EnrolmentError, hash_of_code, random_code
from province.federation_tables import member_code, member_day, member_hub, member_key
from province.store import Store
from province.tables import facility_version

_NOTE_EVERY: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Member:
    """A member's key in force: which hub, the provinces it speaks for, the raw 32 bytes of its Ed25519 public key."""

    key_id: str
    hub: str
    provinces: frozenset[str]
    public_key: bytes
    used_at: datetime | None


def new_member_code(store: Store, hub: str, provinces: Sequence[str]) -> dict[str, str]:
    """Make a code with which the hub of these provinces joins once within 7 days: `{"code", "expires_at"}`.

    The provinces replace those the hub spoke for before. Raises EnrolmentError `bad_hub` (empty, longer than 64 or with
    control characters) or `unknown_province` (none given, or one that no facility of the registry is in).
    """
    if not 0 < len(hub) <= 64 or not hub.isprintable():
        raise EnrolmentError("bad_hub")
    code, expires_at = random_code(), datetime.now(UTC) + CODE_LIFE
    with store.write() as connection:
        known = set(connection.scalars(sa.select(facility_version.c.province_code).distinct()))
        if not provinces or not known.issuperset(provinces):
            raise EnrolmentError("unknown_province")
        store.lock_facility(connection, f"hub {hub}")
        text = json.dumps(sorted(set(provinces)))
        mine = member_hub.c.hub == hub
        if connection.execute(sa.update(member_hub).where(mine).values(provinces=text)).rowcount == 0:
            connection.execute(sa.insert(member_hub).values(hub=hub, provinces=text))
        values = {"code_hash": hash_of_code(code), "hub": hub, "expires_at": expires_at}
        connection.execute(sa.insert(member_code).values(values))
    return {"code": code, "expires_at": expires_at.isoformat(timespec="seconds")}


def join(store: Store, code: str, public_key_text: str) -> dict[str, str]:
    """Exchange a code for a key: `{"key_id", "hub"}`.

    In: the code and the base64 of the 32 raw Ed25519 public key bytes. Raises EnrolmentError `bad_public_key` (the code
    stays good) or `code_not_valid` (unknown, used or expired).
    """
    try:
        public_key = base64.b64decode(public_key_text, validate=True)
    except (binascii.Error, ValueError):
        raise EnrolmentError("bad_public_key") from None
    if len(public_key) != 32:
        raise EnrolmentError("bad_public_key")
    now, key_id = datetime.now(UTC), str(uuid_utils.uuid7())
    with store.write() as connection:
        hub = connection.scalar(
            sa.update(member_code)
            .where(member_code.c.code_hash == hash_of_code(code), member_code.c.used_at.is_(None))
            .where(member_code.c.expires_at > now)
            .values(used_at=now)
            .returning(member_code.c.hub)
        )
        if hub is None:
            raise EnrolmentError("code_not_valid")
        values = {"key_id": key_id, "hub": hub, "public_key": public_key, "created_at": now}
        connection.execute(sa.insert(member_key).values(values))
    return {"key_id": key_id, "hub": hub}


def find_member(connection: sa.Connection, key_id: str) -> Member | None:
    """The member whose key has this id, if it exists and is not revoked."""
    row = connection.execute(
        sa.select(member_key, member_hub.c.provinces)
        .join(member_hub, member_hub.c.hub == member_key.c.hub)
        .where(member_key.c.key_id == key_id, member_key.c.revoked_at.is_(None))
    ).first()
    if row is None:
        return None
    return Member(row.key_id, row.hub, frozenset(json.loads(row.provinces)), bytes(row.public_key), row.used_at)


def note_use(store: Store, member: Member, now: datetime) -> None:
    """Note that sums came with this key and its right signature; the first ones revoke the hub's older keys.

    Written at most every 10 minutes per key.
    """
    if member.used_at is not None and now - member.used_at < _NOTE_EVERY:
        return
    with store.write() as connection:
        mine = member_key.c.key_id == member.key_id
        connection.execute(sa.update(member_key).where(mine).values(used_at=now))
        if member.used_at is None:
            made_at = sa.select(member_key.c.created_at).where(mine).scalar_subquery()
            older = sa.update(member_key).where(
                member_key.c.hub == member.hub, member_key.c.created_at < made_at, member_key.c.revoked_at.is_(None)
            )
            connection.execute(older.values(revoked_at=now))


def list_members(connection: sa.Connection) -> list[dict[str, object]]:
    """Every key of a member: id, hub, provinces, state (`waiting`, `active`, `revoked`), when it was used last; and how
    many days of facilities the hub has sent, and when last.
    """
    sent = {
        row.hub: (row.days, row.taken_at)
        for row in connection.execute(
            sa.select(
                member_day.c.hub, sa.func.count().label("days"), sa.func.max(member_day.c.taken_at).label("taken_at")
            ).group_by(member_day.c.hub)
        )
    }
    query = (
        sa.select(member_key, member_hub.c.provinces)
        .join(member_hub, member_hub.c.hub == member_key.c.hub)
        .order_by(member_key.c.hub, member_key.c.created_at)
    )
    return [
        {
            "key_id": row.key_id,
            "hub": row.hub,
            "provinces": json.loads(row.provinces),
            "state": "revoked" if row.revoked_at else "active" if row.used_at else "waiting",
            "used_at": row.used_at.isoformat(timespec="seconds") if row.used_at else None,
            "facility_days": sent[row.hub][0] if row.hub in sent else 0,
            "taken_at": sent[row.hub][1].isoformat(timespec="seconds") if row.hub in sent else None,
        }
        for row in connection.execute(query)
    ]


def revoke_member(store: Store, key_id: str) -> dict[str, str]:
    """Refuse a member's key from now on: `{"key_id", "revoked_at"}`; what it sent stays. Raises EnrolmentError
    `unknown_key`.
    """
    with store.write() as connection:
        mine = member_key.c.key_id == key_id
        values = {"revoked_at": datetime.now(UTC)}
        connection.execute(sa.update(member_key).where(mine, member_key.c.revoked_at.is_(None)).values(values))
        revoked_at = connection.scalar(sa.select(member_key.c.revoked_at).where(mine))
    if revoked_at is None:
        raise EnrolmentError("unknown_key")
    return {"key_id": key_id, "revoked_at": revoked_at.isoformat(timespec="seconds")}
