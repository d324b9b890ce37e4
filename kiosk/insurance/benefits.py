"""What a card's benefit digit means on a day, and the amounts around it (insurance-gateway.md 5.1, 5.2).

All of it is data with dates, all of it provisional: what the fund pays is known when the visit has ended. Pure
functions; a day on which a table says nothing gives None, never a guess.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from kiosk.insurance.dated_tables import holds, rows
from kiosk.model import Coverage

_LENGTHS = (15, 17)


def level_on(number: str, day: date) -> str | None:
    """The level ``1``-``5`` by which card *number* (15 or 17 characters) is read on *day*; None for other numbers."""
    printed = printed_level(number)
    if printed is None:
        return None
    for row in rows("benefit-levels.csv"):
        if (row["group"], row["printed"]) == (number[:2], printed) and holds(row, day):
            return row["read_as"]
    return printed


def printed_level(number: str) -> str | None:
    """The level ``1``-``5`` as it stands in card *number*; None where there is none."""
    return number[2] if len(number) in _LENGTHS and number[2] in "12345" else None


def percent_on(level: str, day: date) -> int | None:
    """What the fund pays of what it covers at *level* on *day*, in per cent, before any route rule or exception."""
    found = (int(row["percent"]) for row in rows("benefit-rates.csv") if row["level"] == level and holds(row, day))
    return next(found, None)


def base_salary(day: date) -> Decimal | None:
    """The base salary ("lương cơ sở", now the reference level) on *day*, in đồng a month."""
    return _amount("base_salary", day)


def small_bill_threshold(day: date) -> Decimal | None:
    """The total cost of one visit, in đồng, below which (not at which) the fund pays all of it."""
    salary, percent = base_salary(day), _amount("small_bill_percent", day)
    return None if salary is None or percent is None else salary * percent / 100


def exceptions_of(coverage: Coverage, day: date, *, primary_care: bool = False) -> tuple[str, ...]:
    """Codes of what may raise the level of *coverage* to 100 % on *day*; hints for staff, whether they hold is theirs.

    ``small_bill``: if the visit costs less than ``small_bill_threshold``. ``five_years``: the date is reached, and if
    the year's co-payment passes six base salaries. ``living_area``: K1 to K3, in listed cases. ``primary_care``: the
    visit is at a facility of object code 1.2.
    """
    possible = {
        "small_bill": small_bill_threshold(day) is not None,
        "primary_care": primary_care,
        "five_years": coverage.five_years_on is not None and coverage.five_years_on <= day,
        "living_area": coverage.living_area is not None,
    }
    level = level_on(coverage.number, day)
    return tuple(
        row["code"]
        for row in rows("benefit-exceptions.csv")
        if level is not None and level in row["levels"] and holds(row, day) and possible[row["code"]]
    )


def _amount(name: str, day: date) -> Decimal | None:
    found = (Decimal(row["value"]) for row in rows("benefit-amounts.csv") if row["name"] == name and holds(row, day))
    return next(found, None)
