"""Counts that a facility reports per day, and which of several stands (interfaces.md 6: V, `lookups_desk`)."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

import sqlalchemy as sa

from kiosk.events import Origin
from province.periods import Period
from province.tables import desk_lookups, visit, visit_count

STATIONS: Final = "stations"
_BY_TRUST: Final = [str(origin) for origin in Origin]


def calendar_of(periods: Sequence[Period]) -> sa.CTE:
    """A table of all days with the number of their period."""
    days = [
        (period.start + timedelta(days=offset), number)
        for number, period in enumerate(periods)
        for offset in range((period.end - period.start).days + 1)
    ]
    columns = sa.column("day", sa.Date), sa.column("period", sa.Integer)
    return sa.values(*columns, name="days").data(days).cte("calendar")


def _best(table: sa.Table, calendar: sa.CTE, name: str, origins: Sequence[str]) -> sa.CTE:
    """Per facility and day the row of the most trusted origin, then of the highest revision, whenever it arrived."""
    trust = sa.case({origin: rank for rank, origin in enumerate(origins)}, value=table.c.origin)
    place = sa.func.row_number().over(
        partition_by=(table.c.facility, table.c.day),
        order_by=(trust, table.c.revision.desc(), table.c.happened_at.desc(), table.c.event_id.desc()),
    )
    ranked = (
        sa.select(*table.columns, calendar.c.period, place.label("place"))
        .join(calendar, calendar.c.day == table.c.day)
        .where(table.c.origin.in_(origins))
        .cte(f"{name}_ranked")
    )
    return sa.select(ranked).where(ranked.c.place == 1).cte(name)


def _station_days(calendar: sa.CTE) -> sa.CTE:
    return (
        sa.select(visit.c.facility, visit.c.day, calendar.c.period, sa.func.count().label("visits"))
        .join(calendar, calendar.c.day == visit.c.day)
        .where(visit.c.counted, visit.c.bhyt)
        .group_by(visit.c.facility, visit.c.day, calendar.c.period)
        .cte("station_day")
    )


def _visit_days(calendar: sa.CTE, stations: sa.CTE) -> sa.CTE:
    """V per facility and day: the best count, or the stations' own visits where nobody counted."""
    best = _best(visit_count, calendar, "best_count", _BY_TRUST)
    counted = sa.exists().where(best.c.facility == stations.c.facility, best.c.day == stations.c.day)
    origin = sa.literal(STATIONS).label("origin")
    return sa.union_all(
        sa.select(best.c.facility, best.c.day, best.c.period, best.c.bhyt_visits.label("visits"), best.c.origin),
        sa.select(stations.c.facility, stations.c.day, stations.c.period, stations.c.visits, origin).where(~counted),
    ).cte("visit_day")


def visits(calendar: sa.CTE) -> sa.Select[Any]:
    """V per facility and period, with the smallest and largest origin of its days (equal: there is only one)."""
    days = _visit_days(calendar, _station_days(calendar))
    return sa.select(
        days.c.facility,
        days.c.period,
        sa.func.sum(days.c.visits).label("visits"),
        sa.func.min(days.c.origin).label("first_origin"),
        sa.func.max(days.c.origin).label("last_origin"),
    ).group_by(days.c.facility, days.c.period)


def portal_visits(calendar: sa.CTE) -> sa.Select[Any]:
    """The portal's own figure per facility and period, over the days for which it is known."""
    best = _best(visit_count, calendar, "best_portal", [Origin.PORTAL_FILE])
    return sa.select(best.c.facility, best.c.period, sa.func.sum(best.c.bhyt_visits).label("visits")).group_by(
        best.c.facility, best.c.period
    )


def desk(calendar: sa.CTE) -> sa.Select[Any]:
    """Lookups outside our stations, per facility and period."""
    best = _best(desk_lookups, calendar, "best_desk", _BY_TRUST)
    return sa.select(
        best.c.facility,
        best.c.period,
        sa.func.sum(best.c.lookups).label("desk_lookups"),
        sa.func.sum(best.c.visits_looked_up).label("desk_looked_up"),
        sa.func.sum(best.c.visits_success).label("desk_success"),
    ).group_by(best.c.facility, best.c.period)


def at_desk(calendar: sa.CTE) -> sa.Select[Any]:
    """Insured visits that no station saw, per facility and period: looked up or not, worked out per day."""
    stations = _station_days(calendar)
    days = _visit_days(calendar, stations)
    desk = _best(desk_lookups, calendar, "best_desk", _BY_TRUST)
    looked_up = sa.func.coalesce(desk.c.visits_looked_up, 0)
    left = days.c.visits - sa.func.coalesce(stations.c.visits, 0) - looked_up
    nothing = sa.literal(0)
    unseen = (
        sa.select(
            days.c.facility,
            days.c.period,
            sa.case((left > 0, left), else_=0).label("not_looked_up"),
            nothing.label("looked_up"),
        )
        .outerjoin(stations, sa.and_(stations.c.facility == days.c.facility, stations.c.day == days.c.day))
        .outerjoin(desk, sa.and_(desk.c.facility == days.c.facility, desk.c.day == days.c.day))
    )
    seen = sa.select(
        desk.c.facility, desk.c.period, nothing.label("not_looked_up"), desk.c.visits_looked_up.label("looked_up")
    )
    both = sa.union_all(unseen, seen).cte("at_desk")
    return sa.select(
        both.c.facility,
        both.c.period,
        sa.func.sum(both.c.not_looked_up).label("not_looked_up"),
        sa.func.sum(both.c.looked_up).label("looked_up"),
    ).group_by(both.c.facility, both.c.period)
