"""What the insurer itself counted in a month."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table of the insurer's monthly figures."""
    op.create_table(
        "insurer_month",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("facility", sa.String(64), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("visits", sa.Integer(), nullable=False),
        sa.Column("lookups", sa.Integer(), nullable=False),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("entered_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["facility"], ["facility.code"]),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index("insurer_month_month", "insurer_month", ["month", "facility"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("insurer_month")
