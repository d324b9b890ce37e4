"""Rows of the feed as pages show them: rates with both numbers, series of periods, several provinces together."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any, Final

import sqlalchemy as sa

from province.periods import PeriodType
from province.rates import Row, lookup_rate, percent
from province.units import Level

_RATES: Final = ("r1", "r2", "r3", "r4", "r5")


@dataclass(frozen=True, slots=True)
class Rate:
    """A rate by both its numbers."""

    numerator: int
    denominator: int

    @property
    def pct(self) -> float | None:
        """In per cent with two decimals; None for a denominator of 0."""
        return percent(self.numerator, self.denominator)


@dataclass(frozen=True, slots=True)
class Reading:
    """Figures of one unit in one period, or of several units together.

    ``code``, ``name``: of the unit, empty for several together. ``origin``: of the number of visits (interfaces.md 6),
    None without one. ``portal``: visits by the insurer's portal, None when nobody told. ``portal_gap``: portal less
    ours over the days that have both. ``target``: per cent; None where the units have different ones. ``reporting``,
    ``active``: facilities. ``status``: `open`, `closed` or `adjusted`.
    """

    code: str
    name: str
    first: date
    last: date
    r1: Rate
    r2: Rate
    r3: Rate
    r4: Rate
    r5: Rate
    visits: int
    origin: str | None
    portal: int | None
    portal_gap: int | None
    portal_gap_pct: float | None
    target: float | None
    reporting: int
    active: int
    status: str

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None without visits or without one target."""
        return None if self.r1.pct is None or self.target is None else self.r1.pct >= self.target

    @property
    def state(self) -> str:
        """`met`, `missed` or `none`."""
        return {True: "met", False: "missed", None: "none"}[self.met]

    @property
    def not_looked_up(self) -> int:
        """Insured visits that nobody looked up."""
        return max(self.r1.denominator - self.r1.numerator, 0)


def reading(row: Row) -> Reading:
    """One row of the feed."""
    given: dict[str, Any] = row
    return Reading(
        code=given["unit_code"],
        name=given["unit_name"],
        first=date.fromisoformat(given["period_start"]),
        last=date.fromisoformat(given["period_end"]),
        **{name: Rate(given[f"{name}_numerator"], given[f"{name}_denominator"]) for name in _RATES},
        visits=given["visits_bhyt"],
        origin=given["visits_bhyt_origin"],
        portal=given["visits_bhyt_portal"],
        portal_gap=given["portal_gap"],
        portal_gap_pct=given["portal_gap_pct"],
        target=given["target_pct"],
        reporting=given["facilities_reporting"],
        active=given["facilities_active"],
        status=given["status"],
    )


def together(readings: Sequence[Reading]) -> Reading:
    """Several units in the same period as one, sum over sum; a single one as it is. Raises ValueError for none."""
    if not readings:
        raise ValueError("no units")
    if len(readings) == 1:
        return readings[0]
    origins = {each.origin for each in readings} - {None}
    targets = {each.target for each in readings}
    states = {each.status for each in readings}
    told = [each for each in readings if each.portal is not None]
    portal = sum(each.portal or 0 for each in told) if told else None
    gap = sum(each.portal_gap or 0 for each in told) if told else None
    return Reading(
        code="",
        name="",
        first=readings[0].first,
        last=readings[0].last,
        r1=_sum(each.r1 for each in readings),
        r2=_sum(each.r2 for each in readings),
        r3=_sum(each.r3 for each in readings),
        r4=_sum(each.r4 for each in readings),
        r5=_sum(each.r5 for each in readings),
        visits=sum(each.visits for each in readings),
        origin="mixed" if len(origins) > 1 else next(iter(origins), None),
        portal=portal,
        portal_gap=gap,
        portal_gap_pct=None if gap is None or portal is None else percent(abs(gap), portal),
        target=targets.pop() if len(targets) == 1 else None,
        reporting=sum(each.reporting for each in readings),
        active=sum(each.active for each in readings),
        status=states.pop() if len(states) == 1 else "open",
    )


def read(
    connection: sa.Connection, first: date, last: date, level: Level, cut: PeriodType, only: str | None = None
) -> list[Reading]:
    """The rows of `lookup_rate` as readings; the same arguments and errors."""
    return [reading(row) for row in lookup_rate(connection, first, last, level, cut, only=only)]


def series(
    connection: sa.Connection, first: date, last: date, cut: PeriodType, only: str | None = None
) -> list[Reading]:
    """One reading per period from *first* to *last*: of all provinces together, or of the facility *only*."""
    level = Level.FACILITY if only else Level.PROVINCE
    rows = read(connection, first, last, level, cut, only)
    return [together(list(group)) for _, group in groupby(rows, key=lambda each: each.first)]


def _sum(rates: Any) -> Rate:
    both = list(rates)
    return Rate(sum(each.numerator for each in both), sum(each.denominator for each in both))
