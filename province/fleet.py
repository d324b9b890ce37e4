"""How the stations are, from what they last told: silent, events waiting, readers, disk, clock, version (issue 7).

A station is whoever holds a station key that is not revoked. Times without a word count only within hours in which
facilities are open, so that nobody is alarmed by a kiosk that is switched off at night.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Any, Final

import sqlalchemy as sa

from kiosk.events import VIETNAM
from province.tables import station, station_key

OPENS: Final = time(7)
CLOSES: Final = time(17)
_SATURDAY: Final = 5
_SILENT: Final = (timedelta(minutes=15), timedelta(hours=1))
_WAITING_SECONDS: Final = (900, 4 * 3600)
_DISK_MB: Final = (1000, 200)
_CLOCK_MS: Final = (5_000, 60_000)
_VERSION: Final = re.compile(r"\d{1,6}(\.\d{1,6}){0,3}")
READERS: Final = ("scanner", "camera", "keyboard", "card")
"""The readers a heartbeat may name; others are `other`."""


class State(StrEnum):
    """How a station is; the order is that of severity."""

    OK = "ok"
    WARN = "warn"
    ALARM = "alarm"


class Reason(StrEnum):
    """What is wrong with a station."""

    NEVER_HEARD = "never_heard"
    SILENT = "silent"
    NO_HEARTBEAT = "no_heartbeat"
    OUTBOX_OLD = "outbox_old"
    READER_DOWN = "reader_down"
    DISK_LOW = "disk_low"
    CLOCK_WRONG = "clock_wrong"
    OLD_VERSION = "old_version"


@dataclass(frozen=True, slots=True)
class StationHealth:
    """One station. ``state``: the worst of ``reasons``; ``last_seen``: aware, None for one that was never heard.

    ``silent_seconds``: since then, within opening hours. The rest is of the last heartbeat: ``outbox_waiting`` events,
    the oldest for ``outbox_oldest_seconds``; ``readers`` by name, whether they work; ``disk_free_mb``;
    ``clock_offset_ms``; ``version``. ``clock_suspect``: its events come with times far from the hub's.
    """

    facility: str
    station: str
    state: State
    reasons: tuple[Reason, ...]
    last_seen: datetime | None
    silent_seconds: int = 0
    version: str | None = None
    outbox_waiting: int | None = None
    outbox_oldest_seconds: int | None = None
    readers: Mapping[str, bool] | None = None
    disk_free_mb: int | None = None
    clock_offset_ms: int | None = None
    clock_suspect: bool = False


def fleet(connection: sa.Connection, now: datetime, *, only: str | None = None) -> list[StationHealth]:
    """All stations, or those of the facility *only*, by facility and name; *now*: an aware time."""
    held = (
        sa.select(station_key.c.facility, station_key.c.station).where(station_key.c.revoked_at.is_(None)).distinct()
    ).subquery()
    query = (
        sa.select(held.c.facility, held.c.station, *(each for each in station.c if each.name not in held.c))
        .outerjoin_from(
            held, station, sa.and_(station.c.facility == held.c.facility, station.c.station == held.c.station)
        )
        .order_by(held.c.facility, held.c.station)
    )
    if only is not None:
        query = query.where(held.c.facility == only)
    rows = connection.execute(query).all()
    told = {(row.facility, row.station): json.loads(row.heartbeat) if row.heartbeat else {} for row in rows}
    newest = max((_version(each.get("version")) for each in told.values()), default=())
    return [_health(row, told[row.facility, row.station], newest, now) for row in rows]


def open_seconds(since: datetime, now: datetime) -> int:
    """How many seconds between two aware times fell into opening hours: Monday to Friday, OPENS to CLOSES, UTC+7."""
    since, now = since.astimezone(VIETNAM), now.astimezone(VIETNAM)
    total = timedelta()
    # Whoever has been silent for longer than this is no more silent for it, and a wrong clock must not cost time.
    day = max(since.date(), now.date() - timedelta(days=31))
    while day <= now.date():
        if day.weekday() < _SATURDAY:
            begin = max(since, datetime.combine(day, OPENS, VIETNAM))
            end = min(now, datetime.combine(day, CLOSES, VIETNAM))
            total += max(end - begin, timedelta())
        day += timedelta(days=1)
    return int(total.total_seconds())


def _health(row: Any, told: Mapping[str, Any], newest: tuple[int, ...], now: datetime) -> StationHealth:
    if row.heard_at is None:
        return StationHealth(row.facility, row.station, State.WARN, (Reason.NEVER_HEARD,), None)
    silent = open_seconds(row.heard_at, now)
    readers = _readers(told.get("readers"))
    version, oldest, disk, clock = (
        told.get(name) for name in ("version", "oldest_waiting_s", "disk_free_mb", "clock_offset_ms")
    )
    down = [name for name, works in readers.items() if not works]
    seen = {
        Reason.SILENT: _above(silent, *(int(each.total_seconds()) for each in _SILENT)),
        Reason.NO_HEARTBEAT: State.OK if row.heartbeat else State.WARN,
        Reason.OUTBOX_OLD: _above(oldest, *_WAITING_SECONDS),
        Reason.READER_DOWN: State.OK if not down else State.ALARM if len(down) == len(readers) else State.WARN,
        Reason.DISK_LOW: State.OK if disk is None else _above(-disk, *(-each for each in _DISK_MB)),
        Reason.CLOCK_WRONG: State.ALARM if row.clock_suspect else _above(abs(clock or 0), *_CLOCK_MS),
        Reason.OLD_VERSION: State.WARN if () < _version(version) < newest else State.OK,
    }
    worst = max(seen.values(), key=list(State).index)
    reasons = sorted((each for each in seen if seen[each] is not State.OK), key=lambda each: seen[each] is State.WARN)
    return StationHealth(
        row.facility,
        row.station,
        worst,
        tuple(reasons),
        row.heard_at,
        silent,
        version,
        told.get("outbox_waiting"),
        oldest,
        readers,
        disk,
        clock,
        row.clock_suspect,
    )


def _above(value: int | None, warn: int, alarm: int) -> State:
    if value is None or value <= warn:
        return State.OK
    return State.WARN if value <= alarm else State.ALARM


def _readers(told: object) -> dict[str, bool]:
    if not isinstance(told, dict):
        return {}
    named: dict[str, bool] = {}
    for name, state in told.items():
        known = name if name in READERS else "other"
        named[known] = named.get(known, True) and state == "ok"
    return named


def _version(text: object) -> tuple[int, ...]:
    if not isinstance(text, str) or not _VERSION.fullmatch(text):
        return ()
    return tuple(int(part) for part in text.split("."))
