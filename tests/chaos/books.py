"""Whether the tables of a store agree with each other and with what was told to patients."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

import sqlalchemy as sa

from kiosk import records, tables


def damage(engine: sa.Engine) -> list[str]:
    """What SQLite and SQLCipher find wrong with the file.

    SQLCipher's own check reads past the write-ahead log, which is still in charge of pages whose copying into the
    database was cut short. So it is copied first.
    """
    connection = engine.raw_connection()
    try:
        cursor = connection.cursor()
        found = [str(row[0]) for row in cursor.execute("PRAGMA integrity_check")]
        found += [str(row[0]) for row in cursor.execute("PRAGMA foreign_key_check")]
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        found += [str(row[0]) for row in cursor.execute("PRAGMA cipher_integrity_check")]
    finally:
        connection.close()
    return [text for text in found if text != "ok"]


def missing(connection: sa.Connection, told: Iterable[tuple[str, str | None]]) -> list[str]:
    """The check-ins of (check-in id, number) pairs shown to patients that are not kept as they were shown."""
    rows = {row.checkin_id: row for row in connection.execute(sa.select(tables.checkin))}
    lost = []
    for ref, number in told:
        row = rows.get(ref)
        if row is None or row.state != "accepted" or number not in (row.his_number, row.kiosk_number, None):
            lost.append(ref)
    return lost


def differences(connection: sa.Connection) -> Iterator[str]:
    """Which two tables tell different stories (architecture, section 5, invariant 1)."""
    outbox = list(connection.execute(sa.select(tables.outbox)))
    events = list(connection.execute(sa.select(tables.event)))
    accepted = tables.checkin.c.state == "accepted"
    chosen = tables.checkin.c.hospital_state.is_not(None)
    visits = set(connection.execute(sa.select(tables.checkin.c.checkin_id).where(accepted, chosen)).scalars())
    if Counter(row.ref for row in outbox if row.kind == "push") != Counter(dict.fromkeys(visits, 1)):
        yield "visits and pushes"
    if {event.checkin_id for event in events if event.kind == "visit"} != visits:
        yield "visits and events"
    if Counter(row.ref for row in outbox if row.kind == "event") != Counter(event.event_id for event in events):
        yield "events and deliveries"
    lookups = set(connection.execute(sa.select(tables.lookup.c.event_id)).scalars())
    if {event.event_id for event in events if event.kind == "lookup"} != lookups:
        yield "lookups and events"
    numbers = sorted(event.seq for event in events)
    if numbers != list(range(1, len(events) + 1)) or records.get_setting(connection, "seq") not in (len(events), None):
        yield "sequence of events"
    shown = Counter(
        connection.execute(
            sa.select(tables.checkin.c.kiosk_number).where(tables.checkin.c.kiosk_number.is_not(None))
        ).scalars()
    )
    if any(count > 1 for count in shown.values()):
        yield "numbers given twice"
