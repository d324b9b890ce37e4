"""The dashboard: the province's lookup rate against the target, and one row per facility, as a plain page.

No script, no external resource: it must open on any office PC and print well.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, cast

import sqlalchemy as sa
from jinja2 import Environment, PackageLoader, StrictUndefined

from kiosk.events import VIETNAM
from province.facilities import last_heard
from province.periods import PeriodType
from province.rates import TARGET_PCT, Row, lookup_rate
from province.simulate.mark import simulated_range
from province.units import Level

_MONTHS_OFFERED: Final = 24
_ORIGINS: Final = {
    "his": "HIS",
    "portal_file": "tệp từ Cổng",
    "manual": "nhập tay",
    "stations": "đếm tại kiosk",
    "mixed": "nhiều nguồn",
}


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """One calendar month in UTC+7."""

    year: int
    month: int

    @classmethod
    def parse(cls, text: str) -> "Month":
        """From `YYYY-MM`, years 2000 to 2199. Raises ValueError for anything else."""
        day = datetime.strptime(text, "%Y-%m").replace(tzinfo=VIETNAM)
        if not 2000 <= day.year < 2200:
            raise ValueError("month out of range")
        return cls(day.year, day.month)

    @property
    def first(self) -> date:
        """Its first day."""
        return date(self.year, self.month, 1)

    @property
    def last(self) -> date:
        """Its last day."""
        return (self.first + timedelta(days=31)).replace(day=1) - timedelta(days=1)

    @property
    def before(self) -> "Month":
        """The month before."""
        day = self.first - timedelta(days=1)
        return Month(day.year, day.month)

    def __str__(self) -> str:
        """`YYYY-MM`."""
        return f"{self.year:04}-{self.month:02}"


def render(connection: sa.Connection, month: Month, now: datetime, *, only: str | None = None) -> str:
    """The page for one month as HTML; `now` is aware and decides which months are offered and how long ago is.

    `only`: the figures of the facility with this code, and nobody else's.
    """
    days = month.first, month.last
    provinces = [] if only else lookup_rate(connection, *days, Level.PROVINCE, PeriodType.TOTAL)
    facilities = lookup_rate(connection, *days, Level.FACILITY, PeriodType.TOTAL, only=only)
    heard = last_heard(connection)
    local = now.astimezone(VIETNAM)
    offered = [Month(local.year, local.month)]
    while len(offered) < _MONTHS_OFFERED:
        offered.append(offered[-1].before)
    return (
        _environment()
        .get_template("dashboard.html")
        .render(
            provinces=provinces,
            facilities=[_with_heard(row, heard, now) for row in facilities],
            month=month,
            simulated=simulated_range(connection),
            months=sorted({*offered, month}, reverse=True),
            target=TARGET_PCT,
            now=local,
        )
    )


def _with_heard(row: Row, heard: Mapping[str, datetime], now: datetime) -> Row:
    moment = heard.get(cast(str, row["unit_code"]))
    stale = moment is None or now - moment > timedelta(hours=24)
    return row | {"heard_at": moment.astimezone(VIETNAM) if moment else None, "heard_stale": stale}


def _number(value: int) -> str:
    return f"{value:,}".replace(",", ".")


def _percentage(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}".replace(".", ",") + "\u00a0%"


def _environment() -> Environment:
    environment = Environment(loader=PackageLoader("province"), autoescape=True, undefined=StrictUndefined)
    environment.filters |= {"number": _number, "percentage": _percentage, "origin": _ORIGINS.get}
    return environment
