"""What is known already of the facilities and days of a file, so that a change can be shown before it is made."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import sqlalchemy as sa

from kiosk.events import Kind, Origin
from province.tables import desk_lookups, event, visit_count
from province.uploads.kinds import COUNTS
from province.uploads.reading import Figure

_AT_ONCE: Final = 500
_TABLES: Final = {Kind.VISIT_COUNT: visit_count, Kind.DESK_LOOKUPS: desk_lookups}
_TRUST: Final = [str(origin) for origin in Origin]

Place = tuple[str, date, Kind]
"""Facility, day, and kind of figure."""


@dataclass(frozen=True, slots=True)
class Known:
    """The newest figure of one origin: its counts, its revision, and the station (or `upload:` account) it is from."""

    counts: dict[str, int]
    revision: int
    station: str


class KnownFigures:
    """The newest figures of every origin for the facilities and days of a file."""

    def __init__(self, connection: sa.Connection, figures: Sequence[Figure]) -> None:
        """Read them, of both kinds, as the connection sees them."""
        self._newest: dict[tuple[Place, str], Known] = {}
        days = {figure.day for figure in figures}
        codes = sorted({figure.facility for figure in figures})
        for start in range(0, len(codes), _AT_ONCE):
            for kind in _TABLES:
                self._read(connection, kind, codes[start : start + _AT_ONCE], days)

    def newest(self, place: Place, origin: str) -> Known | None:
        """The figure with the highest revision that this origin has told."""
        return self._newest.get((place, origin))

    def above(self, place: Place, origin: str) -> str | None:
        """A more trusted origin (interfaces.md 6: his, portal_file, manual) whose figure counts instead, or None."""
        more_trusted = _TRUST[: _TRUST.index(origin)]
        return next((each for each in more_trusted if (place, each) in self._newest), None)

    def _read(self, connection: sa.Connection, kind: Kind, codes: Iterable[str], days: set[date]) -> None:
        table = _TABLES[kind]
        same = sa.and_(event.c.facility == table.c.facility, event.c.event_id == table.c.event_id)
        rows = (
            sa.select(table, event.c.station)
            .outerjoin(event, same)
            .where(table.c.facility.in_(codes), table.c.day.between(min(days), max(days)))
            .order_by(table.c.revision, table.c.happened_at, table.c.event_id)
        )
        for row in connection.execute(rows).mappings():
            counts = {name: row[name] for name in COUNTS[kind]}
            place = row["facility"], row["day"], kind
            self._newest[place, row["origin"]] = Known(counts, row["revision"], row["station"] or "")
