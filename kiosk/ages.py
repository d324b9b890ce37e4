"""How old somebody is whose birth date may be known in part only."""

from __future__ import annotations

from datetime import date
from typing import Final

from kiosk.model import Identity, PartialDate

CARD_FROM: Final = 14
"""From this age everybody must have a citizen card (Law on Identity 26/2023, article 19); younger ones may."""

ADULT_FROM: Final = 18


def ages(born: PartialDate, day: date) -> tuple[int, int]:
    """The least and the most whole years that somebody born then can have on *day*."""
    earliest = (born.month or 1, born.day or 1)
    latest = (born.month or 12, born.day or 31)
    age = day.year - born.year
    today = (day.month, day.day)
    return age - (today < latest), age - (today < earliest)


def surely_under(age: int, person: Identity, day: date) -> bool:
    """Whether *person* is younger than *age* on *day*, whatever is not known of the birth date."""
    return person.birth_date is not None and ages(person.birth_date, day)[1] < age


def may_be_under(age: int, person: Identity, day: date) -> bool:
    """Whether *person* can be younger than *age* on *day*; somebody without a birth date can."""
    return person.birth_date is None or ages(person.birth_date, day)[0] < age
