"""What the document said, where staff accepted other fields since, and the insurance card as it was read."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add both columns; nobody accepted fields before, and cards read before were not kept."""
    op.add_column("checkin", sa.Column("read_identity", sa.JSON(), nullable=True))
    op.add_column("checkin", sa.Column("document_coverage", sa.JSON(), nullable=True))
