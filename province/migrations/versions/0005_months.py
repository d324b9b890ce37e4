"""Closed months, confirmations and objections."""

from datetime import date, datetime

import sqlalchemy as sa
from alembic import op

from province.tables import UtcDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def _number() -> sa.Column[int]:
    return sa.Column("number", sa.Integer(), primary_key=True)


def _code(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.String(length=64), nullable=False)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False)


def _time(name: str) -> sa.Column[datetime]:
    return sa.Column(name, UtcDateTime(), nullable=False)


def _of_month() -> tuple[sa.Column[str], sa.Column[date]]:
    facility = sa.Column("facility", sa.String(length=64), sa.ForeignKey("facility.code"), nullable=False)
    return facility, sa.Column("month", sa.Date(), nullable=False)


def upgrade() -> None:
    """Make the tables of months."""
    op.create_table(
        "month_confirmation", _number(), *_of_month(), _time("confirmed_at"), _text("confirmed_by"), _code("sha256")
    )
    op.create_table(
        "month_snapshot",
        sa.Column("month", sa.Date(), primary_key=True),
        _time("closed_at"),
        _text("document"),
        _code("sha256"),
        _text("signature"),
    )
    op.create_table(
        "month_objection",
        _number(),
        *_of_month(),
        _time("made_at"),
        _text("made_by"),
        *(_code(name) for name in ("figure", "reason")),
        _text("text"),
    )
    op.create_table(
        "month_answer",
        _number(),
        sa.Column("objection", sa.Integer(), sa.ForeignKey("month_objection.number"), nullable=False),
        _time("answered_at"),
        _text("answered_by"),
        _code("verdict"),
        _text("text"),
    )
    for table in ("month_confirmation", "month_objection"):
        op.create_index(f"{table}_month", table, ["month", "facility"])
    op.create_index("month_answer_objection", "month_answer", ["objection"])
