"""Making everything that the feed reads again from the ledger, as if all events came now."""

import json
from collections.abc import Iterator
from datetime import date
from itertools import groupby

import sqlalchemy as sa

from province.member_days import days_of_members
from province.projection import Accepted, project
from province.rollup_table import Grain, rollup
from province.rollups import refresh, refresh_above
from province.tables import desk_lookups, event, facility_day, lookup, visit, visit_count

_AT_ONCE = 5_000


def rebuild(connection: sa.Connection) -> int:
    """Make the rows and sums of all events in the ledger again; returns how many events were read.

    What a day's revision was and whether it reported stays. A closed month keeps its published sums. Days that another
    hub sent stand as it sent them.
    """
    for table in (lookup, visit, visit_count, desk_lookups):
        connection.execute(sa.delete(table))
    connection.execute(sa.delete(rollup).where(rollup.c.grain == Grain.DAY))
    marks = {(row.facility, row.day): row.revision for row in connection.execute(sa.select(facility_day))}
    number = 0
    for owner, items in _in_batches(connection):
        project(connection, owner, items, date.min)  # no day is over yet: nothing is late
        number += len(items)
    for (owner, day), revision in marks.items():
        own = sa.and_(facility_day.c.facility == owner, facility_day.c.day == day)
        connection.execute(sa.update(facility_day).where(own).values(revision=revision))
        of_day = sa.and_(rollup.c.facility == owner, rollup.c.grain == Grain.DAY, rollup.c.start == day)
        connection.execute(sa.update(rollup).where(of_day).values(revision=revision))
    refresh_above(connection, {day for _, day in marks})
    for owner, days in days_of_members(connection).items():
        refresh(connection, days, [owner])
    return number


def _in_batches(connection: sa.Connection) -> Iterator[tuple[str, list[Accepted]]]:
    query = (
        sa.select(event.c.facility, event.c.event_id, event.c.happened_at, event.c.payload)
        .where(event.c.in_rates)
        .order_by(event.c.facility, event.c.event_id)
    )
    rows = connection.execute(query).fetchall()
    for owner, group in groupby(rows, key=lambda row: str(row.facility)):
        items = [Accepted(json.loads(row.payload), row.event_id, row.happened_at) for row in group]
        for start in range(0, len(items), _AT_ONCE):
            yield owner, items[start : start + _AT_ONCE]
