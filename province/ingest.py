"""Taking a signed batch of events exactly once (interfaces.md 5)."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, cast

import sqlalchemy as sa

from kiosk.events import MAX_EVENTS, VIETNAM, Kind, check_event, parse_happened_at, surely_storable
from province.enrolment import StationKey
from province.event_queue import queue_events
from province.gaps import note_numbers
from province.projection import Accepted, day_counted, project
from province.quarantine import put_away
from province.store import Store
from province.tables import event, finding, station
from province.upsert import among, insert_or_update, insert_rows

CLOCK_TOLERANCE: Final = timedelta(minutes=2)
FUTURE_LIMIT: Final = timedelta(days=2)
HEARTBEATS_KEPT: Final = timedelta(days=7)
CANNOT_BE_COUNTED: Final = "cannot_be_counted"
_POISON: Final = (sa.exc.DataError, sa.exc.IntegrityError, ArithmeticError, LookupError, TypeError, ValueError)
"""What counting raises for an event that no check foresaw; a database that is away is none of them."""


class EnvelopeError(Exception):
    """A batch that is refused whole; `status` is the HTTP status, `code` the stable word for the answer."""

    def __init__(self, status: int, code: str) -> None:
        """422 for a malformed envelope, 413 for too many events, 403 for another's facility or station."""
        super().__init__(code)
        self.status = status
        self.code = code


@dataclass(frozen=True, slots=True)
class Outcome:
    """The answer to a batch: how many were new, how many known, and which were refused and why."""

    accepted: int
    duplicates: int
    rejected: list[dict[str, str | None]]


@dataclass(frozen=True, slots=True)
class Envelope:
    """A batch that was opened: its events as decoded. ``storable``: surely none of them is `bad_text`."""

    events: list[Any]
    storable: bool


def open_envelope(body: bytes, key: StationKey) -> Envelope:
    """The events in a body whose signature has been checked. Raises EnvelopeError."""
    endless: list[float] = []

    def number(text: str) -> float:
        value = float(text)
        if not math.isfinite(value):
            endless.append(value)
        return value

    try:
        text = body.decode("utf-8")
        envelope = json.loads(text, parse_constant=_refuse_constant, parse_float=number)
    except (ValueError, RecursionError):
        raise EnvelopeError(422, "not_json") from None
    if not isinstance(envelope, dict) or not isinstance(envelope.get("events"), list):
        raise EnvelopeError(422, "bad_envelope")
    if not isinstance(envelope.get("facility"), str) or not isinstance(envelope.get("station"), str):
        raise EnvelopeError(422, "bad_envelope")
    if len(envelope["events"]) > MAX_EVENTS:
        raise EnvelopeError(413, "too_many_events")
    if (envelope["facility"], envelope["station"]) != (key.facility, key.station):
        raise EnvelopeError(403, "not_your_station")
    return Envelope(envelope["events"], not endless and surely_storable(text))


def take_batch(
    store: Store, key: StationKey, raw_events: Sequence[Any], received_at: datetime, *, storable: bool = False
) -> Outcome:
    """Keep the events of one batch; when this returns, the accepted ones are durable.

    An event already known by (facility, event id) is a duplicate and its first content stays. A faulty event is
    rejected by name and the rest count. `received_at` is an aware time; `storable` as in `Envelope`. Raises
    SQLAlchemy's errors, with nothing kept.
    """
    rejected: list[dict[str, str | None]] = []
    good: dict[str, Accepted] = {}
    duplicates = 0
    for raw in raw_events:
        reason = check_event(raw, storable=storable)
        if reason is not None:
            rejected.append({"event_id": _readable_id(raw), "reason": reason})
            continue
        event_id = raw["event_id"].lower()
        if event_id in good:
            duplicates += 1
        else:
            good[event_id] = Accepted(raw, event_id, cast(datetime, parse_happened_at(raw["happened_at"])))
    try:
        fresh, known = _keep(store, key, good, rejected, received_at)
    except _POISON:
        if len(good) == 1:
            rejected.append({"event_id": next(iter(good)), "reason": CANNOT_BE_COUNTED})
            _keep(store, key, {}, rejected, received_at)
            return Outcome(0, duplicates, rejected)
        # One event that nobody foresaw must not hold up all others of its station.
        alone = [take_batch(store, key, [item.raw], received_at) for item in good.values()]
        for each in alone:
            rejected += each.rejected
        if rejected:
            _keep(store, key, {}, [each for each in rejected if each["reason"] != CANNOT_BE_COUNTED], received_at)
        return Outcome(
            sum(each.accepted for each in alone), duplicates + sum(each.duplicates for each in alone), rejected
        )
    return Outcome(fresh, duplicates + known, rejected)


def _keep(
    store: Store,
    key: StationKey,
    good: dict[str, Accepted],
    rejected: Sequence[dict[str, str | None]],
    received_at: datetime,
) -> tuple[int, int]:
    """Keep events and what was refused in one transaction; how many were new and how many known."""
    with store.write() as connection:
        store.lock_facility(connection, key.facility)
        mine = event.c.facility == key.facility
        known = set(
            connection.scalars(sa.select(event.c.event_id).where(mine, among(connection, event.c.event_id, good)))
        )
        fresh = [item for event_id, item in good.items() if event_id not in known]
        suspect = _note_station(connection, key, fresh, received_at)
        refused = [(each["event_id"], str(each["reason"])) for each in rejected]
        put_away(connection, key.facility, key.station, refused, received_at)
        if fresh:
            _note_numbers(connection, key, fresh, received_at)
            insert_rows(connection, event, [_ledger_row(key, item, received_at, suspect) for item in fresh])
            queue_events(
                connection, key.facility, (item.event_id for item in fresh if item.raw["kind"] != Kind.HEARTBEAT)
            )
            counted = [item for item in fresh if _in_rates(item, received_at)]
            project(connection, key.facility, counted, received_at.astimezone(VIETNAM).date())
    return len(fresh), len(known)


