"""The mark on simulated days, which pages, exports and reports show."""

from datetime import UTC, datetime

import sqlalchemy as sa

from province.periods import Period
from province.simulate_tables import simulated


def simulated_range(connection: sa.Connection) -> Period | None:
    """The first and last simulated day (UTC+7) of this hub, or None where every figure is real."""
    row = connection.execute(sa.select(sa.func.min(simulated.c.first), sa.func.max(simulated.c.last))).one()
    return None if row[0] is None else Period(row[0], row[1])


def mark(connection: sa.Connection, span: Period, *, facilities: int, seed: int, sums_only: bool) -> None:
    """Note that the days of the span are simulated, in the transaction that writes the first of them."""
    connection.execute(
        sa.insert(simulated).values(
            first=span.start,
            last=span.end,
            facilities=facilities,
            seed=seed,
            sums_only=sums_only,
            made_at=datetime.now(UTC),
        )
    )
