"""The register of the day, at the facility's relay: one person, one visit, whichever stations they tap at.

A person is known by keyed hashes of their numbers and by name, birth date and sex (records.same_person), as at a
station. Each function runs inside a transaction of the relay's store; the store's one writer makes ``claim`` atomic.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from pydantic import TypeAdapter

from kiosk import records
from kiosk.model import Identity
from kiosk.register_model import Elsewhere, Handed, Passage
from kiosk.seen_elsewhere import WITHIN
from kiosk.tables import visit_register

CLAIM_HOLDS: Final = timedelta(seconds=60)
"""So long does a claim keep others off without a ticket: the station may have died between the two."""

_IDENTITY: Final = TypeAdapter(Identity)
_TICKET: Final = TypeAdapter(Handed)
_COMPARED: Final = {"full_name", "birth_date", "sex"}


def find(
    connection: sa.Connection, facility_key: bytes, passage: Passage, station: str, now: datetime
) -> Elsewhere | None:
    """Note that *passage* stands at *station*; returns the person's accepted one elsewhere today, or else where the
    same number stood within five minutes.
    """
    others = _elsewhere(connection, facility_key, passage, station)
    accepted = next((row for row in others if row.state == "accepted" and _same(row, passage)), None)
    if accepted is not None:
        return _shown(accepted)
    _note(connection, facility_key, passage, station, "presented", now)
    recent = (row for row in others if row.state != "ended" and now - WITHIN <= row.at <= now)
    return next((replace(_shown(row), ticket=None) for row in recent), None)  # it may be somebody else's


def claim(
    connection: sa.Connection, facility_key: bytes, passage: Passage, station: str, now: datetime
) -> Elsewhere | None:
    """Give the person's visit of the day to *passage* unless another station has it; returns who has it then.

    A second examination that the person asked for is never held back.
    """
    if not passage.another:
        for row in _elsewhere(connection, facility_key, passage, station):
            held = row.state == "accepted" or (row.state == "claimed" and now - row.at < CLAIM_HOLDS)
            if held and _same(row, passage):
                _end(connection, passage.checkin_id, station)
                return _shown(row)
    _note(connection, facility_key, passage, station, "claimed", now)
    return None


def accepted(
    connection: sa.Connection, facility_key: bytes, passage: Passage, ticket: Handed, station: str, now: datetime
) -> Elsewhere | None:
    """Keep what was handed out; returns the same person's visit that another station took before, if there is one."""
    _note(connection, facility_key, passage, station, "accepted", now, ticket)
    since = connection.execute(
        sa.select(visit_register.c.at).where(visit_register.c.checkin_id == passage.checkin_id)
    ).scalar_one()
    if passage.another:
        return None
    others = _elsewhere(connection, facility_key, passage, station)
    earlier = (row for row in others if row.state == "accepted" and row.at < since and _same(row, passage))
    return next((_shown(row) for row in earlier), None)


def ended(connection: sa.Connection, checkin_id: str, station: str) -> None:
    """The passage came to nothing: the person may be served anywhere again. Only its own *station* can say so.

    Somebody who was seen only, as who shows their own card in a child's place, is not remembered.
    """
    seen = (visit_register.c.checkin_id == checkin_id, visit_register.c.station == station)
    connection.execute(visit_register.delete().where(*seen, visit_register.c.state == "presented"))
    _end(connection, checkin_id, station)


def forget(connection: sa.Connection, today: date) -> int:
    """Remove what is older than yesterday; returns how many rows that were."""
    oldest = str(today - timedelta(days=1))
    return connection.execute(visit_register.delete().where(visit_register.c.day < oldest)).rowcount


def count(connection: sa.Connection, day: str) -> int:
    """How many people have a visit on *day*."""
    taken = sa.select(sa.func.count(sa.distinct(visit_register.c.person_key))).where(
        visit_register.c.day == day, visit_register.c.state == "accepted"
    )
    return connection.execute(taken).scalar_one()


def _elsewhere(connection: sa.Connection, facility_key: bytes, passage: Passage, station: str) -> list[sa.Row[Any]]:
    keys = [records.person_key(facility_key, number) for number in passage.numbers]
    rows = connection.execute(
        sa.select(visit_register)
        .where(
            visit_register.c.person_key.in_(keys),
            visit_register.c.day == passage.day,
            visit_register.c.station != station,
            visit_register.c.checkin_id != passage.checkin_id,
        )
        .order_by(visit_register.c.at.desc())
    )
    return list(rows)


def _note(
    connection: sa.Connection,
    facility_key: bytes,
    passage: Passage,
    station: str,
    state: str,
    now: datetime,
    ticket: Handed | None = None,
) -> None:
    """Write the entry of *passage*; nobody changes the entry of another station, and a claim keeps its moment."""
    mine = (visit_register.c.checkin_id == passage.checkin_id, visit_register.c.station == station)
    known = connection.execute(
        sa.select(visit_register).where(visit_register.c.checkin_id == passage.checkin_id)
    ).first()
    if known is not None and known.state == "accepted" and ticket is None:
        return
    person = _IDENTITY.dump_python(passage.identity, mode="json", include=_COMPARED)
    values: dict[str, Any] = {"state": state, "identity": person, "at": now}
    if ticket is not None:
        rest = _TICKET.dump_python(ticket, mode="json", exclude={"number", "issued_by"})
        values |= {"number": ticket.number, "issued_by": ticket.issued_by, "ticket": rest}
    if known is None:
        key = records.person_key(facility_key, passage.numbers[0])
        own = {"checkin_id": passage.checkin_id, "day": passage.day, "person_key": key, "station": station}
        connection.execute(visit_register.insert().values(**own, **values))
        return
    if known.state in ("claimed", "accepted"):
        values["at"] = known.at
    connection.execute(visit_register.update().where(*mine).values(**values))


def _end(connection: sa.Connection, checkin_id: str, station: str) -> None:
    mine = (visit_register.c.checkin_id == checkin_id, visit_register.c.station == station)
    connection.execute(visit_register.update().where(*mine).values(state="ended"))


def _same(row: sa.Row[Any], passage: Passage) -> bool:
    return records.same_person(_IDENTITY.validate_python(row.identity), passage.identity)


def _shown(row: sa.Row[Any]) -> Elsewhere:
    ticket = None
    if row.number is not None:
        ticket = _TICKET.validate_python({"number": row.number, "issued_by": row.issued_by, **(row.ticket or {})})
    return Elsewhere(row.checkin_id, row.station, row.at, row.state in ("claimed", "accepted"), ticket)
