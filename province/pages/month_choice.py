"""Which month a page is about, and which are offered."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from kiosk.events import VIETNAM
from province.guards import ApiError
from province.periods import month_end

OFFERED: Final = 24


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """One calendar month in UTC+7."""

    first: date

    @classmethod
    def parse(cls, text: str) -> "Month":
        """From `YYYY-MM`, years 2000 to 2199. Raises ValueError for anything else."""
        day = datetime.strptime(text, "%Y-%m").replace(tzinfo=VIETNAM)
        if not 2000 <= day.year < 2200:
            raise ValueError("month out of range")
        return cls(date(day.year, day.month, 1))

    @classmethod
    def of(cls, day: date) -> "Month":
        """The month that a day is in."""
        return cls(day.replace(day=1))

    @property
    def last(self) -> date:
        """Its last day."""
        return month_end(self.first)

    def back(self, months: int) -> "Month":
        """The month so many months before."""
        number = self.first.year * 12 + self.first.month - 1 - months
        return Month(date(number // 12, number % 12 + 1, 1))

    def __str__(self) -> str:
        """`YYYY-MM`."""
        return self.first.isoformat()[:7]


def asked_month(text: str | None, today: date) -> Month:
    """The month of the query parameter `month`, without one the current. Raises ApiError 422 for one that is none."""
    if not text:
        return Month.of(today)
    try:
        return Month.parse(text)
    except ValueError:
        raise ApiError(422, "bad_parameters", "month: YYYY-MM") from None


def offered_months(asked: Month, today: date) -> list[Month]:
    """The months to choose from, newest first: the last OFFERED, and the one asked for."""
    current = Month.of(today)
    return sorted({asked, *(current.back(number) for number in range(OFFERED))}, reverse=True)


def today_in_vietnam(now: datetime) -> date:
    """The day in UTC+7 of an aware time."""
    return now.astimezone(VIETNAM).date()
