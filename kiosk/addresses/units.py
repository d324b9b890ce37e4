"""The packaged lists of administrative units, read when they are first asked for.

Two epochs: ``old`` has provinces, districts and communes (to 30 June 2025), ``new`` provinces and communes. Source and
licence: data/README.md.
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final

from kiosk.addresses.names import Name, read_name

LIST_VERSION: Final = "2025-07"
"""The state of the lists, before and after the change of July 2025: codes are reused, so they are stored with it."""

_PROVINCE, _DISTRICT = 2, 3


@dataclass(frozen=True, slots=True)
class Unit:
    """One administrative unit by its official code and its full name with the kind of unit."""

    code: str
    name: str


@dataclass(frozen=True, slots=True)
class Listed:
    """A unit as it is looked for; ``became``: the code of the new unit that an old one became, where it is known."""

    unit: Unit
    name: Name
    became: str | None


@dataclass(frozen=True, slots=True)
class Province:
    """One province of one epoch; ``districts`` is empty in the new one, where communes lie in it directly."""

    listed: Listed
    districts: tuple[tuple[Listed, tuple[Listed, ...]], ...]
    communes: tuple[Listed, ...]


@cache
def provinces(epoch: str) -> tuple[tuple[Listed, tuple[str, ...]], ...]:
    """All provinces of *epoch* ("old", "new"), each with the lines of what lies in it, not looked at yet."""
    found: list[tuple[Listed, list[str]]] = []
    for line in _lines(f"{epoch}.tsv.gz"):
        if line.index("\t") == _PROVINCE:
            found.append((_listed(line), []))
        else:
            found[-1][1].append(line)
    return tuple((listed, tuple(lines)) for listed, lines in found)


@cache
def province(epoch: str, code: str) -> Province:
    """One province with all that lies in it. KeyError for a code that *epoch* does not have."""
    for listed, lines in provinces(epoch):
        if listed.unit.code != code:
            continue
        districts: list[tuple[Listed, list[Listed]]] = []
        communes: list[Listed] = []
        for unit in map(_listed, lines):
            if len(unit.unit.code) == _DISTRICT:
                districts.append((unit, []))
                continue
            communes.append(unit)
            if districts:
                districts[-1][1].append(unit)
        return Province(listed, tuple((unit, tuple(inside)) for unit, inside in districts), tuple(communes))
    raise KeyError(code)


def moved_to(old_province: str, commune: str | None) -> tuple[Unit, Unit | None]:
    """The new units that an old province and a *commune* of it became; no commune where it was split or is not known.

    KeyError for an old province that is not listed.
    """
    before = province("old", old_province)
    after = province("new", before.listed.became or "")
    target = next((listed.became for listed in before.communes if listed.unit.code == commune), None)
    return after.listed.unit, next((listed.unit for listed in after.communes if listed.unit.code == target), None)


def _listed(line: str) -> Listed:
    code, name, *became = line.split("\t")
    return Listed(Unit(code, name), read_name(name), became[0] if became else None)


def _lines(file: str) -> list[str]:
    packed = resources.files("kiosk.addresses").joinpath("data", file).read_bytes()
    return gzip.decompress(packed).decode("utf-8").splitlines()
