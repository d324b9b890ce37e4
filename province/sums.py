"""Reading the sums of a range: cut into whole years, whole months and single days, added up by the database."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from province.measures import Measures, add_rest, from_row
from province.periods import Period, month_end
from province.rollup_table import ADDED, LARGEST, Grain, rollup


class By(StrEnum):
    """Whose sums are wanted; the value is the column of `rollup` that names it."""

    FACILITY = "facility"
    AREA = "area"
    PROVINCE = "province"


@dataclass(frozen=True, slots=True)
class Counts:
    """How many facilities of a unit reported, and how many looked up anything; and whether any row is of one that the
    registry does not hold valid then (they are in neither count).
    """

    reporting: int
    with_lookup: int
    has_inactive: bool


def pieces(span: Period) -> Iterator[tuple[Grain, date]]:
    """The rows that make up the span: its whole years, whole months and single days, in order."""
    day = span.start
    while day <= span.end:
        year_end, last_of_month = date(day.year, 12, 31), month_end(day)
        if (day.month, day.day) == (1, 1) and year_end <= span.end:
            grain, end = Grain.YEAR, year_end
        elif day.day == 1 and last_of_month <= span.end:
            grain, end = Grain.MONTH, last_of_month
        else:
            grain, end = Grain.DAY, day
        yield grain, day
        if end >= span.end:
            return
        day = end + timedelta(days=1)


def sums(
    connection: sa.Connection, spans: Sequence[Period], by: By, only: str | None = None
) -> list[dict[str, Measures]]:
    """The sums per unit code, one dictionary per span; of all units, or of the one with the code *only*."""
    calendar = _calendar(spans)
    unit = rollup.c[by]
    found: list[dict[str, Measures]] = [{} for _ in spans]
    total = (
        sa.select(
            unit.label("unit"),
            calendar.c.span,
            *(sa.func.sum(rollup.c[name]).label(name) for name in ADDED),
            *(sa.func.max(rollup.c[name]).label(name) for name in LARGEST),
            sa.func.max(sa.case((rollup.c.rest.is_not(None), 1), else_=0)).label("has_rest"),
        )
        .join(calendar, _row_of(calendar))
        .group_by(unit, calendar.c.span)
    )
    has_rest = False
    for row in connection.execute(_of(total, unit, only)).mappings():
        found[row["span"]][row["unit"]] = from_row(row)
        has_rest = has_rest or bool(row["has_rest"])
    if has_rest:
        rests = sa.select(unit.label("unit"), calendar.c.span, rollup.c.rest).join(calendar, _row_of(calendar))
        for rest in connection.execute(_of(rests.where(rollup.c.rest.is_not(None)), unit, only)):
            add_rest(found[rest.span][rest.unit], rest.rest)
    return found


def counts(
    connection: sa.Connection, spans: Sequence[Period], by: By, only: str | None = None
) -> list[dict[str, Counts]]:
    """How many facilities of each unit reported and looked up; one dictionary per span."""
    calendar = _calendar(spans)
    unit = rollup.c[by]
    active = rollup.c.active == 1
    looked_up = rollup.c.counted + rollup.c.desk_lookups > 0
    query = (
        sa.select(
            unit.label("unit"),
            calendar.c.span,
            _facilities(sa.and_(active, rollup.c.reported == 1)).label("reporting"),
            _facilities(sa.and_(active, looked_up)).label("with_lookup"),
            sa.func.min(rollup.c.active).label("active"),
        )
        .join(calendar, _row_of(calendar))
        .group_by(unit, calendar.c.span)
    )
    found: list[dict[str, Counts]] = [{} for _ in spans]
    for row in connection.execute(_of(query, unit, only)):
        found[row.span][row.unit] = Counts(row.reporting, row.with_lookup, row.active == 0)
    return found


def _of(query: sa.Select[Any], unit: sa.ColumnElement[Any], only: str | None) -> sa.Select[Any]:
    return query if only is None else query.where(unit == only)


def _facilities(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    return sa.func.count(sa.distinct(sa.case((condition, rollup.c.facility))))


def _calendar(spans: Sequence[Period]) -> sa.CTE:
    rows = [(grain, start, number) for number, span in enumerate(spans) for grain, start in pieces(span)]
    columns = sa.column("grain", sa.String), sa.column("start", sa.Date), sa.column("span", sa.Integer)
    return sa.values(*columns, name="pieces").data(rows).cte("calendar")


def _row_of(calendar: sa.CTE) -> sa.ColumnElement[bool]:
    return sa.and_(rollup.c.grain == calendar.c.grain, rollup.c.start == calendar.c.start)
