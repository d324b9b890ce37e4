"""Whose a visit of the hospital system is: one visit is never two people's."""

from __future__ import annotations

import sqlalchemy as sa

from kiosk import records
from kiosk.records import CheckIn
from kiosk.tables import checkin as table


def is_anothers(connection: sa.Connection, checkin: CheckIn, visit_id: str) -> bool:
    """Whether the visit *visit_id* stands for a check-in of another person than *checkin*'s on the same day."""
    found = connection.execute(
        sa.select(table.c.checkin_id).where(
            table.c.day == checkin.day,
            table.c.person_key != checkin.person_key,
            table.c.hospital_state == "accepted",
            table.c.receipt["visit_id"].as_string() == visit_id,
        )
    )
    others = (records.get(connection, row.checkin_id) for row in found)
    return any(other is not None and not records.same_person(other.identity, checkin.identity) for other in others)
