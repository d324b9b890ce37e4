"""The state of a month, of all facilities or of one, for pages and routes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa

from province.month_tables import month_confirmation, month_objection, month_snapshot
from province.months.adjustments import Adjustment, adjustments
from province.months.closing import snapshot
from province.months.confirmations import Confirmation, confirmations, unconfirmed
from province.months.objections import Objection, objections
from province.months.rules import month_name


@dataclass(frozen=True, slots=True)
class MonthState:
    """Everything about a month but its figures (`lookup_rate` has them).

    ``month``: `YYYY-MM`. ``status``: `open`, `closed` or `adjusted`. ``unconfirmed``: codes of facilities whose figures
    nobody has confirmed as they are; after closing, as they were then. ``sha256``: of the signed document.
    """

    month: str
    status: str
    closed_at: datetime | None
    sha256: str | None
    confirmations: Sequence[Confirmation]
    unconfirmed: Sequence[str]
    objections: Sequence[Objection]
    adjustments: Sequence[Adjustment]


def month_state(connection: sa.Connection, month: date, only: str | None = None) -> MonthState:
    """The state of the month that begins on the day *month*; *only*: of one facility (its code)."""
    closed = snapshot(connection, month)
    changes = [each for each in adjustments(connection, month) if only in (None, each.facility)]
    status = "open" if closed is None else "adjusted" if changes else "closed"
    given = confirmations(connection, month)
    missing = unconfirmed(connection, month)
    return MonthState(
        month=month_name(month),
        status=status,
        closed_at=closed.closed_at if closed else None,
        sha256=closed.sha256 if closed else None,
        confirmations=[each for code, each in sorted(given.items()) if only in (None, code)],
        unconfirmed=[code for code in missing if only in (None, code)],
        objections=[each for each in objections(connection, month) if only in (None, each.facility)],
        adjustments=changes,
    )


def months(connection: sa.Connection) -> list[dict[str, object]]:
    """Months that anybody has done something about, newest first: `month`, `closed_at` (None: open)."""
    # without the documents, which are long
    known = connection.execute(sa.select(month_snapshot.c.month, month_snapshot.c.closed_at))
    closed = {row.month: row.closed_at for row in known}
    touched = set(closed)
    for table in (month_confirmation, month_objection):
        touched |= set(connection.scalars(sa.select(table.c.month).distinct()))
    return [
        {"month": month_name(month), "closed_at": closed[month].isoformat() if month in closed else None}
        for month in sorted(touched, reverse=True)
    ]
