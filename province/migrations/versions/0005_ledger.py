"""What the ledger keeps of arrival, gaps and refused events."""

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """What the ledger keeps of arrival, gaps and refused events."""
