"""Sums of areas and provinces beside those of facilities."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_FACILITY_ONLY = ("facility", "grain", "start", "last", "province", "area", "active", "rest")


def upgrade() -> None:
    """Make the tables; every row that is there has to be added up first."""
    connection = op.get_bind()
    counters = [each["name"] for each in sa.inspect(connection).get_columns("rollup")]
    op.create_table(
        "unit_rollup",
        sa.Column("level", sa.String(8), nullable=False),
        sa.Column("grain", sa.String(8), nullable=False),
        sa.Column("start", sa.Date(), nullable=False),
        sa.Column("unit", sa.String(64), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in counters if name not in _FACILITY_ONLY),
        sa.Column("rest", sa.Text()),
        sa.Column("reported_bits", sa.LargeBinary(), nullable=False),
        sa.Column("looked_up_bits", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("level", "grain", "start", "unit"),
    )
    op.create_table(
        "stale_piece",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("grain", sa.String(8), nullable=False),
        sa.Column("start", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_table(
        "facility_bit",
        sa.Column("facility", sa.String(64), nullable=False),
        sa.Column("bit", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("facility"),
    )
    op.execute("INSERT INTO stale_piece (grain, start) SELECT DISTINCT grain, start FROM rollup WHERE grain <> 'live'")


def downgrade() -> None:
    """Drop them."""
    for name in ("facility_bit", "stale_piece", "unit_rollup"):
        op.drop_table(name)
