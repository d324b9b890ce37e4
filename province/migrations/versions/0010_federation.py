"""Rollups between hubs, and the state of stations."""

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Rollups between hubs, and the state of stations."""
