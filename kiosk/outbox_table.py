"""The rows of the outbox: enqueue, claim, settle. Each function runs inside a transaction of the store.

States: ``waiting`` (due at ``next_at``), ``sending`` (claimed by a worker), ``parked`` (a human must act), ``done``.
Rows are never deleted by delivery; nothing is dropped (invariant 5).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from kiosk.tables import outbox

HOSPITAL: Final = "hospital"
GATEWAY: Final = "gateway"
PROVINCE: Final = "province"
REGISTER: Final = "register"
NUMBER: Final = "number"

LONGEST_PAUSE: Final = timedelta(hours=2)
"""No row waits longer for its next attempt, whatever a schedule or the other side says."""
_CLOCK_JUMP: Final = LONGEST_PAUSE + timedelta(hours=1)
"""A row that seems to be further away was written before the clock was set back."""


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """One thing that must reach somebody. ``ref`` is a check-in id, or an event id for the province."""

    id: int
    destination: str
    kind: str
    ref: str
    state: str
    uncertain: bool
    attempts: int
    created_at: datetime
    updated_at: datetime
    next_at: datetime
    reason: str | None
    owner: str | None


def _rows(result: Any) -> list[OutboxRow]:
    return [OutboxRow(**row._mapping) for row in result]


def enqueue(
    connection: sa.Connection, destination: str, kind: str, ref: str, now: datetime, *, due: datetime | None = None
) -> None:
    """Add a row, due *now* unless *due* says otherwise (at most ``LONGEST_PAUSE`` later)."""
    connection.execute(
        outbox.insert().values(
            destination=destination,
            kind=kind,
            ref=ref,
            state="waiting",
            uncertain=False,
            attempts=0,
            created_at=now,
            updated_at=now,
            next_at=now if due is None else min(due, now + LONGEST_PAUSE),
        )
    )


def _due(destination: str, now: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        outbox.c.destination == destination,
        outbox.c.state == "waiting",
        sa.or_(outbox.c.next_at <= now, outbox.c.next_at > now + _CLOCK_JUMP),
    )


def claim(connection: sa.Connection, destination: str, now: datetime, limit: int) -> list[OutboxRow]:
    """Take up to *limit* due rows, the longest due first; they are ``sending`` once this commits.

    Fresh rows so go in the order they were written, and a row that fails again and again queues behind them.
    """
    due = sa.select(outbox).where(*_due(destination, now)).order_by(outbox.c.next_at, outbox.c.id).limit(limit)
    taken = _rows(connection.execute(due))
    if taken:
        connection.execute(
            outbox.update()
            .where(outbox.c.id.in_([row.id for row in taken]))
            .values(state="sending", attempts=outbox.c.attempts + 1, updated_at=now)
        )
    return taken


def next_due(connection: sa.Connection, destination: str) -> datetime | None:
    """When the next waiting row of *destination* is due; None when none waits."""
    query = sa.select(sa.func.min(outbox.c.next_at)).where(
        outbox.c.destination == destination, outbox.c.state == "waiting"
    )
    earliest: datetime | None = connection.execute(query).scalar()
    return earliest


def settle(connection: sa.Connection, row_id: int, state: str, now: datetime, **changes: Any) -> None:
    """End an attempt: the new *state* and what goes with it.

    ``next_at``, ``reason``, ``owner``, ``uncertain``, ``attempts``.
    """
    connection.execute(outbox.update().where(outbox.c.id == row_id).values(state=state, updated_at=now, **changes))


def recover(connection: sa.Connection, now: datetime, grace: timedelta) -> int:
    """After a crash: rows found in ``sending`` may or may not have arrived.

    A hospital row becomes ``uncertain`` and waits *grace* before it is looked into; the other destinations take the
    same row twice without harm.
    """
    stuck = outbox.c.state == "sending"
    hospital = sa.and_(stuck, outbox.c.destination == HOSPITAL)
    found = connection.execute(
        outbox.update().where(hospital).values(state="waiting", uncertain=True, updated_at=now, next_at=now + grace)
    ).rowcount
    connection.execute(outbox.update().where(stuck).values(state="waiting", updated_at=now, next_at=now))
    return found


def hasten(connection: sa.Connection, destination: str, now: datetime) -> None:
    """A destination is back: what waited because of it is due now (rows of unknown outcome keep their pause)."""
    connection.execute(
        outbox.update()
        .where(
            outbox.c.destination == destination,
            outbox.c.state == "waiting",
            outbox.c.uncertain.is_(False),
        )
        .values(next_at=now)
    )


def hasten_gently(connection: sa.Connection, destination: str, now: datetime, gap: timedelta) -> int:
    """A destination is back: what waited for it is due soon, one each *gap* from the oldest on; returns how many.

    No row is put off by it.
    """
    waiting = sa.select(outbox.c.id, outbox.c.next_at).where(
        outbox.c.destination == destination, outbox.c.state == "waiting", outbox.c.next_at > now
    )
    hastened = 0
    for place, row in enumerate(connection.execute(waiting.order_by(outbox.c.id)).all()):
        due = now + gap * place
        if due < row.next_at:
            connection.execute(outbox.update().where(outbox.c.id == row.id).values(next_at=due))
            hastened += 1
    return hastened


def reopen(connection: sa.Connection, row_id: int, now: datetime, *, certain: bool) -> None:
    """A human decided to try again; *certain* means it surely did not arrive before."""
    changes: dict[str, Any] = {"uncertain": False} if certain else {}
    settle(connection, row_id, "waiting", now, next_at=now, reason=None, owner=None, **changes)


def get(connection: sa.Connection, row_id: int) -> OutboxRow | None:
    """One row by id."""
    rows = _rows(connection.execute(sa.select(outbox).where(outbox.c.id == row_id)))
    return rows[0] if rows else None


def of_ref(connection: sa.Connection, destination: str, ref: str) -> OutboxRow | None:
    """The newest row of *destination* about *ref*."""
    rows = _rows(
        connection.execute(
            sa.select(outbox)
            .where(outbox.c.destination == destination, outbox.c.ref == ref)
            .order_by(outbox.c.id.desc())
            .limit(1)
        )
    )
    return rows[0] if rows else None


def of_refs(connection: sa.Connection, destination: str, refs: Sequence[str]) -> dict[str, OutboxRow]:
    """The newest row of *destination* about each of *refs*, in few questions."""
    found: dict[str, OutboxRow] = {}
    for start in range(0, len(refs), 500):
        some = refs[start : start + 500]
        query = sa.select(outbox).where(outbox.c.destination == destination, outbox.c.ref.in_(some))
        found |= {row.ref: row for row in _rows(connection.execute(query.order_by(outbox.c.id)))}
    return found


def unfinished(connection: sa.Connection, limit: int = 1000) -> list[OutboxRow]:
    """All rows that wait, are under way, or are parked, oldest first."""
    return _rows(
        connection.execute(sa.select(outbox).where(outbox.c.state != "done").order_by(outbox.c.id).limit(limit))
    )


def depth(connection: sa.Connection) -> list[tuple[str, str, int, datetime]]:
    """(destination, state, rows, oldest) of everything not done; for metrics and the heartbeat."""
    query = (
        sa.select(outbox.c.destination, outbox.c.state, sa.func.count(), sa.func.min(outbox.c.created_at))
        .where(outbox.c.state != "done")
        .group_by(outbox.c.destination, outbox.c.state)
    )
    return [(row[0], row[1], row[2], row[3]) for row in connection.execute(query)]
