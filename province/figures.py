"""What each unit's row is made of: its sums, its facilities, and what the rules by date leave out or add."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import sqlalchemy as sa

from province.measures import Measures, Reader
from province.periods import Period, month_end
from province.rollup_table import PARTS_OF_CLASS
from province.rollups import closed_months
from province.rules import Rules
from province.sums import By, Counts, Which, inactive, sums, sums_and_counts
from province.unit_sums import FacilityBits, UnitSums, read_units
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
    connection: sa.Connection,
    units: Units,
    rules: Rules,
    spans: Sequence[Period],
    level: Level,
    only: str | None,
    counters: tuple[str, ...],
) -> list[Figured]:
    """Per span the figures of every unit that is active in it or has data; of one unit if *only* names it.

    *counters*: the counters of `Measures` that are wanted; the others may be empty.
    """
    wanted = (*counters, "classes") if rules.exclusions else counters
    if level is Level.FACILITY:
        single = only if not rules.successions else None
        own = _facility_sums(connection, rules, spans, single, counters=wanted)
        found = [_grouped(units, span, level, only, each) for span, each in zip(spans, own, strict=True)]
    else:
        found = _by_unit(connection, units, rules, spans, level, only, wanted)
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
    connection: sa.Connection,
    units: Units,
    rules: Rules,
    spans: Sequence[Period],
    level: Level,
    only: str | None,
    counters: tuple[str, ...],
) -> list[Figured]:
    """As the units' sums are kept; where facilities moved or succeeded one another in between, from their own."""
    by, special = By(level), _special(units, rules, spans)
    if all(_at_home(units, rules, level, span) for span in spans):
        return _kept(connection, units, rules, spans, level, only, counters)
    found = sums_and_counts(connection, spans, by, Which(only, without=special), counters)
    if any(numbers.has_inactive for of_span in found for _, numbers in of_span.values()):
        special |= inactive(connection, spans)
        found = sums_and_counts(connection, spans, by, Which(only, without=special), counters)
    own: list[dict[str, Measures]] = [{} for _ in spans]
    if special:
        own = _facility_sums(connection, rules, spans, among=special, counters=counters)
    return [
        _put_together(units, span, level, only, of_units, of_special)
        for span, of_units, of_special in zip(spans, found, own, strict=True)
    ]


def _at_home(units: Units, rules: Rules, level: Level, span: Period) -> bool:
    """Whether every facility belongs to one unit for the whole span, and whoever succeeds it to the same."""
    for rule in rules.successions:
        if span.start < rule.day <= span.end:
            return False
        if rule.day <= span.start and units.place(rule.old, level, span) != units.place(rule.new, level, span):
            return False
    return not units.movers(span)


def _kept(
    connection: sa.Connection,
    units: Units,
    rules: Rules,
    spans: Sequence[Period],
    level: Level,
    only: str | None,
    counters: tuple[str, ...],
) -> list[Figured]:
    read, bits = read_units(connection, spans, By(level), Reader.of(counters))
    return [
        _counted(units, rules, span, level, only, of_units, bits) for span, of_units in zip(spans, read, strict=True)
    ]


def _counted(
    units: Units,
    rules: Rules,
    span: Period,
    level: Level,
    only: str | None,
    of_units: Mapping[str, UnitSums],
    bits: FacilityBits,
) -> Figured:
    found = _present(units, span, level, only, of_units)
    members = units.of(Level.FACILITY, span)
    active = bits.of_all(code for code, unit in members.items() if unit.active)
    moved = {rule.old: rules.counts_for(rule.old, span.start) for rule in rules.successions if rule.day <= span.start}
    for code, one in of_units.items():
        if code in found:
            each = found[code]
            each.total = one.total
            each.reporting = (_moved(one.reported, moved, bits) & active).bit_count()
            each.with_lookup = (_moved(one.looked_up, moved, bits) & active).bit_count()
    return found


def _moved(who: int, moved: Mapping[str, str], bits: FacilityBits) -> int:
    """The bits with those of facilities that others succeeded given to these."""
    for old, new in moved.items():
        if old != new and who & bits.of(old):
            who = (who & ~bits.of(old)) | bits.of(new)
    return who


def _special(units: Units, rules: Rules, spans: Sequence[Period]) -> frozenset[str]:
    """The facilities that succeed one another, and those that come to another province within a span."""
    end = max(span.end for span in spans)
    successions = (each for each in rules.successions if each.day <= end)
    codes = {code for each in successions for code in (each.old, each.new)}
    return frozenset(codes.union(*(units.movers(span) for span in spans)))


def _put_together(
    units: Units,
    span: Period,
    level: Level,
    only: str | None,
    of_units: Mapping[str, tuple[Measures, Counts]],
    of_special: dict[str, Measures],
) -> Figured:
    found = _grouped(units, span, level, only, of_special, more=of_units)
    for code, (total, numbers) in of_units.items():
        if code in found:
            each = found[code]
            each.total.add(total)
            each.reporting += numbers.reporting
            each.with_lookup += numbers.with_lookup
    return found


def _facility_sums(
    connection: sa.Connection,
    rules: Rules,
    spans: Sequence[Period],
    only: str | None = None,
    *,
    among: frozenset[str] | None = None,
    counters: tuple[str, ...] | None = None,
) -> list[dict[str, Measures]]:
    """Per span the sums of each facility, with what counts for it by succession.

    Only whom another succeeds within a span is read in parts; in whole months that are closed, as published.
    """
    read = sums(connection, spans, By.FACILITY, only, among=among, counters=counters)
    found: list[dict[str, Measures]] = [{} for _ in spans]
    closed = closed_months(connection) if rules.successions else set()
    for span, own, totals in zip(spans, found, read, strict=True):
        parted = {rule.old for rule in rules.successions if span.start < rule.day <= span.end} & set(totals)
        for code, total in totals.items():
            if code not in parted:
                _count(own, rules.counts_for(code, span.start), total)
        if parted:
            parts = _cut(span, rules)
            fixed = frozenset(month for month in closed if span.start <= month and month_end(month) <= span.end)
            of_parts = sums(connection, parts, By.FACILITY, among=frozenset(parted), fixed=fixed, counters=counters)
            for part, of_part in zip(parts, of_parts, strict=True):
                for code, total in of_part.items():
                    _count(own, rules.counts_for(code, part.start), total)
    return found


def _count(own: dict[str, Measures], code: str, total: Measures) -> None:
    if code in own:
        own[code].add(total)
    else:
        own[code] = total


def _cut(span: Period, rules: Rules) -> list[Period]:
    """The span cut where a succession begins."""
    days = sorted({each.day for each in rules.successions if span.start < each.day <= span.end})
    starts = [span.start, *days]
    ends = [*(day - timedelta(days=1) for day in days), span.end]
    return [Period(start, end) for start, end in zip(starts, ends, strict=True)]


def _grouped(
    units: Units,
    span: Period,
    level: Level,
    only: str | None,
    own: dict[str, Measures],
    *,
    more: Iterable[str] = (),
) -> Figured:
    """The sums of facilities put into their units; the units *more* are there too."""
    members = units.of(Level.FACILITY, span)
    places = {code: units.place(code, level, span) for code in own}
    found = _present(units, span, level, only, {*places.values(), *more})
    for code, total in own.items():
        if places[code] in found:
            each = found[places[code]]
            if level is Level.FACILITY:
                each.total = total
            else:
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
