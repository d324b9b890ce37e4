"""The kiosk's own numbers: ``K-024``, or ``K-N024`` in the line of a service; unique in a facility and a day.

Several stations never give the same number because each has a share of its own (``first`` to ``last``), with or without
a connection between them. A number is taken in the transaction that gives it to a check-in, so there are no gaps.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final

import sqlalchemy as sa

from kiosk.tables import ticket_series

_BEYOND: Final = 1000


@dataclass(frozen=True, slots=True)
class NumberSeries:
    """This station's share ``first`` to ``last`` of each line, and the letters of the ``lines`` by service id."""

    first: int = 1
    last: int = 999
    lines: Mapping[str, str] = field(default_factory=dict)

    def line(self, service_id: str | None) -> str:
        """The letters of a service's line; empty where it has none of its own."""
        return self.lines.get(service_id or "", "")

    def number(self, line: str, given: int) -> str:
        """The number after *given* others of this station; beyond the share a thousand higher, and so on."""
        rounds, place = divmod(given, self.last - self.first + 1)
        return f"{start(line)}{self.first + place + _BEYOND * rounds:03d}"


def start(line: str) -> str:
    """What the numbers of a *line* begin with."""
    return f"K-{line}"


def next_number(connection: sa.Connection, day: date, series: NumberSeries, service_id: str | None = None) -> str:
    """The next number of *day* for a service, such as ``K-007``; never given twice."""
    line = series.line(service_id)
    prefix = start(line).rstrip("-")
    where = (ticket_series.c.day == str(day), ticket_series.c.prefix == prefix)
    given = connection.execute(sa.select(ticket_series.c.last).where(*where)).scalar()
    if given is None:
        given = 0
        connection.execute(ticket_series.insert().values(day=str(day), prefix=prefix, last=1))
    else:
        connection.execute(ticket_series.update().where(*where).values(last=given + 1))
    return series.number(line, given)
