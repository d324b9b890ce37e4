"""Numbers that were used twice or never came, and clocks that are off (faults-threats-speed.md 3: F5, F14)."""

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa

from kiosk.events import VIETNAM
from province.findings.finding import MOST_EVIDENCE, Finding, Kind, Severity
from province.findings.limits import Limits
from province.findings.sql import evidence, lookups_of, month_of, share
from province.gaps import Epoch, Gap, epochs, gaps
from province.periods import Period
from province.tables import event
from province.tables import finding as reused

_NO_MACHINE: Final = "upload:"


def seq_reused(connection: sa.Connection, _now: datetime, _limits: Limits) -> list[Finding]:
    """Stations that used a number of an epoch for two events: one finding per epoch, over all days."""
    place = reused.c.facility, reused.c.station, reused.c.epoch
    query = sa.select(
        *place,
        sa.func.min(reused.c.found_at).label("first"),
        sa.func.max(reused.c.found_at).label("last"),
        sa.func.count().label("events"),
    ).group_by(*place)
    found = []
    for row in connection.execute(query.order_by(*place)).all():
        mine = reused.c.facility == row.facility, reused.c.station == row.station, reused.c.epoch == row.epoch
        pairs = sa.select(reused.c.event_id, reused.c.other_event_id).where(*mine).order_by(reused.c.number)
        ids = [each for pair in connection.execute(pairs.limit(MOST_EVIDENCE // 2)) for each in pair]
        first, last = (moment.astimezone(VIETNAM).date() for moment in (row.first, row.last))
        at = Kind.SEQ_REUSED, row.facility, row.station, first, last
        found.append(Finding(*at, Severity.WARN, row.epoch, {"events": row.events}, tuple(dict.fromkeys(ids))))
    return found


def seq_gap(connection: sa.Connection, now: datetime, limits: Limits) -> list[Finding]:
    """Stations of which numbers are missing for longer than what is only overtaken on its way: one finding per epoch.

    The evidence are the events on either side of the gaps.
    """
    of_epoch: dict[tuple[str, str, str], list[Gap]] = defaultdict(list)
    for gap in gaps(connection, now=now):
        hours = limits.of("gap_hours", gap.facility, gap.since.astimezone(VIETNAM).date())
        if gap.since <= now - timedelta(hours=hours):
            of_epoch[gap.facility, gap.station, gap.epoch].append(gap)
    found = []
    for (facility, station, epoch), missing in sorted(of_epoch.items()):
        first, last = missing[0].first, missing[-1].last
        number = sum(gap.last - gap.first + 1 for gap in missing)
        numbers: dict[str, int | str] = {"events": number, "first": first, "last": last}
        sides = [seq for gap in missing[:MOST_EVIDENCE] for seq in (gap.first - 1, gap.last + 1)]
        mine = event.c.facility == facility, event.c.epoch == epoch, event.c.seq.in_(sides)
        days = sorted(gap.since.astimezone(VIETNAM).date() for gap in missing)
        severity = Severity.ALARM if number >= limits.of("gap_alarm_events", facility, days[-1]) else Severity.WARN
        at = Kind.SEQ_GAP, facility, station, days[0], days[-1]
        found.append(Finding(*at, severity, epoch, numbers, evidence(connection, event.c.event_id, *mine)))
    return found


def new_epoch(connection: sa.Connection, _now: datetime, _limits: Limits) -> list[Finding]:
    """Stations that began a new database: what the old one had not sent is lost, or was thrown away.

    One finding per station and new epoch. Files that are handed in have an epoch each, and are no station.
    """
    of_station: dict[tuple[str, str], list[Epoch]] = defaultdict(list)
    for each in epochs(connection):
        if not each.station.startswith(_NO_MACHINE):
            of_station[each.facility, each.station].append(each)
    found = []
    for (facility, station), begun in sorted(of_station.items()):
        for number, each in enumerate(begun[1:], 2):
            day = each.since.astimezone(VIETNAM).date()
            mine = event.c.facility == facility, event.c.epoch == each.epoch, event.c.seq <= 1
            ids = evidence(connection, event.c.event_id, *mine)
            numbers: dict[str, int | str] = {"number": number}
            found.append(Finding(Kind.NEW_EPOCH, facility, station, day, day, Severity.NOTE, each.epoch, numbers, ids))
    return found


def clock_suspect(connection: sa.Connection, span: Period, limits: Limits) -> list[Finding]:
    """Stations of whose lookups in a month many came under a clock that was known to be off."""
    seen = lookups_of(connection, span)
    suspect = sa.func.sum(sa.case((seen.c.clock_suspect, 1), else_=0))
    query = (
        sa.select(
            seen.c.facility,
            seen.c.station,
            sa.func.min(seen.c.day).label("first"),
            sa.func.max(seen.c.day).label("last"),
            suspect.label("suspect"),
            sa.func.count().label("lookups"),
        )
        .group_by(seen.c.facility, seen.c.station)
        .having(suspect > 0, sa.func.count() >= limits.least("clock_suspect_least"))
    )
    found = []
    for row in connection.execute(query).all():
        limit = {name: limits.of(f"clock_suspect_{name}", row.facility, row.last) for name in ("pct", "least")}
        if row.lookups < limit["least"] or 100 * row.suspect < limit["pct"] * row.lookups:
            continue
        numbers: dict[str, int | str] = {"suspect": row.suspect, "lookups": row.lookups}
        numbers |= {"pct": share(row.suspect, row.lookups)}
        mine = seen.c.facility == row.facility, seen.c.station == row.station, seen.c.clock_suspect
        ids = evidence(connection, seen.c.event_id, *mine)
        at = Kind.CLOCK_SUSPECT, row.facility, row.station, row.first, row.last
        found.append(Finding(*at, Severity.WARN, month_of(span.start), numbers, ids))
    return found
