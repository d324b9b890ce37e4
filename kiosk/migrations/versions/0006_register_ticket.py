"""What a person was handed, in the register of a relay: another station shows the same."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; entries of before show their number alone."""
    op.add_column("visit_register", sa.Column("ticket", sa.JSON(), nullable=True))
