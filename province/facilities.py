"""The registry of facilities with validity dates, and which of them were active when (health-data-standards.md 2).

A facility's `area` is the old district, kept as a grouping after July 2025; its name and province come from the dated
versions, because both changed when the provinces merged.
"""

import csv
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from importlib import resources
from typing import Any, Final

import sqlalchemy as sa

from kiosk.events import parse_day
from province.rollups import relabel
from province.store import Store
from province.tables import facility, facility_version, registry_load, station

_FACILITY_COLUMNS: Final = (
    "ma_cskcb",
    "name_vi",
    "tier",
    "type",
    "district_code",
    "district_name",
    "commune_code",
    "commune_name",
    "province_code",
)
_VERSION_COLUMNS: Final = (
    "ma_cskcb",
    "version",
    "valid_from",
    "valid_to",
    "name_vi",
    "province_code",
    "province_name",
    "commune_code",
    "commune_name",
)


class RegistryError(Exception):
    """A registry file that cannot be taken; the text says which line and why."""


@dataclass(frozen=True, slots=True)
class Version:
    """What a facility was called and where it belonged between two days (both inclusive; None: open)."""

    valid_from: date | None
    valid_to: date | None
    name: str
    province_code: str
    province_name: str
    commune_code: str
    commune_name: str

    def overlaps(self, start: date, end: date) -> bool:
        """Whether this version held on any day from `start` to `end` (inclusive)."""
        return (self.valid_from is None or self.valid_from <= end) and (self.valid_to is None or self.valid_to >= start)


@dataclass(frozen=True, slots=True)
class Facility:
    """One facility with its versions, oldest first."""

    code: str
    name: str
    tier: str
    type: str
    area_code: str
    area_name: str
    versions: tuple[Version, ...]

    def active(self, start: date, end: date) -> bool:
        """Whether the registry has the facility on any day from `start` to `end` (inclusive)."""
        return any(version.overlaps(start, end) for version in self.versions)

    def version_at(self, start: date, end: date) -> Version:
        """The version that describes the facility in a period: the last that overlaps it, else the nearest before."""
        overlapping = [version for version in self.versions if version.overlaps(start, end)]
        before = [version for version in self.versions if version.valid_to is not None and version.valid_to < start]
        return (overlapping or before or list(self.versions[:1]))[-1]


@dataclass(frozen=True, slots=True)
class Registry:
    """All facilities by code, and the name of the state they are in (number and digest of the last load)."""

    facilities: dict[str, Facility]
    version: str


def load_packaged(store: Store) -> None:
    """Load the packaged registry of 95 facilities if the database has none at all."""
    folder = resources.files("province.data")
    with store.write() as connection:
        # Two processes may start at once; the registry's lock lets only the first one load.
        store.lock_facility(connection, "registry")
        if connection.scalar(sa.select(sa.func.count()).select_from(facility)) == 0:
            facilities = folder.joinpath("hau-giang-facilities.csv").read_text("utf-8")
            versions = folder.joinpath("hau-giang-facility-versions.csv").read_text("utf-8")
            _load(connection, facilities, versions)


def load_registry(store: Store, facilities_csv: str, versions_csv: str | None) -> int:
    """Add or replace the facilities of a CSV text (columns of `hau-giang-facilities.csv`); returns how many.

    With `versions_csv` (columns of `hau-giang-facility-versions.csv`) the versions of the facilities named there are
    replaced. A facility that ends up without any version is valid from ever to ever. Facilities that the files do not
    name stay as they are. Raises RegistryError, with nothing changed.
    """
    with store.write() as connection:
        store.lock_facility(connection, "registry")
        return _load(connection, facilities_csv, versions_csv)


def read_registry(connection: sa.Connection) -> Registry:
    """The registry as it stands in the database."""
    versions: dict[str, list[Version]] = {}
    for row in connection.execute(sa.select(facility_version).order_by(facility_version.c.version)):
        versions.setdefault(row.facility, []).append(
            Version(
                valid_from=row.valid_from,
                valid_to=row.valid_to,
                name=row.name,
                province_code=row.province_code,
                province_name=row.province_name,
                commune_code=row.commune_code,
                commune_name=row.commune_name,
            )
        )
    facilities = {
        row.code: Facility(
            row.code, row.name, row.tier, row.type, row.area_code, row.area_name, _ordered(versions[row.code])
        )
        for row in connection.execute(sa.select(facility).order_by(facility.c.code))
    }
    last = connection.execute(sa.select(registry_load).order_by(registry_load.c.number.desc()).limit(1)).first()
    return Registry(facilities, f"{last.number}-{last.sha256[:12]}" if last else "0")


