"""Noting which sums of areas and provinces are behind; lines are only added, so that nobody waits for anybody."""

from collections.abc import Collection
from datetime import date

import sqlalchemy as sa

from province.rollup_table import Grain, rollup
from province.unit_table import stale_piece
from province.upsert import insert_rows


def mark_stale(connection: sa.Connection, *changed: tuple[Grain, Collection[date]]) -> None:
    """Note that rows of facilities changed: per grain the first days; in the transaction that changes them."""
    rows = [{"grain": str(grain), "start": start} for grain, starts in changed for start in sorted(starts)]
    insert_rows(connection, stale_piece, rows)


def mark_all_of(connection: sa.Connection, codes: Collection[str]) -> None:
    """Note that all rows of these facilities changed."""
    own = sa.and_(rollup.c.facility.in_(codes), rollup.c.grain.in_([str(Grain.DAY), str(Grain.MONTH), str(Grain.YEAR)]))
    found = sa.select(rollup.c.grain, rollup.c.start).where(own).distinct()
    connection.execute(sa.insert(stale_piece).from_select(["grain", "start"], found))
