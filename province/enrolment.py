"""Which stations may send: enrolment codes, and station keys with their rotation (interfaces.md 5).

Codes are kept only as SHA-256: they are random, so a hash cannot be searched for them.

A station that joins again has two keys until the new one is used for the first time; then the old one is revoked. So
there is no moment in which it could not send, whatever answer gets lost.
"""

import base64
import binascii
import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import sqlalchemy as sa
import uuid_utils

from province.store import Store
from province.tables import enrolment, facility, station, station_key

CODE_LIFE: Final = timedelta(days=7)
_CODE_BYTES: Final = 10
_NOTE_EVERY: Final = timedelta(minutes=10)


class EnrolmentError(Exception):
    """An enrolment or key command that cannot be done; `code` is stable and goes to the caller."""

    def __init__(self, code: str) -> None:
        """`code`: unknown_facility, bad_station, bad_public_key, code_not_valid or unknown_key."""
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class StationKey:
    """A station's key in force: whose it is, the raw 32 bytes of the Ed25519 public key, and when it was last used."""

    key_id: str
    facility: str
    station: str
    public_key: bytes
    used_at: datetime | None = None


def new_code(store: Store, facility_code: str, station_name: str, *, code: str | None = None) -> dict[str, str]:
    """Make a code that lets one station join once within 7 days.

    Out: `{"code", "expires_at"}`. `code` fixes the code in a demo. Raises EnrolmentError `unknown_facility` or
    `bad_station` (empty, longer than 64 or with control characters).
    """
    if not 0 < len(station_name) <= 64 or not station_name.isprintable():
        raise EnrolmentError("bad_station")
    text = code or random_code()
    expires_at = datetime.now(UTC) + CODE_LIFE
    with store.write() as connection:
        if connection.scalar(sa.select(facility.c.code).where(facility.c.code == facility_code)) is None:
            raise EnrolmentError("unknown_facility")
        connection.execute(sa.delete(enrolment).where(enrolment.c.code_hash == hash_of_code(text)))
        connection.execute(
            sa.insert(enrolment).values(
                code_hash=hash_of_code(text), facility=facility_code, station=station_name, expires_at=expires_at
            )
        )
    return {"code": text, "expires_at": expires_at.isoformat(timespec="seconds")}


def enrol(store: Store, code: str, public_key_text: str) -> dict[str, str]:
    """Exchange a code for a key: `{"key_id", "facility", "station"}`.

    In: the code and the base64 of the 32 raw Ed25519 public key bytes. Raises EnrolmentError `bad_public_key` (the code
    stays good) or `code_not_valid` (unknown, used or expired).
    """
    try:
        public_key = base64.b64decode(public_key_text, validate=True)
    except (binascii.Error, ValueError):
        raise EnrolmentError("bad_public_key") from None
    if len(public_key) != 32:
        raise EnrolmentError("bad_public_key")
    now = datetime.now(UTC)
    key_id = str(uuid_utils.uuid7())
    with store.write() as connection:
        taken = connection.execute(
            sa.update(enrolment)
            .where(enrolment.c.code_hash == hash_of_code(code), enrolment.c.used_at.is_(None))
            .where(enrolment.c.expires_at > now)
            .values(used_at=now)
            .returning(enrolment.c.facility, enrolment.c.station)
        ).first()
        if taken is None:
            raise EnrolmentError("code_not_valid")
        connection.execute(
            sa.insert(station_key).values(
                key_id=key_id,
                facility=taken.facility,
                station=taken.station,
                public_key=public_key,
                created_at=now,
            )
        )
    return {"key_id": key_id, "facility": taken.facility, "station": taken.station}


def find_key(connection: sa.Connection, key_id: str) -> StationKey | None:
    """The key with this id, if it exists and is not revoked."""
    row = connection.execute(
        sa.select(station_key).where(station_key.c.key_id == key_id, station_key.c.revoked_at.is_(None))
    ).first()
    return (
        None if row is None else StationKey(row.key_id, row.facility, row.station, bytes(row.public_key), row.used_at)
    )


def note_use(store: Store, key: StationKey, now: datetime) -> None:
    """Note that a batch came with this key and its right signature; the first one revokes the station's older keys.

    Written at most every 10 minutes per key, so that 13,000 stations cost the ingest nothing.
    """
    if key.used_at is not None and now - key.used_at < _NOTE_EVERY:
        return
    with store.write() as connection:
        mine = station_key.c.key_id == key.key_id
        connection.execute(sa.update(station_key).where(mine).values(used_at=now))
        if key.used_at is None:
            made_at = sa.select(station_key.c.created_at).where(mine).scalar_subquery()
            older = sa.update(station_key).where(
                station_key.c.facility == key.facility,
                station_key.c.station == key.station,
                station_key.c.created_at < made_at,
                station_key.c.revoked_at.is_(None),
            )
            connection.execute(older.values(revoked_at=now))


def list_keys(store: Store) -> list[dict[str, str | None]]:
    """All keys ever enrolled: id, facility, station, state, when made, used last, revoked and station heard (ISO 8601).

    State: `waiting` (never used: the station's older key still holds), `active` or `revoked`.
    """
    query = (
        sa.select(station_key, station.c.heard_at)
        .outerjoin(
            station, sa.and_(station.c.facility == station_key.c.facility, station.c.station == station_key.c.station)
        )
        .order_by(station_key.c.facility, station_key.c.station, station_key.c.created_at)
    )
    with store.read() as connection:
        return [
            {
                "key_id": row.key_id,
                "facility": row.facility,
                "station": row.station,
                "state": "revoked" if row.revoked_at else "active" if row.used_at else "waiting",
                "created_at": _text(row.created_at),
                "used_at": _text(row.used_at),
                "revoked_at": _text(row.revoked_at),
                "last_heard_at": _text(row.heard_at),
            }
            for row in connection.execute(query)
        ]


def revoke(store: Store, key_id: str) -> dict[str, str]:
    """Refuse a key from now on: `{"key_id", "revoked_at"}`. Raises EnrolmentError `unknown_key`."""
    with store.write() as connection:
        connection.execute(
            sa.update(station_key)
            .where(station_key.c.key_id == key_id, station_key.c.revoked_at.is_(None))
            .values(revoked_at=datetime.now(UTC))
        )
        revoked_at = connection.scalar(sa.select(station_key.c.revoked_at).where(station_key.c.key_id == key_id))
    if revoked_at is None:
        raise EnrolmentError("unknown_key")
    return {"key_id": key_id, "revoked_at": revoked_at.isoformat(timespec="seconds")}


def random_code() -> str:
    """A new code, in groups of four letters and digits."""
    letters = base64.b32encode(secrets.token_bytes(_CODE_BYTES)).decode("ascii")
    return "-".join(letters[start : start + 4] for start in range(0, len(letters), 4))


def hash_of_code(code: str) -> str:
    """What is kept of a code."""
    # People type codes from paper: case and the grouping dashes must not matter.
    return _hash(code.replace("-", "").replace(" ", "").upper())


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="seconds") if moment else None
