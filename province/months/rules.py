"""What every step of a month asks first: is it a month, is it over, is the text one that can be kept."""

import re
import unicodedata
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Final

import sqlalchemy as sa

from province.periods import month_end
from province.tables import facility

MAX_TEXT: Final = 500
_MONTH: Final = re.compile(r"([0-9]{4})-([0-9]{2})", re.ASCII)
_VIETNAM: Final = timezone(timedelta(hours=7))


class MonthRefused(Exception):
    """A step that cannot be taken; `code` is stable."""

    def __init__(self, code: str, detail: str = "") -> None:
        """`bad_month`, `month_not_over`, `month_closed`, `not_confirmed`, `reason_needed`, `unknown_facility`,
        `unknown_word`, `bad_text`, `unknown_objection` or `unknown_item`.
        """
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail


def parse_month(text: str) -> date:
    """The first day of a month written `YYYY-MM`. Raises MonthRefused `bad_month`."""
    found = _MONTH.fullmatch(text)
    try:
        if found:
            return date(int(found[1]), int(found[2]), 1)
    except ValueError:
        pass
    raise MonthRefused("bad_month", "YYYY-MM")


def month_name(month: date) -> str:
    """A month as `YYYY-MM`."""
    return month.isoformat()[:7]


def refuse_not_over(month: date, now: datetime | None = None) -> None:
    """Raise MonthRefused `month_not_over` while the month runs in UTC+7, `bad_month` for no first day."""
    if month.day != 1:
        raise MonthRefused("bad_month", "the first day of a month")
    if month_end(month) >= (now or datetime.now(UTC)).astimezone(_VIETNAM).date():
        raise MonthRefused("month_not_over")


def refuse_unknown(connection: sa.Connection, code: str) -> None:
    """Raise MonthRefused `unknown_facility` for a code that the registry does not hold."""
    if connection.scalar(sa.select(facility.c.code).where(facility.c.code == code)) is None:
        raise MonthRefused("unknown_facility")


def kept_text(text: str) -> str:
    """Free text without blanks around it. Raises MonthRefused `bad_text`: too long, or control characters."""
    found = text.strip()
    if len(found) > MAX_TEXT or any(unicodedata.category(each) in ("Cc", "Cs") and each != "\n" for each in found):
        raise MonthRefused("bad_text", f"at most {MAX_TEXT} characters, none of them control characters")
    return found
