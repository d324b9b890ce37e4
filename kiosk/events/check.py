"""Checking one received event before it is kept: a reason code for refusal, or None.

Source: interfaces.md section 5.
"""

import math
import re
from collections.abc import Callable
from datetime import UTC, date, datetime

from kiosk.events.words import MAX_COUNT, MAX_SEQ, SCHEMA, Kind
from kiosk.model import VIETNAM

_UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.IGNORECASE)
_PERSON_DAY = re.compile(r"[0-9a-f]{16}")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_WRITTEN_UNSTORABLE = re.compile(r"\\u(?:0000|d[89a-f])", re.IGNORECASE)
_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_ABSENT = object()


def parse_happened_at(text: object) -> datetime | None:
    """An ISO 8601 time with offset as an aware UTC time; None for anything else."""
    if not isinstance(text, str) or len(text) > 40:
        return None
    try:
        moment = datetime.fromisoformat(text)
        moment.astimezone(VIETNAM)  # years 1 and 9999 overflow here, not later in a day's count
        return moment.astimezone(UTC) if moment.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None


def parse_day(text: object) -> date | None:
    """A full ISO date `YYYY-MM-DD`; None for anything else."""
    if not isinstance(text, str) or not _ISO_DATE.fullmatch(text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _is_word(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 64


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value <= MAX_COUNT


def _is_whole(value: object) -> bool:
    return type(value) is int and abs(value) <= MAX_SEQ


def _nullable(check: Callable[[object], bool]) -> Callable[[object], bool]:
    return lambda value: value is None or value is _ABSENT or check(value)


def _is_short_text(value: object) -> bool:
    return isinstance(value, str) and len(value) <= 64


def _is_person_day(value: object) -> bool:
    # Strict on purpose: a citizen number sent here by mistake must never reach the province's disk.
    return isinstance(value, str) and _PERSON_DAY.fullmatch(value) is not None


def _is_bool(value: object) -> bool:
    return isinstance(value, bool)


def _is_latency(value: object) -> bool:
    return type(value) in (int, float) and 0 <= value <= MAX_COUNT  # type: ignore[operator]


def _is_class_counts(value: object) -> bool:
    return isinstance(value, dict) and all(_is_count(count) for count in value.values())


def _is_day(value: object) -> bool:
    return parse_day(value) is not None


def _is_readers(value: object) -> bool:
    return isinstance(value, dict | list)


# Codes of open lists are checked as short text only: a value unknown today must still be kept (interfaces.md 5).
_QUEUED: dict[str, Callable[[object], bool]] = {
    "epoch": _is_word,
    "seq": lambda value: _is_whole(value) and value >= 0,  # type: ignore[operator]
}
_FIELDS: dict[str, dict[str, Callable[[object], bool]]] = {
    Kind.LOOKUP: _QUEUED
    | {"checkin_id": _is_word, "reached_gateway": _is_bool}
    | dict.fromkeys(
        ("key_kind", "method", "lane", "chip_verdict", "issuer", "class", "result_code"), _nullable(_is_short_text)
    )
    | {"latency_ms": _nullable(_is_latency), "attempt": _nullable(_is_count), "person_day": _nullable(_is_person_day)},
    Kind.VISIT: _QUEUED
    | {"checkin_id": _is_word, "bhyt": _is_bool}
    | dict.fromkeys(("method", "lane", "not_by_chip"), _nullable(_is_short_text))
    | {"person_day": _nullable(_is_person_day)},
    Kind.VISIT_COUNT: _QUEUED
    | {"date": _is_day, "bhyt_visits": _is_count, "by_class": _nullable(_is_class_counts)}
    | {"origin": _is_word, "revision": _is_count},
    Kind.DESK_LOOKUPS: _QUEUED
    | {"date": _is_day, "lookups": _is_count, "visits_looked_up": _is_count, "visits_success": _is_count}
    | {"origin": _is_word, "revision": _is_count},
    Kind.HEARTBEAT: {"epoch": _nullable(_is_word), "version": _nullable(_is_short_text)}
    | {"readers": _nullable(_is_readers)}
    | dict.fromkeys(("outbox_waiting", "oldest_waiting_s", "disk_free_mb"), _nullable(_is_latency))
    | {"clock_offset_ms": _nullable(_is_whole)},
}


def _is_storable(raw: object) -> bool:
    """Whether no NUL, no lone surrogate and no non-finite number hides anywhere, keys included."""
    waiting = [raw]
    texts: list[str] = []
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            texts.append(value)
        elif isinstance(value, float):
            if not math.isfinite(value):
                return False
        elif isinstance(value, dict):
            waiting.extend(value.keys())
            waiting.extend(value.values())
        elif isinstance(value, list | tuple):
            waiting.extend(value)
    return not _UNSTORABLE.search("".join(texts))  # all at once: a hub asks this of every event


def surely_storable(text: str) -> bool:
    """Whether no string in this JSON text can hold a NUL or a lone surrogate: one look instead of one per event.

    False says nothing. The text itself has none (it was decoded from UTF-8, and JSON forbids control characters).
    """
    return not _WRITTEN_UNSTORABLE.search(text)


def check_event(raw: object, *, storable: bool = False) -> str | None:
    """Why an event (as decoded from JSON) cannot be taken, or None when it can. Never raises.

    *storable*: it is known already that nothing in it is `bad_text`.

    Reasons: `not_an_object`, `bad_text` (NUL, lone surrogate, non-finite number), `bad_event_id` (not UUIDv7),
    `unknown_schema`, `unknown_kind`, `bad_happened_at` (no ISO time with offset), `bad_<field>` (missing or of the
    wrong type). Unknown fields and unknown values of open lists pass. Source: interfaces.md 5.
    """
    if not isinstance(raw, dict):
        return "not_an_object"
    if not storable and not _is_storable(raw):
        return "bad_text"
    event_id = raw.get("event_id")
    if not isinstance(event_id, str) or not _UUID7.fullmatch(event_id):
        return "bad_event_id"
    if type(raw.get("schema")) is not int or raw["schema"] != SCHEMA:
        return "unknown_schema"
    kind = raw.get("kind")
    fields = _FIELDS.get(kind) if isinstance(kind, str) else None
    if fields is None:
        return "unknown_kind"
    if parse_happened_at(raw.get("happened_at")) is None:
        return "bad_happened_at"
    return next((f"bad_{name}" for name, check in fields.items() if not check(raw.get(name, _ABSENT))), None)
