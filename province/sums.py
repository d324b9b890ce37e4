"""Reading the sums of a range: cut into whole years, whole months and single days, added up by the database.

The statements are made once and bind the pieces of the range as lists (`bound_lists`).
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import cache
from itertools import islice
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from province.bound_lists import listed
from province.measures import Measures, Reader, add_rest
from province.periods import Period, month_end
from province.rollup_table import Grain, rollup

Counters = tuple[str, ...] | None


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


@dataclass(frozen=True, slots=True)
class Which:
    """Whose rows are read: of the unit with the code ``only``, of the facilities ``among``, of all ``without`` some.

    ``fixed``: months whose single days are read as they stood when the month was closed.
    """

    only: str | None = None
    among: frozenset[str] | None = None
    without: frozenset[str] = frozenset()
    fixed: frozenset[date] = frozenset()


ALL: Final = Which()


def sums(
    connection: sa.Connection,
    spans: Sequence[Period],
    by: By,
    only: str | None = None,
    *,
    among: frozenset[str] | None = None,
    fixed: frozenset[date] = frozenset(),
    counters: Counters = None,
) -> list[dict[str, Measures]]:
    """The sums per unit code, one dictionary per span; of the unit with the code *only*, of the facilities *among*.

    *fixed*: as in `Which`. *counters*: which counters of `Measures` are wanted, where not all of them; the others stay
    empty.
    """
    which = Which(only, among, fixed=fixed)
    return [
        {unit: total for unit, (total, _) in each.items()} for each in _read(connection, spans, by, which, counters)
    ]


def sums_and_counts(
    connection: sa.Connection, spans: Sequence[Period], by: By, which: Which = ALL, counters: Counters = None
) -> list[dict[str, tuple[Measures, Counts]]]:
    """As `sums`, each with how many facilities of the unit reported and looked up."""
    found = _read(connection, spans, by, which, counters)
    if any(len(list(islice(pieces(span), 2))) > 1 for span in spans):
        # A facility has several rows in such a span, and is one all the same.
        for row in connection.execute(_counts(_Form.of(connection, by, which)), _asked(connection, spans, which)):
            found[row.span][row.unit] = found[row.span][row.unit][0], _counted(row[2:])
    return found


def inactive(connection: sa.Connection, spans: Sequence[Period]) -> frozenset[str]:
    """The facilities with a row in the spans although the registry does not hold them valid then."""
    statement = _inactive(_Form.of(connection, By.FACILITY, ALL))
    return frozenset(connection.scalars(statement, _asked(connection, spans, ALL)))


def _read(
    connection: sa.Connection, spans: Sequence[Period], by: By, which: Which, counters: Counters
) -> list[dict[str, tuple[Measures, Counts]]]:
    form, asked, reader = _Form.of(connection, by, which), _asked(connection, spans, which), Reader.of(counters)
    found: list[dict[str, tuple[Measures, Counts]]] = [{} for _ in spans]
    has_rest = False
    for row in connection.execute(_sums(form, reader), asked):
        found[row[0]][row[1]] = reader.read(row[6:]), _counted(row[3:6])
        has_rest = has_rest or bool(row[2])
    if has_rest:
        for span, unit, rest in connection.execute(_rests(form), asked):
            add_rest(found[span][unit][0], rest, counters)
    return found


def _counted(row: Sequence[Any]) -> Counts:
    return Counts(int(row[0]), int(row[1]), row[2] == 0)


@dataclass(frozen=True, slots=True)
class _Form:
    """What a statement depends on, apart from what is bound."""

    dialect: str
    by: By
    only: bool
    among: bool
    without: bool

    @classmethod
    def of(cls, connection: sa.Connection, by: By, which: Which) -> "_Form":
        return cls(connection.dialect.name, by, which.only is not None, which.among is not None, bool(which.without))

    @property
    def unit(self) -> sa.ColumnElement[str]:
        return rollup.c[self.by]

    def of_it(self, query: sa.Select[Any]) -> sa.Select[Any]:
        if self.only:
            query = query.where(self.unit == sa.bindparam("only", type_=sa.String))
        if self.among:
            query = query.where(rollup.c.facility.in_(listed(self.dialect, "among", sa.Text)))
        if self.without:
            query = query.where(rollup.c.facility.not_in(listed(self.dialect, "without", sa.Text)))
        return query


def _asked(connection: sa.Connection, spans: Sequence[Period], which: Which) -> dict[str, object]:
    rows = [
        (str(Grain.FIXED if grain is Grain.DAY and start.replace(day=1) in which.fixed else grain), start, number)
        for number, span in enumerate(spans)
        for grain, start in pieces(span)
    ]
    bound_pieces = bind_pieces(connection.dialect.name, rows)
    lists = {"without": sorted(which.without), "among": sorted(which.among or ())}
    asked: dict[str, object] = {} if which.only is None else {"only": which.only}
    if connection.dialect.name == "sqlite":
        asked |= {name: json.dumps(codes) for name, codes in lists.items() if codes or name == "among"}
        return asked | bound_pieces
    return asked | lists | bound_pieces


def bind_pieces(dialect: str, rows: Sequence[tuple[str, date, int]]) -> dict[str, object]:
    """What to bind for `calendar`: grain, first day and number of the span of each piece."""
    if dialect == "sqlite":
        return {"pieces": json.dumps([(grain, start.isoformat(), number) for grain, start, number in rows])}
    columns = [list(each) for each in zip(*rows, strict=True)] or [[], [], []]
    return dict(zip(("grains", "starts", "spans"), columns, strict=True))


@cache
def _sums(form: _Form, reader: Reader) -> sa.Select[Any]:
    days = calendar(form.dialect)
    query = sa.select(
        days.c.span,
        form.unit.label("unit"),
        sa.func.max(sa.case((rollup.c.rest.is_not(None), 1), else_=0)).label("has_rest"),
        sa.func.sum(_REPORTED).label("reporting"),
        sa.func.sum(_LOOKED_UP).label("with_lookup"),
        sa.func.min(rollup.c.active).label("active"),
        *(sa.func.sum(rollup.c[name]).label(name) for name in reader.added),
        *(sa.func.max(rollup.c[name]).label(name) for name in reader.largest),
    )
    return form.of_it(query.join(days, _row_of(days)).group_by(form.unit, days.c.span))


@cache
def _rests(form: _Form) -> sa.Select[Any]:
    days = calendar(form.dialect)
    query = sa.select(days.c.span, form.unit.label("unit"), rollup.c.rest).join(days, _row_of(days))
    return form.of_it(query.where(rollup.c.rest.is_not(None)))


@cache
def _counts(form: _Form) -> sa.Select[Any]:
    """Each facility once per span, then their number: cheaper than counting distinct ones among all rows."""
    days = calendar(form.dialect)
    query = (
        sa.select(
            form.unit.label("unit"),
            days.c.span,
            sa.func.max(_REPORTED).label("reporting"),
            sa.func.max(_LOOKED_UP).label("with_lookup"),
            sa.func.min(rollup.c.active).label("active"),
        )
        .join(days, _row_of(days))
        .group_by(form.unit, days.c.span, rollup.c.facility)
    )
    each = form.of_it(query).subquery("each")
    return sa.select(
        each.c.span,
        each.c.unit,
        sa.func.sum(each.c.reporting),
        sa.func.sum(each.c.with_lookup),
        sa.func.min(each.c.active),
    ).group_by(each.c.unit, each.c.span)


@cache
def _inactive(form: _Form) -> sa.Select[tuple[str]]:
    days = calendar(form.dialect)
    return sa.select(rollup.c.facility).distinct().join(days, _row_of(days)).where(rollup.c.active == 0)


_REPORTED = rollup.c.active * rollup.c.reported
_LOOKED_UP = rollup.c.active * sa.case((rollup.c.counted + rollup.c.desk_lookups > 0, 1), else_=0)


def calendar(dialect: str) -> sa.Subquery:
    """The bound pieces of the spans as rows `grain, start, span`."""
    if dialect == "sqlite":
        value = sa.func.json_each(sa.bindparam("pieces", type_=sa.Text)).table_valued("value").c.value
        return sa.select(
            *(
                sa.func.json_extract(value, f"$[{place}]").label(name)
                for place, name in enumerate(("grain", "start", "span"))
            )
        ).subquery("calendar")
    arrays = (("grains", sa.Text), ("starts", sa.Date), ("spans", sa.Integer))
    bound = (sa.bindparam(name, type_=postgresql.ARRAY(kind)) for name, kind in arrays)
    rows = sa.func.unnest(*bound).table_valued("grain", "start", "span").render_derived()
    return sa.select(rows.c.grain, rows.c.start, rows.c.span).subquery("calendar")


def _row_of(days: sa.Subquery) -> sa.ColumnElement[bool]:
    return sa.and_(rollup.c.grain == days.c.grain, rollup.c.start == days.c.start)
