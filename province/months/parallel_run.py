"""A month's parallel run: our published figures beside the insurer's own, every difference with its causes."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

import sqlalchemy as sa

from province.measures import Measures
from province.months.differences import (
    CAUSE_TEXTS,
    Cause,
    Part,
    Quiet,
    explain_lookups,
    explain_visits,
)
from province.months.insurer import InsurerFigure, entered
from province.months.rules import month_name
from province.months.sums import published
from province.periods import Period, month_end
from province.rates import percent
from province.rollup_table import COUNTER_COLUMNS, DESK_NOT_LOOKED_UP, Grain, rollup
from province.rollups import late
from province.tables import desk_lookups
from province.units import Level, units_of

_NOT_LOOKED_UP: Final = next(column for column, (_, word) in COUNTER_COLUMNS.items() if word == DESK_NOT_LOOKED_UP)
_SATURDAY: Final = 5

COLUMNS: Final = {
    "unit_code": "Mã cơ sở",
    "unit_name": "Tên cơ sở",
    "visits_ours": "Lượt khám BHYT (tỉnh)",
    "visits_theirs": "Lượt khám BHYT (BHXH)",
    "visits_difference": "Chênh lệch lượt khám",
    "lookups_ours": "Lượt tra cứu (tỉnh)",
    "lookups_theirs": "Lượt tra cứu (BHXH)",
    "lookups_difference": "Chênh lệch lượt tra cứu",
    "r1_raw_ours_pct": "Tỷ lệ tra cứu thô (tỉnh, %)",
    "r1_raw_theirs_pct": "Tỷ lệ tra cứu thô (BHXH, %)",
    "explained": "Nguyên nhân",
}
"""Fields of a row -> Vietnamese headings, for tables."""


@dataclass(slots=True)
class _Days:
    reported: set[date] = field(default_factory=set)
    most_visits: int = 0
    most_lookups: int = 0
    unreported: int = 0


def parallel_run(connection: sa.Connection, month: date) -> dict[str, Any]:
    """Our figures of a month beside the insurer's, by facility.

    `rows`: per facility that either side names, in the order of codes: the fields of `COLUMNS`, the causes of both
    differences (`visits_causes`, `lookups_causes`: mappings of `Cause` to a signed amount, which add up to the
    difference) and `explained`, words in Vietnamese. A difference is theirs less ours as published; lookups are
    `lookups_total` of the feed. `causes`: per figure the sum of absolute amounts by cause. `unexplained_pct`: share of
    what is unexplained in all differences; None where nothing differs.
    """
    theirs = entered(connection, month)
    ours = published(connection, month)
    changed = late(connection, month)
    quiet = _quiet(connection, month)
    span = Period(month, month_end(month))
    names = {code: unit.name for code, unit in units_of(connection).of(Level.FACILITY, span).items()}
    rows = []
    totals: dict[str, Counter[str]] = {"visits": Counter(), "lookups": Counter()}
    for code in sorted(set(theirs) | {code for code, sums in ours.items() if sums.visits or _lookups(sums)}):
        sums, other = ours.get(code), theirs.get(code)
        live = changed[code][1] if code in changed else sums
        about = quiet.get(code, Quiet())
        parts = {
            "visits": explain_visits(sums, live, other, about),
            "lookups": explain_lookups(sums, live, other, about),
        }
        for figure, shares in parts.items():
            totals[figure].update({str(each.cause): abs(each.amount) for each in shares})
        rows.append(_row(code, names.get(code, ""), sums or Measures(), other, parts))
    total = sum(count for counts in totals.values() for count in counts.values())
    unexplained = sum(counts[Cause.UNEXPLAINED] for counts in totals.values())
    return {
        "month": month_name(month),
        "rows": rows,
        "causes": {figure: dict(counts.most_common()) for figure, counts in totals.items()},
        "unexplained_pct": percent(unexplained, total),
    }


def _lookups(sums: Measures) -> int:
    return sums.counted + sums.desk_lookups


def _row(
    code: str, name: str, sums: Measures, theirs: InsurerFigure | None, parts: dict[str, list[Part]]
) -> dict[str, Any]:
    visits, lookups = (theirs.visits, theirs.lookups) if theirs else (None, None)
    return {
        "unit_code": code,
        "unit_name": name,
        "visits_ours": sums.visits,
        "visits_theirs": visits,
        "visits_difference": (visits or 0) - sums.visits,
        "lookups_ours": _lookups(sums),
        "lookups_theirs": lookups,
        "lookups_difference": (lookups or 0) - _lookups(sums),
        "r1_raw_ours_pct": percent(_lookups(sums), sums.visits),
        "r1_raw_theirs_pct": percent(lookups or 0, visits or 0),
        "visits_causes": {str(each.cause): each.amount for each in parts["visits"]},
        "lookups_causes": {str(each.cause): each.amount for each in parts["lookups"]},
        "explained": _words("Lượt khám", parts["visits"]) + _words("Lượt tra cứu", parts["lookups"]),
    }


def _words(figure: str, parts: Sequence[Part]) -> str:
    return "".join(f"{figure} {each.amount:+d}: {CAUSE_TEXTS[each.cause]}. " for each in parts)


def _quiet(connection: sa.Connection, month: date) -> dict[str, Quiet]:
    """What the days say of each facility. A working day is one of Monday to Friday on which most facilities reported:
    that leaves out public holidays without a calendar of them.
    """
    no_desk = sa.and_(desk_lookups.c.facility == rollup.c.facility, desk_lookups.c.day == rollup.c.start)
    query = sa.select(
        rollup.c.facility,
        rollup.c.start,
        rollup.c.reported,
        rollup.c.visits,
        (rollup.c.counted + rollup.c.desk_lookups).label("lookups"),
        sa.case((sa.exists().where(no_desk), 0), else_=rollup.c[_NOT_LOOKED_UP]).label("unreported"),
    ).where(rollup.c.grain == Grain.DAY, rollup.c.start.between(month, month_end(month)))
    found: dict[str, _Days] = {}
    reporting: Counter[date] = Counter()
    for row in connection.execute(query):
        days = found.setdefault(row.facility, _Days())
        if row.reported or row.visits:
            days.reported.add(row.start)
            reporting[row.start] += 1
        days.most_visits = max(days.most_visits, row.visits)
        days.most_lookups = max(days.most_lookups, row.lookups)
        days.unreported += row.unreported
    working = {day for day, number in reporting.items() if day.weekday() < _SATURDAY and 2 * number > len(found)}
    return {
        code: Quiet(len(working - days.reported), days.most_visits, days.most_lookups, days.unreported)
        for code, days in found.items()
    }
