"""Days, ISO weeks, months, quarters and years inside a range, clipped to it (interfaces.md 6)."""

import calendar
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

MAX_DAYS: Final = 3700
"""Longest range of one question: ten years, so that a typing error cannot ask for millennia."""

MAX_ROWS: Final = 50_000
"""Most rows of one answer: over a year of days for all 95 facilities; more would tie up the hub for everybody."""


class PeriodType(StrEnum):
    """How a range is cut into rows."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"
    TOTAL = "total"
    CUMULATIVE = "cumulative"
    """One row, with what was reached before events were counted here."""


@dataclass(frozen=True, slots=True)
class Period:
    """First and last day, both inclusive, in UTC+7."""

    start: date
    end: date


def periods(first: date, last: date, period_type: PeriodType) -> list[Period]:
    """The periods from `first` to `last` (inclusive), in order; natural bounds clipped to the range.

    Raises ValueError when `first` is after `last` or the range is longer than 3,700 days.
    """
    if first > last:
        raise ValueError("from must not be after to")
    if (last - first).days >= MAX_DAYS:
        raise ValueError(f"the range must not be longer than {MAX_DAYS} days")
    found: list[Period] = []
    start = first
    while start <= last:
        end = min(_natural_end(start, period_type, last), last)
        found.append(Period(start, end))
        if end == last:
            break
        start = end + timedelta(days=1)
    return found


def _natural_end(day: date, period_type: PeriodType, last: date) -> date:
    match period_type:
        case PeriodType.DAY:
            return day
        case PeriodType.WEEK:
            # Added to `day` in one step: weeks at the very end of the calendar would overflow otherwise.
            return day + min(timedelta(days=6 - day.weekday()), last - day)
        case PeriodType.MONTH:
            return month_end(day)
        case PeriodType.QUARTER:
            return month_end(day.replace(day=1, month=(day.month + 2) // 3 * 3))
        case PeriodType.YEAR:
            return date(day.year, 12, 31)
        case PeriodType.TOTAL | PeriodType.CUMULATIVE:
            return last


def month_end(day: date) -> date:
    """The last day of the month that *day* is in."""
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])
