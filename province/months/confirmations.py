"""The head of a facility confirms its own month; what was confirmed is known by its digest."""

from dataclasses import dataclass
from datetime import UTC, date, datetime

import sqlalchemy as sa

from province.measures import Measures
from province.month_tables import month_confirmation
from province.months.rules import MonthRefused, refuse_not_over, refuse_unknown
from province.months.sums import canonical, digest, published, to_document
from province.periods import Period, month_end
from province.rollups import is_closed
from province.units import Level, units_of


@dataclass(frozen=True, slots=True)
class Confirmation:
    """The last confirmation of a facility. ``current``: whether its figures are still the ones that were confirmed."""

    facility: str
    confirmed_at: datetime
    confirmed_by: str
    current: bool


def confirm(connection: sa.Connection, code: str, month: date, name: str, now: datetime | None = None) -> None:
    """Keep that *name* confirms the facility's figures as they are now. Raises MonthRefused."""
    refuse_unknown(connection, code)
    refuse_not_over(month, now)
    if is_closed(connection, month):
        raise MonthRefused("month_closed")
    row = {"facility": code, "month": month, "confirmed_at": now or datetime.now(UTC), "confirmed_by": name}
    row |= {"sha256": _digest(published(connection, month, code).get(code))}
    connection.execute(sa.insert(month_confirmation).values(row))


def confirmations(connection: sa.Connection, month: date) -> dict[str, Confirmation]:
    """The last confirmation of each facility that has one, by its code."""
    sums = published(connection, month)
    query = sa.select(month_confirmation).where(month_confirmation.c.month == month)
    return {
        row.facility: Confirmation(
            row.facility, row.confirmed_at, row.confirmed_by, row.sha256 == _digest(sums.get(row.facility))
        )
        for row in connection.execute(query.order_by(month_confirmation.c.number))
    }


def unconfirmed(connection: sa.Connection, month: date) -> list[str]:
    """Codes of the facilities active in the month without a confirmation of their figures as they are now."""
    units = units_of(connection).of(Level.FACILITY, Period(month, month_end(month)))
    confirmed = {code for code, each in confirmations(connection, month).items() if each.current}
    return sorted(code for code, unit in units.items() if unit.active and code not in confirmed)


def _digest(sums: Measures | None) -> str:
    return digest(canonical(to_document(sums or Measures())))
