"""What the page `/` shows: the province's rate against its target, its trend, and every facility."""

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Final

import sqlalchemy as sa

from province.facilities import last_heard
from province.pages.month_choice import Month, offered_months, today_in_vietnam
from province.pages.readings import Reading, read, series, together
from province.pages.sparks import Scale, lines
from province.periods import PeriodType
from province.units import Level, units_of

PER_PAGE: Final = 200
"""Facilities on one page of the table; with more than that there are no small charts either."""

_TREND_MONTHS: Final = 12
_TREND_DAYS: Final = 30
_SPARK_WEEKS: Final = 13


class Sort(StrEnum):
    """What the table of facilities is ordered by."""

    R1 = "r1"
    CODE = "code"
    NAME = "name"
    VISITS = "visits"
    MISSED = "missed"
    R2 = "r2"
    R4 = "r4"
    GAP = "gap"
    HEARD = "heard"


@dataclass(frozen=True, slots=True)
class Line:
    """One facility in the table. ``heard_at``: when a station of it last sent anything; ``stale``: over a day ago."""

    figures: Reading
    area: str
    heard_at: datetime | None
    stale: bool


@dataclass(frozen=True, slots=True)
class Small:
    """The small chart of one facility. ``points``: of polylines; ``goal``: how far down its target is."""

    figures: Reading
    points: list[str]
    goal: float | None


@dataclass(frozen=True, slots=True)
class Table:
    """One page of the facilities, in order. ``page``: from 1 on."""

    lines: Sequence[Line]
    sort: Sort
    down: bool
    page: int
    pages: int
    total: int


@dataclass(frozen=True, slots=True)
class Overview:
    """All of it. ``whole``: None when no facility exists. ``provinces``: only where there are several.

    ``today``, ``week``: of this day and of the seven before it, None for a month that is over. ``silent``: active
    facilities of the month that told nothing. ``scale``: of the small charts.
    """

    month: Month
    months: Sequence[Month]
    until: date
    whole: Reading | None
    provinces: Sequence[Reading]
    today: Reading | None
    week: Reading | None
    by_month: Sequence[Reading]
    by_day: Sequence[Reading]
    silent: Sequence[Reading]
    below: int
    table: Table
    smalls: Sequence[Small]
    scale: Scale


def overview(connection: sa.Connection, month: Month, now: datetime, sort: Sort, down: bool, page: int) -> Overview:
    """The overview of a month at an aware time; *down*: from large to small; *page*: of the table, from 1 on."""
    today = today_in_vietnam(now)
    until = min(month.last, today)
    current = month == Month.of(today)
    provinces = read(connection, month.first, month.last, Level.PROVINCE, PeriodType.TOTAL)
    facilities = read(connection, month.first, month.last, Level.FACILITY, PeriodType.TOTAL)
    table = _table(connection, facilities, now, sort, down, page)
    smalls, scale = _smalls(connection, until, facilities, table)
    last_days = until - timedelta(days=_TREND_DAYS - 1), until
    return Overview(
        month=month,
        months=offered_months(month, today),
        until=until,
        whole=together(provinces) if provinces else None,
        provinces=provinces if len(provinces) > 1 else [],
        today=_one(connection, today, today) if current else None,
        week=_one(connection, today - timedelta(days=7), today - timedelta(days=1)) if current else None,
        by_month=series(connection, month.back(_TREND_MONTHS - 1).first, month.last, PeriodType.MONTH),
        by_day=series(connection, *last_days, PeriodType.DAY),
        silent=[each for each in facilities if each.active and not each.reporting],
        below=sum(each.met is False for each in facilities),
        table=table,
        smalls=smalls,
        scale=scale,
    )


def _one(connection: sa.Connection, first: date, last: date) -> Reading | None:
    found = series(connection, first, last, PeriodType.TOTAL)
    return found[0] if found else None


def _table(
    connection: sa.Connection, facilities: Sequence[Reading], now: datetime, sort: Sort, down: bool, page: int
) -> Table:
    heard = last_heard(connection)
    registry = units_of(connection).registry.facilities
    rows = [
        Line(each, registry[each.code].area_name, moment, moment is None or now - moment > timedelta(hours=24))
        for each in facilities
        for moment in (heard.get(each.code),)
    ]
    # Whoever has no value stands at the end, whichever way the others are ordered.
    value = _VALUES[sort]
    with_value = sorted((row for row in rows if value(row) is not None), key=lambda row: row.figures.code)
    with_value.sort(key=value, reverse=down)
    rows = with_value + [row for row in rows if value(row) is None]
    pages = max(-(-len(rows) // PER_PAGE), 1)
    page = min(max(page, 1), pages)
    return Table(rows[(page - 1) * PER_PAGE : page * PER_PAGE], sort, down, page, pages, len(rows))


_VALUES: Final[dict[Sort, Callable[[Line], Any]]] = {
    Sort.R1: lambda line: line.figures.r1.pct,
    Sort.CODE: lambda line: line.figures.code,
    Sort.NAME: lambda line: _plain(line.figures.name),
    Sort.VISITS: lambda line: line.figures.visits,
    Sort.MISSED: lambda line: line.figures.not_looked_up,
    Sort.R2: lambda line: line.figures.r2.pct,
    Sort.R4: lambda line: line.figures.r4.pct,
    Sort.GAP: lambda line: line.figures.portal_gap_pct,
    Sort.HEARD: lambda line: line.heard_at,
}


def _plain(name: str) -> str:
    """Without marks, as lists of names are ordered in Vietnamese."""
    letters = unicodedata.normalize("NFD", name.casefold().replace("đ", "d"))
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def _smalls(
    connection: sa.Connection, until: date, facilities: Sequence[Reading], table: Table
) -> tuple[list[Small], Scale]:
    if table.pages > 1 or not facilities:
        return [], Scale.over([])
    monday = until - timedelta(days=until.weekday() + 7 * (_SPARK_WEEKS - 1))
    weeks: dict[str, dict[date, float | None]] = {}
    for each in read(connection, monday, until, Level.FACILITY, PeriodType.WEEK):
        weeks.setdefault(each.code, {})[each.first] = each.r1.pct
    starts = [monday + timedelta(days=7 * number) for number in range(_SPARK_WEEKS)]
    values = {each.code: [weeks.get(each.code, {}).get(start) for start in starts] for each in facilities}
    targets = [each.target for each in facilities]
    scale = Scale.over([value for row in (*values.values(), targets) for value in row])
    smalls = [
        Small(
            line.figures,
            lines(values[line.figures.code], scale),
            None if line.figures.target is None else scale.y(line.figures.target),
        )
        for line in table.lines
    ]
    return smalls, scale
