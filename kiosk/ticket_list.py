"""The numbers of a day with what became of each: for a room that works from paper, and K-024 -> 31 afterwards."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from kiosk import records
from kiosk.records import CheckIn
from kiosk.station_views import ticket_view
from kiosk.tables import checkin, ticket_series


def tickets_of_day(connection: sa.Connection, day: str, room: str = "") -> dict[str, Any]:
    """The accepted check-ins of *day* (ISO) in the order of their acceptance, and the kiosk's own series.

    *room*: only those whose room, department or service contains this text. ``tickets``: number, own and hospital's
    number, where to, time, state and, of a visit that was withdrawn, why. ``series``: how far each went, and ``gaps``:
    own numbers without a check-in, which only forgetting (retention) leaves.
    """
    found = [row for row in records.find(connection, day=day) if row.state == "accepted"]
    found.sort(key=lambda row: (str(row.accepted_at), row.checkin_id))
    listed = [line for line in map(_line, found) if _is_in(line, room)]
    numbers = sa.select(checkin.c.kiosk_number).where(checkin.c.day == day, checkin.c.kiosk_number.is_not(None))
    given = set(connection.execute(numbers).scalars())
    series = connection.execute(sa.select(ticket_series).where(ticket_series.c.day == day).order_by("prefix"))
    return {"day": day, "tickets": listed, "series": [_series(row, given) for row in series]}


def _series(row: sa.Row[Any], given: set[str]) -> dict[str, Any]:
    count = sum(number.rstrip("0123456789").rstrip("-") == row.prefix for number in given)
    return {"prefix": row.prefix, "given": row.last, "gaps": row.last - count}


def _line(row: CheckIn) -> dict[str, Any]:
    shown = ticket_view(row)
    return {
        "checkin_id": row.checkin_id,
        "number": row.number,
        "kiosk_number": row.kiosk_number,
        "his_number": row.his_number,
        "room": shown["room"],
        "department": shown["department"],
        "service": shown["service"],
        "accepted_at": row.accepted_at.isoformat() if row.accepted_at else None,
        "hospital_state": row.hospital_state,
        "closed_reason": row.closed_reason,
    }


def _is_in(line: dict[str, Any], room: str) -> bool:
    wanted = room.casefold()
    return any(wanted in (line[key] or "").casefold() for key in ("room", "department", "service"))
