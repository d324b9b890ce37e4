"""Bursts outside opening hours, and more people in five minutes than one station can serve."""

from collections import defaultdict
from datetime import date
from typing import Any

import sqlalchemy as sa

from kiosk.events import Lane
from province.findings.finding import Finding, Kind, Severity
from province.findings.limits import Limits
from province.findings.sql import evidence, five_minutes, local_hour, lookups_of
from province.periods import Period


def outside_hours(connection: sa.Connection, span: Period, limits: Limits) -> list[Finding]:
    """Stations with many check-ins within an hour outside the facility's opening hours: one finding per day."""
    seen = lookups_of(connection, span)
    hour = local_hour(connection, seen.c.happened_at).label("hour")
    checkins = sa.func.count(seen.c.checkin_id.distinct()).label("checkins")
    query = (
        sa.select(seen.c.facility, seen.c.station, seen.c.day, hour, checkins)
        .group_by(seen.c.facility, seen.c.station, seen.c.day, hour)
        .having(checkins >= limits.least("outside_hours_least"))
    )
    places: dict[tuple[str, str, date], dict[int, int]] = defaultdict(dict)
    for row in connection.execute(query):
        if _is_outside(row, limits):
            places[row.facility, row.station, row.day][row.hour] = row.checkins
    found = []
    for (facility, station, day), hours in sorted(places.items()):
        mine = seen.c.facility == facility, seen.c.station == station, seen.c.day == day, hour.in_(hours)
        numbers: dict[str, int | str] = {"checkins": sum(hours.values()), "hour": min(hours)}
        numbers |= {name: limits.of(f"{name}_hour", facility, day) for name in ("opens", "closes")}
        ids = evidence(connection, seen.c.event_id, *mine)
        many = 5 * limits.of("outside_hours_least", facility, day)
        severity = Severity.ALARM if sum(hours.values()) >= many else Severity.WARN
        place = Kind.OUTSIDE_HOURS, facility, station, day, day
        found.append(Finding(*place, severity, day.isoformat(), numbers, ids))
    return found


def _is_outside(row: Any, limits: Limits) -> bool:
    opens, closes = (limits.of(name, row.facility, row.day) for name in ("opens_hour", "closes_hour"))
    many = row.checkins >= limits.of("outside_hours_least", row.facility, row.day)
    return many and not opens <= row.hour < closes


def too_fast(connection: sa.Connection, span: Period, limits: Limits) -> list[Finding]:
    """Stations with more check-ins in five minutes than people can be served there: one finding per day.

    A kiosk serves one person at a time (lane `self`); how many desks are behind a station its events do not say.
    """
    seen = lookups_of(connection, span)
    slot = five_minutes(connection, seen.c.happened_at).label("slot")
    checkins = sa.func.count(seen.c.checkin_id.distinct()).label("checkins")
    by_itself = sa.case((seen.c.lane == Lane.SELF, 1), else_=0).label("by_itself")
    query = (
        sa.select(seen.c.facility, seen.c.station, seen.c.day, by_itself, slot, checkins)
        .group_by(seen.c.facility, seen.c.station, seen.c.day, by_itself, slot)
        .having(checkins > min(limits.least("too_fast_self"), limits.least("too_fast_desk")))
        .order_by(checkins.desc(), slot)
    )
    worst: dict[tuple[str, str, date], Any] = {}
    for row in connection.execute(query):
        name = "too_fast_self" if row.by_itself else "too_fast_desk"
        if row.checkins > limits.of(name, row.facility, row.day):
            worst.setdefault((row.facility, row.station, row.day), row)
    found = []
    for (facility, station, day), row in sorted(worst.items()):
        mine = seen.c.facility == facility, seen.c.station == station, seen.c.day == day, slot == row.slot
        name = "too_fast_self" if row.by_itself else "too_fast_desk"
        limit = limits.of(name, facility, day)
        numbers: dict[str, int | str] = {"checkins": row.checkins, "limit": limit}
        ids = evidence(connection, seen.c.event_id, *mine)
        severity = Severity.ALARM if row.checkins >= 2 * limit else Severity.WARN
        found.append(Finding(Kind.TOO_FAST, facility, station, day, day, severity, day.isoformat(), numbers, ids))
    return found
