"""Today's board: how the day stands, and what must be done before it ends. Counts only, nobody's data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from kiosk import journal, kpi, outbox_table, pending, records
from kiosk.tables import checkin, outbox

TARGET_PCT: Final = 80.0
"""What provinces ask of a facility's lookup rate (interfaces, section 6)."""

_MOST_CAUSES: Final = 3


@dataclass(frozen=True, slots=True)
class Board:
    """One day. ``rates`` as `kpi.own_rates`; ``causes``: the most frequent reasons why no chip was read, with visits.

    What is open, of any day: ``staff`` people who wait for staff, ``unanswered`` visits without the insurer's answer,
    ``for_hospital`` visits on their way to the hospital, ``parked`` other deliveries that a person must solve (those to
    the hospital stand among ``staff``).
    """

    day: str
    people: int
    rates: dict[str, Any]
    causes: tuple[tuple[str, int], ...]
    staff: int
    unanswered: int
    for_hospital: int
    parked: int

    @property
    def open_items(self) -> int:
        """What is left to be done."""
        return self.staff + self.unanswered + self.for_hospital + self.parked


def board_of(connection: sa.Connection, day: str) -> Board:
    """The board of *day* (ISO, UTC+7)."""
    bodies = journal.of_days(connection, day, day)
    causes = list(kpi.not_by_chip(bodies).items())[:_MOST_CAUSES]
    accepted = sa.select(sa.func.count()).where(checkin.c.day == day, checkin.c.state == "accepted")
    return Board(
        day=day,
        people=connection.execute(accepted).scalar_one(),
        rates=kpi.own_rates(bodies),
        causes=tuple(causes),
        staff=len(records.find(connection, needs_staff=True)),
        unanswered=pending.waiting(connection)[0],
        for_hospital=_rows(connection, outbox.c.destination == outbox_table.HOSPITAL, outbox.c.state != "parked"),
        parked=_rows(connection, outbox.c.destination != outbox_table.HOSPITAL, outbox.c.state == "parked"),
    )


def _rows(connection: sa.Connection, *conditions: sa.ColumnElement[bool]) -> int:
    query = sa.select(sa.func.count()).select_from(outbox).where(outbox.c.state != "done", *conditions)
    return connection.execute(query).scalar_one()
