"""Sums per facility and day, month and year."""

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Sums per facility and day, month and year."""
