"""Whose a visit of the hospital system is: one visit is never two people's."""

from __future__ import annotations

import sqlalchemy as sa

from kiosk import records
from kiosk.records import CheckIn
from kiosk.tables import checkin as table


def holders(connection: sa.Connection, checkin: CheckIn, visit_id: str) -> list[CheckIn]:
    """The check-ins of other people than *checkin*'s, on the same day, for which the visit *visit_id* stands."""
    found = connection.execute(
        sa.select(table.c.checkin_id).where(
            table.c.day == checkin.day,
            table.c.person_key != checkin.person_key,
            table.c.hospital_state == "accepted",
            table.c.receipt["visit_id"].as_string() == visit_id,
        )
    )
    others = (records.get(connection, row.checkin_id) for row in found)
    return [one for one in others if one is not None and not records.same_person(one.identity, checkin.identity)]
