"""Findings with their evidence, and audit samples."""

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Findings with their evidence, and audit samples."""
