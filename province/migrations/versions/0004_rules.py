"""Targets, exclusions, opening balances and successions by date."""

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Targets, exclusions, opening balances and successions by date."""
