"""What a visit follows, the paper brought for it, and the figures of a whole day."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add two columns and a table; visits of before follow nothing, and nobody was asked about papers."""
    op.add_column("checkin", sa.Column("follows", sa.Text(), nullable=True))
    op.add_column("checkin", sa.Column("slip", sa.Text(), nullable=True))
    op.create_table(
        "day_figure",
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("figures", sa.JSON(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("event_id"),
        sa.UniqueConstraint("kind", "day", "origin", "revision"),
    )
