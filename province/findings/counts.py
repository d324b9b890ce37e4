"""Denominators: visits of a day that became fewer, that are fewer than were served, or that someone else counts."""

from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa

from kiosk.events import Origin
from province.findings.finding import Finding, Kind, Severity
from province.findings.limits import Limits
from province.findings.sql import evidence, month_of, share
from province.periods import Period
from province.rollup_table import ORIGINS, STATIONS, Grain, origin_column, rollup
from province.tables import visit, visit_count

_KNOWN: Final = [str(origin) for origin in Origin]


def visits_shrunk(connection: sa.Connection, span: Period, limits: Limits) -> list[Finding]:
    """Days for which an origin's last word on the visits is well below an earlier one of the same origin."""
    place = sa.func.row_number().over(
        partition_by=(visit_count.c.facility, visit_count.c.day, visit_count.c.origin),
        order_by=(
            visit_count.c.revision.desc(),
            visit_count.c.happened_at.desc(),
            visit_count.c.event_id.desc(),
        ),
    )
    told = (
        sa.select(visit_count, place.label("place"))
        .where(visit_count.c.day.between(span.start, span.end), visit_count.c.origin.in_(_KNOWN))
        .subquery()
    )
    last = sa.func.max(sa.case((told.c.place == 1, told.c.bhyt_visits)))
    highest = sa.func.max(told.c.bhyt_visits)
    query = (
        sa.select(told.c.facility, told.c.day, told.c.origin, last.label("last"), highest.label("highest"))
        .group_by(told.c.facility, told.c.day, told.c.origin)
        .having(highest - last >= max(1, limits.least("visits_shrunk_least")))
    )
    found = []
    for row in connection.execute(query).all():
        less = row.highest - row.last
        limit = {name: limits.of(f"visits_shrunk_{name}", row.facility, row.day) for name in ("pct", "least")}
        if less < limit["least"] or 100 * less <= limit["pct"] * row.highest:
            continue
        of_day = (
            visit_count.c.facility == row.facility,
            visit_count.c.day == row.day,
            visit_count.c.origin == row.origin,
        )
        numbers: dict[str, int | str] = {"before": row.highest, "after": row.last, "origin": row.origin}
        ids = evidence(connection, visit_count.c.event_id, *of_day)
        severity = Severity.ALARM if 5 * less >= row.highest else Severity.WARN
        at = Kind.VISITS_SHRUNK, row.facility, "", row.day, row.day
        found.append(Finding(*at, severity, f"{row.day.isoformat()} {row.origin}", numbers, ids))
    return found


def visits_below_served(connection: sa.Connection, span: Period, limits: Limits) -> list[Finding]:
    """Days whose reported visits are well below what stations served and desks looked up: one finding per day."""
    seen = (
        sa.select(visit.c.facility, visit.c.day, sa.func.count().label("visits"))
        .where(visit.c.day.between(span.start, span.end), visit.c.counted, visit.c.bhyt)
        .group_by(visit.c.facility, visit.c.day)
        .subquery()
    )
    served = seen.c.visits + rollup.c.desk_looked_up
    told = rollup.c[origin_column(STATIONS)] == 0
    query = (
        sa.select(
            rollup.c.facility,
            rollup.c.start.label("day"),
            rollup.c.visits,
            seen.c.visits.label("stations"),
            rollup.c.desk_looked_up.label("desks"),
        )
        .join(seen, sa.and_(seen.c.facility == rollup.c.facility, seen.c.day == rollup.c.start))
        .where(rollup.c.grain == Grain.DAY, rollup.c.start.between(span.start, span.end), told)
        .where(served - rollup.c.visits >= max(1, limits.least("visits_below_least")))
    )
    found = []
    for row in connection.execute(query).all():
        more = row.stations + row.desks - row.visits
        limit = {name: limits.of(f"visits_below_{name}", row.facility, row.day) for name in ("pct", "least")}
        if more < limit["least"] or 100 * more <= limit["pct"] * (row.stations + row.desks):
            continue
        of_day = visit_count.c.facility == row.facility, visit_count.c.day == row.day
        numbers: dict[str, int | str] = {"visits": row.visits, "stations": row.stations, "desks": row.desks}
        ids = evidence(connection, visit_count.c.event_id, *of_day)
        severity = Severity.ALARM if 4 * more >= row.stations + row.desks else Severity.WARN
        at = Kind.VISITS_BELOW_SERVED, row.facility, "", row.day, row.day
        found.append(Finding(*at, severity, row.day.isoformat(), numbers, ids))
    return found


