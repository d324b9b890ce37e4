"""Tables about what came in: which numbers of an epoch there are, and what was refused."""

import sqlalchemy as sa

from province.tables import UtcDateTime, metadata

seq_range = sa.Table(
    "seq_range",
    metadata,
    sa.Column("facility", sa.String(64), primary_key=True),
    sa.Column("epoch", sa.String(64), primary_key=True),
    sa.Column("first", sa.BigInteger, primary_key=True),
    sa.Column("last", sa.BigInteger, nullable=False),
    sa.Column("station", sa.String(64), nullable=False),
    sa.Column("since", UtcDateTime, nullable=False),
)
"""Runs of numbers without a gap; `since`: when the first of a run came."""

quarantine = sa.Table(
    "quarantine",
    metadata,
    sa.Column("facility", sa.String(64), primary_key=True),
    sa.Column("station", sa.String(64), primary_key=True),
    sa.Column("event_id", sa.String(36), primary_key=True),
    sa.Column("reason", sa.String(64), primary_key=True),
    sa.Column("first_at", UtcDateTime, nullable=False),
    sa.Column("last_at", UtcDateTime, nullable=False),
    sa.Column("times", sa.Integer, nullable=False),
)
"""Events that were refused: of their content only the id (empty where there is no readable one) and why."""
