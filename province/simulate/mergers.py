"""Health stations that are merged into another in the middle of a simulated history."""

import hashlib
import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

import sqlalchemy as sa

from province.facilities import Registry
from province.periods import Period
from province.rules import Succession, set_succession
from province.tables import facility_version, registry_load

_KIND: Final = "commune_health_station"
_EARLIEST, _LATEST = 0.3, 0.9
"""When mergers happen, as a share of the span."""


@dataclass(frozen=True, slots=True)
class Merger:
    """After the day *last* the facility *old* is part of *new*."""

    old: str
    new: str
    last: date


def choose_mergers(registry: Registry, span: Period, number: int, seed: int) -> list[Merger]:
    """So many mergers of neighbours (of one area), the same for the same seed; fewer where there are not enough.

    Only stations whose entry in the registry holds from before the span on, and each in one merger at most.
    """
    dice = random.Random(f"{seed} mergers")  # noqa: S311 - no secret
    areas: dict[str, list[str]] = defaultdict(list)
    for code, unit in sorted(registry.facilities.items()):
        final = unit.versions[-1]
        begun = final.valid_from is None or final.valid_from <= span.start
        if unit.type == _KIND and begun and final.valid_to is None:
            areas[unit.area_code].append(code)
    pairs = [pair for codes in areas.values() for pair in zip(codes[::2], codes[1::2], strict=False)]
    length = (span.end - span.start).days
    return [
        Merger(old, new, span.start + timedelta(days=int(length * dice.uniform(_EARLIEST, _LATEST))))
        for old, new in sorted(dice.sample(pairs, min(number, len(pairs))))
    ]


def write_mergers(connection: sa.Connection, mergers: Sequence[Merger]) -> None:
    """End the validity of what is merged away, and let what still comes under its code count for its successor.

    Raises RuleRefused for a closed month.
    """
    version = facility_version
    for each in mergers:
        open_version = sa.and_(version.c.facility == each.old, version.c.valid_to.is_(None))
        connection.execute(sa.update(version).where(open_version).values(valid_to=each.last))
        set_succession(connection, Succession(each.old, each.new, each.last + timedelta(days=1), "merged"))
    if mergers:
        told = " ".join(f"{each.old}>{each.new}:{each.last}" for each in mergers)
        digest = hashlib.sha256(told.encode()).hexdigest()
        connection.execute(sa.insert(registry_load).values(loaded_at=datetime.now(UTC), sha256=digest))
