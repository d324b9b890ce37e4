"""The page `/causes`: why visits were not looked up by chip, for a range of days, of all units of a level or of one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from province.causes import UnitCauses, causes
from province.pages.month_choice import Month
from province.units import Level


@dataclass(frozen=True, slots=True)
class Choice:
    """What somebody wants to see: the days (inclusive, UTC+7), the level, and one unit's code (empty: all)."""

    first: date
    last: date
    level: Level
    unit: str = ""


@dataclass(frozen=True, slots=True)
class CausesView:
    """``one``: the only unit there is to show, with its whole ranking; otherwise ``units``, most missed first."""

    choice: Choice
    one: UnitCauses | None
    units: Sequence[UnitCauses]
    missed: int


def causes_view(connection: sa.Connection, choice: Choice, only: str | None = None) -> CausesView:
    """The causes for this choice; *only*: nothing but this facility. Raises ValueError for a range that is refused."""
    facility = only or (choice.unit if choice.level is Level.FACILITY else None) or None
    found = causes(connection, choice.first, choice.last, choice.level, only=facility)
    units = [each for each in found if not choice.unit or each.unit_code == choice.unit]
    single = bool(choice.unit) or only is not None or choice.level is Level.PROVINCE
    one = units[0] if single and len(units) == 1 else None
    return CausesView(choice, one, [] if one else units, sum(each.missed for each in units))


def spans(today: date) -> dict[str, tuple[date, date]]:
    """The ranges that are offered by name: first and last day, the last never after today."""
    month = Month.of(today)
    quarter = month.back((today.month - 1) % 3)
    return {
        "this_month": (month.first, today),
        "last_month": (month.back(1).first, month.back(1).last),
        "this_quarter": (quarter.first, today),
        "this_year": (date(today.year, 1, 1), today),
        "last_year": (date(today.year - 1, 1, 1), date(today.year - 1, 12, 31)),
    }
