"""Sharing raw events with the hub above: only after a province said so, each until the upper hub has acknowledged it.

They are no part of the upper hub's rates, which are made of the sums of days; they are what these can be checked by.
"""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import sqlalchemy as sa

from kiosk.events import check_event
from province.event_queue import queue_all
from province.federation.members import Member
from province.federation_tables import event_to_share, shared_event, upper_hub
from province.ingest import EnvelopeError
from province.simulate.event_making import STATION
from province.store import Store
from province.tables import event
from province.units import Units, units_of
from province.upsert import among, insert_rows

MAX_SHARED: Final = 500
_ID: Final = 36
Row = dict[str, Any]


def set_sharing(connection: sa.Connection, *, wanted: bool) -> bool:
    """Share events from now on, with all that are kept already, or never again; returns whether this hub has joined
    another. What was sent stays there.
    """
    done = connection.execute(sa.update(upper_hub).values(share_events=wanted)).rowcount > 0
    connection.execute(sa.delete(event_to_share))
    if done and wanted:
        queue_all(connection, without_station=STATION)
    return done


def share(store: Store, hub: str, post: Callable[[bytes], dict[str, Any]]) -> int:
    """Send what waits, oldest first; *post* sends a body signed and gives the answer. Returns how many were taken.

    What the upper hub refuses by name waits no longer: sent again it would be refused again.
    """
    taken = 0
    while waiting := _waiting(store):
        answer = post(_body(hub, waiting))
        taken += int(answer["accepted"]) + int(answer["duplicates"])
        with store.write() as connection:
            numbers = [row.number for row in waiting]
            connection.execute(sa.delete(event_to_share).where(among(connection, event_to_share.c.number, numbers)))
    return taken


def waiting_events(connection: sa.Connection) -> int:
    """How many events wait to be shared."""
    return connection.scalar(sa.select(sa.func.count()).select_from(event_to_share)) or 0


def open_shared(body: bytes, hub: str) -> list[Any]:
    """The unread events in a body whose signature has been checked.

    Raises EnvelopeError: 422 `not_json` or `bad_envelope`, 413 `too_many_events`, 403 `not_your_hub`.
    """
    try:
        envelope = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError):
        raise EnvelopeError(422, "not_json") from None
    if not isinstance(envelope, dict) or not isinstance(envelope.get("events"), list):
        raise EnvelopeError(422, "bad_envelope")
    if len(envelope["events"]) > MAX_SHARED:
        raise EnvelopeError(413, "too_many_events")
    if envelope.get("hub") != hub:
        raise EnvelopeError(403, "not_your_hub")
    return list(envelope["events"])


def take_shared(store: Store, member: Member, raw: Sequence[Any], now: datetime) -> dict[str, Any]:
    """Keep a member's events, each once; the answer as for a batch of a station (interfaces.md 5).

    Refused by name: `malformed`, `unknown_facility`, `not_your_province`, and what `check_event` says.
    """
    rejected: list[Row] = []
    with store.write() as connection:
        store.lock_facility(connection, f"hub {member.hub}")
        units = units_of(connection)
        good: dict[tuple[str, str], Row] = {}
        duplicates = 0
        for each in raw:
            row = _read(each)
            reason = row if isinstance(row, str) else _problem(units, member, row)
            if reason is not None or isinstance(row, str):
                rejected.append({"event_id": _told_id(each), "reason": reason})
                continue
            place = row["facility"], row["event_id"]
            duplicates += place in good
            good.setdefault(place, row)
        known = _known(connection, list(good))
        fresh = [row | {"hub": member.hub, "taken_at": now} for place, row in good.items() if place not in known]
        insert_rows(connection, shared_event, fresh)
    return {"accepted": len(fresh), "duplicates": duplicates + len(known), "rejected": rejected}


def _waiting(store: Store) -> Sequence[Any]:
    same = sa.and_(event.c.facility == event_to_share.c.facility, event.c.event_id == event_to_share.c.event_id)
    query = (
        sa.select(event_to_share.c.number, event.c.facility, event.c.station, event.c.received_at, event.c.payload)
        .join(event, same)
        .order_by(event_to_share.c.number)
        .limit(MAX_SHARED)
    )
    with store.read() as connection:
        return connection.execute(query).fetchall()


def _body(hub: str, rows: Sequence[Any]) -> bytes:
    events = [
        {
            "facility": row.facility,
            "station": row.station,
            "received_at": row.received_at.isoformat(),
            "event": json.loads(row.payload),
        }
        for row in rows
    ]
    return json.dumps({"hub": hub, "events": events}, separators=(",", ":")).encode()


def _read(raw: object) -> Row | str:
    if not isinstance(raw, dict):
        return "malformed"
    facility, station, body = raw.get("facility"), raw.get("station"), raw.get("event")
    if not _is_word(facility) or not _is_word(station):
        return "malformed"
    try:
        received_at = datetime.fromisoformat(str(raw.get("received_at"))).astimezone(UTC)
    except (ValueError, OverflowError):
        return "malformed"
    if (reason := check_event(body)) is not None or not isinstance(body, dict):
        return reason or "malformed"
    return {
        "facility": facility,
        "event_id": body["event_id"].lower(),
        "station": station,
        "received_at": received_at,
        "payload": json.dumps(body),
    }


def _is_word(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 64 and value.isprintable()


def _problem(units: Units, member: Member, row: Row) -> str | None:
    known = units.registry.facilities.get(row["facility"])
    if known is None:
        return "unknown_facility"
    ours = any(version.province_code in member.provinces for version in known.versions)
    return None if ours else "not_your_province"


def _told_id(raw: object) -> str | None:
    body = raw.get("event") if isinstance(raw, dict) else None
    event_id = body.get("event_id") if isinstance(body, dict) else None
    return event_id if isinstance(event_id, str) and len(event_id) <= _ID and event_id.isprintable() else None


def _known(connection: sa.Connection, places: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
    ids = among(connection, shared_event.c.event_id, [event_id for _, event_id in places])
    query = sa.select(shared_event.c.facility, shared_event.c.event_id).where(ids)
    return {(row.facility, row.event_id) for row in connection.execute(query)} & set(places)
