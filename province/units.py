"""Facilities, areas and provinces as the units of the feed, by date, kept ready between questions.

The registry changes on few days. Between two such days every question about units has the same answer, so that 13,000
facilities are gone through once and not for every row.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from operator import itemgetter
from weakref import WeakKeyDictionary

import sqlalchemy as sa

from province.facilities import Facility, Registry, read_registry
from province.periods import Period
from province.tables import registry_load


class Level(StrEnum):
    """What one row stands for."""

    FACILITY = "facility"
    AREA = "area"
    PROVINCE = "province"


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit in a period. ``active``: how many of its facilities the registry has on any day of it."""

    code: str
    name: str
    parent: str | None
    area: str | None
    province: str
    active: int


class Units:
    """The registry as units; answers are remembered."""

    def __init__(self, registry: Registry) -> None:
        """Of one state of the registry."""
        self.registry = registry
        versions = [(unit, version) for unit in registry.facilities.values() for version in unit.versions]
        begins = {version.valid_from for _, version in versions if version.valid_from}
        ends = {version.valid_to + timedelta(days=1) for _, version in versions if version.valid_to}
        self._turns = sorted(begins | ends)
        self._moves = sorted(_moves(registry))
        self._known: dict[tuple[Level, int, int], dict[str, Unit]] = {}

    def of(self, level: Level, span: Period) -> dict[str, Unit]:
        """All units of the level by code, active in the span or not (then ``active`` is 0)."""
        key = level, bisect_right(self._turns, span.start), bisect_right(self._turns, span.end)
        if key not in self._known:
            self._known[key] = self._made(level, span)
        return self._known[key]

    def movers(self, span: Period) -> list[str]:
        """The facilities that come to another province after the first day of the span and within it."""
        begin, end = (bisect_right(self._moves, day, key=itemgetter(0)) for day in (span.start, span.end))
        return [code for _, code in self._moves[begin:end]]

    def place(self, facility: str, level: Level, span: Period) -> str:
        """The code of the unit of this level that the facility belongs to in the span."""
        own = self.of(Level.FACILITY, span)[facility]
        return {Level.FACILITY: facility, Level.AREA: own.area or "", Level.PROVINCE: own.province}[level]

    def _made(self, level: Level, span: Period) -> dict[str, Unit]:
        single = {code: _as_unit(facility, span) for code, facility in self.registry.facilities.items()}
        if level is Level.FACILITY:
            return single
        groups: dict[str, list[Unit]] = defaultdict(list)
        for unit in single.values():
            groups[(unit.area or "") if level is Level.AREA else unit.province].append(unit)
        return {code: self._together(level, code, members, span) for code, members in groups.items()}

    def _together(self, level: Level, code: str, members: list[Unit], span: Period) -> Unit:
        first = self.registry.facilities[members[0].code]
        active = sum(member.active for member in members)
        province = members[0].province
        if level is Level.AREA:
            return Unit(code, first.area_name, province, code, province, active)
        return Unit(code, first.version_at(span.start, span.end).province_name, None, None, province, active)


_kept: WeakKeyDictionary[sa.Engine, Units] = WeakKeyDictionary()


def units_of(connection: sa.Connection) -> Units:
    """The units of the registry as the connection sees it."""
    last = connection.scalar(sa.select(sa.func.max(registry_load.c.number)))
    kept = _kept.get(connection.engine)
    if kept is None or last is None or not kept.registry.version.startswith(f"{last}-"):
        kept = _kept[connection.engine] = Units(read_registry(connection))
    return kept


def _as_unit(facility: Facility, span: Period) -> Unit:
    version = facility.version_at(span.start, span.end)
    active = int(facility.active(span.start, span.end))
    area = facility.area_code or None
    return Unit(facility.code, version.name, area, area, version.province_code, active)


def _moves(registry: Registry) -> set[tuple[date, str]]:
    """The days on which a facility comes to another province, and its code."""
    return {
        (after.valid_from, facility.code)
        for facility in registry.facilities.values()
        for before, after in zip(facility.versions, facility.versions[1:], strict=False)
        if after.valid_from is not None and after.province_code != before.province_code
    }
