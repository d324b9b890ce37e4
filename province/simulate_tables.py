"""The table that says which days of this hub were simulated."""

import sqlalchemy as sa

from province.tables import UtcDateTime, metadata

simulated = sa.Table(
    "simulated",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("first", sa.Date, nullable=False),
    sa.Column("last", sa.Date, nullable=False),
    sa.Column("facilities", sa.Integer, nullable=False),
    sa.Column("seed", sa.BigInteger, nullable=False),
    sa.Column("sums_only", sa.Boolean, nullable=False),
    sa.Column("made_at", UtcDateTime, nullable=False),
)
