"""Why visits were not looked up by chip, in the words of the reader's language."""

from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from province import causes
from province.pages.texts import Language
from province.units import Level


@dataclass(frozen=True, slots=True)
class CauseLine:
    """One reason. ``share``: in per cent of all visits without a chip lookup. ``advice``: one sentence."""

    words: str
    advice: str
    visits: int
    share: float


def cause_lines(
    connection: sa.Connection, first: date, last: date, language: Language, only: str | None = None
) -> list[CauseLine]:
    """The reasons from *first* to *last* (inclusive), largest first: of all provinces, or of the facility *only*."""
    level = Level.FACILITY if only else Level.PROVINCE
    units = causes.causes(connection, first, last, level, only=only)
    visits: dict[str, int] = {}
    for each in (cause for unit in units for cause in unit.causes):
        visits[each.reason] = visits.get(each.reason, 0) + each.visits
    missed = sum(visits.values())
    ranked = sorted(visits.items(), key=lambda pair: (-pair[1], pair[0]))
    return [
        CauseLine(causes.name(reason, language), causes.advice(reason, language), number, number * 100 / missed)
        for reason, number in ranked
    ]
