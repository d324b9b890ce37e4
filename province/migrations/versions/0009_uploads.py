"""Uploads by people and other systems."""

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Uploads by people and other systems."""
