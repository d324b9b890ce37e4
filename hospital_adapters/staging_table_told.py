"""Values that a site's database gives back, whatever type its columns and views have. Pure; nothing here raises."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any, Final

from kiosk.documents.text import clean, tidy
from kiosk.model import Sex

_LONGEST: Final = 1000
_MOST_ID: Final = Decimal(10) ** 30
_MOST_MONEY: Final = Decimal(10) ** 15
_MOST: Final = Decimal(10) ** 9
_YES: Final = ("1", "true", "t", "yes", "y")


def text(value: Any) -> str | None:
    """A text or whole number as text, without control characters; None for nothing, and for anything else."""
    number = _number(value) if isinstance(value, float | Decimal) else None
    if number is not None and abs(number) < _MOST_ID and number == number.to_integral_value():
        value = int(number)
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    given = str(value)
    return (tidy(clean(given)) or None) if len(given) <= _LONGEST else None


def truth(value: Any) -> bool:
    """A flag, be it a number, a truth value or a letter."""
    return value is True or (text(value) or "").lower() in _YES


def sex(value: Any) -> Sex | None:
    """``M`` or ``F``; None for anybody."""
    return {"M": Sex.MALE, "F": Sex.FEMALE}.get((text(value) or "").upper())


def money(value: Any) -> Decimal | None:
    """An amount in đồng; None for anything else."""
    amount = _number(value)
    return amount if amount is not None and 0 <= amount < _MOST_MONEY else None


def count(value: Any) -> int | None:
    """A whole number from 0; None for anything else."""
    number = _number(value)
    whole = number is not None and number == number.to_integral_value() and 0 <= number < _MOST
    return int(number) if number is not None and whole else None


def _number(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        return None
    try:
        found = Decimal(str(value).strip())
    except (InvalidOperation, ValueError):
        return None
    return found if found.is_finite() else None
