"""Tables of the monthly audit samples: how each was drawn, what is in it, what was seen of it."""

import sqlalchemy as sa

from province.tables import UtcDateTime, metadata

audit_draw = sa.Table(
    "audit_draw",
    metadata,
    sa.Column("month", sa.Date, primary_key=True),
    sa.Column("drawn_at", UtcDateTime, nullable=False),
    sa.Column("drawn_by", sa.Text, nullable=False),
    sa.Column("key_id", sa.String(64), nullable=False),
    sa.Column("seed", sa.LargeBinary, nullable=False),
)

audit_item = sa.Table(
    "audit_item",
    metadata,
    sa.Column("month", sa.Date, sa.ForeignKey("audit_draw.month"), primary_key=True),
    sa.Column("facility", sa.String(64), primary_key=True),
    sa.Column("event_id", sa.String(36), primary_key=True),
    sa.Column("place", sa.Integer, nullable=False),
    sa.Column("checkin_id", sa.String(64), nullable=False),
    sa.Column("station", sa.String(64), nullable=False),
    sa.Column("happened_at", UtcDateTime, nullable=False),
    sa.Column("chip_verdict", sa.String(64)),
    sa.Column("result_code", sa.String(64)),
)

audit_result = sa.Table(
    "audit_result",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("month", sa.Date, nullable=False),
    sa.Column("facility", sa.String(64), nullable=False),
    sa.Column("event_id", sa.String(36), nullable=False),
    sa.Column("entered_at", UtcDateTime, nullable=False),
    sa.Column("entered_by", sa.Text, nullable=False),
    sa.Column("verdict", sa.String(16), nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.Index("audit_result_month", "month", "facility"),
)
"""Nothing here is ever changed; of several results of one item the last one stands."""
