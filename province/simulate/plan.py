"""What happens at one facility on each day: numbers, from which either events or sums are made.

All days of a facility are drawn at once, as arrays: 13,000 facilities over a year are nearly five million days.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache, cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from province.periods import Period
from province.simulate.chances import IN_TROUBLE, NAMES, OUTAGE, USUAL, Trouble, is_outage
from province.simulate.days import busyness
from province.simulate.mergers import Merger

_SIZES: Final[Mapping[str, tuple[int, int]]] = {
    "hospital": (250, 600),
    "district_medical_centre": (120, 320),
    "regional_polyclinic": (40, 90),
    "private_clinic": (15, 60),
}
_STATION_SIZE: Final = (6, 26)
"""Insured visits of an average weekday: of a commune health station, and of what is larger."""

_WITH_TROUBLE: Final = 0.06
_TROUBLE_LASTS: Final = 0.15
"""Share of the facilities that have trouble, and how long it lasts, as a share of the whole time."""

Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class DayPlan:
    """One facility's day: kiosk visits by outcome (name in `OUTCOMES`), visits at desks and those looked up there, and
    how many visits the portal has.
    """

    day: date
    outcomes: Mapping[str, int]
    desk_visits: int
    desk_looked_up: int
    desk_success: int
    portal: int

    @property
    def visits(self) -> int:
        """All insured visits, as the hospital system counts them."""
        return sum(self.outcomes.values()) + self.desk_visits


@dataclass(frozen=True, slots=True)
class Days:
    """All days on which a facility sent anything, as arrays of one length; ``outcomes`` has a column per `NAMES`."""

    places: Numbers
    outcomes: Numbers
    desk_visits: Numbers
    desk_looked_up: Numbers
    desk_success: Numbers
    portal: Numbers


class Profile:
    """One facility over the whole simulated time: its size, when it got kiosks, how well it does, its trouble."""

    def __init__(self, code: str, kind: str, span: Period, seed: int, until: date | None, scale: float = 1) -> None:
        """*kind*: `type` of the registry. *until*: the last day before it is merged away. *scale*: of its size."""
        self._dice = np.random.default_rng(int.from_bytes(hashlib.sha256(f"{seed} {code}".encode()).digest()[:16]))
        self.code, self._seed, self._span, self._until = code, seed, span, until
        self._size = self._dice.uniform(*_SIZES.get(kind, _STATION_SIZE)) * scale
        self._kiosks_from = self._dice.uniform(-0.5, 0.5)
        self._share = self._dice.uniform(0.35, 0.75)
        self._start = self._dice.uniform(0.78, 0.93)
        self._end = self._dice.uniform(0.984, 0.997)
        kinds = list(Trouble)
        unlucky, which = self._dice.random() < _WITH_TROUBLE, kinds[self._dice.integers(len(kinds))]
        self.trouble = which if unlucky else None
        self._trouble_from = self._dice.uniform(0.5, 0.8)

    @cached_property
    def days(self) -> Days:
        """What happens, the same for the same seed; without days on which it is closed, silent or merged away."""
        dice, days = self._dice, all_days(self._span)
        through = np.arange(len(days)) / max(1, len(days) - 1)
        begin = self._trouble_from
        troubled = (through >= begin) & (through <= begin + _TROUBLE_LASTS) & (self.trouble is not None)
        mean = self._size * _busyness(self._span)
        visits = np.maximum(0, np.rint(dice.normal(mean, np.sqrt(mean)))).astype(np.int64)
        rate = self._start + (self._end - self._start) * through**0.6
        if self.trouble is Trouble.DESKS:
            rate = rate - 0.25 * troubled
        at_kiosk = np.where(through >= self._kiosks_from, np.rint(visits * self._share), 0).astype(np.int64)
        looked_up = dice.binomial(visits - at_kiosk, rate)
        failed = dice.binomial(looked_up, 0.01)
        missed = dice.binomial(visits, 0.004)
        outcomes = dice.multinomial(at_kiosk, self._chances(troubled))
        open_days = visits > 0
        if self.trouble is Trouble.SILENT:
            open_days &= ~troubled
        if self._until is not None:
            open_days &= np.arange(len(days)) <= (self._until - self._span.start).days
        every = (outcomes, visits - at_kiosk, looked_up, looked_up - failed, visits + missed)
        return Days(np.flatnonzero(open_days), *(each[open_days] for each in every))

    def plans(self) -> Iterator[DayPlan]:
        """The days one by one, in order."""
        known = self.days
        for place, number in enumerate(known.places):
            numbers = (known.desk_visits, known.desk_looked_up, known.desk_success, known.portal)
            outcomes = {name: int(count) for name, count in zip(NAMES, known.outcomes[place], strict=True) if count}
            yield DayPlan(
                self._span.start + timedelta(days=int(number)), outcomes, *(int(each[place]) for each in numbers)
            )

    def _chances(self, troubled: NDArray[np.bool_]) -> NDArray[np.float64]:
        chances = _usual(self._span, self._seed)
        if self.trouble is None or self.trouble not in IN_TROUBLE:
            return chances
        return np.where(troubled[:, None], IN_TROUBLE[self.trouble], chances)


@cache
def all_days(span: Period) -> tuple[date, ...]:
    """All days of the span."""
    return tuple(span.start + timedelta(days=number) for number in range((span.end - span.start).days + 1))


@cache
def _busyness(span: Period) -> NDArray[np.float64]:
    return np.array([busyness(day) for day in all_days(span)])


@cache
def _usual(span: Period, seed: int) -> NDArray[np.float64]:
    """The chances of each day, without a facility's own trouble."""
    return np.array([OUTAGE if is_outage(day, seed) else USUAL for day in all_days(span)])


@dataclass(frozen=True)
class Plan:
    """All facilities (code -> type) of a simulated span, and which of them are merged away in it."""

    facilities: Mapping[str, str]
    span: Period
    seed: int
    mergers: Sequence[Merger] = ()
    scale: float = 1

    def profiles(self) -> Iterator[Profile]:
        """One per facility, in the order of their codes."""
        last = {each.old: each.last for each in self.mergers}
        for code in sorted(self.facilities):
            yield Profile(code, self.facilities[code], self.span, self.seed, last.get(code), self.scale)
