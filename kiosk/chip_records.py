"""What the store keeps of chips beside the check-in itself: signed evidence, and whose chip was read when."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa

from kiosk.model import local_day
from kiosk.records import CheckIn
from kiosk.tables import chip_evidence, chip_seen


def keep(connection: sa.Connection, of: CheckIn, evidence: bytes | None, now: datetime, *, doubted: bool) -> None:
    """Keep the evidence of a chip and, unless it is *doubted*, that this person's chip was read today."""
    day = str(local_day(now))
    if evidence is not None:
        connection.execute(chip_evidence.delete().where(chip_evidence.c.checkin_id == of.checkin_id))
        connection.execute(chip_evidence.insert().values(checkin_id=of.checkin_id, day=day, body=evidence))
    if not doubted:
        connection.execute(chip_seen.delete().where(chip_seen.c.person_key == of.person_key))
        connection.execute(chip_seen.insert().values(person_key=of.person_key, day=day))


def evidence_of(connection: sa.Connection, checkin_id: str) -> bytes | None:
    """The signed record of a check-in's chip, or None."""
    return connection.execute(sa.select(chip_evidence.c.body).where(chip_evidence.c.checkin_id == checkin_id)).scalar()


def seen_on(connection: sa.Connection, key: str) -> date | None:
    """The day a person's chip was last read here and not doubted."""
    day = connection.execute(sa.select(chip_seen.c.day).where(chip_seen.c.person_key == key)).scalar()
    return None if day is None else date.fromisoformat(day)
