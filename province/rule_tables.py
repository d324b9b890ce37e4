"""The tables of rules by date (see `province.rules`)."""

import sqlalchemy as sa

from province.tables import metadata

_CODE = sa.String(64)

target = sa.Table(
    "target",
    metadata,
    sa.Column("unit", _CODE, primary_key=True),
    sa.Column("valid_from", sa.Date, primary_key=True),
    sa.Column("pct_hundredths", sa.Integer, nullable=False),
)

exclusion = sa.Table(
    "exclusion",
    metadata,
    sa.Column("name", _CODE, primary_key=True),
    sa.Column("valid_from", sa.Date, primary_key=True),
    sa.Column("valid_to", sa.Date),
    sa.Column("reason", sa.Text, nullable=False),
)

opening_balance = sa.Table(
    "opening_balance",
    metadata,
    sa.Column("facility", _CODE, sa.ForeignKey("facility.code"), primary_key=True),
    sa.Column("first", sa.Date, nullable=False),
    sa.Column("last", sa.Date, nullable=False),
    sa.Column("visits", sa.Integer, nullable=False),
    sa.Column("visits_looked_up", sa.Integer, nullable=False),
    sa.Column("lookups", sa.Integer, nullable=False),
    sa.Column("success", sa.Integer, nullable=False),
)

succession = sa.Table(
    "succession",
    metadata,
    sa.Column("old", _CODE, sa.ForeignKey("facility.code"), primary_key=True),
    sa.Column("new", _CODE, sa.ForeignKey("facility.code"), nullable=False),
    sa.Column("day", sa.Date, nullable=False),
    sa.Column("kind", _CODE, nullable=False),
)
