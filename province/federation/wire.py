"""The body that goes from hub to hub: `{"hub", "rollups": [{"facility", "day", "revision", "sums"}]}`.

`sums` are the columns of a day in `rollup` that are not 0 (faults-threats-speed.md 8: a national hub gets sums, not
rows), and `rest` with the counts of words that have no column. A word that is not known here is no reason to guess: the
day is refused by name, and its hub keeps it.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, cast

from kiosk.events import parse_day
from province.ingest import EnvelopeError
from province.measures import Row
from province.rollup_table import ADDED, COUNTERS, FLAGS

MAX_ROLLUPS: Final = 200
MAX_A_DAY: Final = 1_000_000
"""More of anything on one day of one facility is no hospital, and years of it still fit the columns."""

_MAX_REVISION: Final = 2**31 - 1
_FLAGS: Final = frozenset(FLAGS)
_KNOWN: Final = frozenset((*ADDED, *FLAGS, "revision", "rest"))


@dataclass(frozen=True, slots=True)
class Rollup:
    """The sums of one facility and day (UTC+7), as its hub has them in this revision of the day; ``sums`` as packed."""

    facility: str
    day: date
    revision: int
    sums: Row


def write_body(hub: str, rollups: Sequence[Rollup]) -> bytes:
    """The body with these sums."""
    rows = [
        {"facility": each.facility, "day": each.day.isoformat(), "revision": each.revision, "sums": each.sums}
        for each in rollups
    ]
    return json.dumps({"hub": hub, "rollups": rows}, separators=(",", ":")).encode()


def open_body(body: bytes, hub: str) -> list[Any]:
    """The unread sums in a body whose signature has been checked.

    Raises EnvelopeError: 422 `not_json` or `bad_envelope`, 413 `too_many_rollups`, 403 `not_your_hub`.
    """
    try:
        envelope = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError):
        raise EnvelopeError(422, "not_json") from None
    if not isinstance(envelope, dict) or not isinstance(envelope.get("rollups"), list):
        raise EnvelopeError(422, "bad_envelope")
    if len(envelope["rollups"]) > MAX_ROLLUPS:
        raise EnvelopeError(413, "too_many_rollups")
    if envelope.get("hub") != hub:
        raise EnvelopeError(403, "not_your_hub")
    return cast(list[Any], envelope["rollups"])


def read_rollup(raw: object) -> Rollup | str:
    """The sums of one day, or why they cannot be taken: `malformed` or `unknown_sum`."""
    if not isinstance(raw, dict) or not isinstance(raw.get("sums"), dict):
        return "malformed"
    facility, day, revision = raw.get("facility"), parse_day(raw.get("day")), raw.get("revision")
    if not isinstance(facility, str) or day is None or not _is_count(revision, _MAX_REVISION) or revision == 0:
        return "malformed"
    sums = raw["sums"]
    if not _KNOWN.issuperset(sums):
        return "unknown_sum"
    if not all(_is_count(value, _largest(name)) for name, value in sums.items() if name != "rest"):
        return "malformed"
    return Rollup(facility, day, cast(int, revision), sums) if _is_rest(sums.get("rest", {})) else "malformed"


def told_place(raw: object) -> dict[str, str | None]:
    """The facility and day that sums claim to be of, to name them by; None for what cannot be read."""
    given = raw if isinstance(raw, dict) else {}
    facility, day = given.get("facility"), parse_day(given.get("day"))
    return {"facility": facility if _is_word(facility) else None, "day": day.isoformat() if day else None}


def _largest(name: str) -> int:
    if name == "revision":
        return _MAX_REVISION
    return 1 if name in _FLAGS else MAX_A_DAY


def _is_rest(rest: object) -> bool:
    return isinstance(rest, dict) and all(
        counter in COUNTERS
        and isinstance(words, dict)
        and all(_is_word(word) and _is_count(count, MAX_A_DAY) for word, count in words.items())
        for counter, words in rest.items()
    )


def _is_count(value: object, largest: int) -> bool:
    return type(value) is int and 0 <= value <= largest


def _is_word(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 64 and value.isprintable()
