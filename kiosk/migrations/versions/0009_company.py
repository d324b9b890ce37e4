"""Who came with the patient, which rule gave priority, and which notice stood on the screen."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add three columns; of check-ins of before none of it is known."""
    op.add_column("checkin", sa.Column("guardian", sa.JSON(), nullable=True))
    op.add_column("checkin", sa.Column("priority", sa.Text(), nullable=True))
    op.add_column("checkin", sa.Column("notice", sa.Text(), nullable=True))
