"""Hubs above and below: members with their codes and keys, the days they sent, and what this hub sends up."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables of the federation."""
    time = sa.DateTime(timezone=True)
    op.create_table(
        "member_hub",
        sa.Column("hub", sa.String(64), nullable=False),
        sa.Column("provinces", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("hub"),
    )
    op.create_table(
        "member_code",
        sa.Column("code_hash", sa.String(64), nullable=False),
        sa.Column("hub", sa.String(64), sa.ForeignKey("member_hub.hub"), nullable=False),
        sa.Column("expires_at", time, nullable=False),
        sa.Column("used_at", time),
        sa.PrimaryKeyConstraint("code_hash"),
    )
    op.create_table(
        "member_key",
        sa.Column("key_id", sa.String(64), nullable=False),
        sa.Column("hub", sa.String(64), sa.ForeignKey("member_hub.hub"), nullable=False),
        sa.Column("public_key", sa.LargeBinary(32), nullable=False),
        sa.Column("created_at", time, nullable=False),
        sa.Column("used_at", time),
        sa.Column("revoked_at", time),
        sa.PrimaryKeyConstraint("key_id"),
    )
    op.create_table(
        "member_day",
        sa.Column("facility", sa.String(64), sa.ForeignKey("facility.code"), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("hub", sa.String(64), sa.ForeignKey("member_hub.hub"), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("sums", sa.Text(), nullable=False),
        sa.Column("taken_at", time, nullable=False),
        sa.PrimaryKeyConstraint("facility", "day"),
    )
    op.create_index("member_day_day", "member_day", ["day"])
    op.create_table(
        "upper_hub",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("hub", sa.String(64), nullable=False),
        sa.Column("key_id", sa.String(64), nullable=False),
        sa.Column("joined_at", time, nullable=False),
        sa.Column("sent_at", time),
        sa.Column("problem", sa.String(64)),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_table(
        "sent_day",
        sa.Column("facility", sa.String(64), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("sums", sa.Text(), nullable=False),
        sa.Column("sent_revision", sa.Integer(), nullable=False),
        sa.Column("refused", sa.String(64)),
        sa.PrimaryKeyConstraint("facility", "day"),
    )


def downgrade() -> None:
    """Leave the federation; what members sent is forgotten."""
    for table in ("sent_day", "upper_hub", "member_day", "member_key", "member_code", "member_hub"):
        op.drop_table(table)