def prune_heartbeats(store: Store, now: datetime) -> int:
    """Delete heartbeats received more than 7 days before `now`; their days stay marked as reported. Returns how many.

    A station beats every minute: kept for ever, they would outnumber everything the rates are made of.
    """
    with store.write() as connection:
        old = sa.delete(event).where(event.c.kind == Kind.HEARTBEAT, event.c.received_at < now - HEARTBEATS_KEPT)
        return connection.execute(old).rowcount


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _readable_id(raw: object) -> str | None:
    event_id = raw.get("event_id") if isinstance(raw, dict) else None
    return event_id if isinstance(event_id, str) and len(event_id) <= 64 and event_id.isprintable() else None


def _in_rates(item: Accepted, received_at: datetime) -> bool:
    if item.raw["kind"] in (Kind.VISIT_COUNT, Kind.DESK_LOOKUPS):
        latest = (received_at + FUTURE_LIMIT).astimezone(VIETNAM).date()
        return day_counted(item.raw) <= latest and item.happened_at <= received_at + FUTURE_LIMIT
    return item.happened_at <= received_at + FUTURE_LIMIT


def _clock_off(item: Accepted, received_at: datetime) -> bool:
    """Whether this event by itself proves a clock more than 2 minutes off.

    A queued event may be old, so only its lying in the future is proof; a heartbeat is never queued.
    """
    if item.raw["kind"] != Kind.HEARTBEAT:
        return item.happened_at > received_at + CLOCK_TOLERANCE
    stated = timedelta(milliseconds=min(abs(item.raw.get("clock_offset_ms") or 0), 10**12))
    return max(abs(item.happened_at - received_at), stated) > CLOCK_TOLERANCE


def _note_station(connection: sa.Connection, key: StationKey, fresh: Sequence[Accepted], received_at: datetime) -> bool:
    """Note that the station was heard, and its newest heartbeat; returns whether its clock is known to be off."""
    query = sa.select(station).where(station.c.facility == key.facility, station.c.station == key.station)
    old = connection.execute(query).mappings().first()
    row = dict(old) if old else {"heartbeat_at": None, "heartbeat": None, "clock_suspect": False}
    row |= {"facility": key.facility, "station": key.station, "heard_at": received_at}
    beats = [item for item in fresh if item.raw["kind"] == Kind.HEARTBEAT]
    if beats:
        newest = max(beats, key=lambda item: item.event_id)
        row |= {
            "heartbeat_at": newest.happened_at,
            "heartbeat": json.dumps(newest.raw),
            "clock_suspect": _clock_off(newest, received_at),
        }
    insert_or_update(connection, station, [row], ("heard_at", "heartbeat_at", "heartbeat", "clock_suspect"))
    return bool(row["clock_suspect"])


def _ledger_row(key: StationKey, item: Accepted, received_at: datetime, suspect: bool) -> dict[str, object]:
    return {
        "facility": key.facility,
        "event_id": item.event_id,
        "station": key.station,
        "epoch": item.raw.get("epoch"),
        "seq": item.raw.get("seq") if item.raw["kind"] != Kind.HEARTBEAT else None,
        "kind": item.raw["kind"],
        "happened_at": item.happened_at,
        "received_at": received_at,
        "clock_suspect": suspect or _clock_off(item, received_at),
        "in_rates": _in_rates(item, received_at),
        "payload": json.dumps(item.raw),
    }


def _note_numbers(connection: sa.Connection, key: StationKey, fresh: Sequence[Accepted], received_at: datetime) -> None:
    numbered = [item for item in fresh if item.raw["kind"] != Kind.HEARTBEAT]
    if not numbered:
        return
    numbers: dict[str, list[int]] = {}
    for item in numbered:
        numbers.setdefault(item.raw["epoch"], []).append(item.raw["seq"])
    again = note_numbers(connection, key.facility, key.station, numbers, received_at)
    owner: dict[tuple[str, int], str] = {}
    if known := set().union(*again.values()):
        query = sa.select(event.c.epoch, event.c.seq, event.c.event_id).where(
            event.c.facility == key.facility, event.c.epoch.in_(again), among(connection, event.c.seq, known)
        )
        owner = {(row.epoch, row.seq): row.event_id for row in connection.execute(query)}
    found = []
    for item in numbered:
        place = (item.raw["epoch"], item.raw["seq"])
        other = owner.setdefault(place, item.event_id)
        if other != item.event_id:
            found.append(
                {
                    "kind": "seq_reused",
                    "facility": key.facility,
                    "station": key.station,
                    "epoch": place[0],
                    "seq": place[1],
                    "event_id": item.event_id,
                    "other_event_id": other,
                    "found_at": received_at.astimezone(UTC),
                }
            )
    if found:
        connection.execute(sa.insert(finding), found)
