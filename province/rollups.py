"""Keeping the sums that the feed reads: from the ledger's rows to days, to months, to years.

Whoever changes what a day is made of refreshes it in the same transaction, so that the feed never shows less than what
was acknowledged.
"""

from collections.abc import Collection, Iterable
from datetime import UTC, date, datetime
from functools import cache
from typing import Any, Final

import sqlalchemy as sa

from province.bound_lists import is_listed
from province.day_counts import Scope
from province.day_sums import day_sums
from province.measures import Measures, add_rest, differences, from_row, to_row
from province.member_days import Rows, member_rows
from province.periods import month_end
from province.rollup_table import ADDED, LARGEST, Grain, closed_month, rollup
from province.rule_tables import succession
from province.tables import facility, facility_version
from province.unit_marks import mark_all_of, mark_stale
from province.upsert import insert_rows

_KEY: Final = ("facility", "grain", "start")
_AT_ONCE: Final = 500
_VALUES: Final = ("last", "province", "area", "active", *ADDED, *LARGEST, "rest")


def refresh(connection: sa.Connection, days: Collection[date], codes: Collection[str] | None = None) -> None:
    """Make the sums of these days new, and of their months and years: of these facilities, or of all.

    The caller's transaction has already changed what the days are made of, and holds the facilities' locks.
    """
    if not days:
        return
    scope = Scope.of_facilities(connection, codes)
    asked = scope.asked(days, codes) | {"of_grain": str(Grain.DAY)}
    connection.execute(_drop(scope), asked)
    insert_rows(
        connection,
        rollup,
        [
            {"facility": owner, "grain": str(Grain.DAY), "start": day, "last": day, "province": "", "area": ""}
            | {"active": 1}
            | sums
            for (owner, day), sums in _day_rows(connection, days, codes).items()
        ],
    )
    connection.execute(_label(scope), asked)
    refresh_above(connection, days, codes)


def refresh_above(connection: sa.Connection, days: Collection[date], codes: Collection[str] | None = None) -> None:
    """Make the sums of the months and years of these days new from the sums of days."""
    closed = closed_months(connection)
    months = {day.replace(day=1) for day in days}
    for month in sorted(months):
        grain = Grain.LIVE if month in closed else Grain.MONTH
        _sum_up(connection, Grain.DAY, grain, month, month_end(month), codes)
    years = {month.replace(month=1) for month in months - closed}
    for year in sorted(years):
        _sum_up(connection, Grain.MONTH, Grain.YEAR, year, year.replace(month=12, day=31), codes)
    mark_stale(connection, (Grain.DAY, days), (Grain.MONTH, months - closed), (Grain.YEAR, years))


def close_month(connection: sa.Connection, month: date) -> None:
    """Freeze every facility's sums of the month that begins on the day *month*; what comes later stands beside them.

    Raises ValueError when it is no first day, or closed already.
    """
    if month.day != 1 or is_closed(connection, month):
        raise ValueError("not the first day of an open month")
    connection.execute(sa.insert(closed_month).values(month=month, closed_at=datetime.now(UTC)))
    followed = sa.select(succession.c.old).where(succession.c.day > month, succession.c.day <= month_end(month))
    days = sa.and_(
        rollup.c.grain == str(Grain.DAY),
        rollup.c.start.between(month, month_end(month)),
        rollup.c.facility.in_(followed),
    )
    names = [column.name for column in rollup.columns]
    values = (sa.literal(str(Grain.FIXED)) if name == "grain" else rollup.c[name] for name in names)
    connection.execute(sa.insert(rollup).from_select(names, sa.select(*values).where(days)))


def is_closed(connection: sa.Connection, month: date) -> bool:
    """Whether the month that begins on the day *month* is closed."""
    query = sa.select(closed_month.c.month).where(closed_month.c.month == month)
    return connection.scalar(query) is not None


def closed_months(connection: sa.Connection) -> set[date]:
    """The first days of all closed months."""
    return set(connection.scalars(sa.select(closed_month.c.month)))


def late(connection: sa.Connection, month: date) -> dict[str, tuple[Measures, Measures]]:
    """Facilities of a closed month of which a number is another after the closing: the sums as published, and as they
    are now.
    """
    live = _by_facility(connection, Grain.LIVE, month)
    published = _by_facility(connection, Grain.MONTH, month)
    pairs = {code: (published.get(code, Measures()), sums) for code, sums in live.items()}
    return {code: pair for code, pair in pairs.items() if differences(*pair)}


def relabel(connection: sa.Connection, codes: Iterable[str]) -> None:
    """Give the rows of these facilities the province, area and validity of the registry as it is now."""
    wanted = sorted(codes)
    for start in range(0, len(wanted), _AT_ONCE):
        own = rollup.c.facility.in_(wanted[start : start + _AT_ONCE])
        connection.execute(sa.update(rollup).where(own).values(_labels(rollup.c.start, rollup.c.last)))
        mark_all_of(connection, wanted[start : start + _AT_ONCE])


