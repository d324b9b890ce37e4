"""The sums of areas and provinces, kept ready: 13,000 facilities over any range are then some dozen rows per unit.

They are made behind the batches that change them, so that no batch waits for another facility's. A piece of time that
is behind is read as smaller pieces, and where these are behind too from the facilities' own rows: an answer never
depends on whether anybody has caught up.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any, Final
from weakref import WeakKeyDictionary

import sqlalchemy as sa

from province.measures import Measures, Reader, add_rest, to_row
from province.periods import Period, month_end
from province.rollup_table import Grain, closed_month, rollup
from province.store import Store
from province.sums import By, bind_pieces, calendar, pieces
from province.tables import facility
from province.unit_table import facility_bit, stale_piece, unit_rollup
from province.upsert import insert_rows

Piece = tuple[str, date]
LEVELS: Final = (By.AREA, By.PROVINCE)
_AT_ONCE: Final = 20
_MARKS: Final = 5_000
_OFFSET_BYTES: Final = 4


@dataclass(slots=True)
class UnitSums:
    """One unit in one span: its sums, and the bits of the facilities that reported and that looked up anything."""

    total: Measures
    reported: int = 0
    looked_up: int = 0


def catch_up(store: Store, *, at_most: int | None = None) -> int:
    """Make the units' rows of pieces that are behind, *at_most* so many; returns how many were made."""
    made = 0
    while (at_most is None or made < at_most) and _is_behind(store):
        with store.write() as connection:
            store.lock_facility(connection, "unit sums")
            made += _make_some(connection)
    return made


def _is_behind(store: Store) -> bool:
    with store.read() as connection:
        return connection.scalar(sa.select(stale_piece.c.number).limit(1)) is not None


