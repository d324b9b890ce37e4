"""What a report says: figures, trend, facilities, causes and completeness of a month or an ISO week."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

import sqlalchemy as sa

from province.causes import UnitCauses, causes
from province.months.closing import snapshot
from province.pages.month_choice import Month
from province.pages.readings import Reading, read, series, together
from province.periods import Period, PeriodType
from province.simulate.mark import simulated_range
from province.units import Level

_TREND_MONTHS = 12
_TREND_WEEKS = 12


class Kind(StrEnum):
    """How long a report looks back."""

    MONTHLY = "monthly"
    WEEKLY = "weekly"


class BadPeriod(ValueError):
    """A month that is not `YYYY-MM`, or a week that is not `YYYY-Www`."""


@dataclass(frozen=True, slots=True)
class Report:
    """One report. ``whole``: all units together, None where the registry has none; ``before``: the period before.

    ``facilities``: by code. ``silent``: those of them that are active and told nothing. ``sha256``: of the signed
    document of a closed month. ``simulated``: whether a day of it is. ``span``: as far as it has come.
    """

    kind: Kind
    name: str
    span: Period
    made_at: datetime
    provinces: Sequence[str]
    whole: Reading | None
    before: Reading | None
    trend: Sequence[Reading]
    days: Sequence[Reading]
    facilities: Sequence[Reading]
    causes: UnitCauses | None
    closed_at: datetime | None
    sha256: str | None
    simulated: bool

    @property
    def silent(self) -> list[Reading]:
        """Facilities without any figure."""
        return [each for each in self.facilities if each.active and not each.reporting]

    @property
    def below(self) -> list[Reading]:
        """Facilities below their target, the lowest rate first."""
        missed = [each for each in self.facilities if each.met is False]
        return sorted(missed, key=lambda each: (each.r1.pct or 0.0, each.code))


def monthly(connection: sa.Connection, month: str, now: datetime) -> Report:
    """The report of a month `YYYY-MM`, as far as it has come at *now* (aware). Raises BadPeriod."""
    try:
        asked = Month.parse(month)
    except ValueError:
        raise BadPeriod(month) from None
    trend = asked.back(_TREND_MONTHS - 1).first, asked.last
    span = Period(asked.first, asked.last)
    return _report(connection, Kind.MONTHLY, str(asked), span, asked.back(1).first, trend, PeriodType.MONTH, now)


def weekly(connection: sa.Connection, week: str, now: datetime) -> Report:
    """The report of an ISO week `YYYY-Www`, as far as it has come at *now* (aware). Raises BadPeriod."""
    monday = parse_week(week)
    trend = monday - timedelta(weeks=_TREND_WEEKS - 1), monday + timedelta(days=6)
    span = Period(monday, monday + timedelta(days=6))
    return _report(connection, Kind.WEEKLY, week, span, monday - timedelta(days=7), trend, PeriodType.WEEK, now)


def parse_week(text: str) -> date:
    """The Monday of an ISO week `YYYY-Www` of the years 2000 to 2199. Raises BadPeriod."""
    year, _, number = text.partition("-W")
    if len(year) != 4 or len(number) != 2 or not (year + number).isascii() or not (year + number).isdigit():
        raise BadPeriod(text)
    try:
        monday = date.fromisocalendar(int(year), int(number), 1)
    except ValueError:
        raise BadPeriod(text) from None
    if not 2000 <= monday.year < 2200:
        raise BadPeriod(text)
    return monday


def _report(
    connection: sa.Connection,
    kind: Kind,
    name: str,
    span: Period,
    before: date,
    trend: tuple[date, date],
    cut: PeriodType,
    now: datetime,
) -> Report:
    provinces = read(connection, span.start, span.end, Level.PROVINCE, PeriodType.TOTAL)
    earlier = series(connection, before, span.start - timedelta(days=1), PeriodType.TOTAL)
    missed = causes(connection, span.start, span.end, Level.PROVINCE)
    closed = snapshot(connection, span.start) if kind is Kind.MONTHLY else None
    made_up = simulated_range(connection)
    return Report(
        kind=kind,
        name=name,
        span=span,
        made_at=now,
        provinces=[each.name for each in provinces],
        whole=together(provinces) if provinces else None,
        before=earlier[0] if earlier else None,
        trend=series(connection, *trend, cut),
        days=series(connection, span.start, span.end, PeriodType.DAY),
        facilities=read(connection, span.start, span.end, Level.FACILITY, PeriodType.TOTAL),
        causes=_together(missed) if missed else None,
        closed_at=closed.closed_at if closed else None,
        sha256=closed.sha256 if closed else None,
        simulated=made_up is not None and made_up.start <= span.end and span.start <= made_up.end,
    )


def _together(found: Sequence[UnitCauses]) -> UnitCauses:
    return found[0] if len(found) == 1 else UnitCauses.together(found)
