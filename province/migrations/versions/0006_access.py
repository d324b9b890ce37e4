"""Accounts, API keys with scopes, sessions and the audit."""

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Accounts, API keys with scopes, sessions and the audit."""
