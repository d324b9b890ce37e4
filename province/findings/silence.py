"""What is not there: working days without a word from a facility, and stations that stopped speaking."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from kiosk.events import VIETNAM
from province.findings.finding import Finding, Kind, Severity
from province.findings.limits import Limits
from province.findings.working_days import working_days
from province.periods import Period
from province.rollup_table import Grain, rollup
from province.rules import Rules, read_rules
from province.tables import facility_day, station, station_key
from province.units import units_of

_USUAL_DAYS: Final = timedelta(days=35)
_NO_MACHINE: Final = "upload:%"


def silent_days(connection: sa.Connection, span: Period, limits: Limits) -> list[Finding]:
    """Runs of working days on which a facility that used to report sent no event at all; one finding per run.

    Only where so many visits were to be expected, by its working days of the weeks before, that none is no chance; not
    where figures come as files now and then; and only as long as the registry has the facility and no other has taken
    over its events. A day whose figures came later, by whatever way, is not silent.
    """
    known, rules = units_of(connection).registry.facilities, read_rules(connection)
    found = []
    for code, before, after in _breaks(connection, span):
        first, last = before + timedelta(days=1), after - timedelta(days=1)
        here = known.get(code)
        silent = [
            day
            for day in working_days(first, last)
            if here is not None and here.active(day, day) and not _taken_over(rules, code, day)
        ]
        if not silent or silent[-1] < span.start:
            continue
        told = _visits(connection, code, first, last)
        silent = [day for day in silent if not told.get(day)]
        usual = _usual_visits(connection, code, before)
        expected = int(usual * len(silent))
        if not silent or expected < limits.of("silent_expected_visits", code, silent[0]):
            continue
        numbers: dict[str, int | str] = {"days": len(silent), "expected": expected, "usual": round(usual)}
        severity = (
            Severity.ALARM if len(silent) >= limits.of("missing_working_days", code, silent[0]) else Severity.WARN
        )
        place = Kind.SILENT_DAYS, code, "", silent[0], silent[-1]
        found.append(Finding(*place, severity, silent[0].isoformat(), numbers))
    return found


def _taken_over(rules: Rules, code: str, day: date) -> bool:
    return rules.counts_for(code, day) != code


def _breaks(connection: sa.Connection, span: Period) -> Iterator[tuple[str, date, date]]:
    """Per facility the last reported day before and the first after a break that touches the span.

    After the last word: the day after the span's end. A facility that has never reported has no break.
    """
    reported = facility_day.c.reported, facility_day.c.day <= span.end
    earlier = (
        sa.select(facility_day.c.facility, sa.func.max(facility_day.c.day).label("day"))
        .where(*reported, facility_day.c.day < span.start)
        .group_by(facility_day.c.facility)
    )
    within = sa.select(facility_day.c.facility, facility_day.c.day).where(*reported, facility_day.c.day >= span.start)
    days = sa.union_all(earlier, within).subquery()
    following = sa.func.lead(days.c.day, type_=sa.Date()).over(partition_by=days.c.facility, order_by=days.c.day)
    both = sa.select(days.c.facility, days.c.day.label("before"), following.label("after")).subquery()
    end = span.end + timedelta(days=1)
    for row in connection.execute(sa.select(both).order_by(both.c.facility, both.c.before)):
        after = row.after or end
        if (after - row.before).days > 1:
            yield row.facility, row.before, after


def _usual_visits(connection: sa.Connection, code: str, before: date) -> float:
    """Visits of a working day in the weeks up to *before*, a reported day; 0 where most days had no event of theirs."""
    start = before - _USUAL_DAYS
    visits = _visits(connection, code, start, before)
    days = [day for day in working_days(start, before) if visits and day >= min(visits)]
    heard = facility_day.c.facility == code, facility_day.c.reported, facility_day.c.day.in_(days)
    reported = connection.scalar(sa.select(sa.func.count()).select_from(facility_day).where(*heard)) or 0
    return sum(visits.get(day, 0) for day in days) / len(days) if 2 * reported > len(days) else 0.0


def _visits(connection: sa.Connection, code: str, first: date, last: date) -> dict[date, int]:
    mine = rollup.c.facility == code, rollup.c.grain == Grain.DAY
    query = sa.select(rollup.c.start, rollup.c.visits).where(*mine, rollup.c.start.between(first, last))
    return {row.start: row.visits for row in connection.execute(query)}


def station_missing(connection: sa.Connection, now: datetime, limits: Limits) -> list[Finding]:
    """Stations with a valid key that have not been heard for some working days, while their facility reports.

    Where the whole facility is silent, that is the finding.
    """
    speaks = sa.and_(
        station_key.c.facility == station.c.facility,
        station_key.c.station == station.c.station,
        station_key.c.revoked_at.is_(None),
    )
    query = sa.select(station).where(sa.exists().where(speaks), station.c.station.not_like(_NO_MACHINE))
    today = now.astimezone(VIETNAM).date()
    heard: dict[str, list[Any]] = defaultdict(list)
    for row in connection.execute(query.order_by(station.c.facility, station.c.station)):
        heard[row.facility].append(row)
    found = []
    for code, rows in heard.items():
        newest = max(row.heard_at for row in rows)
        for row in rows:
            day = row.heard_at.astimezone(VIETNAM).date()
            missed = list(working_days(day + timedelta(days=1), today - timedelta(days=1)))
            if not missed or row.heard_at == newest or newest.astimezone(VIETNAM).date() < missed[-1]:
                continue
            if len(missed) < limits.of("missing_working_days", code, missed[0]):
                continue
            numbers: dict[str, int | str] = {"days": len(missed), "heard": f"{day:%d/%m/%Y}"}
            severity = Severity.ALARM if len(missed) >= 10 else Severity.WARN
            place = Kind.STATION_MISSING, code, row.station, missed[0], missed[-1]
            found.append(Finding(*place, severity, day.isoformat(), numbers))
    return found
