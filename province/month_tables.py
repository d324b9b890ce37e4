"""The tables of closed months (see `province.months`); rows are only added, never changed or deleted."""

import sqlalchemy as sa

from province.tables import UtcDateTime, metadata

_CODE = sa.String(64)

month_confirmation = sa.Table(
    "month_confirmation",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("facility", _CODE, sa.ForeignKey("facility.code"), nullable=False),
    sa.Column("month", sa.Date, nullable=False),
    sa.Column("confirmed_at", UtcDateTime, nullable=False),
    sa.Column("confirmed_by", sa.Text, nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Index("month_confirmation_month", "month", "facility"),
)

month_snapshot = sa.Table(
    "month_snapshot",
    metadata,
    sa.Column("month", sa.Date, primary_key=True),
    sa.Column("closed_at", UtcDateTime, nullable=False),
    sa.Column("document", sa.Text, nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("signature", sa.Text, nullable=False),
)

month_objection = sa.Table(
    "month_objection",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("facility", _CODE, sa.ForeignKey("facility.code"), nullable=False),
    sa.Column("month", sa.Date, nullable=False),
    sa.Column("made_at", UtcDateTime, nullable=False),
    sa.Column("made_by", sa.Text, nullable=False),
    sa.Column("figure", _CODE, nullable=False),
    sa.Column("reason", _CODE, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Index("month_objection_month", "month", "facility"),
)

month_answer = sa.Table(
    "month_answer",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("objection", sa.Integer, sa.ForeignKey("month_objection.number"), nullable=False),
    sa.Column("answered_at", UtcDateTime, nullable=False),
    sa.Column("answered_by", sa.Text, nullable=False),
    sa.Column("verdict", _CODE, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Index("month_answer_objection", "objection"),
)

insurer_month = sa.Table(
    "insurer_month",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("facility", _CODE, sa.ForeignKey("facility.code"), nullable=False),
    sa.Column("month", sa.Date, nullable=False),
    sa.Column("visits", sa.Integer, nullable=False),
    sa.Column("lookups", sa.Integer, nullable=False),
    sa.Column("entered_at", UtcDateTime, nullable=False),
    sa.Column("entered_by", sa.Text, nullable=False),
    sa.Index("insurer_month_month", "month", "facility"),
)
