"""What is known of somebody who was here before: an appointment for today, and the room of their last visit."""

from __future__ import annotations

import sqlalchemy as sa

from kiosk import records
from kiosk.hospital_model import Appointment, Service
from kiosk.in_passing import in_passing
from kiosk.model import local_day
from kiosk.ports import HospitalAdapter
from kiosk.records import CheckIn
from kiosk.tables import checkin as table


async def appointments_of(hospital: HospitalAdapter, checkin: CheckIn, wait: float) -> tuple[Appointment, ...]:
    """The person's unused appointments for the day; none when the hospital cannot say within *wait* seconds."""
    if not hospital.capabilities.appointments or checkin.identity.personal_id is None:
        return ()
    day = local_day(checkin.happened_at)
    return await in_passing(hospital.appointments(checkin.identity, day), wait) or ()


def last_service(connection: sa.Connection, checkin: CheckIn) -> Service | None:
    """Where the person was registered the last time at this machine, for as long as it remembers people."""
    if not checkin.person_key:
        return None
    found = connection.execute(
        sa.select(table.c.checkin_id)
        .where(
            table.c.person_key == checkin.person_key,
            table.c.checkin_id != checkin.checkin_id,
            table.c.state == "accepted",
            table.c.closed_reason.is_(None),
            table.c.service.is_not(sa.null()),
        )
        .order_by(table.c.happened_at.desc())
        .limit(5)
    )
    for row in found:
        earlier = records.get(connection, row.checkin_id)
        same = earlier is not None and records.same_person(earlier.identity, checkin.identity)
        if earlier is not None and same and earlier.service is not None:
            return earlier.service
    return None
