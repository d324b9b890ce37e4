"""Published figures once more from the raw events alone: slow, plain, and without any of the code that keeps the sums.

Definitions: interfaces.md 6. Of the hub's own tables only the ledger (`event`) is read for it; what is shared with the
rest is the contract's words (`kiosk.events`) and the shape of the result. Heartbeats are not kept for ever, so that
nothing is said about which days reported.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from kiosk.events import (
    CHIP_VERDICTS,
    DOCUMENT_METHODS,
    OWN_FAULT_CLASSES,
    SUCCESS_CLASSES,
    VIETNAM,
    KeyKind,
    Kind,
    Lane,
    Method,
    NotByChip,
    Origin,
    parse_happened_at,
    result_kpi_class,
)
from province.measures import Measures, differences
from province.periods import Period, month_end
from province.rollup_table import closed_month
from province.sums import By, sums
from province.tables import event

_FAILURES: Final = {
    "failed_not_found": "fail_not_found",
    "failed_mismatch": "fail_mismatch",
    "failed_technical": "fail_technical",
    "failed_other": "fail_other",
    "found_not_eligible": "not_eligible",
}
_CLASS_WORDS: Final = {
    **{"2": "EMERGENCY", "8": "RECOVERY"},
    **{word: word for word in ("CHILD", "EMERGENCY", "ARMED_FORCES", "RECOVERY")},
}
_TRUST: Final = [str(origin) for origin in Origin]


@dataclass(frozen=True, slots=True)
class Event:
    """One event of the ledger: its decoded payload, its id, and its time (aware)."""

    raw: dict[str, Any]
    event_id: str
    at: datetime

    @property
    def day(self) -> date:
        """The day in UTC+7."""
        return self.at.astimezone(VIETNAM).date()

    @property
    def kpi_class(self) -> str:
        """The class of a lookup's result; no code counts as a technical failure."""
        return result_kpi_class(self.raw["result_code"]) if self.raw.get("result_code") else "failed_technical"

    @property
    def counted(self) -> bool:
        """Whether a lookup counts: it reached the gateway by a personal number, and no fault was our own."""
        personal = self.raw.get("key_kind") == KeyKind.PERSONAL_12
        return bool(self.raw["reached_gateway"]) and personal and self.kpi_class not in OWN_FAULT_CLASSES

    @property
    def success(self) -> bool:
        """Whether a lookup counts and found a card."""
        return self.counted and self.kpi_class in SUCCESS_CLASSES


@dataclass(frozen=True, slots=True)
class Difference:
    """A facility whose kept sums are not what its events say. ``by``: events less kept, by field of `Measures`."""

    facility: str
    by: dict[str, int]


def compare(connection: sa.Connection, span: Period, only: str | None = None) -> list[Difference]:
    """Facilities whose kept sums of the span differ from their raw events; all facilities, or one.

    The months of the span that are closed are compared as published: with the events that had come before the closing.
    """
    kept = sums(connection, [span], By.FACILITY, only)[0]
    codes = set(connection.scalars(sa.select(event.c.facility).distinct())) | set(kept)
    found = []
    for code in sorted(codes if only is None else {only}):
        by = differences(kept.get(code, Measures()), recompute(connection, code, span))
        if by:
            found.append(Difference(code, by))
    return found


def recompute(connection: sa.Connection, facility: str, span: Period) -> Measures:
    """The sums of one facility in the span, as they are to be published."""
    closed = {row.month: row.closed_at for row in connection.execute(sa.select(closed_month))}
    total = Measures()
    for piece, before in _pieces(span, closed):
        total.add(measure(_events(connection, facility, before), piece))
    return total


def measure(events: Iterable[Event], span: Period) -> Measures:
    """The sums of one facility's events (all it has sent, of whatever day) in the days of the span."""
    lookups: dict[str, list[Event]] = defaultdict(list)
    visits: dict[str, list[Event]] = defaultdict(list)
    counts: dict[date, list[Event]] = defaultdict(list)
    desks: dict[date, list[Event]] = defaultdict(list)
    for each in events:
        if each.raw["kind"] == Kind.LOOKUP:
            lookups[each.raw["checkin_id"]].append(each)
        elif each.raw["kind"] == Kind.VISIT:
            visits[each.raw["checkin_id"]].append(each)
        elif each.raw["kind"] == Kind.VISIT_COUNT:
            counts[date.fromisoformat(each.raw["date"])].append(each)
        elif each.raw["kind"] == Kind.DESK_LOOKUPS:
            desks[date.fromisoformat(each.raw["date"])].append(each)
    total = Measures()
    _count_lookups(total, [each for own in lookups.values() for each in own if span.start <= each.day <= span.end])
    seen: dict[date, list[tuple[str, dict[str, Any]]]] = defaultdict(list)
    for checkin_id, own in visits.items():
        day, content = _one_visit(own)
        if content["bhyt"]:
            seen[day].append((checkin_id, content))
    for number in range((span.end - span.start).days + 1):
        day = span.start + timedelta(days=number)
        total.add(_one_day(seen[day], lookups, _best(counts[day]), _best(desks[day]), _portal(counts[day])))
    return total