def _by_facility(connection: sa.Connection, grain: Grain, start: date) -> dict[str, Measures]:
    query = sa.select(rollup).where(rollup.c.grain == grain, rollup.c.start == start)
    found = {}
    for row in connection.execute(query).mappings():
        found[row["facility"]] = from_row(row)
        add_rest(found[row["facility"]], row["rest"])
    return found


def _day_rows(connection: sa.Connection, days: Collection[date], codes: Collection[str] | None) -> Rows:
    counted = {place: to_row(sums) for place, sums in day_sums(connection, days, codes).items()}
    return counted | member_rows(connection, days, codes)


def _sum_up(
    connection: sa.Connection, below: Grain, grain: Grain, start: date, last: date, codes: Collection[str] | None
) -> None:
    """Write the row of *grain* that begins at *start* as the sum of the rows of grain *below* in it."""
    scope = Scope.of_facilities(connection, codes)
    asked = scope.asked([start], codes) | {"below": str(below), "of_grain": str(grain), "first": start, "end": last}
    connection.execute(_drop(scope), asked)
    connection.execute(_total(scope), asked)
    rests: dict[str, Measures] = {}
    for row in connection.execute(_rests(scope), asked):
        add_rest(rests.setdefault(row.facility, Measures()), row.rest)
    for owner, sums in rests.items():
        own = sa.and_(rollup.c.facility == owner, rollup.c.grain == grain, rollup.c.start == start)
        connection.execute(sa.update(rollup).where(own).values(rest=to_row(sums)["rest"]))


_GRAIN: Final = sa.bindparam("of_grain", type_=sa.String)
_BELOW: Final = sa.bindparam("below", type_=sa.String)
_FIRST: Final = sa.bindparam("first", type_=sa.Date)
_END: Final = sa.bindparam("end", type_=sa.Date)


@cache
def _drop(scope: Scope) -> sa.Delete:
    return sa.delete(rollup).where(rollup.c.grain == _GRAIN, scope.within(rollup.c.facility, rollup.c.start))


@cache
def _inside(scope: Scope) -> sa.ColumnElement[bool]:
    """The rows below, of the scope's facilities."""
    below = sa.and_(rollup.c.grain == _BELOW, rollup.c.start.between(_FIRST, _END))
    return below if scope.everybody else sa.and_(is_listed(scope.dialect, rollup.c.facility, "codes"), below)


@cache
def _total(scope: Scope) -> sa.Insert:
    total = (
        sa.select(
            rollup.c.facility,
            _GRAIN.label("grain"),
            _FIRST.label("start"),
            _END.label("last"),
            *(label.label(name) for name, label in _labels(_FIRST, _END).items()),
            *(sa.cast(sa.func.sum(rollup.c[name]), sa.Integer).label(name) for name in ADDED),
            *(sa.func.max(rollup.c[name]).label(name) for name in LARGEST),
            sa.cast(sa.null(), sa.Text).label("rest"),
        )
        .where(_inside(scope))
        .group_by(rollup.c.facility)
    )
    return sa.insert(rollup).from_select([*_KEY, *_VALUES], total)


@cache
def _rests(scope: Scope) -> sa.Select[tuple[str, str]]:
    return sa.select(rollup.c.facility, rollup.c.rest).where(_inside(scope), rollup.c.rest.is_not(None))


@cache
def _label(scope: Scope) -> sa.Update:
    wanted = sa.and_(rollup.c.grain == _GRAIN, scope.within(rollup.c.facility, rollup.c.start))
    return sa.update(rollup).where(wanted).values(_labels(rollup.c.start, rollup.c.last))


def _labels(start: sa.ColumnElement[date], last: sa.ColumnElement[date]) -> dict[str, sa.ColumnElement[Any]]:
    """Where the facility of a row of `rollup` belongs in these days, and whether the registry has it then."""
    version = facility_version
    own = version.c.facility == rollup.c.facility
    begun = sa.or_(version.c.valid_from.is_(None), version.c.valid_from <= last)
    newest = version.c.valid_from.desc().nulls_last()
    last_begun = _one(sa.select(version.c.province_code).where(own, begun).order_by(newest))
    first = _one(sa.select(version.c.province_code).where(own).order_by(version.c.valid_from.nulls_first()))
    not_over = sa.or_(version.c.valid_to.is_(None), version.c.valid_to >= start)
    active = sa.select(version.c.facility).where(own, begun, not_over).correlate(rollup).exists()
    area = _one(sa.select(facility.c.area_code).where(facility.c.code == rollup.c.facility))
    return {
        "province": sa.func.coalesce(last_begun, first, ""),
        "area": sa.func.coalesce(area, ""),
        "active": sa.case((active, 1), else_=0),
    }


def _one(query: sa.Select[tuple[str]]) -> sa.ScalarSelect[str]:
    return query.limit(1).correlate(rollup).scalar_subquery()
