"""What came after a month was closed: shown openly, beside the published figures that stay."""

from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa

from province.measures import differences
from province.periods import month_end
from province.rollup_table import closed_month
from province.rollups import late
from province.tables import desk_lookups, event, lookup, visit, visit_count


@dataclass(frozen=True, slots=True)
class Adjustment:
    """One figure of one facility that would be another today. ``field``: of `Measures`, a counter's as `field.word`.

    ``by``: live less published. ``since``: when the first late event arrived; None when none did (a figure can change
    by a rebuild as well).
    """

    facility: str
    field: str
    by: int
    since: datetime | None


def adjustments(connection: sa.Connection, month: date) -> list[Adjustment]:
    """All adjustments of a closed month, by facility and field; none for an open one."""
    closed_at = connection.scalar(sa.select(closed_month.c.closed_at).where(closed_month.c.month == month))
    if closed_at is None:
        return []
    changed = late(connection, month)
    since = _since(connection, month, closed_at) if changed else {}
    return [
        Adjustment(code, field, by, since.get(code))
        for code, (published, live) in sorted(changed.items())
        for field, by in differences(published, live).items()
    ]


def _since(connection: sa.Connection, month: date, closed_at: datetime) -> dict[str, datetime]:
    """When each facility's first late event arrived. An event belongs to the day that it is about."""
    found: dict[str, datetime] = {}
    for table, event_id in (
        (lookup, lookup.c.event_id),
        (visit, visit.c.last_event_id),
        (visit_count, visit_count.c.event_id),
        (desk_lookups, desk_lookups.c.event_id),
    ):
        own = sa.and_(event.c.facility == table.c.facility, event.c.event_id == event_id)
        query = (
            sa.select(table.c.facility, sa.func.min(event.c.received_at).label("first"))
            .join(event, own)
            .where(table.c.day.between(month, month_end(month)), event.c.received_at >= closed_at)
            .group_by(table.c.facility)
        )
        for row in connection.execute(query):
            found[row.facility] = min(row.first, found.get(row.facility, row.first))
    return found
