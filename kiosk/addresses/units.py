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

LIST_VERSION: Final = "2026-07"
"""The state of the lists: codes are reused over the years, so they are stored with it."""

_PROVINCE, _DISTRICT = 2, 3


@dataclass(frozen=True, slots=True)
class Unit:
    """One administrative unit by its official code and its full name with the kind of unit."""

    code: str
    name: str


@dataclass(frozen=True, slots=True)
class Listed:
    """A unit as it is looked for, and what lies in it."""

    unit: Unit
    name: Name


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
        code, _, name = line.partition("\t")
        if len(code) == _PROVINCE:
            found.append((_listed(code, name), []))
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
        for line in lines:
            unit_code, _, name = line.partition("\t")
            unit = _listed(unit_code, name)
            if len(unit_code) == _DISTRICT:
                districts.append((unit, []))
                continue
            communes.append(unit)
            if districts:
                districts[-1][1].append(unit)
        return Province(listed, tuple((unit, tuple(inside)) for unit, inside in districts), tuple(communes))
    raise KeyError(code)


@cache
def moved_to(code: str) -> Unit | None:
    """The new unit that an old province or commune became, as a whole; None where it was split or is not known."""
    target = _moves().get(code)
    if target is None:
        return None
    if len(target) == _PROVINCE:
        return next(listed.unit for listed, _ in provinces("new") if listed.unit.code == target)
    lines = (line for _, inside in provinces("new") for line in inside)
    name = next(line.partition("\t")[2] for line in lines if line.startswith(target + "\t"))
    return Unit(target, name)


@cache
def _moves() -> dict[str, str]:
    return dict(line.split("\t") for line in _lines("moves.tsv.gz"))


def _listed(code: str, name: str) -> Listed:
    return Listed(Unit(code, name), read_name(name))


def _lines(file: str) -> list[str]:
    packed = resources.files("kiosk.addresses").joinpath("data", file).read_bytes()
    return gzip.decompress(packed).decode("utf-8").splitlines()
