"""The sums of areas and provinces for a day, month or year, kept beside those of facilities (`rollup_table`).

A row of `unit_rollup` is good only while its piece of time is not in `stale_piece`: whoever changes a facility's row
adds a line there, in the same transaction and without waiting for anybody, and `unit_sums` makes the row again.
`reported_bits` and `looked_up_bits` say which facilities did, one bit each: `facility_bit` says whose it is.
"""

import sqlalchemy as sa

from province.rollup_table import ADDED, LARGEST
from province.tables import metadata

unit_rollup = sa.Table(
    "unit_rollup",
    metadata,
    sa.Column("level", sa.String(8), primary_key=True),
    sa.Column("grain", sa.String(8), primary_key=True),
    sa.Column("start", sa.Date, primary_key=True),
    sa.Column("unit", sa.String(64), primary_key=True),
    *(sa.Column(name, sa.Integer, nullable=False) for name in (*ADDED, *LARGEST)),
    sa.Column("rest", sa.Text),
    sa.Column("reported_bits", sa.LargeBinary, nullable=False),
    sa.Column("looked_up_bits", sa.LargeBinary, nullable=False),
)

stale_piece = sa.Table(
    "stale_piece",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("grain", sa.String(8), nullable=False),
    sa.Column("start", sa.Date, nullable=False),
)

facility_bit = sa.Table(
    "facility_bit",
    metadata,
    sa.Column("facility", sa.String(64), primary_key=True),
    sa.Column("bit", sa.Integer, nullable=False),
)
