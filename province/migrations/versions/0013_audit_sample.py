"""The monthly audit samples."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables of draws, items and results."""
    time = sa.DateTime(timezone=True)
    op.create_table(
        "audit_draw",
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("drawn_at", time, nullable=False),
        sa.Column("drawn_by", sa.Text(), nullable=False),
        sa.Column("key_id", sa.String(64), nullable=False),
        sa.Column("seed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("month"),
    )
    op.create_table(
        "audit_item",
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("facility", sa.String(64), nullable=False),
        sa.Column("event_id", sa.String(36), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("checkin_id", sa.String(64), nullable=False),
        sa.Column("station", sa.String(64), nullable=False),
        sa.Column("happened_at", time, nullable=False),
        sa.Column("chip_verdict", sa.String(64)),
        sa.Column("result_code", sa.String(64)),
        sa.ForeignKeyConstraint(["month"], ["audit_draw.month"]),
        sa.PrimaryKeyConstraint("month", "facility", "event_id"),
    )
    op.create_table(
        "audit_result",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("facility", sa.String(64), nullable=False),
        sa.Column("event_id", sa.String(36), nullable=False),
        sa.Column("entered_at", time, nullable=False),
        sa.Column("entered_by", sa.Text(), nullable=False),
        sa.Column("verdict", sa.String(16), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index("audit_result_month", "audit_result", ["month", "facility"])


def downgrade() -> None:
    """Drop them."""
    for name in ("audit_result", "audit_item", "audit_draw"):
        op.drop_table(name)
