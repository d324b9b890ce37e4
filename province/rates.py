"""The rows of the KPI feed: units, their sums, their rates (interfaces.md 6).

A row of an area or a province is the sum of its facilities, its rates sum over sum. Percentages have two decimals, half
up; a denominator of 0 gives None; nothing is capped.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Final

import sqlalchemy as sa

from province.facilities import Facility, Registry, read_registry
from province.measures import Measures, measure, not_by_chip
from province.periods import MAX_ROWS, Period, PeriodType, periods

TARGET_PCT: Final = 80.0
Row = dict[str, object]


class Level(StrEnum):
    """What one row stands for."""

    FACILITY = "facility"
    AREA = "area"
    PROVINCE = "province"


@dataclass(slots=True)
class _Unit:
    """One unit in one period: the facilities in it and their sums."""

    code: str
    name: str
    parent: str | None
    total: Measures = field(default_factory=Measures)
    active: int = 0
    active_with_lookup: int = 0
    reporting: int = 0


def percent(numerator: int, denominator: int) -> float | None:
    """A percentage with two decimals, rounded half up; None for a denominator of 0. Both numbers are not negative."""
    if denominator == 0:
        return None
    return (numerator * 20_000 + denominator) // (2 * denominator) / 100


def lookup_rate(connection: sa.Connection, first: date, last: date, level: Level, cut: PeriodType) -> list[Row]:
    """Rows of `GET /api/v1/kpi/lookup-rate` for the days `first` to `last` (inclusive, UTC+7).

    Ordered by period, then unit code; every unit active in a period has a row, and so has one with data outside its
    registered validity (its `facilities_active` is 0). Raises ValueError for a range that `periods` refuses, and for
    one that would give more than MAX_ROWS rows.
    """
    spans = periods(first, last, cut)
    registry = read_registry(connection)
    _refuse_too_many_rows(spans, level, registry)
    generated_at = datetime.now(UTC).isoformat(timespec="seconds")
    rows = []
    for span, sums in zip(spans, measure(connection, spans), strict=True):
        units: dict[str, _Unit] = {}
        for facility in _present(registry, span, sums):
            code, name, parent = _place(facility, level, span)
            _count(units.setdefault(code, _Unit(code, name, parent)), facility, span, sums.get(facility.code))
        stamp: Row = {"generated_at": generated_at, "registry_version": registry.version}
        rows += [_row(units[code], level, span, cut) | stamp for code in sorted(units)]
    return rows


def why_not_by_chip(connection: sa.Connection, first: date, last: date, level: Level, cut: PeriodType) -> list[Row]:
    """Rows of `GET /api/v1/kpi/why-not-by-chip`: per unit, period and reason the visits, where there are any.

    Raises ValueError as `lookup_rate` does.
    """
    spans = periods(first, last, cut)
    registry = read_registry(connection)
    _refuse_too_many_rows(spans, level, registry)
    rows: list[Row] = []
    for span, reasons in zip(spans, not_by_chip(connection, spans), strict=True):
        names: dict[str, str] = {}
        counts: dict[str, Counter[str]] = {}
        for facility in _present(registry, span, reasons):
            code, name, _parent = _place(facility, level, span)
            names[code] = name
            counts.setdefault(code, Counter()).update(reasons.get(facility.code, {}))
        rows += [
            {
                "period_start": span.start.isoformat(),
                "period_end": span.end.isoformat(),
                "period_type": str(cut),
                "level": str(level),
                "unit_code": code,
                "unit_name": names[code],
                "reason": reason,
                "visits": counts[code][reason],
            }
            for code in sorted(counts)
            for reason in sorted(counts[code])
            if counts[code][reason] > 0
        ]
    return rows


def _refuse_too_many_rows(spans: Sequence[Period], level: Level, registry: Registry) -> None:
    units = 1 if level is Level.PROVINCE else len(registry.facilities)
    if len(spans) * units > MAX_ROWS:
        raise ValueError(f"more than {MAX_ROWS} rows: ask for fewer days or longer periods")


def _present(registry: Registry, span: Period, with_data: Iterable[str]) -> list[Facility]:
    seen = set(with_data)
    return [unit for unit in registry.facilities.values() if unit.code in seen or unit.active(span.start, span.end)]


def _place(facility: Facility, level: Level, span: Period) -> tuple[str, str, str | None]:
    """Code, name and parent code of the unit of this level that the facility belongs to in the period."""
    version = facility.version_at(span.start, span.end)
    match level:
        case Level.FACILITY:
            return facility.code, version.name, facility.area_code or None
        case Level.AREA:
            return facility.area_code, facility.area_name, version.province_code
        case Level.PROVINCE:
            return version.province_code, version.province_name, None


def _count(unit: _Unit, facility: Facility, span: Period, sums: Measures | None) -> None:
    active = facility.active(span.start, span.end)
    unit.active += active
    if sums is None:
        return
    unit.total.add(sums)
    unit.reporting += active and sums.reported
    unit.active_with_lookup += active and sums.counted + sums.desk_lookups > 0


def _row(unit: _Unit, level: Level, span: Period, cut: PeriodType) -> Row:
    sums = unit.total
    lookups = sums.counted + sums.desk_lookups
    success = sums.success + sums.desk_success
    rates = {
        "r1": (sums.visits_looked_up + sums.desk_looked_up, sums.visits),
        "r1_raw": (lookups, sums.visits),
        "r2": (success, lookups),
        "r3": (sums.visits_by_document, sums.visits),
        "r4": (sums.visits_by_chip, sums.visits),
        "r5": (unit.active_with_lookup, unit.active),
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
        "by_method": dict(sorted(sums.by_method.items())),
    }
    for name, (numerator, denominator) in rates.items():
        row |= {f"{name}_pct": percent(numerator, denominator)}
        row |= {f"{name}_numerator": numerator, f"{name}_denominator": denominator}
    return row | {
        "target_pct": TARGET_PCT,
        "target_met": None if r1_pct is None else r1_pct >= TARGET_PCT,
        "facilities_reporting": unit.reporting,
        "facilities_active": unit.active,
        "status": "open",
        "revision": sums.revision,
    }
