"""How busy a day is: weekdays, public holidays and the weeks around Tet, and the hours in which people come."""

import random
from datetime import date, datetime, timedelta
from typing import Final

from kiosk.events import VIETNAM

_WEEKDAYS: Final = (1.3, 1.12, 1.06, 1.02, 1.0, 0.4, 0.1)
_HOLIDAYS: Final = frozenset({(1, 1), (4, 30), (5, 1), (9, 2)})
_TET: Final = (
    *(date(2023, 1, 22), date(2024, 2, 10), date(2025, 1, 29), date(2026, 2, 17), date(2027, 2, 6)),
    *(date(2028, 1, 26), date(2029, 2, 13), date(2030, 2, 3)),
)
"""First days of the lunar year in Vietnam."""

_HOURS: Final = ((0.62, 6.5, 9.0), (0.16, 9.0, 11.5), (0.22, 13.0, 16.5))
"""Share of a day's people, and from when to when they come: most queue before nine."""


def busyness(day: date) -> float:
    """How many people come compared with an average weekday."""
    for first in _TET:
        if -3 <= (day - first).days <= 5:
            return 0.08
        if 6 <= (day - first).days <= 12:
            return _WEEKDAYS[day.weekday()] * 1.25  # what was put off over the holiday
    if (day.month, day.day) in _HOLIDAYS:
        return 0.1
    return _WEEKDAYS[day.weekday()]


def moment(day: date, dice: random.Random) -> datetime:
    """An aware time (UTC+7) of that day at which somebody comes."""
    _, start, end = dice.choices(_HOURS, [share for share, _, _ in _HOURS])[0]
    seconds = dice.uniform(start, end) * 3600
    return datetime(day.year, day.month, day.day, tzinfo=VIETNAM) + timedelta(seconds=int(seconds))
