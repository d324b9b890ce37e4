"""What a chip proved, its evidence, and when a person's chip was last read."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the chip's columns and tables; check-ins of before have no verdict."""
    for name, kind in (("verdict", sa.Text()), ("issuer", sa.Text()), ("chip", sa.JSON()), ("not_by_chip", sa.Text())):
        op.add_column("checkin", sa.Column(name, kind, nullable=True))
    op.create_table(
        "chip_evidence",
        sa.Column("checkin_id", sa.Text(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("checkin_id"),
    )
    op.create_table(
        "chip_seen",
        sa.Column("person_key", sa.Text(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("person_key"),
    )
