"""The findings as people see them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import sqlalchemy as sa

from province.findings.finding import HUB, Kind, Severity, State
from province.findings.words import said_by_hub, words_of
from province.findings_tables import finding_note, found
from province.simulate.mark import simulated_range

MOST: Final = 2000
"""Most findings of one answer: beyond that nobody reads on, and the newest and worst come first."""


@dataclass(frozen=True, slots=True)
class Note:
    """What somebody (empty: the hub itself) said, and the state from then on."""

    noted_at: datetime
    noted_by: str
    state: State
    text: str


@dataclass(frozen=True, slots=True)
class Listed:
    """A finding with its words (``title``, ``words``; ``doubt``: how it can be honest, and what it cannot see).

    ``holds``: whether the last run over its days found it. ``simulated``: whether its days are.
    """

    key: str
    kind: Kind
    facility: str
    station: str
    first_day: date
    last_day: date
    severity: Severity
    state: State
    title: str
    words: str
    doubt: str
    numbers: Mapping[str, int | str]
    evidence: tuple[str, ...]
    found_at: datetime
    seen_at: datetime
    holds: bool
    simulated: bool
    notes: tuple[Note, ...]


def findings(
    connection: sa.Connection,
    *,
    facility: str | None = None,
    state: State | str | None = None,
    first: date | None = None,
    last: date | None = None,
    key: str | None = None,
    language: str = "vi",
) -> list[Listed]:
    """At most MOST findings that touch the days *first* to *last*: open ones first, then the worst, then the newest.

    *language*: `vi` or `en`, of the words.
    """
    query = sa.select(found)
    for wanted, column in ((facility, found.c.facility), (state, found.c.state), (key, found.c.key)):
        if wanted is not None:
            query = query.where(column == str(wanted))
    if first is not None:
        query = query.where(found.c.last_day >= first)
    if last is not None:
        query = query.where(found.c.first_day <= last)
    ranks = sa.case({str(each): each.rank for each in Severity}, value=found.c.severity)
    closed = sa.case((found.c.state == State.OPEN, 0), else_=1)
    query = query.order_by(closed, ranks.desc(), found.c.last_day.desc(), found.c.key).limit(MOST)
    rows = connection.execute(query).all()
    notes = _notes(connection, [row.key for row in rows], language)
    made_up = simulated_range(connection)
    return [
        _listed(row, notes.get(row.key, []), language, simulated=made_up is not None and _meets(row, made_up))
        for row in rows
    ]


def _meets(row: Any, made_up: Any) -> bool:
    return bool(row.first_day <= made_up.end and made_up.start <= row.last_day)


def _notes(connection: sa.Connection, keys: list[str], language: str) -> dict[str, list[Note]]:
    found_notes: dict[str, list[Note]] = {}
    query = sa.select(finding_note).where(finding_note.c.key.in_(keys)).order_by(finding_note.c.number)
    for row in connection.execute(query):
        text = said_by_hub(row.text, language) if row.noted_by == HUB else row.text
        found_notes.setdefault(row.key, []).append(Note(row.noted_at, row.noted_by, State(row.state), text))
    return found_notes


def _listed(row: Any, notes: list[Note], language: str, *, simulated: bool) -> Listed:
    numbers = json.loads(row.numbers)
    title, words, doubt = words_of(Kind(row.kind), numbers, language)
    return Listed(
        key=row.key,
        kind=Kind(row.kind),
        facility=row.facility,
        station=row.station,
        first_day=row.first_day,
        last_day=row.last_day,
        severity=Severity(row.severity),
        state=State(row.state),
        title=title,
        words=words,
        doubt=doubt,
        numbers=numbers,
        evidence=tuple(json.loads(row.evidence)),
        found_at=row.found_at,
        seen_at=row.seen_at,
        holds=bool(row.holds),
        simulated=simulated,
        notes=tuple(notes),
    )
