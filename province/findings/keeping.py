"""Keeping what a run found: new rows, newer numbers, and rows whose ground is gone; nothing is deleted."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import sqlalchemy as sa

from province.findings.finding import HUB, Finding, Kind, Severity, State
from province.findings_tables import finding_note, found
from province.upsert import insert_or_update

NO_LONGER: Final = "no_longer_found"
AGAIN: Final = "found_again"
WORSE: Final = "severity_rose"
_AT_ONCE: Final = 500
_UPDATED: Final = ("first_day", "last_day", "severity", "numbers", "evidence", "seen_at", "holds", "state")


@dataclass(frozen=True, slots=True)
class Kept:
    """How many findings a run had, how many of them are new, and how many of before it did not find again."""

    findings: int
    new: int
    gone: int


def keep(
    connection: sa.Connection, findings: Iterable[Finding], first: date, always: Sequence[Kind], now: datetime
) -> Kept:
    """Keep all findings of a run over the days from *first* on (and, of the kinds *always*, over all days).

    What was there and is not found any more gets `holds` false and is settled by the hub; found again, or with a higher
    severity than the one that somebody explained, it is open again. Each such turn is a note.
    """
    fresh = {each.key: each for each in findings}
    old = _before(connection, first, always, sorted(fresh))
    notes: list[dict[str, Any]] = []
    rows = [_row(each, old.get(key), notes, now) for key, each in sorted(fresh.items())]
    gone = [row for key, row in sorted(old.items()) if key not in fresh and row["holds"]]
    for row in gone:
        if row["state"] != State.SETTLED:
            notes.append(_note(row["key"], State.SETTLED, NO_LONGER, now))
    insert_or_update(connection, found, rows, _UPDATED)
    rows = [row | {"holds": False, "state": State.SETTLED} for row in gone]
    insert_or_update(connection, found, rows, ("holds", "state"))
    if notes:
        connection.execute(sa.insert(finding_note), notes)
    return Kept(len(fresh), len(fresh.keys() - old.keys()), len(gone))


def _before(
    connection: sa.Connection, first: date, always: Sequence[Kind], keys: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """The rows that this run speaks about, and those that it found, wherever their days were until now."""
    of_run = sa.or_(found.c.last_day >= first, found.c.kind.in_([str(kind) for kind in always]))
    conditions = [of_run, *(found.c.key.in_(keys[n : n + _AT_ONCE]) for n in range(0, len(keys), _AT_ONCE))]
    rows = (dict(row) for each in conditions for row in connection.execute(sa.select(found).where(each)).mappings())
    return {row["key"]: row for row in rows}


def _row(each: Finding, old: dict[str, Any] | None, notes: list[dict[str, Any]], now: datetime) -> dict[str, Any]:
    state = State.OPEN if old is None else State(old["state"])
    if old is not None and state is not State.OPEN:
        reason = AGAIN if not old["holds"] else WORSE
        if not old["holds"] or each.severity.rank > Severity(old["severity"]).rank:
            state = State.OPEN
            notes.append(_note(each.key, state, reason, now))
    return {
        "key": each.key,
        "kind": str(each.kind),
        "facility": each.facility,
        "station": each.station,
        "first_day": each.first_day,
        "last_day": each.last_day,
        "severity": str(each.severity),
        "numbers": json.dumps(dict(each.numbers), ensure_ascii=False, sort_keys=True),
        "evidence": json.dumps(list(each.evidence)),
        "found_at": now if old is None else old["found_at"],
        "seen_at": now,
        "holds": True,
        "state": str(state),
    }


def _note(key: str, state: State, text: str, now: datetime) -> dict[str, Any]:
    return {"key": key, "noted_at": now, "noted_by": HUB, "state": str(state), "text": text}
