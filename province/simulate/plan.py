"""What happens at one facility on one day: numbers, from which either events or sums are made."""

import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import cached_property
from itertools import accumulate
from typing import Final

from province.measures import Measures
from province.periods import Period
from province.rollup_table import DESK_LOOKED_UP, DESK_NOT_LOOKED_UP
from province.simulate.days import busyness
from province.simulate.outcomes import OUTCOMES, add

_SIZES: Final[Mapping[str, tuple[int, int]]] = {
    "hospital": (250, 600),
    "district_medical_centre": (120, 320),
    "regional_polyclinic": (40, 90),
    "private_clinic": (15, 60),
}
_STATION_SIZE: Final = (6, 26)
"""Insured visits of an average weekday: of a commune health station, and of what is larger."""

_WEIGHTS: Final[Mapping[str, float]] = {
    **{"chip": 700, "chip_data": 40, "chip_check": 8, "chip_expired": 6, "chip_not_found": 3, "chip_mismatch": 3},
    **{"qr": 90, "vneid": 45, "chip_failed": 22, "reader_down": 4, "typed": 14, "old_card": 5, "child": 45},
    **{"emergency": 3, "gateway_down": 0, "gateway_error": 2, "account": 1, "unexplained": 4},
}
_OUTAGE_SHARE: Final = 1 / 60


class Trouble(StrEnum):
    """What is wrong at a facility for a while, so that there is something to find."""

    READER = "reader"
    TYPING = "typing"
    DESKS = "desks"
    SILENT = "silent"


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

    def measures(self) -> Measures:
        """The sums of the day, as the ledger's events would give them."""
        sums = Measures(visits=self.visits, origins={"his"}, reported=True)
        sums.visits_portal, sums.visits_beside_portal = self.portal, self.visits
        for name, number in self.outcomes.items():
            add(sums, OUTCOMES[name], number)
        sums.desk_lookups = sums.desk_looked_up = self.desk_looked_up
        sums.desk_success = self.desk_success
        sums.not_by_chip[DESK_LOOKED_UP] += self.desk_looked_up
        sums.not_by_chip[DESK_NOT_LOOKED_UP] += self.desk_visits - self.desk_looked_up
        return sums


class Profile:
    """One facility over the whole simulated time: its size, when it got kiosks, how well it does, its trouble."""

    def __init__(self, code: str, kind: str, span: Period, seed: int, until: date | None, scale: float = 1) -> None:
        """*kind*: `type` of the registry. *until*: the last day before it is merged away. *scale*: of its size."""
        dice = random.Random(f"{seed} {code}")  # noqa: S311 - no secret
        self.code, self._seed, self._span, self._until = code, seed, span, until
        self._size = dice.uniform(*_SIZES.get(kind, _STATION_SIZE)) * scale
        self._kiosks_from = dice.uniform(-0.5, 0.5)
        self._share = dice.uniform(0.35, 0.75)
        self._start = dice.uniform(0.78, 0.93)
        self._end = dice.uniform(0.984, 0.997)
        self.trouble = dice.choice(list(Trouble)) if dice.random() < 0.06 else None
        self._trouble_from = dice.uniform(0.5, 0.8)

    def plan(self, day: date) -> DayPlan | None:
        """What happens on that day, the same for the same seed; None when the facility is closed, silent or merged."""
        if self._until is not None and day > self._until:
            return None
        dice = random.Random(f"{self._seed} {self.code} {day.toordinal()}")  # noqa: S311 - no secret
        through = (day - self._span.start).days / max(1, (self._span.end - self._span.start).days)
        trouble = self.trouble if self._trouble_from <= through <= self._trouble_from + 0.15 else None
        mean = self._size * busyness(day)
        visits = max(0, round(dice.gauss(mean, mean**0.5)))
        if visits == 0 or trouble is Trouble.SILENT:
            return None
        at_kiosk = round(visits * self._share) if through >= self._kiosks_from else 0
        desk = visits - at_kiosk
        rate = self._start + (self._end - self._start) * through**0.6
        if trouble is Trouble.DESKS:
            rate -= 0.25
        looked_up = sum(dice.random() < rate for _ in range(desk))
        failed = sum(dice.random() < 0.01 for _ in range(looked_up))
        missed = sum(dice.random() < 0.004 for _ in range(visits))
        outcomes = self._outcomes(day, at_kiosk, trouble, dice)
        return DayPlan(day, outcomes, desk, looked_up, looked_up - failed, visits + missed)

    def _outcomes(self, day: date, number: int, trouble: Trouble | None, dice: random.Random) -> Mapping[str, int]:
        weights = _CUMULATED
        if trouble is Trouble.READER:
            weights = _READER_DOWN
        elif trouble is Trouble.TYPING:
            weights = _TYPING
        elif is_outage(day, self._seed):
            weights = _OUTAGE
        return Counter(sorted(dice.choices(_NAMES, cum_weights=weights, k=number)))


def is_outage(day: date, seed: int) -> bool:
    """Whether the insurance gateway fails on that day for a good part of everybody."""
    return random.Random(f"{seed} gateway {day.toordinal()}").random() < _OUTAGE_SHARE  # noqa: S311 - no secret


def _cumulated(**other: float) -> tuple[float, ...]:
    return tuple(accumulate((dict(_WEIGHTS) | other).values()))


_NAMES: Final = tuple(_WEIGHTS)
_CUMULATED: Final = _cumulated()
_OUTAGE: Final = _cumulated(gateway_down=260, gateway_error=60)
_READER_DOWN: Final = _cumulated(chip=80, chip_data=5, reader_down=620)
_TYPING: Final = _cumulated(chip=280, typed=450)


@dataclass(frozen=True)
class Plan:
    """All facilities (code -> type) of a simulated span; *merged*: code -> last day of those merged away."""

    facilities: Mapping[str, str]
    span: Period
    seed: int
    merged: Mapping[str, date]
    scale: float = 1

    @cached_property
    def profiles(self) -> tuple[Profile, ...]:
        """One per facility, in the order of their codes."""
        return tuple(
            Profile(code, self.facilities[code], self.span, self.seed, self.merged.get(code), self.scale)
            for code in sorted(self.facilities)
        )

    @property
    def days(self) -> list[date]:
        """All days of the span."""
        return [self.span.start + timedelta(days=n) for n in range((self.span.end - self.span.start).days + 1)]
