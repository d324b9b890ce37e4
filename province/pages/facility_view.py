"""What the page `/facility/{code}` shows: one facility's rates, stations, months, and what to do now."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

import sqlalchemy as sa

from province.facilities import Facility, Version
from province.findings.finding import State
from province.findings.listing import Listed, findings
from province.fleet import Reason, StationHealth, fleet
from province.fleet import State as StationState
from province.gaps import gaps
from province.pages.cause_lines import CauseLine, cause_lines
from province.pages.facility_months import MonthLine, last_months
from province.pages.month_choice import Month, offered_months, today_in_vietnam
from province.pages.readings import Reading, read, series
from province.pages.texts import Language
from province.periods import PeriodType
from province.quarantine import quarantined
from province.units import Level, units_of

_TREND_MONTHS: Final = 12
_TREND_DAYS: Final = 30


class UnknownFacility(Exception):
    """No facility of this code is in the registry."""


@dataclass(frozen=True, slots=True)
class Step:
    """What the facility should do first. ``key``: of the text `facility.step.<key>`; ``values``: for it, as they are
    in figures (numbers, percentages, days, times, months), which the page writes in the reader's language.
    """

    key: str
    station: str = ""
    reason: Reason | None = None
    number: int = 0
    moment: datetime | None = None
    month: Month | None = None
    visits: int = 0
    target: float | None = None


@dataclass(frozen=True, slots=True)
class FacilityView:
    """All of it. ``version``: name and place in the month. ``figures``: of the month, as ``today`` and ``week`` (the
    seven days before today) are of theirs, None for a month that is over. ``findings``: those of the month, and all
    that are open. ``missing``: numbered events that never came; ``refused``: events that cannot be counted.
    """

    facility: Facility
    version: Version
    active: bool
    month: Month
    months: Sequence[Month]
    until: date
    figures: Reading
    today: Reading | None
    week: Reading | None
    by_month: Sequence[Reading]
    by_day: Sequence[Reading]
    causes: Sequence[CauseLine]
    findings: Sequence[Listed]
    stations: Sequence[StationHealth]
    missing: int
    refused: int
    closing: Sequence[MonthLine]
    step: Step


def facility_view(
    connection: sa.Connection, code: str, month: Month, now: datetime, language: Language
) -> FacilityView:
    """The page of the facility *code* for a month at an aware time, words in *language*. Raises UnknownFacility."""
    facility = units_of(connection).registry.facilities.get(code)
    if facility is None:
        raise UnknownFacility
    today = today_in_vietnam(now)
    until = min(month.last, today)
    current = month == Month.of(today)
    figures = _figures(connection, code, month.first, month.last)
    stations = fleet(connection, now, only=code)
    closing = last_months(connection, code, now)
    unsettled = findings(connection, facility=code, state=State.OPEN, language=language)
    told = findings(connection, facility=code, first=month.first, last=month.last, language=language)
    return FacilityView(
        facility=facility,
        version=facility.version_at(month.first, month.last),
        active=facility.active(month.first, month.last),
        month=month,
        months=offered_months(month, today),
        until=until,
        figures=figures,
        today=_figures(connection, code, today, today) if current else None,
        week=_figures(connection, code, today - timedelta(days=7), today - timedelta(days=1)) if current else None,
        by_month=series(connection, month.back(_TREND_MONTHS - 1).first, month.last, PeriodType.MONTH, code),
        by_day=series(connection, until - timedelta(days=_TREND_DAYS - 1), until, PeriodType.DAY, code),
        causes=cause_lines(connection, month.first, month.last, language, code),
        findings=unsettled + [each for each in told if each.state is not State.OPEN],
        stations=stations,
        missing=sum(gap.last - gap.first + 1 for gap in gaps(connection, code, now=now)),
        refused=len(quarantined(connection, code)),
        closing=closing,
        step=next_step(figures, stations, len(unsettled), closing),
    )


def next_step(
    figures: Reading, stations: Sequence[StationHealth], unexplained: int, closing: Sequence[MonthLine]
) -> Step:
    """The first thing to do: figures that come in at all, then findings to explain (so many are open), then the month
    to confirm, then the target.
    """
    for each in stations:
        if each.state is StationState.ALARM:
            silent = each.reasons[0] is Reason.SILENT
            key = "silent_station" if silent else "station"
            return Step(key, station=each.station, reason=each.reasons[0], moment=each.last_seen if silent else None)
    if not figures.reporting:
        return Step("no_data" if stations else "never_station")
    if unexplained:
        return Step("explain", number=unexplained)
    for line in reversed(closing):
        if line.waits:
            return Step("changed" if line.confirmation else "confirm", month=line.month)
    if figures.met is False and figures.target is not None:
        needed = math.ceil(figures.target * figures.r1.denominator / 100 - 1e-9) - figures.r1.numerator
        return Step("below", visits=max(needed, 1), target=figures.target)
    return Step("good")


def _figures(connection: sa.Connection, code: str, first: date, last: date) -> Reading:
    (found,) = read(connection, first, last, Level.FACILITY, PeriodType.TOTAL, code)
    return found
