"""Accounts, sessions, API keys of one facility with an end, rotation of station keys, and the audit."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables of access; API keys and station keys of before stay as they are."""
    time = sa.DateTime(timezone=True)
    op.add_column("station_key", sa.Column("used_at", time))
    op.add_column("api_key", sa.Column("facility", sa.String(64)))
    op.add_column("api_key", sa.Column("label", sa.Text()))
    op.add_column("api_key", sa.Column("expires_at", time))
    op.add_column("api_key", sa.Column("revoked_at", time))
    op.create_table(
        "account",
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("facility", sa.String(64)),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("created_at", time, nullable=False),
        sa.Column("active_at", time, nullable=False),
        sa.Column("disabled_at", time),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "account_session",
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("account", sa.String(40), nullable=False),
        sa.Column("born_at", time, nullable=False),
        sa.Column("seen_at", time, nullable=False),
        sa.PrimaryKeyConstraint("token_hash"),
    )
    op.create_index("account_session_account", "account_session", ["account"])
    op.create_table(
        "wrong_password",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("who_hash", sa.String(64), nullable=False),
        sa.Column("tried_at", time, nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index("wrong_password_who", "wrong_password", ["who_hash"])
    op.create_table(
        "audit",
        sa.Column("number", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("happened_at", time, nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("method", sa.String(16), nullable=False),
        sa.Column("route", sa.Text(), nullable=False),
        sa.Column("parameters", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer()),
        sa.Column("row_count", sa.Integer()),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_table(
        "audit_anchor",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("day"),
    )
