"""The register of officers: who may answer for lookups, and who does so on this shift.

Officers are people registered on the insurer's portal, with name and citizen number as there (insurance-gateway.md 1.2
and 0, point 5). They stand in the encrypted store only. Each function runs inside a transaction of the store.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from kiosk.model import Officer
from kiosk.tables import duty, officer

SHIFT: Final = timedelta(hours=14)
"""After so long somebody has forgotten to sign off; a night shift crosses midnight, so the day's end says nothing."""


@dataclass(frozen=True, slots=True)
class Registered:
    """One row of the register. ``designated``: stands in when nobody has signed on."""

    officer: Officer
    designated: bool


@dataclass(frozen=True, slots=True)
class OnDuty:
    """Who has signed on, since when, and who did it."""

    officer: Officer
    since: datetime
    signed_by: str

    def over(self, now: datetime) -> bool:
        """Whether the shift has ended by itself; a clock that was set back ends none."""
        return now - self.since > SHIFT


def merge(connection: sa.Connection, people: Iterable[tuple[str, str]]) -> int:
    """Add who is new among (name, citizen number) pairs of a file; returns how many are registered then.

    The register counts for whoever it knows: an old file neither brings back who was removed nor undoes a corrected
    name.
    """
    known = set(connection.execute(sa.select(officer.c.citizen_number)).scalars())
    for full_name, citizen_number in people:
        if citizen_number not in known:
            put(connection, full_name, citizen_number)
            known.add(citizen_number)
    return len(registered(connection))


def put(connection: sa.Connection, full_name: str, citizen_number: str) -> str:
    """Register somebody, correct the name of a known number, or bring back who was removed; returns the officer's id.

    Designated where nobody is.
    """
    row = officer.c.citizen_number == citizen_number
    officer_id = connection.execute(sa.select(officer.c.officer_id).where(row)).scalar()
    if officer_id is None:
        officer_id = secrets.token_hex(4)
        new = {"officer_id": officer_id, "citizen_number": citizen_number, "designated": False}
        connection.execute(officer.insert().values(**new, full_name=full_name, active=True))
    else:
        connection.execute(officer.update().where(row).values(full_name=full_name, active=True))
    if not any(each.designated for each in registered(connection)):
        connection.execute(officer.update().where(row).values(designated=True))
    return str(officer_id)


def registered(connection: sa.Connection) -> list[Registered]:
    """All who may answer now, by name."""
    rows = connection.execute(sa.select(officer).where(officer.c.active).order_by(officer.c.full_name))
    return [Registered(_officer(row), row.designated) for row in rows]


def designate(connection: sa.Connection, officer_id: str) -> bool:
    """Make one officer the one who stands in; False if there is no such officer."""
    if all(each.officer.officer_id != officer_id for each in registered(connection)):
        return False
    connection.execute(officer.update().values(designated=officer.c.officer_id == officer_id))
    return True


def remove(connection: sa.Connection, officer_id: str, now: datetime) -> bool:
    """Take an officer off the register, and off duty; the row stays, because shifts point to it."""
    gone = connection.execute(
        officer.update()
        .where(officer.c.officer_id == officer_id, officer.c.active)
        .values(active=False, designated=False)
    )
    connection.execute(duty.update().where(duty.c.officer_id == officer_id, duty.c.until.is_(None)).values(until=now))
    return gone.rowcount > 0


def on_duty(connection: sa.Connection) -> OnDuty | None:
    """Who has signed on and not off, whether or not that shift has ended by itself."""
    row = connection.execute(
        sa.select(officer, duty.c.since, duty.c.signed_by)
        .join(duty, duty.c.officer_id == officer.c.officer_id)
        .where(duty.c.until.is_(None), officer.c.active)
        .order_by(duty.c.id.desc())
        .limit(1)
    ).first()
    return None if row is None else OnDuty(_officer(row), row.since, row.signed_by)


def sign_on(connection: sa.Connection, officer_id: str, who: str, now: datetime) -> bool:
    """Begin a shift in the place of the one that runs; False if there is no such officer."""
    if all(each.officer.officer_id != officer_id for each in registered(connection)):
        return False
    sign_off(connection, now)
    connection.execute(duty.insert().values(officer_id=officer_id, since=now, until=None, signed_by=who))
    return True


def sign_off(connection: sa.Connection, now: datetime) -> None:
    """End the shift that runs, if any."""
    connection.execute(duty.update().where(duty.c.until.is_(None)).values(until=now))


def _officer(row: sa.Row[Any]) -> Officer:
    return Officer(row.officer_id, row.full_name, row.citizen_number)
