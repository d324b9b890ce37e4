"""Which numbers of a station's events are missing, and which epochs it began (faults-threats-speed.md 3: F13, F14).

Numbers begin at 1 in each epoch. Kept are runs without a gap, so that a gap is found without reading the ledger.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, Final

import sqlalchemy as sa

from province.ingest_tables import seq_range

PATIENCE: Final = timedelta(minutes=10)
"""Batches of one station may overtake each other; a gap younger than this is none."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Numbers `first` to `last` of an epoch that never came; ``since``: when the number after them did (aware, UTC)."""

    facility: str
    station: str
    epoch: str
    first: int
    last: int
    since: datetime


@dataclass(frozen=True, slots=True)
class Epoch:
    """A station's database; more than one: it was set up again or restored. ``since``: when its first event came."""

    facility: str
    station: str
    epoch: str
    since: datetime


def note_numbers(
    connection: sa.Connection, facility: str, station: str, numbers: Mapping[str, Iterable[int]], now: datetime
) -> dict[str, set[int]]:
    """Keep that the events with these numbers, by epoch, came; the caller holds the facility's lock.

    Returns, by epoch, those of the numbers that had come before.
    """
    return {
        epoch: _merge(connection, {"facility": facility, "epoch": epoch}, station, sorted(set(came)), now)
        for epoch, came in numbers.items()
    }


def gaps(connection: sa.Connection, facility: str | None = None, *, now: datetime) -> list[Gap]:
    """The gaps of all facilities or one, older than PATIENCE at *now*, by facility, station, epoch and number."""
    same = seq_range.c.facility, seq_range.c.epoch
    before = sa.func.coalesce(sa.func.lag(seq_range.c.last).over(partition_by=same, order_by=seq_range.c.first), 0)
    inner = sa.select(seq_range, before.label("before"))
    if facility is not None:
        inner = inner.where(seq_range.c.facility == facility)
    found = inner.subquery()
    query = (
        sa.select(found)
        .where(found.c.first > found.c.before + 1, found.c.since <= now - PATIENCE)
        .order_by(found.c.facility, found.c.station, found.c.epoch, found.c.first)
    )
    return [
        Gap(row.facility, row.station, row.epoch, row.before + 1, row.first - 1, row.since)
        for row in connection.execute(query)
    ]


def epochs(connection: sa.Connection, facility: str | None = None) -> list[Epoch]:
    """The epochs of each station, in the order of their first events."""
    place = seq_range.c.facility, seq_range.c.station, seq_range.c.epoch
    since = sa.func.min(seq_range.c.since)
    query = sa.select(*place, since.label("since")).group_by(*place).order_by(place[0], place[1], since)
    if facility is not None:
        query = query.where(seq_range.c.facility == facility)
    return [Epoch(row.facility, row.station, row.epoch, row.since) for row in connection.execute(query)]


def _merge(
    connection: sa.Connection, place: Mapping[str, str], station: str, came: list[int], now: datetime
) -> set[int]:
    mine = seq_range.c.facility == place["facility"], seq_range.c.epoch == place["epoch"]
    near = seq_range.c.last >= came[0] - 1, seq_range.c.first <= came[-1] + 1
    known = connection.execute(sa.select(seq_range).where(*mine, *near).order_by(seq_range.c.first)).all()
    runs = [{"first": row.first, "last": row.last, "station": row.station, "since": row.since} for row in known]
    fresh = [{"first": first, "last": last, "station": station, "since": now} for first, last in _without_gap(came)]
    merged = _runs([*runs, *fresh])
    again = {number for run in runs for number in came if run["first"] <= number <= run["last"]}
    if merged == runs:
        return again
    if len(runs) == len(merged) == 1 and runs[0]["first"] == merged[0]["first"]:
        longer = sa.update(seq_range).where(*mine, seq_range.c.first == runs[0]["first"])
        connection.execute(longer.values(last=merged[0]["last"]))
        return again
    if runs:
        connection.execute(sa.delete(seq_range).where(*mine, seq_range.c.first.in_([run["first"] for run in runs])))
    connection.execute(sa.insert(seq_range), [{**place, **run} for run in merged])
    return again


def _without_gap(numbers: list[int]) -> list[tuple[int, int]]:
    """The runs in ascending numbers: first and last of each."""
    starts = [place for place, number in enumerate(numbers) if place == 0 or number != numbers[place - 1] + 1]
    return [(numbers[a], numbers[b - 1]) for a, b in pairwise([*starts, len(numbers)])]


def _runs(parts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Runs of numbers, in order, each as old as the oldest part that holds its first number."""
    merged: list[dict[str, Any]] = []
    for part in sorted(parts, key=lambda each: (each["first"], each["since"])):
        if merged and part["first"] <= merged[-1]["last"] + 1:
            merged[-1]["last"] = max(merged[-1]["last"], part["last"])
        else:
            merged.append(dict(part))
    return merged
