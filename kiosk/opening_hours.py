"""When questions that found no answer may be asked again: between opening and closing of the facility, in UTC+7."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final, Self

from kiosk.model import VIETNAM

_MINUTES_A_DAY = 24 * 60


@dataclass(frozen=True, slots=True)
class OpeningHours:
    """The same hours every day. ``opens`` and ``closes``: minutes since midnight, opens before closes, both <= 1440."""

    opens: int = 0
    closes: int = _MINUTES_A_DAY

    def __post_init__(self) -> None:
        """Refuse hours that are never (ValueError)."""
        if not 0 <= self.opens < self.closes <= _MINUTES_A_DAY:
            raise ValueError("expected an opening before the closing")

    @classmethod
    def parse(cls, opens: str, closes: str) -> Self:
        """From two times such as ``06:30`` and ``24:00``; ValueError for anything else."""
        return cls(_minutes(opens), _minutes(closes))

    def opening(self, day: date) -> datetime:
        """When the facility opens on *day*."""
        return _at(day, self.opens)

    def closing(self, day: date) -> datetime:
        """When it closes on *day*; midnight belongs to the next day."""
        return _at(day, self.closes)

    def next_open(self, moment: datetime) -> datetime:
        """*moment* itself while the facility is open, else its next opening. *moment* must be aware."""
        day = moment.astimezone(VIETNAM).date()
        if moment < self.opening(day):
            return self.opening(day)
        if moment < self.closing(day):
            return moment
        return self.opening(day + timedelta(days=1))


ALWAYS_OPEN: Final = OpeningHours()


def _at(day: date, minutes: int) -> datetime:
    return datetime.combine(day, time(), VIETNAM) + timedelta(minutes=minutes)


def _minutes(text: str) -> int:
    hour, _, minute = text.partition(":")
    if not (len(hour) == len(minute) == 2 and (hour + minute).isascii() and (hour + minute).isdigit()):
        raise ValueError("expected HH:MM")
    if int(minute) > 59:
        raise ValueError("expected HH:MM")
    return int(hour) * 60 + int(minute)
