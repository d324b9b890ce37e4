"""The days on which every facility in Vietnam is expected to work: Monday to Friday, but for public holidays.

Holidays: Labour Code 2019, article 112; the days around Tet on which stations are hardly used are left out too.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

_FIXED: Final = frozenset({(1, 1), (4, 30), (5, 1), (9, 1), (9, 2), (9, 3)})
_TET: Final = (
    *(date(2023, 1, 22), date(2024, 2, 10), date(2025, 1, 29), date(2026, 2, 17), date(2027, 2, 6)),
    *(date(2028, 1, 26), date(2029, 2, 13), date(2030, 2, 3)),
)
_HUNG_KINGS: Final = frozenset(
    {
        *(date(2023, 4, 29), date(2024, 4, 18), date(2025, 4, 7), date(2026, 4, 26), date(2027, 4, 16)),
        *(date(2028, 4, 4), date(2029, 4, 23), date(2030, 4, 12)),
    }
)
_MONDAY: Final = 0
_FRIDAY: Final = 4


def is_working_day(day: date) -> bool:
    """Whether it is one; where the lunar calendar is not known here, all days that Tet can fall on are none."""
    if day.weekday() > _FRIDAY or (day.month, day.day) in _FIXED or day in _HUNG_KINGS:
        return False
    if day.weekday() == _MONDAY and (day - timedelta(days=1) in _HUNG_KINGS or day - timedelta(days=2) in _HUNG_KINGS):
        return False  # a holiday at the weekend is given on Monday
    if day.year > _TET[-1].year:
        return not date(day.year, 1, 17) <= day <= date(day.year, 2, 28)
    return not any(-3 <= (day - first).days <= 6 for first in _TET)


def working_days(first: date, last: date) -> Iterator[date]:
    """The working days from *first* to *last*, both inclusive."""
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        if is_working_day(day):
            yield day
