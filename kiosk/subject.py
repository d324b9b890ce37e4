"""A person's rights (Law 91/2025, articles 4 and 13): what is kept of somebody, handed out, and erased where it may be.

Somebody is known by numbers: of a citizen, an old identity card, an insurance card. Erased is what the kiosk keeps for
itself; the insurer's untouched answers stay as long as the facility must keep them (Circular 12/2026, article 4), and
what still waits for a hospital, the insurer or staff stays until it is done.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from kiosk import records, retention
from kiosk.tables import (
    audit,
    checkin,
    chip_evidence,
    chip_seen,
    event,
    gateway_answer,
    lookup,
    lookup_receipt,
    outbox,
    question,
    visit_register,
)

_OF_CHECK_INS = (lookup, question, lookup_receipt, event, chip_evidence, gateway_answer, audit, visit_register)


@dataclass(frozen=True, slots=True)
class Found:
    """What is kept of somebody: check-ins in order of time, how many rows of each table, and of which check-ins of
    others they are the guardian.
    """

    checkin_ids: list[str]
    rows: dict[str, int]
    guardian_of: list[str]


@dataclass(frozen=True, slots=True)
class Erased:
    """What became of a request: ``erased`` check-ins, those ``waiting`` for something and why, and what must be
    ``kept``, by table. ``guardian_of``: check-ins of others from which the guardian was emptied.
    """

    erased: list[str]
    waiting: dict[str, str]
    kept: dict[str, int]
    guardian_of: list[str]


def find(connection: sa.Connection, facility_key: bytes, numbers: Sequence[str]) -> Found:
    """Everything about the person with these numbers (as written on documents)."""
    ids = _ids(connection, facility_key, numbers)
    rows = {table.name: number for table in (checkin, *_OF_CHECK_INS) if (number := _count(connection, table, ids))}
    return Found(ids, rows, _guarded(connection, numbers))


def export(connection: sa.Connection, facility_key: bytes, numbers: Sequence[str]) -> dict[str, Any]:
    """All of it as JSON: per table its rows; bytes are base64, answers of the insurer as they came."""
    ids = _ids(connection, facility_key, numbers)
    query = sa.select(checkin.c.checkin_id, checkin.c.guardian)
    others = connection.execute(query.where(checkin.c.checkin_id.in_(_guarded(connection, numbers))))
    found: dict[str, Any] = {"guardian_of": [dict(row._mapping) for row in others]}
    for table in (checkin, *_OF_CHECK_INS):
        rows = connection.execute(sa.select(table).where(_column(table).in_(ids)))
        found[table.name] = [{name: plain(table, name, value) for name, value in row._mapping.items()} for row in rows]
    return found


def erase(connection: sa.Connection, facility_key: bytes, numbers: Sequence[str]) -> Erased:
    """Empty what names the person, where nothing is open and no rule asks for it to be kept.

    Of visits of others for whom the person answered as guardian, only the guardian is emptied.
    """
    guarded = _guarded(connection, numbers)
    connection.execute(checkin.update().where(checkin.c.checkin_id.in_(guarded)).values(guardian=sa.null()))
    ids = _ids(connection, facility_key, numbers)
    waiting = _waiting(connection, ids)
    gone = [checkin_id for checkin_id in ids if checkin_id not in waiting]
    retention.forget(connection, gone)
    for table in (chip_evidence, visit_register):
        connection.execute(table.delete().where(table.c.checkin_id.in_(gone)))
    if not waiting:
        keys = [records.person_key(facility_key, number) for number in numbers]
        connection.execute(chip_seen.delete().where(chip_seen.c.person_key.in_(keys)))
    kept = _count(connection, gateway_answer, gone)
    return Erased(gone, waiting, {gateway_answer.name: kept} if kept else {}, guarded)


def _guarded(connection: sa.Connection, numbers: Sequence[str]) -> list[str]:
    """The check-ins of others for whom the person answered."""
    number = sa.func.json_extract(checkin.c.guardian, "$.number")
    return list(connection.execute(sa.select(checkin.c.checkin_id).where(number.in_(numbers))).scalars())


def _ids(connection: sa.Connection, facility_key: bytes, numbers: Sequence[str]) -> list[str]:
    keys = [records.person_key(facility_key, number) for number in numbers]
    named = [sa.func.json_extract(checkin.c.identity, f"$.{field}") for field in ("personal_id", "old_id")]
    query = (
        sa.select(checkin.c.checkin_id)
        .where(
            sa.or_(
                checkin.c.person_key.in_(keys),
                checkin.c.key_number.in_(numbers),
                *(column.in_(numbers) for column in named),
            )
        )
        .order_by(checkin.c.happened_at, checkin.c.checkin_id)
    )
    return list(connection.execute(query).scalars())


def _waiting(connection: sa.Connection, ids: Sequence[str]) -> dict[str, str]:
    """Which of the check-ins cannot be erased now, and why: a delivery under way, or staff who must look."""
    of_ids = checkin.c.checkin_id.in_(ids)
    staff = sa.select(checkin.c.checkin_id, checkin.c.staff_reason).where(of_ids, checkin.c.staff_reason.is_not(None))
    found = {row.checkin_id: str(row.staff_reason) for row in connection.execute(staff)}
    open_rows = sa.select(outbox.c.ref, outbox.c.destination).where(
        outbox.c.ref.in_(ids), outbox.c.ref.in_(retention.unfinished()), outbox.c.state != "done"
    )
    for row in connection.execute(open_rows):
        found.setdefault(row.ref, f"waits_for_{row.destination}")
    served = sa.select(checkin.c.checkin_id).where(of_ids, checkin.c.state.in_(("presented", "looked_up")))
    for checkin_id in connection.execute(served).scalars():
        found.setdefault(checkin_id, "being_served")
    return found


def _column(table: sa.Table) -> sa.ColumnElement[Any]:
    return table.c.checkin_id


def _count(connection: sa.Connection, table: sa.Table, ids: Sequence[str]) -> int:
    query = sa.select(sa.func.count()).select_from(table).where(_column(table).in_(ids))
    return connection.execute(query).scalar_one()


def plain(table: sa.Table, name: str, value: Any) -> Any:
    """One column's value as JSON can hold it."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, bytes):
        if table is gateway_answer and name == "body":
            return zlib.decompress(value).decode("utf-8", "replace")
        return base64.b64encode(value).decode("ascii")
    return value


def as_json(found: Found | Erased) -> dict[str, Any]:
    """What the command prints."""
    return asdict(found)