def list_facilities(connection: sa.Connection, *, only: str | None = None) -> dict[str, Any]:
    """The body of `GET /api/v1/facilities`: every facility with versions and when its stations were last heard.

    With *only* a code, of this facility alone.
    """
    heard = last_heard(connection)
    registry = read_registry(connection)
    rows = [
        {
            "code": unit.code,
            "name": unit.versions[-1].name,
            "tier": unit.tier,
            "type": unit.type,
            "area_code": unit.area_code,
            "area_name": unit.area_name,
            "last_heard_at": heard[unit.code].isoformat() if unit.code in heard else None,
            "versions": [
                {
                    "valid_from": version.valid_from.isoformat() if version.valid_from else None,
                    "valid_to": version.valid_to.isoformat() if version.valid_to else None,
                    "name": version.name,
                    "province_code": version.province_code,
                    "province_name": version.province_name,
                    "commune_code": version.commune_code,
                    "commune_name": version.commune_name,
                }
                for version in unit.versions
            ],
        }
        for unit in registry.facilities.values()
        if only is None or unit.code == only
    ]
    return {"facilities": rows, "registry_version": registry.version}


def last_heard(connection: sa.Connection) -> dict[str, datetime]:
    """When any station of each facility last sent a batch (aware, UTC)."""
    query = sa.select(station.c.facility, sa.func.max(station.c.heard_at)).group_by(station.c.facility)
    return {row[0]: row[1] for row in connection.execute(query)}


def _ordered(versions: Iterable[Version]) -> tuple[Version, ...]:
    return tuple(sorted(versions, key=lambda version: version.valid_from or date.min))


def _load(connection: sa.Connection, facilities_csv: str, versions_csv: str | None) -> int:
    rows = _parse(facilities_csv, _FACILITY_COLUMNS)
    version_rows = _parse(versions_csv, _VERSION_COLUMNS) if versions_csv is not None else []
    known = set(connection.scalars(sa.select(facility.c.code)))
    values = [
        {
            "code": row["ma_cskcb"],
            "name": row["name_vi"],
            "tier": row["tier"],
            "type": row["type"],
            "area_code": row["district_code"],
            "area_name": row["district_name"],
        }
        for row in rows
    ]
    fresh = [value for value in values if value["code"] not in known]
    for value in (value for value in values if value["code"] in known):
        connection.execute(sa.update(facility).where(facility.c.code == value["code"]).values(value))
    if fresh:
        connection.execute(sa.insert(facility), fresh)
    known.update(value["code"] for value in fresh)
    _load_versions(connection, version_rows, known)
    versioned = set(connection.scalars(sa.select(facility_version.c.facility).distinct()))
    missing = [_open_version(row) for row in rows if row["ma_cskcb"] not in versioned]
    if missing:
        connection.execute(sa.insert(facility_version), missing)
    relabel(connection, {value["code"] for value in values} | {row["ma_cskcb"] for row in version_rows})
    digest = hashlib.sha256(f"{facilities_csv}\0{versions_csv or ''}".encode()).hexdigest()
    connection.execute(sa.insert(registry_load).values(loaded_at=datetime.now(UTC), sha256=digest))
    return len(rows)


def _load_versions(connection: sa.Connection, rows: list[dict[str, str]], known: set[str]) -> None:
    values = []
    for number, row in enumerate(rows, start=2):
        if row["ma_cskcb"] not in known:
            raise RegistryError(f"versions, line {number}: facility {row['ma_cskcb']} is not in the registry")
        if not row["version"].isdecimal():
            raise RegistryError(f"versions, line {number}: version must be a number")
        values.append(
            {
                "facility": row["ma_cskcb"],
                "version": int(row["version"]),
                "valid_from": _day(row["valid_from"], number),
                "valid_to": _day(row["valid_to"], number),
                "name": row["name_vi"],
                "province_code": row["province_code"],
                "province_name": row["province_name"],
                "commune_code": row["commune_code"],
                "commune_name": row["commune_name"],
            }
        )
    keys = {(value["facility"], value["version"]) for value in values}
    if len(keys) != len(values):
        raise RegistryError("versions: the same facility and version twice")
    for code in {row["ma_cskcb"] for row in rows}:
        connection.execute(sa.delete(facility_version).where(facility_version.c.facility == code))
    if values:
        connection.execute(sa.insert(facility_version), values)


def _open_version(row: dict[str, str]) -> dict[str, object]:
    return {
        "facility": row["ma_cskcb"],
        "version": 1,
        "valid_from": None,
        "valid_to": None,
        "name": row["name_vi"],
        "province_code": row["province_code"],
        "province_name": row["province_code"],
        "commune_code": row["commune_code"],
        "commune_name": row["commune_name"],
    }


def _parse(text: str, columns: tuple[str, ...]) -> list[dict[str, str]]:
    reader = csv.DictReader(text.removeprefix("\ufeff").splitlines())
    missing = [name for name in columns if name not in (reader.fieldnames or ())]
    if missing:
        raise RegistryError(f"missing columns: {', '.join(missing)}")
    rows = list(reader)
    for number, row in enumerate(rows, start=2):
        if any(row[name] is None for name in columns) or not 0 < len(row["ma_cskcb"]) <= 64:
            raise RegistryError(f"line {number}: too few fields or no facility code")
    if "version" not in columns and len({row["ma_cskcb"] for row in rows}) != len(rows):
        raise RegistryError("the same facility twice")
    return rows


def _day(text: str, line: int) -> date | None:
    if text and parse_day(text) is None:
        raise RegistryError(f"versions, line {line}: {text!r} is no date (YYYY-MM-DD)")
    return parse_day(text)
