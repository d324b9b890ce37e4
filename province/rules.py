"""What is not in the events but in rules, each with its dates: targets, exclusions, opening balances and successions.

A rule is never changed for a month that is closed: what was published then stays as it was.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import sqlalchemy as sa

from province.measures import Measures
from province.periods import Period, month_end
from province.rollup_table import CLASSES, closed_month
from province.rule_tables import exclusion, opening_balance, succession, target
from province.tables import facility
from province.units import Unit
from province.upsert import insert_or_update

DEFAULT_TARGET_PCT: Final = 80.0
EVERYWHERE: Final = "*"


class RuleRefused(Exception):
    """A rule that cannot be taken; `code` is stable."""

    def __init__(self, code: str) -> None:
        """`month_closed`, `unknown_class`, `unknown_facility`, `bad_range`, `bad_number` or `circular`."""
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Target:
    """From *valid_from* on, r1 of the unit (a code of any level, or `*`) shall be at least *pct*."""

    unit: str
    valid_from: date
    pct: float


@dataclass(frozen=True, slots=True)
class Exclusion:
    """From *valid_from* to *valid_to* (inclusive, None: open) visits of the class are in no rate over visits."""

    name: str
    valid_from: date
    valid_to: date | None
    reason: str

    def within(self, span: Period) -> Period | None:
        """The part of the span in which the rule holds."""
        start = max(self.valid_from, span.start)
        end = min(self.valid_to or span.end, span.end)
        return Period(start, end) if start <= end else None


@dataclass(frozen=True, slots=True)
class OpeningBalance:
    """What a facility had reached from *first* to *last*, before its events were counted here."""

    facility: str
    first: date
    last: date
    sums: Measures


@dataclass(frozen=True, slots=True)
class Succession:
    """From *day* on, what still comes under the code *old* counts for *new*."""

    old: str
    new: str
    day: date
    kind: str


@dataclass(frozen=True, slots=True)
class Rules:
    """All rules as they stand."""

    targets: Sequence[Target]
    exclusions: Sequence[Exclusion]
    openings: Sequence[OpeningBalance]
    successions: Sequence[Succession]

    def target_of(self, unit: Unit, day: date) -> float:
        """The target for r1 of the unit on the day: its own, else its area's, its province's, everybody's."""
        for code in (unit.code, unit.area, unit.province, EVERYWHERE):
            begun = [rule for rule in self.targets if rule.unit == code and rule.valid_from <= day]
            if begun:
                return max(begun, key=lambda rule: rule.valid_from).pct
        return DEFAULT_TARGET_PCT

    def counts_for(self, code: str, day: date) -> str:
        """The facility for which events of *code* count on the day."""
        for rule in sorted(self.successions, key=lambda rule: rule.day):
            if rule.old == code and rule.day <= day:
                code = rule.new
        return code


def read_rules(connection: sa.Connection) -> Rules:
    """The rules in the database, oldest first."""
    targets = connection.execute(sa.select(target).order_by(target.c.valid_from))
    exclusions = connection.execute(sa.select(exclusion).order_by(exclusion.c.valid_from))
    openings = connection.execute(sa.select(opening_balance).order_by(opening_balance.c.facility))
    successions = connection.execute(sa.select(succession).order_by(succession.c.day, succession.c.old))
    return Rules(
        targets=tuple(Target(row.unit, row.valid_from, row.pct_hundredths / 100) for row in targets),
        exclusions=tuple(Exclusion(row.name, row.valid_from, row.valid_to, row.reason) for row in exclusions),
        openings=tuple(
            OpeningBalance(
                row.facility,
                row.first,
                row.last,
                Measures(
                    visits=row.visits,
                    visits_looked_up=row.visits_looked_up,
                    counted=row.lookups,
                    success=row.success,
                ),
            )
            for row in openings
        ),
        successions=tuple(Succession(row.old, row.new, row.day, row.kind) for row in successions),
    )


def set_target(connection: sa.Connection, unit: str, valid_from: date, pct: float) -> None:
    """Set a target (0 to 100, two decimals) from a day on. Raises RuleRefused."""
    if not 0 <= pct <= 100:
        raise RuleRefused("bad_number")
    _refuse_closed(connection, valid_from, None)
    row = {"unit": unit, "valid_from": valid_from, "pct_hundredths": round(pct * 100)}
    insert_or_update(connection, target, [row], ("pct_hundredths",))


def set_exclusion(connection: sa.Connection, rule: Exclusion) -> None:
    """Leave a class of visits out, or change until when it is left out. Raises RuleRefused."""
    if rule.name not in CLASSES:
        raise RuleRefused("unknown_class")
    if rule.valid_to is not None and rule.valid_to < rule.valid_from:
        raise RuleRefused("bad_range")
    _refuse_closed(connection, rule.valid_from, rule.valid_to)
    row = {"name": rule.name, "valid_from": rule.valid_from, "valid_to": rule.valid_to, "reason": rule.reason}
    insert_or_update(connection, exclusion, [row], ("valid_to", "reason"))


def set_opening(connection: sa.Connection, balance: OpeningBalance) -> None:
    """Set what a facility had reached before. Raises RuleRefused."""
    _refuse_unknown(connection, balance.facility)
    if balance.first > balance.last:
        raise RuleRefused("bad_range")
    sums = balance.sums
    numbers = (sums.visits, sums.visits_looked_up, sums.counted, sums.success)
    if min(numbers) < 0 or sums.success > sums.counted:
        raise RuleRefused("bad_number")
    row = {"facility": balance.facility, "first": balance.first, "last": balance.last}
    row |= dict(zip(("visits", "visits_looked_up", "lookups", "success"), numbers, strict=True))
    insert_or_update(connection, opening_balance, [row], [name for name in row if name != "facility"])


def set_succession(connection: sa.Connection, rule: Succession) -> None:
    """Let what comes under one code count for another from a day on. Raises RuleRefused."""
    for code in (rule.old, rule.new):
        _refuse_unknown(connection, code)
    _refuse_closed(connection, rule.day, None)
    rules = read_rules(connection)
    if rule.old == rule.new or rules.counts_for(rule.new, date.max) == rule.old:
        raise RuleRefused("circular")
    row = {"old": rule.old, "new": rule.new, "day": rule.day, "kind": rule.kind}
    insert_or_update(connection, succession, [row], ("new", "day", "kind"))


def _refuse_unknown(connection: sa.Connection, code: str) -> None:
    if connection.scalar(sa.select(facility.c.code).where(facility.c.code == code)) is None:
        raise RuleRefused("unknown_facility")


def _refuse_closed(connection: sa.Connection, first: date, last: date | None) -> None:
    for month in connection.scalars(sa.select(closed_month.c.month)):
        if month_end(month) >= first and (last is None or month <= last):
            raise RuleRefused("month_closed")
