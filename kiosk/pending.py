"""Who left with a number while the gateway could not say, and has no answer yet (Decree 188/2025 article 38)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from kiosk import outbox_table, records
from kiosk.model import EligibilityClass
from kiosk.records import CheckIn
from kiosk.tables import checkin, lookup, outbox, question

_UNANSWERED: Final = tuple(status.value for status in EligibilityClass if status.unanswered)
_WITHOUT_ANSWER: Final = (
    checkin.c.state == "accepted",
    checkin.c.closed_reason.is_(None),
    checkin.c.bhyt.is_not(False),  # staff registered those as paying themselves: nothing is open
    checkin.c.status.in_(_UNANSWERED),
)


@dataclass(frozen=True, slots=True)
class Pending:
    """One visit without an answer. ``calls``: how often the gateway was really asked; ``next_at``: when again."""

    checkin: CheckIn
    calls: int
    last_reason: str | None
    last_at: datetime | None
    next_at: datetime | None


def pending_of(connection: sa.Connection, day: str) -> list[Pending]:
    """The visits of *day* (ISO) that still have no answer, oldest first."""
    ids = connection.execute(
        sa.select(checkin.c.checkin_id)
        .where(checkin.c.day == day, *_WITHOUT_ANSWER)
        .order_by(checkin.c.happened_at, checkin.c.checkin_id)
    )
    found = [one for checkin_id in ids.scalars().all() if (one := records.get(connection, checkin_id)) is not None]
    rows = outbox_table.of_refs(connection, outbox_table.GATEWAY, [one.checkin_id for one in found])
    pending = []
    for one in found:
        row = rows.get(one.checkin_id)
        waits = row is not None and row.state == "waiting"
        reason, at = _newest(connection, one)
        pending.append(
            Pending(one, _calls(connection, one.checkin_id), reason, at, row.next_at if row and waits else None)
        )
    return pending


def waiting(connection: sa.Connection) -> tuple[int, datetime | None]:
    """How many visits of any day wait for an answer that is still being sought, and since when the oldest."""
    sought = sa.exists().where(
        outbox.c.destination == outbox_table.GATEWAY,
        outbox.c.ref == checkin.c.checkin_id,
        outbox.c.state != "done",
    )
    query = sa.select(sa.func.count(), sa.func.min(checkin.c.accepted_at)).where(*_WITHOUT_ANSWER, sought)
    count, oldest = connection.execute(query).one()
    return count, oldest


def _calls(connection: sa.Connection, checkin_id: str) -> int:
    count = sa.select(sa.func.count()).select_from(question).where(question.c.checkin_id == checkin_id)
    return connection.execute(count).scalar_one()


def _newest(connection: sa.Connection, of: CheckIn) -> tuple[str | None, datetime | None]:
    """Reason and moment of the newest question, also one that never left this machine."""
    asked_at = connection.execute(
        sa.select(sa.func.max(lookup.c.asked_at)).where(lookup.c.checkin_id == of.checkin_id)
    ).scalar()
    return (of.eligibility.reason if of.eligibility else None, asked_at)
