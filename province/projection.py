"""From accepted events to the rows that the rates read.

A visit is one row per facility, epoch and check-in: content of the highest `seq`, day of the lowest, whatever the order
of arrival (interfaces.md 5 and 6). The same check-in under two epochs (a restored kiosk database) counts once.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, cast

import sqlalchemy as sa

from kiosk.events import VIETNAM, Kind, parse_day
from province.rollups import refresh
from province.tables import desk_lookups, facility_day, lookup, visit, visit_count
from province.upsert import among, insert_or_update, insert_rows

Row = dict[str, Any]
_DESK_COUNTS: Final = ("lookups", "visits_looked_up", "visits_success")


@dataclass(frozen=True, slots=True)
class Accepted:
    """One new event that counts: its decoded JSON, its id in lower case and its time in UTC."""

    raw: dict[str, Any]
    event_id: str
    happened_at: datetime

    @property
    def day(self) -> date:
        """The day in UTC+7 on which it happened."""
        return self.happened_at.astimezone(VIETNAM).date()


def project(connection: sa.Connection, facility: str, events: Sequence[Accepted], today: date) -> None:
    """Bring the tables of the rates up to date with new events of one facility.

    `today` (UTC+7) decides which days are over: a change to such a day raises its revision. The caller holds the
    facility's lock, so that reading and then writing is safe.
    """
    by_kind: dict[str, list[Accepted]] = {}
    for item in events:
        by_kind.setdefault(item.raw["kind"], []).append(item)
    lookups, visits = by_kind.get(Kind.LOOKUP, []), by_kind.get(Kind.VISIT, [])
    counts, desk = by_kind.get(Kind.VISIT_COUNT, []), by_kind.get(Kind.DESK_LOOKUPS, [])
    changed = {item.day for item in lookups} | {day_counted(item.raw) for item in counts + desk}
    changed |= _merge_visits(connection, facility, visits, {item.raw["checkin_id"] for item in lookups})
    insert_rows(connection, lookup, [_lookup_row(facility, item) for item in lookups])
    insert_rows(connection, visit_count, [_visit_count_row(facility, item) for item in counts])
    insert_rows(connection, desk_lookups, [_count_row(facility, item, _DESK_COUNTS) for item in desk])
    touched = _mark_days(connection, facility, changed, {item.day for item in events}, today)
    refresh(connection, changed | touched, [facility])


def day_counted(raw: Row) -> date:
    """The day that a checked `visit_count` or `desk_lookups` event is about."""
    return cast(date, parse_day(raw["date"]))


def _lookup_row(facility: str, item: Accepted) -> Row:
    raw = item.raw
    return {
        "facility": facility,
        "event_id": item.event_id,
        "checkin_id": raw["checkin_id"],
        "happened_at": item.happened_at,
        "day": item.day,
        "key_kind": raw.get("key_kind"),
        "method": raw.get("method"),
        "chip_verdict": raw.get("chip_verdict"),
        "result_code": raw.get("result_code") or None,
        "reached_gateway": raw["reached_gateway"],
        "person_day": raw.get("person_day"),
    }


def _count_row(facility: str, item: Accepted, names: Sequence[str]) -> Row:
    raw = item.raw
    return {
        "facility": facility,
        "event_id": item.event_id,
        "happened_at": item.happened_at,
        "day": day_counted(raw),
        "origin": raw["origin"],
        "revision": raw["revision"],
    } | {name: raw[name] for name in names}


def _visit_count_row(facility: str, item: Accepted) -> Row:
    by_class = item.raw.get("by_class")
    told = json.dumps(by_class, ensure_ascii=False, sort_keys=True) if by_class else None
    return _count_row(facility, item, ("bhyt_visits",)) | {"by_class": told}


def _merge_visits(
    connection: sa.Connection, facility: str, events: Sequence[Accepted], looked_up: set[str]
) -> set[date]:
    """Merge visit events into their rows; returns the days of all visits that changed or got a lookup."""
    touched = looked_up | {item.raw["checkin_id"] for item in events}
    if not touched:
        return set()
    query = sa.select(visit).where(visit.c.facility == facility, among(connection, visit.c.checkin_id, touched))
    rows = {(row["epoch"], row["checkin_id"]): dict(row) for row in connection.execute(query).mappings()}
    before = {key: dict(row) for key, row in rows.items()}
    for item in events:
        key = (item.raw["epoch"], item.raw["checkin_id"])
        fresh = _visit_row(facility, item)
        rows[key] = _merged(rows[key], fresh) if key in rows else fresh
    _choose_counted(rows)
    insert_rows(connection, visit, [row for key, row in rows.items() if key not in before])
    changed = {key: rows[key] for key in before if rows[key] != before[key]}
    updatable = [column.name for column in visit.columns if not column.primary_key]
    insert_or_update(connection, visit, list(changed.values()), updatable)
    left = {before[key]["day"] for key in changed}
    return left | {
        row["day"] for key, row in rows.items() if key in changed or key not in before or row["checkin_id"] in looked_up
    }


def _visit_row(facility: str, item: Accepted) -> Row:
    seq = item.raw["seq"]
    return {
        "facility": facility,
        "epoch": item.raw["epoch"],
        "checkin_id": item.raw["checkin_id"],
        "first_seq": seq,
        "first_event_id": item.event_id,
        "day": item.day,
        "last_seq": seq,
        "last_event_id": item.event_id,
        "bhyt": item.raw["bhyt"],
        "lane": item.raw.get("lane") or None,
        "not_by_chip": item.raw.get("not_by_chip") or None,
        "counted": True,
    }


def _merged(row: Row, fresh: Row) -> Row:
    # A reused seq is broken by the event id, so that the outcome never depends on the order of arrival.
    merged = dict(row)
    if (fresh["first_seq"], fresh["first_event_id"]) < (row["first_seq"], row["first_event_id"]):
        merged |= {name: fresh[name] for name in ("first_seq", "first_event_id", "day")}
    if (fresh["last_seq"], fresh["last_event_id"]) > (row["last_seq"], row["last_event_id"]):
        merged |= {name: fresh[name] for name in ("last_seq", "last_event_id", "bhyt", "lane", "not_by_chip")}
    return merged


def _choose_counted(rows: dict[tuple[str, str], Row]) -> None:
    first: dict[str, tuple[date, str]] = {}
    for (epoch, checkin_id), row in rows.items():
        first[checkin_id] = min(first.get(checkin_id, (date.max, "")), (row["day"], epoch))
    for (epoch, checkin_id), row in rows.items():
        row["counted"] = first[checkin_id] == (row["day"], epoch)


def _mark_days(
    connection: sa.Connection, facility: str, changed: set[date], reported: set[date], today: date
) -> set[date]:
    """Note which days reported and which changed after they were over; returns the days whose notes changed."""
    query = sa.select(facility_day).where(facility_day.c.facility == facility)
    known = {row.day: row for row in connection.execute(query.where(facility_day.c.day.in_(changed | reported)))}
    highest = connection.scalar(sa.select(sa.func.max(facility_day.c.revision))) or 1
    rows: list[Row] = []
    for day in changed | reported:
        old = known.get(day)
        # One more than any day has had, so that the revision of every longer row with this day rises too.
        revision = highest + 1 if day in changed and day < today else (old.revision if old else 1)
        seen = day in reported or bool(old and old.reported)
        if old is None or (old.revision, old.reported) != (revision, seen):
            rows.append({"facility": facility, "day": day, "reported": seen, "revision": revision})
    insert_or_update(connection, facility_day, rows, ("reported", "revision"))
    return {row["day"] for row in rows}
