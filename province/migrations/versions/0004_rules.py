"""Targets, exclusions, opening balances and successions by date."""

from datetime import date

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

NUMBERS = ("visits", "visits_looked_up", "lookups", "success")


def _code(name: str, *constraints: sa.ForeignKey) -> sa.Column[str]:
    return sa.Column(name, sa.String(length=64), *constraints, nullable=False)


def _facility(name: str) -> sa.Column[str]:
    return _code(name, sa.ForeignKey("facility.code"))


def _day(name: str, *, nullable: bool = False) -> sa.Column[date]:
    return sa.Column(name, sa.Date(), nullable=nullable)


def upgrade() -> None:
    """Make the tables of rules."""
    op.create_table(
        "target",
        _code("unit"),
        _day("valid_from"),
        sa.Column("pct_hundredths", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("unit", "valid_from"),
    )
    op.create_table(
        "exclusion",
        _code("name"),
        _day("valid_from"),
        _day("valid_to", nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", "valid_from"),
    )
    op.create_table(
        "opening_balance",
        _facility("facility"),
        _day("first"),
        _day("last"),
        *(
            sa.Column(name, sa.Integer(), nullable=False)
            for name in ("visits", "visits_looked_up", "lookups", "success")
        ),
        sa.PrimaryKeyConstraint("facility"),
    )
    op.create_table(
        "succession",
        _facility("old"),
        _facility("new"),
        _day("day"),
        _code("kind"),
        sa.PrimaryKeyConstraint("old"),
    )
