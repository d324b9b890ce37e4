"""Events that were refused, so that nobody waits for them without knowing (faults-threats-speed.md 3: F13)."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from province.ingest_tables import quarantine
from province.upsert import insert_or_update

MOST: Final = 5_000
"""Rows per station: a broken one must not fill the database; what comes later is counted on the row without an id."""
_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Quarantined:
    """One event that was refused ``times`` for ``reason`` (a code of `check_event`, or `cannot_be_counted`).

    ``event_id`` is empty where it has no readable one: then the row stands for all such events of the station.
    """

    facility: str
    station: str
    event_id: str
    reason: str
    first_at: datetime
    last_at: datetime
    times: int


def put_away(
    connection: sa.Connection, facility: str, station: str, refused: Iterable[tuple[str | None, str]], now: datetime
) -> None:
    """Keep that events (id as it was readable, reason) were refused; the caller holds the facility's lock."""
    counted = Counter((_kept_id(event_id), reason) for event_id, reason in refused)
    if not counted:
        return
    mine = quarantine.c.facility == facility, quarantine.c.station == station
    ids = {event_id for event_id, _ in counted} | {""}
    known = {
        (row.event_id, row.reason): row
        for row in connection.execute(sa.select(quarantine).where(*mine, quarantine.c.event_id.in_(ids)))
    }
    room = MOST - (connection.scalar(sa.select(sa.func.count()).select_from(quarantine).where(*mine)) or 0)
    rows: dict[tuple[str, str], dict[str, object]] = {}
    for (event_id, reason), number in sorted(counted.items()):
        place = (event_id, reason)
        if place not in known and place not in rows and event_id:
            room -= 1
            place = place if room >= 0 else ("", reason)
        old = known.get(place)
        before = rows[place]["times"] if place in rows else old.times if old else 0
        rows[place] = {
            "facility": facility,
            "station": station,
            "event_id": place[0],
            "reason": reason,
            "first_at": old.first_at if old else now,
            "last_at": now,
            "times": int(str(before)) + number,
        }
    insert_or_update(connection, quarantine, list(rows.values()), ("last_at", "times"))


def quarantined(connection: sa.Connection, facility: str | None = None) -> list[Quarantined]:
    """What was refused of all facilities or one, what came last first."""
    query = sa.select(quarantine).order_by(quarantine.c.last_at.desc(), *quarantine.primary_key.columns)
    if facility is not None:
        query = query.where(quarantine.c.facility == facility)
    return [Quarantined(**row) for row in connection.execute(query).mappings()]


def _kept_id(event_id: str | None) -> str:
    return event_id.lower() if event_id and _ID.fullmatch(event_id) else ""
