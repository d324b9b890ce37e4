"""Building events: plain dictionaries ready for JSON, with exactly the fields of interfaces.md section 5."""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import date, datetime

import uuid_utils

from kiosk.events.words import SCHEMA, Kind
from kiosk.model import VIETNAM


def new_event_id() -> str:
    """A fresh UUIDv7 as canonical lower-case text."""
    return str(uuid_utils.uuid7())


def person_day(facility_key: bytes, personal_id: str, happened_at: datetime) -> str:
    """The keyed digest that stands for one person on one day at one facility (interfaces.md 5).

    In: the facility key, the personal number's digits, an aware time. Out: the first 16 lower-case hex digits of
    HMAC-SHA-256(key, number + `YYYY-MM-DD` in UTC+7). Raises ValueError for a naive time.
    """
    if happened_at.tzinfo is None:
        raise ValueError("happened_at needs an offset")
    day = happened_at.astimezone(VIETNAM).date().isoformat()
    return hmac.new(facility_key, (personal_id + day).encode(), hashlib.sha256).hexdigest()[:16]


def _common(kind: Kind, event_id: str, epoch: str, happened_at: datetime) -> dict[str, object]:
    if happened_at.tzinfo is None:
        raise ValueError("happened_at needs an offset")
    local = happened_at.astimezone(VIETNAM).isoformat(timespec="microseconds")
    return {"schema": SCHEMA, "event_id": event_id, "epoch": epoch, "kind": str(kind), "happened_at": local}


def lookup_event(
    *,
    event_id: str,
    epoch: str,
    seq: int,
    happened_at: datetime,
    checkin_id: str,
    key_kind: str,
    method: str | None,
    lane: str,
    chip_verdict: str | None,
    issuer: str | None,
    eligibility_class: str,
    result_code: str | None,
    reached_gateway: bool,
    latency_ms: int | None,
    attempt: int,
    person_day: str | None,
) -> dict[str, object]:
    """One question to the gateway as an event of kind `lookup` (interfaces.md 5).

    In: ids as text, `seq` gapless per `epoch`, an aware time, `eligibility_class` for the field `class`, `latency_ms`
    in milliseconds. Out: a dictionary ready for JSON. Raises ValueError for a naive time.
    """
    return _common(Kind.LOOKUP, event_id, epoch, happened_at) | {
        "seq": seq,
        "checkin_id": checkin_id,
        "key_kind": key_kind,
        "method": method,
        "lane": lane,
        "chip_verdict": chip_verdict,
        "issuer": issuer,
        "class": eligibility_class,
        "result_code": result_code,
        "reached_gateway": reached_gateway,
        "latency_ms": latency_ms,
        "attempt": attempt,
        "person_day": person_day,
    }


def visit_event(
    *,
    event_id: str,
    epoch: str,
    seq: int,
    happened_at: datetime,
    checkin_id: str,
    bhyt: bool,
    method: str | None,
    lane: str,
    not_by_chip: str | None,
    person_day: str | None,
) -> dict[str, object]:
    """One visit as an event of kind `visit` (interfaces.md 5); a later one of the same check-in replaces it.

    In: ids as text, `bhyt` true for an insured visit, `not_by_chip` a `NotByChip` value or None. Out: a dictionary
    ready for JSON. Raises ValueError for a naive time.
    """
    return _common(Kind.VISIT, event_id, epoch, happened_at) | {
        "seq": seq,
        "checkin_id": checkin_id,
        "bhyt": bhyt,
        "method": method,
        "lane": lane,
        "not_by_chip": not_by_chip,
        "person_day": person_day,
    }


def visit_count_event(
    *, event_id: str, epoch: str, seq: int, happened_at: datetime, day: date, figures: Mapping[str, object], origin: str
) -> dict[str, object]:
    """All insured visits of a facility on *day* as an event of kind `visit_count` (interfaces.md 5).

    In: *figures* with `bhyt_visits`, `by_class` and `revision`, `origin` an `Origin` value, an aware time at which
    this was said. Out: a dictionary ready for JSON. Raises ValueError for a naive time.
    """
    return _of_day(Kind.VISIT_COUNT, event_id, epoch, seq, happened_at, day, figures, origin)


def desk_lookups_event(
    *, event_id: str, epoch: str, seq: int, happened_at: datetime, day: date, figures: Mapping[str, object], origin: str
) -> dict[str, object]:
    """A facility's lookups of *day* outside our stations as an event of kind `desk_lookups` (interfaces.md 5).

    In: *figures* with `lookups`, `visits_looked_up`, `visits_success` and `revision`; else as `visit_count_event`.
    """
    return _of_day(Kind.DESK_LOOKUPS, event_id, epoch, seq, happened_at, day, figures, origin)


def _of_day(
    kind: Kind,
    event_id: str,
    epoch: str,
    seq: int,
    happened_at: datetime,
    day: date,
    figures: Mapping[str, object],
    origin: str,
) -> dict[str, object]:
    common = _common(kind, event_id, epoch, happened_at)
    return common | {"seq": seq, "date": day.isoformat(), "origin": origin} | dict(figures)


def heartbeat(
    *,
    event_id: str,
    epoch: str,
    happened_at: datetime,
    version: str,
    readers: Mapping[str, str],
    outbox_waiting: int,
    oldest_waiting_s: int | None,
    clock_offset_ms: int | None,
    disk_free_mb: int,
) -> dict[str, object]:
    """A sign of life of a station (interfaces.md 5); never queued, so it has no `seq`.

    In: `readers` maps a reader's name to its state, ages in seconds, clock offset in milliseconds, disk in MiB.
    Out: a dictionary ready for JSON. Raises ValueError for a naive time.
    """
    return _common(Kind.HEARTBEAT, event_id, epoch, happened_at) | {
        "version": version,
        "readers": dict(readers),
        "outbox_waiting": outbox_waiting,
        "oldest_waiting_s": oldest_waiting_s,
        "clock_offset_ms": clock_offset_ms,
        "disk_free_mb": disk_free_mb,
    }
