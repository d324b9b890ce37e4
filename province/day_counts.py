"""Counts that a facility reports per day, and which of several stands (interfaces.md 6: V, `lookups_desk`)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any, Final

import sqlalchemy as sa

from kiosk.events import Origin
from province.bound_lists import bound, is_listed
from province.rollup_table import STATIONS
from province.tables import desk_lookups, visit, visit_count

_BY_TRUST: Final = [str(origin) for origin in Origin]


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose rows a statement reads: of bound days, and of bound facilities or (``everybody``) of all.

    Statements are made once per scope and kept.
    """

    dialect: str
    everybody: bool

    @classmethod
    def of_facilities(cls, connection: sa.Connection, codes: Collection[str] | None) -> "Scope":
        """For these facilities; None: all."""
        return cls(connection.dialect.name, codes is None)

    def of(self, table: sa.Table) -> sa.ColumnElement[bool]:
        """The condition on a table with columns `facility` and `day`."""
        return self.within(table.c.facility, table.c.day)

    def within(self, facility: sa.ColumnElement[str], day: sa.ColumnElement[date]) -> sa.ColumnElement[bool]:
        """The condition on two columns."""
        of_days = is_listed(self.dialect, day, "days")
        return of_days if self.everybody else sa.and_(is_listed(self.dialect, facility, "codes"), of_days)

    def asked(self, days: Collection[date], codes: Collection[str] | None) -> dict[str, object]:
        """What to bind."""
        asked = {"days": bound(self.dialect, sorted(days))}
        return asked if codes is None else asked | {"codes": bound(self.dialect, sorted(codes))}


def _best(table: sa.Table, scope: Scope, name: str, origins: Sequence[str]) -> sa.CTE:
    """Per facility and day the row of the most trusted origin, then of the highest revision, whenever it arrived."""
    trust = sa.case({origin: rank for rank, origin in enumerate(origins)}, value=table.c.origin)
    place = sa.func.row_number().over(
        partition_by=(table.c.facility, table.c.day),
        order_by=(trust, table.c.revision.desc(), table.c.happened_at.desc(), table.c.event_id.desc()),
    )
    ranked = (
        sa.select(*table.columns, place.label("place"))
        .where(scope.of(table), table.c.origin.in_(origins))
        .cte(f"{name}_ranked")
    )
    return sa.select(ranked).where(ranked.c.place == 1).cte(name)


def _station_days(scope: Scope) -> sa.CTE:
    return (
        sa.select(visit.c.facility, visit.c.day, sa.func.count().label("visits"))
        .where(scope.of(visit), visit.c.counted, visit.c.bhyt)
        .group_by(visit.c.facility, visit.c.day)
        .cte("station_day")
    )


def _visit_days(scope: Scope, stations: sa.CTE) -> sa.CTE:
    """V per facility and day: the best count, or the stations' own visits where nobody counted."""
    best = _best(visit_count, scope, "best_count", _BY_TRUST)
    counted = sa.exists().where(best.c.facility == stations.c.facility, best.c.day == stations.c.day)
    origin, by_class = sa.literal(STATIONS).label("origin"), sa.cast(sa.null(), sa.Text).label("by_class")
    return sa.union_all(
        sa.select(best.c.facility, best.c.day, best.c.bhyt_visits.label("visits"), best.c.origin, best.c.by_class),
        sa.select(stations.c.facility, stations.c.day, stations.c.visits, origin, by_class).where(~counted),
    ).cte("visit_day")


@cache
def visits(scope: Scope) -> sa.Select[Any]:
    """V per facility and day, who counted it, and the classes as told (JSON or None)."""
    return sa.select(_visit_days(scope, _station_days(scope)))


@cache
def portal_visits(scope: Scope) -> sa.Select[Any]:
    """The portal's own figure per facility and day, where it is known."""
    best = _best(visit_count, scope, "best_portal", [Origin.PORTAL_FILE])
    return sa.select(best.c.facility, best.c.day, best.c.bhyt_visits.label("visits"))


@cache
def desk(scope: Scope) -> sa.Select[Any]:
    """Lookups outside our stations, per facility and day."""
    best = _best(desk_lookups, scope, "best_desk", _BY_TRUST)
    return sa.select(
        best.c.facility,
        best.c.day,
        best.c.lookups.label("desk_lookups"),
        best.c.visits_looked_up.label("desk_looked_up"),
        best.c.visits_success.label("desk_success"),
    )


@cache
def at_desk(scope: Scope) -> sa.Select[Any]:
    """Insured visits that no station saw, per facility and day: looked up or not."""
    stations = _station_days(scope)
    days = _visit_days(scope, stations)
    desk = _best(desk_lookups, scope, "best_desk", _BY_TRUST)
    left = days.c.visits - sa.func.coalesce(stations.c.visits, 0) - sa.func.coalesce(desk.c.visits_looked_up, 0)
    nothing = sa.literal(0)
    unseen = (
        sa.select(
            days.c.facility,
            days.c.day,
            sa.case((left > 0, left), else_=0).label("not_looked_up"),
            nothing.label("looked_up"),
        )
        .outerjoin(stations, sa.and_(stations.c.facility == days.c.facility, stations.c.day == days.c.day))
        .outerjoin(desk, sa.and_(desk.c.facility == days.c.facility, desk.c.day == days.c.day))
    )
    seen = sa.select(
        desk.c.facility, desk.c.day, nothing.label("not_looked_up"), desk.c.visits_looked_up.label("looked_up")
    )
    both = sa.union_all(unseen, seen).cte("at_desk")
    return sa.select(
        both.c.facility,
        both.c.day,
        sa.func.sum(both.c.not_looked_up).label("not_looked_up"),
        sa.func.sum(both.c.looked_up).label("looked_up"),
    ).group_by(both.c.facility, both.c.day)
