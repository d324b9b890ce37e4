"""Files that people hand in, and the signed batches that they became."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables of uploads."""
    time = sa.DateTime(timezone=True)
    op.create_table(
        "upload",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("origin", sa.String(16), nullable=False),
        sa.Column("file_sha256", sa.String(64), nullable=False),
        sa.Column("figures", sa.Integer(), nullable=False),
        sa.Column("uploaded_at", time, nullable=False),
        sa.Column("taken_at", time),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("upload_taken", "upload", ["taken_at"])
    op.create_table(
        "upload_batch",
        sa.Column("upload", sa.String(36), sa.ForeignKey("upload.id"), nullable=False),
        sa.Column("facility", sa.String(64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("station", sa.String(64), nullable=False),
        sa.Column("epoch", sa.String(64), nullable=False),
        sa.Column("last_seq", sa.BigInteger(), nullable=False),
        sa.Column("figures", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("key_id", sa.String(64), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("upload", "facility", "number"),
    )
    op.create_index("upload_batch_station", "upload_batch", ["facility", "station"])


def downgrade() -> None:
    """Forget what was handed in; its events stay in the ledger."""
    op.drop_table("upload_batch")
    op.drop_table("upload")
