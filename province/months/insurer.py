"""What the insurer itself counted in a month, per facility: the other side of a parallel run."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

import sqlalchemy as sa

from province.month_tables import insurer_month
from province.months.rules import MonthRefused, refuse_not_over
from province.tables import facility

MOST: Final = 10_000_000


@dataclass(frozen=True, slots=True)
class InsurerFigure:
    """The insurer's figures of one facility in one month. ``visits``: insured visits; ``lookups``: counted lookups."""

    visits: int
    lookups: int


def enter(connection: sa.Connection, month: date, figures: Mapping[str, InsurerFigure], name: str) -> int:
    """Keep the insurer's figures by facility code; the answer says how many were new or different.

    All or none are kept; later ones stand before earlier ones, which stay in the table. Raises MonthRefused
    `month_not_over`, `unknown_facility` (its detail names the codes) or `bad_figure`.
    """
    refuse_not_over(month)
    unknown = set(figures) - set(connection.scalars(sa.select(facility.c.code)))
    if unknown:
        raise MonthRefused("unknown_facility", ", ".join(sorted(unknown)))
    wrong = [code for code, each in figures.items() if not all(0 <= n <= MOST for n in (each.visits, each.lookups))]
    if wrong:
        raise MonthRefused("bad_figure", ", ".join(sorted(wrong)))
    known = entered(connection, month)
    stamp = {"month": month, "entered_at": datetime.now(UTC), "entered_by": name}
    rows = [
        {"facility": code, "visits": each.visits, "lookups": each.lookups} | stamp
        for code, each in sorted(figures.items())
        if known.get(code) != each
    ]
    if rows:
        connection.execute(sa.insert(insurer_month), rows)
    return len(rows)


def entered(connection: sa.Connection, month: date) -> dict[str, InsurerFigure]:
    """The insurer's last figures of a month by facility code."""
    query = sa.select(insurer_month).where(insurer_month.c.month == month).order_by(insurer_month.c.number)
    return {row.facility: InsurerFigure(row.visits, row.lookups) for row in connection.execute(query)}
