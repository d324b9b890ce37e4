"""A run of all rules: by hand over some months, or every hour by one hub process at a time."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Final

import sqlalchemy as sa

from kiosk.events import VIETNAM
from province.findings.chips import bare_chips, issuer_alone, typed_to_chip, verdict_mix
from province.findings.counts import origin_changed, visits_below_portal, visits_below_served, visits_shrunk
from province.findings.finding import Finding, Kind
from province.findings.keeping import Kept, keep
from province.findings.limits import Limits, read_limits
from province.findings.persons import person_missing, same_person
from province.findings.sequence import clock_suspect, new_epoch, seq_gap, seq_reused
from province.findings.silence import silent_days, station_missing
from province.findings.times import outside_hours, too_fast
from province.findings_tables import finding_run
from province.periods import Period, PeriodType, periods
from province.store import Store

Rule = Callable[[sa.Connection, Period, Limits], list[Finding]]
StateRule = Callable[[sa.Connection, datetime, Limits], list[Finding]]

OF_MONTHS: Final[tuple[Rule, ...]] = (
    *(same_person, person_missing, outside_hours, too_fast),
    *(bare_chips, issuer_alone, verdict_mix, typed_to_chip, clock_suspect),
    *(visits_shrunk, visits_below_served, visits_below_portal, origin_changed),
)
"""Rules that look at one month at a time, up to yesterday."""

OF_SPANS: Final[tuple[Rule, ...]] = (silent_days,)
"""Rules whose findings run over the ends of months."""

OF_NOW: Final[tuple[StateRule, ...]] = (station_missing, seq_reused, seq_gap, new_epoch)
"""Rules about how things stand, whatever days are asked for."""

STANDING: Final = (Kind.STATION_MISSING, Kind.SEQ_REUSED, Kind.SEQ_GAP, Kind.NEW_EPOCH)
"""What OF_NOW finds."""

EVERY: Final = timedelta(hours=1)
_FIRST_WAIT: Final = timedelta(minutes=2)
_LEASE: Final = timedelta(minutes=20)
_RUN: Final = "findings"
_DAY: Final = timedelta(days=1)


def find(connection: sa.Connection, first: date, now: datetime) -> list[Finding]:
    """What all rules find from the month of the day *first* to the day before *now* (UTC+7)."""
    limits = read_limits(connection)
    found = [each for state_rule in OF_NOW for each in state_rule(connection, now, limits)]
    start, yesterday = first.replace(day=1), now.astimezone(VIETNAM).date() - _DAY
    if start > yesterday:
        return found
    for month in periods(start, yesterday, PeriodType.MONTH):
        found += [each for rule in OF_MONTHS for each in rule(connection, month, limits)]
    return found + [each for rule in OF_SPANS for each in rule(connection, Period(start, yesterday), limits)]


def run(store: Store, first: date, now: datetime) -> Kept:
    """Look for findings from the month of the day *first* on, and keep them.

    Raises ValueError for a day more than ten years ago, and SQLAlchemy's errors.
    """
    with store.read() as connection:
        found = find(connection, first, now)
    with store.write() as connection:
        return keep(connection, found, first.replace(day=1), STANDING, now)


def refresh_findings(store: Store, now: datetime) -> Kept | None:
    """Run over this month and the last one when a run is due: every hour; None when it is not.

    Of several processes on one database the first to ask runs; if it dies, another may after twenty minutes. The first
    run is due some minutes after the first question. Raises SQLAlchemy's errors.
    """
    if not _take_turn(store, now):
        return None
    today = now.astimezone(VIETNAM).date()
    kept = run(store, today.replace(day=1) - _DAY, now)
    with store.write() as connection:
        done = {"due_at": now + EVERY, "finished_at": datetime.now(UTC)}
        connection.execute(sa.update(finding_run).where(finding_run.c.name == _RUN).values(done))
    return kept


def _take_turn(store: Store, now: datetime) -> bool:
    due = sa.select(finding_run.c.due_at).where(finding_run.c.name == _RUN)
    with store.read() as connection:
        at = connection.scalar(due)
    if at is not None and at > now:
        return False
    with store.write() as connection:
        store.lock_facility(connection, _RUN)
        at = connection.scalar(due)
        if at is None:
            connection.execute(sa.insert(finding_run).values(name=_RUN, due_at=now + _FIRST_WAIT))
        if at is None or at > now:
            return False
        connection.execute(sa.update(finding_run).where(finding_run.c.name == _RUN).values(due_at=now + _LEASE))
    return True
