"""What each unit's row is made of: its sums, its facilities, and what the rules by date leave out or add."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import sqlalchemy as sa

from province.measures import Measures
from province.periods import Period
from province.rollup_table import PARTS_OF_CLASS
from province.rules import Rules
from province.sums import By, Counts, counts, sums
from province.units import Level, Unit, Units

Figured = dict[str, "Figures"]


@dataclass(slots=True)
class Figures:
    """One unit in one period. ``left_out``: visits of excluded classes, by `visits`, `looked_up`, `by_document` and
    `by_chip`.
    """

    unit: Unit
    total: Measures = field(default_factory=Measures)
    reporting: int = 0
    with_lookup: int = 0
    left_out: Counter[str] = field(default_factory=Counter)


def figures(
    connection: sa.Connection, units: Units, rules: Rules, spans: Sequence[Period], level: Level, only: str | None
) -> list[Figured]:
    """Per span the figures of every unit that is active in it or has data; of one unit if *only* names it."""
    found = None
    if level is not Level.FACILITY and not rules.successions and not any(units.moved(span) for span in spans):
        found = _by_unit(connection, units, spans, level, only)
    if found is None:
        found = _by_facility(connection, units, rules, spans, level, only)
    _leave_out(connection, units, rules, spans, level, found)
    return found


def cumulative(
    connection: sa.Connection, units: Units, rules: Rules, span: Period, level: Level, only: str | None
) -> Figured:
    """The figures of the span with opening balances: a facility's own days count after the end of its balance."""
    openings = {each.facility: each for each in rules.openings if span.start <= each.first and each.last <= span.end}
    (own,) = _facility_sums(connection, rules, [span])
    for last in {each.last for each in openings.values()}:
        after: dict[str, Measures] = {}
        if last < span.end:
            (after,) = _facility_sums(connection, rules, [Period(last + timedelta(days=1), span.end)])
        for code in (code for code, each in openings.items() if each.last == last):
            own[code] = after.get(code, Measures())
            own[code].add(openings[code].sums)
    found = _grouped(units, span, level, only, own)
    _leave_out(connection, units, rules, [span], level, [found])
    return found


def _by_unit(
    connection: sa.Connection, units: Units, spans: Sequence[Period], level: Level, only: str | None
) -> list[Figured] | None:
    """Added up by the database; None when it could not tell which facilities count as active."""
    by = By(level)
    facilities = counts(connection, spans, by, only)
    if any(each.has_inactive for of_span in facilities for each in of_span.values()):
        return None
    found = []
    for span, totals, numbers in zip(spans, sums(connection, spans, by, only), facilities, strict=True):
        of_span = _present(units, span, level, only, totals)
        for code, each in of_span.items():
            number = numbers.get(code, Counts(0, 0, has_inactive=False))
            each.total = totals.get(code, each.total)
            each.reporting, each.with_lookup = number.reporting, number.with_lookup
        found.append(of_span)
    return found


def _by_facility(
    connection: sa.Connection, units: Units, rules: Rules, spans: Sequence[Period], level: Level, only: str | None
) -> list[Figured]:
    """Added up here, facility by facility: the plain way, which knows successions and validity exactly."""
    single = only if level is Level.FACILITY and not rules.successions else None
    found = _facility_sums(connection, rules, spans, single)
    return [_grouped(units, span, level, only, own) for span, own in zip(spans, found, strict=True)]


def _facility_sums(
    connection: sa.Connection, rules: Rules, spans: Sequence[Period], only: str | None = None
) -> list[dict[str, Measures]]:
    """Per span the sums of each facility, with what counts for it by succession."""
    parts = [(number, part) for number, span in enumerate(spans) for part in _cut(span, rules)]
    found: list[dict[str, Measures]] = [{} for _ in spans]
    for (number, part), totals in zip(
        parts, sums(connection, [part for _, part in parts], By.FACILITY, only), strict=True
    ):
        for code, total in totals.items():
            found[number].setdefault(rules.counts_for(code, part.start), Measures()).add(total)
    return found


def _cut(span: Period, rules: Rules) -> list[Period]:
    """The span cut where a succession begins."""
    days = sorted({each.day for each in rules.successions if span.start < each.day <= span.end})
    starts = [span.start, *days]
    ends = [*(day - timedelta(days=1) for day in days), span.end]
    return [Period(start, end) for start, end in zip(starts, ends, strict=True)]


def _grouped(units: Units, span: Period, level: Level, only: str | None, own: dict[str, Measures]) -> Figured:
    members = units.of(Level.FACILITY, span)
    places = {code: units.place(code, level, span) for code in own}
    found = _present(units, span, level, only, places.values())
    for code, total in own.items():
        if places[code] in found:
            each = found[places[code]]
            each.total.add(total)
            each.reporting += members[code].active and total.reported
            each.with_lookup += members[code].active and total.counted + total.desk_lookups > 0
    return found


def _present(units: Units, span: Period, level: Level, only: str | None, with_data: Iterable[str]) -> Figured:
    """Empty figures of the units that have a row: active in the span, or with data."""
    data = set(with_data)
    return {
        code: Figures(unit)
        for code, unit in units.of(level, span).items()
        if (unit.active or code in data) and only in (None, code)
    }


def _leave_out(
    connection: sa.Connection,
    units: Units,
    rules: Rules,
    spans: Sequence[Period],
    level: Level,
    found: Sequence[Figured],
) -> None:
    """Note what excluded classes make up, for just the days on which they are excluded."""
    for rule in rules.exclusions:
        for span, of_span in zip(spans, found, strict=True):
            part = rule.within(span)
            if part is None:
                continue
            totals = {code: each.total for code, each in of_span.items()}
            if part != span:
                (own,) = _facility_sums(connection, rules, [part])
                totals = {code: each.total for code, each in _grouped(units, span, level, None, own).items()}
            for code, each in of_span.items():
                classes = totals[code].classes if code in totals else Counter[str]()
                each.left_out.update({name: classes[f"{rule.name}.{name}"] for name in PARTS_OF_CLASS})
