"""Why insured visits were not looked up by chip, ranked, each with what a facility can do (interfaces.md 6)."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

import sqlalchemy as sa

from province.pages.texts import Language, Texts, texts_in
from province.periods import PeriodType
from province.rates import percent, why_not_by_chip
from province.rollup_table import COUNTERS, UNEXPLAINED
from province.units import Level

REASONS: Final = tuple(COUNTERS["not_by_chip"])
"""Every reason known today; others may come from newer stations."""
_OTHER: Final = "OTHER"


@dataclass(frozen=True, slots=True)
class Cause:
    """One reason: how many insured ``visits`` have it, and its ``share`` of all that were missed, in per cent."""

    reason: str
    visits: int
    share: float


@dataclass(frozen=True, slots=True)
class UnitCauses:
    """The causes of one facility, area or province.

    ``missed``: insured visits without a chip lookup; ``causes``: largest first, together all that were missed;
    ``unexplained``: those among them without any reason.
    """

    unit_code: str
    unit_name: str
    missed: int
    causes: tuple[Cause, ...]
    unexplained: int

    @property
    def unexplained_pct(self) -> float | None:
        """Their share in what was missed; None where nothing was."""
        return percent(self.unexplained, self.missed)

    @classmethod
    def together(cls, units: Iterable["UnitCauses"]) -> "UnitCauses":
        """Several units as one without a code."""
        visits: Counter[str] = Counter()
        for unit in units:
            visits.update({each.reason: each.visits for each in unit.causes})
        return _unit("", "", visits)


def causes(
    connection: sa.Connection, first: date, last: date, level: Level, *, only: str | None = None
) -> list[UnitCauses]:
    """Of each unit that missed a visit in the days *first* to *last* (inclusive, UTC+7), most missed first.

    *only*: the unit with this code. Raises ValueError for a range that the feed refuses.
    """
    found: dict[str, tuple[str, dict[str, int]]] = {}
    for row in why_not_by_chip(connection, first, last, level, PeriodType.TOTAL, only=only):
        _, visits = found.setdefault(str(row["unit_code"]), (str(row["unit_name"]), {}))
        visits[str(row["reason"])] = int(str(row["visits"]))
    units = [_unit(code, name, visits) for code, (name, visits) in found.items()]
    return sorted(units, key=lambda unit: (-unit.missed, unit.unit_code))


def _unit(code: str, name: str, visits: Mapping[str, int]) -> UnitCauses:
    missed = sum(visits.values())
    ranked = sorted(visits.items(), key=lambda pair: (-pair[1], pair[0]))
    shares = tuple(Cause(reason, number, percent(number, missed) or 0.0) for reason, number in ranked)
    return UnitCauses(code, name, missed, shares, visits.get(UNEXPLAINED, 0))


def name(reason: str, language: str = Language.VIETNAMESE) -> str:
    """The reason in words; one that is unknown today is shown as it came."""
    return _text("name", reason, language) if reason in REASONS else reason


def advice(reason: str, language: str = Language.VIETNAMESE) -> str:
    """One sentence: what a facility can do about this reason tomorrow."""
    return _text("advice", reason if reason in REASONS else _OTHER, language)


def _text(kind: str, reason: str, language: str) -> str:
    texts: Texts = texts_in(Language(language))
    return texts(f"causes.{kind}.{reason}")
