"""The stations of one facility as its page lists them, from what they last told."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from province.tables import station
from province.uploads.taking import STATION_PREFIX

SILENT_AFTER: Final = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class StationLine:
    """One station. ``heard_at``: when it last sent anything (aware); ``silent``: longer ago than SILENT_AFTER.

    ``version``, ``waiting`` (events not yet sent) and ``readers`` (state by name) are of its last heartbeat; None or
    empty without one. ``clock_suspect``: its clock is far from the hub's.
    """

    name: str
    heard_at: datetime
    silent: bool
    version: str | None
    waiting: int | None
    readers: dict[str, str]
    clock_suspect: bool


def stations_of(connection: sa.Connection, facility: str, now: datetime) -> list[StationLine]:
    """The machines of a facility (its code) by name; *now*: an aware time."""
    query = sa.select(station).where(station.c.facility == facility).order_by(station.c.station)
    return [_line(row, now) for row in connection.execute(query) if not row.station.startswith(STATION_PREFIX)]


def _line(row: Any, now: datetime) -> StationLine:
    told = json.loads(row.heartbeat) if row.heartbeat else {}
    return StationLine(
        name=row.station,
        heard_at=row.heard_at,
        silent=now - row.heard_at > SILENT_AFTER,
        version=told.get("version"),
        waiting=told.get("outbox_waiting"),
        readers=told.get("readers") or {},
        clock_suspect=row.clock_suspect,
    )
