"""Runs of the numbers of events, and events that were refused."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

# Consecutive numbers have the same difference to their place in the order: each difference is one run.
_FILL = """
    INSERT INTO seq_range (facility, epoch, first, last, station, since)
    SELECT facility, epoch, min(seq), max(seq), min(station), min(received_at)
    FROM (
        SELECT facility, epoch, station, seq, received_at,
               seq - dense_rank() OVER (PARTITION BY facility, epoch ORDER BY seq) AS run
        FROM event WHERE seq IS NOT NULL AND epoch IS NOT NULL
    ) AS numbered
    GROUP BY facility, epoch, run
"""


def upgrade() -> None:
    """Make both tables; the runs are those of the events that are there."""
    time = sa.DateTime(timezone=True)
    op.create_table(
        "seq_range",
        sa.Column("facility", sa.String(64), nullable=False),
        sa.Column("epoch", sa.String(64), nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.Column("station", sa.String(64), nullable=False),
        sa.Column("since", time, nullable=False),
        sa.PrimaryKeyConstraint("facility", "epoch", "first"),
    )
    op.create_table(
        "quarantine",
        sa.Column("facility", sa.String(64), nullable=False),
        sa.Column("station", sa.String(64), nullable=False),
        sa.Column("event_id", sa.String(36), nullable=False),
        sa.Column("reason", sa.String(64), nullable=False),
        sa.Column("first_at", time, nullable=False),
        sa.Column("last_at", time, nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("facility", "station", "event_id", "reason"),
    )
    op.execute(_FILL)


def downgrade() -> None:
    """Drop them."""
    op.drop_table("quarantine")
    op.drop_table("seq_range")
