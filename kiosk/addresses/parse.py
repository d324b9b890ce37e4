"""The address of a card to administrative codes, old and new; what is ambiguous stays so.

A card says ``hamlet, commune, district, province`` (until June 2025) or ``hamlet, commune, province``. Nothing is
guessed: a unit counts only when it is the only one that fits. Source: health-data-standards.md 5.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from kiosk.addresses.names import Name, readings
from kiosk.addresses.units import LIST_VERSION, Listed, Province, Unit, moved_to, province, provinces

_COUNTRY: Final = ("VIET NAM", "VIETNAM")
_LONGEST: Final = 500
_MOST_PARTS: Final = 12
_TWO_PARTS: Final = 2
_LEVELS: Final[tuple[set[str | None], ...]] = (
    {"tinh", "thanh_pho"},
    {"thanh_pho", "quan", "huyen", "thi_xa"},
    {"xa", "phuong", "thi_tran", "dac_khu"},
)
"""Kinds of units that become one another on their level."""


class Confidence(StrEnum):
    """How sure the codes are."""

    EXACT = "exact"  # every unit by its accents
    FOLDED = "folded"  # accents are missing or differ, and one unit fits all the same
    AMBIGUOUS = "ambiguous"  # several fit: they are the candidates, and no commune is chosen
    NONE = "none"


@dataclass(frozen=True, slots=True)
class OldPlace:
    """Three levels, until 30 June 2025."""

    province: Unit
    district: Unit | None = None
    commune: Unit | None = None


@dataclass(frozen=True, slots=True)
class NewPlace:
    """Two levels, since 1 July 2025."""

    province: Unit
    commune: Unit | None = None


@dataclass(frozen=True, slots=True)
class Address:
    """*text_raw* and what it means; ``hamlet`` is what stands before the units that were recognised.

    ``old`` is set for an address of the old epoch. ``new`` is set for one of the new epoch, and beside ``old``: the
    province that the old one became, and the commune where the old one went into it whole. ``list_version``: the state
    of the lists.
    """

    text_raw: str
    hamlet: str | None
    old: OldPlace | None
    new: NewPlace | None
    confidence: Confidence
    candidates: tuple[OldPlace | NewPlace, ...] = ()
    list_version: str = LIST_VERSION


@dataclass(frozen=True, slots=True)
class _Fit:
    """How well a part of the text names a unit: by its accents, and by the kind of unit it states."""

    exact: bool = True
    kind: bool = True

    def __and__(self, other: _Fit) -> _Fit:
        return _Fit(self.exact and other.exact, self.kind and other.kind)


@dataclass(frozen=True, slots=True)
class _Hit:
    place: OldPlace | NewPlace
    used: int  # parts from the right
    fit: _Fit

    @property
    def rank(self) -> tuple[int, bool, bool]:
        """What makes one reading better than another: more of the text, its accents, the kinds of unit it states."""
        return self.used, self.fit.exact, self.fit.kind

    @property
    def lacks_district(self) -> bool:
        """Whether it reads three levels where one is missing."""
        return isinstance(self.place, OldPlace) and self.place.commune is not None and self.used == _TWO_PARTS

    @property
    def is_bare_old_province(self) -> bool:
        return isinstance(self.place, OldPlace) and self.used == 1


def parse_address(text: str) -> Address:
    """The codes of the address in *text*, any spelling; never raises, whatever the text."""
    parts = _parts(text)
    search = _Search(accented=not text.isascii())
    hits = [hit for epoch in ("old", "new") for hit in search.in_epoch(epoch, parts)]
    if not hits:
        return Address(text, ", ".join(parts) or None, None, None, Confidence.NONE)
    best = _best(hits)
    used = best[0].used
    places = tuple(dict.fromkeys(hit.place for hit in best))
    hamlet = ", ".join(parts[: len(parts) - used]) or None
    if len(places) > 1:
        return _ambiguous(text, hamlet, places)
    confidence = Confidence.EXACT if best[0].fit == _Fit() else Confidence.FOLDED
    old, new = _both(places[0])
    return Address(text, hamlet, old, new, confidence)


def _best(hits: list[_Hit]) -> list[_Hit]:
    """The readings between which nothing in the text decides.

    Two levels are rather those of today than three of which one is missing, unless the part also names a district.
    """
    top = max(hit.rank for hit in hits)
    best = [hit for hit in hits if hit.rank == top]
    new = [hit for hit in best if isinstance(hit.place, NewPlace)]
    if new and all(hit.lacks_district or hit.is_bare_old_province for hit in best if hit not in new):
        return new
    return best


def _ambiguous(text: str, hamlet: str | None, places: tuple[OldPlace | NewPlace, ...]) -> Address:
    """Nothing below the province is chosen; the province is, where all agree on it."""
    if {type(place) for place in places} == {OldPlace} and len({place.province for place in places}) == 1:
        old, new = _both(OldPlace(places[0].province))
    elif {type(place) for place in places} == {NewPlace} and len({place.province for place in places}) == 1:
        old, new = None, NewPlace(places[0].province)
    else:
        old, new = None, None
    return Address(text, hamlet, old, new, Confidence.AMBIGUOUS, places)


def _both(place: OldPlace | NewPlace) -> tuple[OldPlace | None, NewPlace | None]:
    if isinstance(place, NewPlace):
        return None, place
    return place, NewPlace(*moved_to(place.province.code, place.commune.code if place.commune else None))


def _parts(text: str) -> list[str]:
    cut = text[:_LONGEST]
    pieces = re.split("[,;]" if "," in cut else r";|\s[-–]\s", cut)
    parts = [" ".join(piece.split()).strip(" .-") for piece in pieces]
    parts = [part for part in parts if part][-_MOST_PARTS:]
    while parts and any(name.plain in _COUNTRY for name in readings(parts[-1])):
        parts.pop()
    return parts


@dataclass(frozen=True, slots=True)
class _Search:
    """Looks for units. ``accented``: the text has accents, so that a name without them says that it has none."""

    accented: bool

    def in_epoch(self, epoch: str, parts: list[str]) -> Iterator[_Hit]:
        """The readings of *parts*, from the right, in the lists of one epoch."""
        if not parts:
            return
        listed = [entry for entry, _ in provinces(epoch)]
        for found, fit in self._matches(parts[-1], listed):
            inside = province(epoch, found.unit.code)
            hits = list(self._below(inside, parts[:-1], fit, new=epoch == "new"))
            yield from hits
            if not hits:
                place = NewPlace(found.unit) if epoch == "new" else OldPlace(found.unit)
                yield _Hit(place, 1, fit)

    def _below(self, inside: Province, parts: list[str], fit: _Fit, *, new: bool) -> Iterator[_Hit]:
        if not parts:
            return
        whole = inside.listed.unit
        lying_in = {district.unit.code: communes for district, communes in inside.districts}
        for district, named in self._matches(parts[-1], [district for district, _ in inside.districts]):
            lower = self._matches(parts[-2], lying_in[district.unit.code]) if len(parts) > 1 else []
            for commune, spelled in lower:
                yield _Hit(OldPlace(whole, district.unit, commune.unit), 3, fit & named & spelled)
            if not lower:
                yield _Hit(OldPlace(whole, district.unit), 2, fit & named)
        communes = self._matches(parts[-1], inside.communes)
        if communes and len(parts) > 1:
            # Before the name of a district that is none here, a commune stands: then either can be meant, or neither.
            before = self._matches(parts[-2], inside.communes)
            communes = communes + before if before or not _states_commune(parts[-2]) else []
        for commune, spelled in communes:
            if new:
                yield _Hit(NewPlace(whole, commune.unit), _TWO_PARTS, fit & spelled)
            else:
                yield _Hit(OldPlace(whole, _district_of(inside, commune), commune.unit), _TWO_PARTS, fit & spelled)

    def _matches(self, text: str, among: Iterable[Listed]) -> list[tuple[Listed, _Fit]]:
        """Which of the units *text* names, and how well.

        A stated kind of unit counts, unless no unit of that kind fits: communes become wards, districts towns. Right
        accents win over missing or other ones.
        """
        units = list(among)
        for name in readings(text):
            fitting = [unit for unit in units if unit.name.plain == name.plain]
            same_kind = [unit for unit in fitting if name.kind in (None, unit.name.kind)]
            fitting = same_kind or [unit for unit in fitting if _upgraded(name, unit.name)]
            exact = [unit for unit in fitting if self.accented and unit.name.exact == name.exact]
            if fitting:
                return [(unit, _Fit(bool(exact), bool(same_kind))) for unit in exact or fitting]
        return []


def _states_commune(text: str) -> bool:
    return any(name.kind in _LEVELS[-1] for name in readings(text))


def _district_of(inside: Province, commune: Listed) -> Unit:
    return next(district.unit for district, communes in inside.districts if commune in communes)


def _upgraded(stated: Name, listed: Name) -> bool:
    """Whether one kind may have become the other on the same level."""
    return any({stated.kind, listed.kind} <= level for level in _LEVELS)