def _count_lookups(total: Measures, lookups: list[Event]) -> None:
    for each in lookups:
        if not each.raw["reached_gateway"]:
            total.not_sent += 1
        elif each.raw.get("key_kind") != KeyKind.PERSONAL_12:
            total.other_key += 1
        elif not each.counted:
            total.not_counted += 1
        else:
            total.counted += 1
            total.success += each.success
            total.by_method[each.raw.get("method") or "UNKNOWN"] += 1
            if name := _FAILURES.get(each.kpi_class):
                setattr(total, name, getattr(total, name) + 1)
    # A person's digest is of one day, and a day of another is another digest's: the pair is what is counted.
    total.persons = len({(each.day, each.raw["person_day"]) for each in lookups if each.counted and _named(each)})


def _named(lookup: Event) -> bool:
    return lookup.raw.get("person_day") is not None


def _one_visit(events: list[Event]) -> tuple[date, dict[str, Any]]:
    """The day and the content of a check-in: per epoch the first day and the last content; of epochs the first."""
    per_epoch: dict[str, list[Event]] = defaultdict(list)
    for each in sorted(events, key=lambda one: (one.raw["seq"], one.event_id)):
        per_epoch[each.raw["epoch"]].append(each)
    day, epoch = min((own[0].day, epoch) for epoch, own in per_epoch.items())
    return day, per_epoch[epoch][-1].raw


def _one_day(
    seen: list[tuple[str, dict[str, Any]]],
    lookups: dict[str, list[Event]],
    count: Event | None,
    desk: Event | None,
    portal: Event | None,
) -> Measures:
    total = Measures(visits=count.raw["bhyt_visits"] if count else len(seen))
    for checkin_id, content in seen:
        _count_visit(total, content, lookups.get(checkin_id, []))
    if count:
        told: dict[str, int] = defaultdict(int)
        for word, number in (count.raw.get("by_class") or {}).items():
            if name := _CLASS_WORDS.get(word):
                told[f"{name}.visits"] += number
        total.classes.update({name: number - total.classes[name] for name, number in told.items()})
    if desk:
        total.desk_lookups, total.desk_looked_up = desk.raw["lookups"], desk.raw["visits_looked_up"]
        total.desk_success = desk.raw["visits_success"]
        total.not_by_chip["AT_DESK_LOOKED_UP"] += total.desk_looked_up
    total.not_by_chip["AT_DESK_NOT_LOOKED_UP"] += max(0, total.visits - len(seen) - total.desk_looked_up)
    if portal:
        total.visits_portal, total.visits_beside_portal = portal.raw["bhyt_visits"], total.visits
    return total


def _count_visit(total: Measures, content: dict[str, Any], lookups: list[Event]) -> None:
    found = sorted((each for each in lookups if each.success), key=lambda each: (each.at, each.event_id))
    by_chip = [each for each in found if each.raw.get("method") == Method.CHIP_CCCD]
    parts = {
        "looked_up": any(each.counted for each in lookups),
        "by_document": any(each.raw.get("method") in DOCUMENT_METHODS for each in found),
        "by_chip": bool(by_chip) and found[0] is by_chip[0] and found[0].raw.get("chip_verdict") in CHIP_VERDICTS,
    }
    total.visits_looked_up += parts["looked_up"]
    total.visits_by_document += parts["by_document"]
    total.visits_by_chip += parts["by_chip"]
    if not by_chip:
        total.not_by_chip[content.get("not_by_chip") or "UNEXPLAINED"] += 1
    emergency = content.get("lane") == Lane.EMERGENCY or content.get("not_by_chip") == NotByChip.EMERGENCY
    name = "EMERGENCY" if emergency else "CHILD" if content.get("not_by_chip") == NotByChip.CHILD else None
    if name:
        total.classes[f"{name}.visits"] += 1
        total.classes.update({f"{name}.{part}": int(value) for part, value in parts.items()})


def _best(events: list[Event]) -> Event | None:
    """The figure that stands: the most trusted origin, its highest revision, then the latest."""
    known = [each for each in events if each.raw["origin"] in _TRUST]
    latest = sorted(known, key=lambda each: (each.at, each.event_id), reverse=True)
    return min(latest, key=lambda each: (_TRUST.index(each.raw["origin"]), -each.raw["revision"]), default=None)


def _portal(events: list[Event]) -> Event | None:
    return _best([each for each in events if each.raw["origin"] == Origin.PORTAL_FILE])


def _pieces(span: Period, closed: dict[date, datetime]) -> Iterator[tuple[Period, datetime | None]]:
    """The whole closed months of the span, each with its closing, and the days between them."""
    open_from: date | None = None
    day = span.start
    while day <= span.end:
        last = month_end(day)
        if day.day == 1 and last <= span.end and day in closed:
            if open_from is not None:
                yield Period(open_from, day - timedelta(days=1)), None
                open_from = None
            yield Period(day, last), closed[day]
        elif open_from is None:
            open_from = day
        day = last + timedelta(days=1)
    if open_from is not None:
        yield Period(open_from, span.end), None


def _events(connection: sa.Connection, facility: str, before: datetime | None) -> Iterator[Event]:
    query = sa.select(event.c.payload, event.c.event_id).where(
        event.c.facility == facility, event.c.in_rates, event.c.kind != Kind.HEARTBEAT
    )
    if before is not None:
        query = query.where(event.c.received_at < before)
    for row in connection.execute(query):
        raw = json.loads(row.payload)
        at = parse_happened_at(raw["happened_at"])
        if at is not None:
            yield Event(raw, row.event_id, at)
