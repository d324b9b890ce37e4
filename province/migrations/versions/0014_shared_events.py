"""Events that a province shares with the hub above, where it decided so."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nobody shares until somebody says so."""
    op.add_column("upper_hub", sa.Column("share_events", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_table(
        "event_to_share",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("facility", sa.String(64), nullable=False),
        sa.Column("event_id", sa.String(36), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_table(
        "shared_event",
        sa.Column("facility", sa.String(64), nullable=False),
        sa.Column("event_id", sa.String(36), nullable=False),
        sa.Column("hub", sa.String(64), nullable=False),
        sa.Column("station", sa.String(64), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["facility"], ["facility.code"]),
        sa.ForeignKeyConstraint(["hub"], ["member_hub.hub"]),
        sa.PrimaryKeyConstraint("facility", "event_id"),
    )
    op.create_index("shared_event_hub", "shared_event", ["hub"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("shared_event")
    op.drop_table("event_to_share")
    op.drop_column("upper_hub", "share_events")
