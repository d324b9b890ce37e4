"""The rows of the KPI feed: units, their sums, their rates (interfaces.md 6).

A row of an area or a province is the sum of its facilities, its rates sum over sum. Percentages have two decimals, half
up; a denominator of 0 gives None; nothing is capped.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final

import sqlalchemy as sa

from province.figures import Figured, Figures, cumulative, figures
from province.measures import Measures, differences
from province.periods import MAX_ROWS, Period, PeriodType, month_end, periods
from province.rollups import closed_months, late
from province.rules import DEFAULT_TARGET_PCT, Rules, read_rules
from province.simulate.mark import simulated_range
from province.units import Level, Units, units_of

TARGET_PCT: Final = DEFAULT_TARGET_PCT
_A_WEEK: Final = timedelta(days=7)
Row = dict[str, object]


def percent(numerator: int, denominator: int) -> float | None:
    """A percentage with two decimals, rounded half up; None for a denominator of 0. Both numbers are not negative."""
    if denominator == 0:
        return None
    return (numerator * 20_000 + denominator) // (2 * denominator) / 100


def lookup_rate(
    connection: sa.Connection, first: date, last: date, level: Level, cut: PeriodType, *, only: str | None = None
) -> list[Row]:
    """Rows of `GET /api/v1/kpi/lookup-rate` for the days `first` to `last` (inclusive, UTC+7).

    Ordered by period, then unit code; every unit active in a period has a row, and so has one with data outside its
    registered validity (its `facilities_active` is 0). `only`: of the unit with this code alone. Raises ValueError for
    a range that `periods` refuses, and for one that would give more than MAX_ROWS rows.
    """
    spans, units, rules = _asked(connection, first, last, level, cut, only)
    stamp: Row = {
        "generated_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "registry_version": units.registry.version,
    }
    closed = _Closed(connection, units, rules, level)
    made_up = simulated_range(connection)
    rows = []
    for span, found in zip(
        spans, _figures(connection, units, rules, spans, level, cut, only, ("by_method",)), strict=True
    ):
        for code in sorted(found):
            each = found[code]
            row = _row(each, level, span, cut, rules.target_of(each.unit, span.end))
            state, adjustment = closed.state(each, span)
            row |= {"status": state, "revision": each.total.revision} | stamp
            row |= _beside(each) | {"adjustment": adjustment}
            rows.append(row | {"simulated": made_up is not None and _meet(made_up, span)})
    return rows


def why_not_by_chip(
    connection: sa.Connection, first: date, last: date, level: Level, cut: PeriodType, *, only: str | None = None
) -> list[Row]:
    """Rows of `GET /api/v1/kpi/why-not-by-chip`: per unit, period and reason the visits, where there are any.

    Raises ValueError as `lookup_rate` does.
    """
    spans, units, rules = _asked(connection, first, last, level, cut, only)
    found = _figures(connection, units, rules, spans, level, cut, only, ("not_by_chip",))
    made_up = simulated_range(connection)
    return [
        {
            "period_start": span.start.isoformat(),
            "period_end": span.end.isoformat(),
            "period_type": str(cut),
            "level": str(level),
            "unit_code": code,
            "unit_name": of_span[code].unit.name,
            "reason": reason,
            "visits": of_span[code].total.not_by_chip[reason],
            "simulated": made_up is not None and _meet(made_up, span),
        }
        for span, of_span in zip(spans, found, strict=True)
        for code in sorted(of_span)
        for reason in sorted(of_span[code].total.not_by_chip)
        if of_span[code].total.not_by_chip[reason] > 0
    ]


def _meet(one: Period, other: Period) -> bool:
    return one.start <= other.end and other.start <= one.end


def _asked(
    connection: sa.Connection, first: date, last: date, level: Level, cut: PeriodType, only: str | None
) -> tuple[list[Period], Units, Rules]:
    spans = periods(first, last, cut)
    units = units_of(connection)
    number = 1 if level is Level.PROVINCE or only is not None else len(units.registry.facilities)
    if len(spans) * number > MAX_ROWS:
        raise ValueError(f"more than {MAX_ROWS} rows: ask for fewer days or longer periods")
    return spans, units, read_rules(connection)


def _figures(
    connection: sa.Connection,
    units: Units,
    rules: Rules,
    spans: Sequence[Period],
    level: Level,
    cut: PeriodType,
    only: str | None,
    counters: tuple[str, ...],
) -> list[Figured]:
    if cut is PeriodType.CUMULATIVE:
        return [cumulative(connection, units, rules, spans[0], level, only)]
    return figures(connection, units, rules, spans, level, only, counters)


class _Closed:
    """Whether a row stands, and what came after it was published."""

    def __init__(self, connection: sa.Connection, units: Units, rules: Rules, level: Level) -> None:
        self._connection, self._units, self._rules, self._level = connection, units, rules, level
        self._months = closed_months(connection)
        self._late: dict[date, dict[str, tuple[Measures, Measures]]] = {}

    def state(self, each: Figures, span: Period) -> tuple[str, dict[str, int] | None]:
        """The fields `status` and `adjustment` (live less published, by field) of a row."""
        months = list(_months(span)) if self._months else []
        if not months or not self._months.issuperset(months):
            return "open", None
        published, live, changed = Measures(), Measures(), False
        for month in months:
            for code, (before, after) in self._late_in(month).items():
                own = self._rules.counts_for(code, month)
                if self._units.place(own, self._level, span) == each.unit.code:
                    published.add(before)
                    live.add(after)
                    changed = True
        if not changed:
            return "closed", None
        whole = months[0] == span.start and month_end(months[-1]) == span.end
        return "adjusted", differences(published, live) if whole else None

    def _late_in(self, month: date) -> dict[str, tuple[Measures, Measures]]:
        if month not in self._late:
            self._late[month] = late(self._connection, month)
        return self._late[month]


def _months(span: Period) -> list[date]:
    found = []
    month = span.start.replace(day=1)
    while month <= span.end:
        found.append(month)
        if month_end(month) >= span.end:
            break
        month = (month.replace(day=28) + _A_WEEK).replace(day=1)
    return found


def _row(each: Figures, level: Level, span: Period, cut: PeriodType, target: float) -> Row:
    sums, unit, left_out = each.total, each.unit, each.left_out
    lookups = sums.counted + sums.desk_lookups
    success = sums.success + sums.desk_success
    visits = _visits(each)
    rates = {
        "r1": (sums.visits_looked_up + sums.desk_looked_up - left_out["looked_up"], visits),
        "r1_raw": (lookups, sums.visits),
        "r2": (success, lookups),
        "r3": (sums.visits_by_document - left_out["by_document"], visits),
        "r4": (sums.visits_by_chip - left_out["by_chip"], visits),
        "r5": (each.with_lookup, unit.active),
    }
    r1_pct = percent(*rates["r1"])
    row: Row = {
        "period_start": span.start.isoformat(),
        "period_end": span.end.isoformat(),
        "period_type": str(cut),
        "level": str(level),
        "unit_code": unit.code,
        "unit_name": unit.name,
        "parent_code": unit.parent,
        "visits_bhyt": sums.visits,
        "visits_bhyt_origin": "mixed" if len(sums.origins) > 1 else next(iter(sums.origins), None),
        "visits_bhyt_portal": sums.visits_portal,
        "lookups_total": lookups,
        "lookups_desk": sums.desk_lookups,
        "lookups_success": success,
        "lookups_not_eligible": sums.not_eligible,
        "lookups_fail_not_found": sums.fail_not_found,
        "lookups_fail_mismatch": sums.fail_mismatch,
        "lookups_fail_technical": sums.fail_technical,
        "lookups_fail_other": sums.fail_other,
        "lookups_not_counted": sums.not_counted,
        "lookups_other_key": sums.other_key,
        "attempted_not_sent": sums.not_sent,
        "persons_looked_up": sums.persons,
        "by_method": dict(sorted((name, count) for name, count in sums.by_method.items() if count)),
    }
    for name, (numerator, denominator) in rates.items():
        row |= {f"{name}_pct": percent(numerator, denominator)}
        row |= {f"{name}_numerator": numerator, f"{name}_denominator": denominator}
    return row | {
        "target_pct": target,
        "target_met": None if r1_pct is None else r1_pct >= target,
        "facilities_reporting": each.reporting,
        "facilities_active": unit.active,
    }


def _visits(each: Figures) -> int:
    # A hospital may count fewer visits of a class than its stations saw: the rates must not turn negative.
    return max(each.total.visits - each.left_out["visits"], 0)


def _beside(each: Figures) -> Row:
    """What stands beside the figures of the contract: visits left out, and how far the portal's figure is away."""
    sums = each.total
    gap = None if sums.visits_portal is None else sums.visits_portal - sums.visits_beside_portal
    return {
        "visits_excluded": sums.visits - _visits(each),
        "portal_gap": gap,
        "portal_gap_pct": None if gap is None or sums.visits_portal is None else percent(abs(gap), sums.visits_portal),
    }