class FacilityBits:
    """Which bit stands for which facility; one without gets one for as long as the answer lasts."""

    def __init__(self, connection: sa.Connection, *, just_made: bool = False) -> None:
        """As they are kept: none ever changes, so they are read again only when there are more.

        *just_made*: in this transaction, so that nobody else may remember them yet.
        """
        known = {} if just_made else _kept_bits.get(connection.engine, {})
        number = connection.scalar(sa.select(sa.func.count()).select_from(facility_bit)) or 0
        if number != len(known):
            known = {row.facility: row.bit for row in connection.execute(sa.select(facility_bit))}
        if not just_made:
            _kept_bits[connection.engine] = known
        self._bits: Mapping[str, int] = known
        self._given: dict[str, int] = {}

    def of(self, code: str) -> int:
        """The facility's bit, as a number with just this bit."""
        kept = self._bits.get(code)
        return 1 << (self._given.setdefault(code, len(self._bits) + len(self._given)) if kept is None else kept)

    def of_all(self, codes: Iterable[str]) -> int:
        """The bits of all of them together, but for facilities that have none."""
        places = [place for code in codes if (place := self._bits.get(code, self._given.get(code))) is not None]
        together = bytearray(max(places, default=0) // 8 + 1)
        for place in places:
            together[place // 8] |= 1 << (place % 8)
        return int.from_bytes(together, "little")


_kept_bits: WeakKeyDictionary[sa.Engine, dict[str, int]] = WeakKeyDictionary()


def read_units(
    connection: sa.Connection, spans: Sequence[Period], by: By, reader: Reader
) -> tuple[list[dict[str, UnitSums]], FacilityBits]:
    """Per span what each unit's facilities add up to, and which bits are whose; ``reader``: the counters wanted."""
    found: list[dict[str, UnitSums]] = [{} for _ in spans]
    bits = FacilityBits(connection)
    stale = _stale(connection)
    closed = set(connection.scalars(sa.select(closed_month.c.month))) if stale else set()
    kept: list[tuple[str, date, int]] = []
    behind: dict[Piece, list[int]] = {}
    for number, span in enumerate(spans):
        for piece in pieces(span):
            for grain, start in _good(str(piece[0]), piece[1], stale, closed):
                if (grain, start) in stale:
                    behind.setdefault((grain, start), []).append(number)
                else:
                    kept.append((grain, start, number))
    if kept:
        _read_kept(connection, kept, by, reader, found)
    for each, numbers in behind.items():
        for unit, one in _made(connection, each, by, reader, bits).items():
            for number in numbers:
                total = found[number].setdefault(unit, UnitSums(Measures()))
                total.total.add(one.total)
                total.reported |= one.reported
                total.looked_up |= one.looked_up
    return found, bits


def _read_kept(
    connection: sa.Connection,
    kept: Sequence[tuple[str, date, int]],
    by: By,
    reader: Reader,
    found: list[dict[str, UnitSums]],
) -> None:
    dialect = connection.dialect.name
    asked = bind_pieces(dialect, kept) | {"of_level": str(by)}
    for row in connection.execute(_sums(dialect, reader), asked):
        found[row[0]][row[1]] = UnitSums(reader.read(row[2:]))
    for row in connection.execute(_bits_and_rests(dialect), asked):
        one = found[row.span][row.unit]
        one.reported |= _unpacked(row.reported_bits)
        one.looked_up |= _unpacked(row.looked_up_bits)
        if row.rest is not None:
            add_rest(one.total, row.rest, reader.counters)


def _good(grain: str, start: date, stale: set[Piece], closed: set[date]) -> Iterator[Piece]:
    """The piece, or where it is behind the smaller ones that say the same; the months of closed ones are published."""
    if (grain, start) not in stale or grain == Grain.DAY or (grain == Grain.MONTH and start in closed):
        yield grain, start
    elif grain == Grain.YEAR:
        for month in range(1, 13):
            yield from _good(str(Grain.MONTH), date(start.year, month, 1), stale, closed)
    else:
        for day in range(1, month_end(start).day + 1):
            yield str(Grain.DAY), start.replace(day=day)


def _stale(connection: sa.Connection) -> set[Piece]:
    rows = connection.execute(sa.select(stale_piece.c.grain, stale_piece.c.start).distinct())
    return {(row.grain, row.start) for row in rows}


def _make_some(connection: sa.Connection) -> int:
    marks = connection.execute(sa.select(stale_piece).order_by(stale_piece.c.number).limit(_MARKS)).fetchall()
    some = list(dict.fromkeys((mark.grain, mark.start) for mark in marks))[:_AT_ONCE]
    if not some:
        return 0
    done = [mark.number for mark in marks if (mark.grain, mark.start) in some]
    for first in range(0, len(done), 500):
        numbers = done[first : first + 500]
        connection.execute(sa.delete(stale_piece).where(stale_piece.c.number.in_(numbers)))
    _number_facilities(connection)
    bits = FacilityBits(connection, just_made=True)
    for grain, start in some:
        for level in LEVELS:
            here = {"level": str(level), "grain": grain, "start": start}
            connection.execute(sa.delete(unit_rollup).where(*(unit_rollup.c[name] == here[name] for name in here)))
            rows = [
                {**here, "unit": unit, **to_row(one.total)}
                | {"reported_bits": _packed(one.reported), "looked_up_bits": _packed(one.looked_up)}
                for unit, one in _made(connection, (grain, start), level, Reader.of(), bits).items()
            ]
            insert_rows(connection, unit_rollup, rows)
    return len(some)


def _number_facilities(connection: sa.Connection) -> None:
    known = {row.facility: row.bit for row in connection.execute(sa.select(facility_bit))}
    missing = sorted(set(connection.scalars(sa.select(facility.c.code))) - set(known))
    first = max(known.values(), default=-1) + 1
    insert_rows(connection, facility_bit, [{"facility": code, "bit": first + n} for n, code in enumerate(missing)])


def _made(connection: sa.Connection, piece: Piece, by: By, reader: Reader, bits: FacilityBits) -> dict[str, UnitSums]:
    """The units' sums of one piece from the rows of its facilities."""
    asked = {"of_grain": piece[0], "of_start": piece[1]}
    found = {row[0]: UnitSums(reader.read(row[1:])) for row in connection.execute(_totals(by, reader), asked)}
    for row in connection.execute(_facilities(by), asked):
        one = found.setdefault(row.unit, UnitSums(Measures()))  # another's batch may have ended in between
        if row.rest is not None:
            add_rest(one.total, row.rest, reader.counters)
        if row.reported:
            one.reported |= bits.of(row.facility)
        if row.any_lookup:
            one.looked_up |= bits.of(row.facility)
    return found


def _packed(bits: int) -> bytes:
    """Bits of neighbours lie together: the bytes before the first of them are only counted."""
    if not bits:
        return b""
    offset = ((bits & -bits).bit_length() - 1) // 8
    kept = bits >> (8 * offset)
    return offset.to_bytes(_OFFSET_BYTES, "big") + kept.to_bytes((kept.bit_length() + 7) // 8, "little")


def _unpacked(packed: bytes) -> int:
    if not packed:
        return 0
    offset = int.from_bytes(packed[:_OFFSET_BYTES], "big")
    return int.from_bytes(packed[_OFFSET_BYTES:], "little") << (8 * offset)


_GRAIN: Final = sa.bindparam("of_grain", type_=sa.String)
_START: Final = sa.bindparam("of_start", type_=sa.Date)
_LEVEL: Final = sa.bindparam("of_level", type_=sa.String)


@cache
def _totals(by: By, reader: Reader) -> sa.Select[Any]:
    unit = rollup.c[by]
    return (
        sa.select(
            unit,
            *(sa.func.sum(rollup.c[name]).label(name) for name in reader.added),
            *(sa.func.max(rollup.c[name]).label(name) for name in reader.largest),
        )
        .where(rollup.c.grain == _GRAIN, rollup.c.start == _START)
        .group_by(unit)
    )


@cache
def _facilities(by: By) -> sa.Select[Any]:
    any_lookup = rollup.c.counted + rollup.c.desk_lookups > 0
    return sa.select(
        rollup.c.facility, rollup.c[by].label("unit"), rollup.c.reported, any_lookup.label("any_lookup"), rollup.c.rest
    ).where(rollup.c.grain == _GRAIN, rollup.c.start == _START)


@cache
def _sums(dialect: str, reader: Reader) -> sa.Select[Any]:
    days, kept = calendar(dialect), unit_rollup.c
    return (
        sa.select(
            days.c.span,
            kept.unit,
            *(sa.func.sum(kept[name]).label(name) for name in reader.added),
            *(sa.func.max(kept[name]).label(name) for name in reader.largest),
        )
        .join(days, sa.and_(kept.grain == days.c.grain, kept.start == days.c.start))
        .where(kept.level == _LEVEL)
        .group_by(days.c.span, kept.unit)
    )


@cache
def _bits_and_rests(dialect: str) -> sa.Select[Any]:
    days, kept = calendar(dialect), unit_rollup.c
    columns = (days.c.span, kept.unit, kept.reported_bits, kept.looked_up_bits, kept.rest)
    same = sa.and_(kept.grain == days.c.grain, kept.start == days.c.start)
    return sa.select(*columns).join(days, same).where(kept.level == _LEVEL)
