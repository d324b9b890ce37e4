"""How a code's carrier is known, and whether the same person stood at another station just before."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add both columns; of check-ins of before nobody knows."""
    op.add_column("checkin", sa.Column("carrier_source", sa.Text(), nullable=False, server_default="none"))
    op.add_column("checkin", sa.Column("seen_at", sa.Text(), nullable=True))