def visits_below_portal(connection: sa.Connection, span: Period, limits: Limits) -> list[Finding]:
    """Facilities whose visits of a month are well below the portal's own figure for the same days."""
    portal, beside = sa.func.sum(rollup.c.visits_portal), sa.func.sum(rollup.c.visits_beside_portal)
    query = (
        sa.select(
            rollup.c.facility,
            sa.func.min(rollup.c.start).label("first"),
            sa.func.max(rollup.c.start).label("last"),
            sa.cast(portal, sa.Integer).label("portal"),
            sa.cast(beside, sa.Integer).label("beside"),
        )
        .where(rollup.c.grain == Grain.DAY, rollup.c.start.between(span.start, span.end), rollup.c.has_portal == 1)
        .group_by(rollup.c.facility)
        .having(portal - beside >= max(1, limits.least("portal_gap_least")))
    )
    found = []
    for row in connection.execute(query).all():
        gap = row.portal - row.beside
        limit = {name: limits.of(f"portal_gap_{name}", row.facility, row.last) for name in ("pct", "least")}
        if gap < limit["least"] or 100 * gap <= limit["pct"] * row.portal:
            continue
        told = (
            visit_count.c.facility == row.facility,
            visit_count.c.day.between(row.first, row.last),
            visit_count.c.origin == Origin.PORTAL_FILE,
        )
        numbers: dict[str, int | str] = {"visits": row.beside, "portal": row.portal, "pct": share(gap, row.portal)}
        ids = evidence(connection, visit_count.c.event_id, *told)
        severity = Severity.ALARM if 5 * gap >= row.portal else Severity.WARN
        at = Kind.VISITS_BELOW_PORTAL, row.facility, "", row.first, row.last
        found.append(Finding(*at, severity, month_of(span.start), numbers, ids))
    return found


def origin_changed(connection: sa.Connection, span: Period, limits: Limits) -> list[Finding]:
    """Facilities that have their visits from more than one origin in a month, the rarer ones on several days.

    A warning when the stations' own count stands in for the facility's: who is not at a station is then in no visit.
    """
    days = {name: sa.func.sum(rollup.c[origin_column(name)]) for name in ORIGINS}
    query = (
        sa.select(
            rollup.c.facility,
            sa.func.min(rollup.c.start).label("first"),
            sa.func.max(rollup.c.start).label("last"),
            *(sa.cast(column, sa.Integer).label(name) for name, column in days.items()),
        )
        .where(rollup.c.grain == Grain.DAY, rollup.c.start.between(span.start, span.end), rollup.c.visits > 0)
        .group_by(rollup.c.facility)
        .having(_several(list(days.values())))
    )
    return [each for row in connection.execute(query).all() if (each := _changed(connection, row, span, limits))]


def _several(days: Sequence[sa.ColumnElement[int]]) -> sa.ColumnElement[bool]:
    present = [sa.case((each > 0, 1), else_=0) for each in days]
    return sum(present[1:], present[0]) > 1


def _changed(connection: sa.Connection, row: Any, span: Period, limits: Limits) -> Finding | None:
    days = {name: getattr(row, name) for name in ORIGINS}
    main = max(ORIGINS, key=lambda name: days[name])
    others = {name: number for name, number in days.items() if name != main and number}
    if sum(others.values()) < limits.of("origin_changed_days", row.facility, row.last):
        return None
    numbers: dict[str, int | str] = {"main": main, "main_days": days[main], "days": sum(others.values())}
    numbers |= {"others": ", ".join(others)}
    told = (
        visit_count.c.facility == row.facility,
        visit_count.c.day.between(span.start, span.end),
        visit_count.c.origin.in_(sorted(others)),
    )
    ids = evidence(connection, visit_count.c.event_id, *told)
    severity = Severity.WARN if STATIONS in others else Severity.NOTE
    at = Kind.ORIGIN_CHANGED, row.facility, "", row.first, row.last
    return Finding(*at, severity, month_of(span.start), numbers, ids)
