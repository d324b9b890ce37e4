"""Findings, what was said about them, their thresholds by date, and when the next run is due."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables of findings."""
    time = sa.DateTime(timezone=True)
    op.create_table(
        "found",
        sa.Column("key", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("facility", sa.String(64), nullable=False),
        sa.Column("station", sa.String(64), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("severity", sa.String(8), nullable=False),
        sa.Column("numbers", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("found_at", time, nullable=False),
        sa.Column("seen_at", time, nullable=False),
        sa.Column("holds", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_index("found_facility", "found", ["facility", "last_day"])
    op.create_index("found_day", "found", ["last_day"])
    op.create_table(
        "finding_note",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(32), sa.ForeignKey("found.key"), nullable=False),
        sa.Column("noted_at", time, nullable=False),
        sa.Column("noted_by", sa.Text(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index("finding_note_key", "finding_note", ["key"])
    op.create_table(
        "finding_limit",
        sa.Column("name", sa.String(32), nullable=False),
        sa.Column("facility", sa.String(64), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("value", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", "facility", "valid_from"),
    )
    op.create_table(
        "finding_run",
        sa.Column("name", sa.String(16), nullable=False),
        sa.Column("due_at", time, nullable=False),
        sa.Column("finished_at", time),
        sa.PrimaryKeyConstraint("name"),
    )


def downgrade() -> None:
    """Forget findings; the events they were drawn from stay."""
    for table in ("finding_run", "finding_limit", "finding_note", "found"):
        op.drop_table(table)
