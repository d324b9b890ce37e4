"""One month as the page `/months/YYYY-MM` shows it: figures, confirmations, closing, what came later, objections."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

import sqlalchemy as sa

from kiosk.events import VIETNAM
from province.months.adjustments import Adjustment
from province.months.confirmations import Confirmation
from province.months.state import MonthState, month_state
from province.periods import PeriodType, month_end
from province.rates import Row, lookup_rate
from province.units import Level

MAIN_FIELDS: Final = (
    "visits",
    "visits_portal",
    "visits_looked_up",
    "desk_looked_up",
    "counted",
    "desk_lookups",
    "success",
    "desk_success",
    "visits_by_chip",
    "visits_by_document",
)
"""The sums (of `Measures`) whose adjustments have words of their own; the others are shown by name."""


class Standing(StrEnum):
    """How a facility stands by its figures of a month. CHANGED: they are no longer those that were confirmed."""

    CONFIRMED = "confirmed"
    CHANGED = "changed"
    MISSING = "missing"
    INACTIVE = "inactive"


@dataclass(frozen=True, slots=True)
class FacilityLine:
    """One facility in a month. ``row``: of the feed. ``confirmation``: its last one."""

    row: Row
    confirmation: Confirmation | None
    adjustments: Sequence[Adjustment]

    @property
    def code(self) -> str:
        """Of the facility."""
        return str(self.row["unit_code"])

    @property
    def standing(self) -> Standing:
        """Whether its figures are confirmed as they are."""
        if self.confirmation is not None:
            return Standing.CONFIRMED if self.confirmation.current else Standing.CHANGED
        return Standing.MISSING if self.row["facilities_active"] else Standing.INACTIVE


@dataclass(frozen=True, slots=True)
class MonthView:
    """Everything that the page shows.

    ``over``: whether the month has ended in UTC+7. ``provinces``: rows of the feed, none for somebody of one facility.
    ``facilities``: those to be confirmed first, then by code; without those that did not exist and told nothing.
    ``adjusted``: per facility what later data would change.
    """

    month: date
    over: bool
    state: MonthState
    provinces: Sequence[Row]
    facilities: Sequence[FacilityLine]
    adjusted: Mapping[str, Sequence[Adjustment]]

    @property
    def last(self) -> date:
        """Its last day."""
        return month_end(self.month)

    @property
    def next_day(self) -> date:
        """The first day after it; the calendar's last day has none after it."""
        return self.last if self.last == date.max else self.last + timedelta(days=1)

    @property
    def is_open(self) -> bool:
        """Whether it is not closed yet."""
        return self.state.closed_at is None

    def count(self, standing: Standing) -> int:
        """How many facilities stand so."""
        return sum(line.standing is standing for line in self.facilities)

    def line(self, code: str) -> FacilityLine | None:
        """The line of one facility."""
        return next((line for line in self.facilities if line.code == code), None)

    def names(self) -> dict[str, str]:
        """The name of each facility by its code."""
        return {line.code: str(line.row["unit_name"]) for line in self.facilities}


_ORDER: Final = (Standing.MISSING, Standing.CHANGED, Standing.CONFIRMED, Standing.INACTIVE)


def month_view(connection: sa.Connection, month: date, now: datetime, only: str | None = None) -> MonthView:
    """The month that begins on the day *month*, for all or for the facility *only*; *now* is an aware time."""
    last = month_end(month)
    state = month_state(connection, month, only)
    rows = lookup_rate(connection, month, last, Level.FACILITY, PeriodType.MONTH, only=only)
    provinces = [] if only else lookup_rate(connection, month, last, Level.PROVINCE, PeriodType.MONTH)
    adjusted: dict[str, list[Adjustment]] = defaultdict(list)
    for each in state.adjustments:
        adjusted[each.facility].append(each)
    given = {each.facility: each for each in state.confirmations}
    lines = [
        FacilityLine(row, given.get(str(row["unit_code"])), adjusted.get(str(row["unit_code"]), []))
        for row in rows
        if row["facilities_active"] or row["visits_bhyt"] or row["lookups_total"] or row["unit_code"] in given
    ]
    lines.sort(key=lambda line: (_ORDER.index(line.standing), line.code))
    return MonthView(month, last < now.astimezone(VIETNAM).date(), state, provinces, lines, dict(adjusted))
