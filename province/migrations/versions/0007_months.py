"""Closed months, confirmations and objections."""

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Closed months, confirmations and objections."""
