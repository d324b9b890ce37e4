"""The months as the page `/months` lists them: the rate of each, and how far its closing is."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

import sqlalchemy as sa

from kiosk.events import VIETNAM
from province.months.confirmations import unconfirmed
from province.months.objections import objections
from province.months.rules import month_name, parse_month
from province.months.state import months as touched_months
from province.periods import Period, PeriodType, month_end
from province.rates import Row, lookup_rate
from province.units import Level, units_of

MONTHS: Final = 24
"""How many months back are listed."""


@dataclass(frozen=True, slots=True)
class MonthLine:
    """One month. ``row``: of the feed (the province, or the one facility); its `status` is the month's.

    ``over``: whether it has ended (UTC+7). ``closed_at``: an aware time, None while it is open. ``confirmed``: how many
    of the active facilities stand by their figures as they are, None once it is closed. ``unanswered``: objections that
    nobody has answered.
    """

    month: date
    row: Row
    over: bool
    closed_at: datetime | None
    confirmed: int | None
    unanswered: int

    @property
    def name(self) -> str:
        """`YYYY-MM`."""
        return month_name(self.month)


def month_lines(connection: sa.Connection, now: datetime, only: str | None = None) -> list[MonthLine]:
    """The current month and those before it, newest first, back to the first with figures (at most MONTHS).

    *now*: an aware time. *only*: the figures of one facility (its code). Several provinces have a line each.
    """
    current = now.astimezone(VIETNAM).date().replace(day=1)
    first = current
    for _ in range(MONTHS - 1):
        first = (first - timedelta(days=1)).replace(day=1)
    level = Level.FACILITY if only else Level.PROVINCE
    rows = lookup_rate(connection, first, month_end(current), level, PeriodType.MONTH, only=only)
    touched = {str(each["month"]): each["closed_at"] for each in touched_months(connection)}
    lines = [_line(connection, row, current, touched, only) for row in rows]
    known = [line.month for line in lines if line.name in touched or line.row["visits_bhyt"] or _reported(line.row)]
    oldest = min(known, default=current)
    return sorted((line for line in lines if line.month >= oldest), key=lambda line: line.month, reverse=True)


def _line(
    connection: sa.Connection, row: Row, current: date, touched: dict[str, object], only: str | None
) -> MonthLine:
    name = str(row["period_start"])[:7]
    month = parse_month(name)
    closed_at = touched.get(name)
    confirmed = None
    if closed_at is None and month < current:
        confirmed = _confirmed(connection, row, month) if name in touched else 0
    waiting = [
        each
        for each in (objections(connection, month) if name in touched else [])
        if not each.answers and only in (None, each.facility)
    ]
    return MonthLine(
        month,
        row,
        month < current,
        datetime.fromisoformat(closed_at) if isinstance(closed_at, str) else None,
        confirmed,
        len(waiting),
    )


def _confirmed(connection: sa.Connection, row: Row, month: date) -> int:
    units = units_of(connection).of(Level.FACILITY, Period(month, month_end(month)))
    of_row = {code for code, unit in units.items() if unit.active and row["unit_code"] in (code, unit.province)}
    return len(of_row.difference(unconfirmed(connection, month)))


def _reported(row: Row) -> bool:
    return bool(row["facilities_reporting"])
