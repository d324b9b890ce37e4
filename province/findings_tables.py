"""The tables of findings (see `province.findings`); no row is ever deleted.

`found` holds each finding once, by a key that every later run finds again; `finding_note` what people and the hub said
about it, only ever added to. `finding_limit` holds thresholds by date, `finding_run` when the next run is due.
"""

import sqlalchemy as sa

from province.tables import UtcDateTime, metadata

_CODE = sa.String(64)

found = sa.Table(
    "found",
    metadata,
    sa.Column("key", sa.String(32), primary_key=True),
    sa.Column("kind", sa.String(32), nullable=False),
    sa.Column("facility", _CODE, nullable=False),
    sa.Column("station", _CODE, nullable=False),
    sa.Column("first_day", sa.Date, nullable=False),
    sa.Column("last_day", sa.Date, nullable=False),
    sa.Column("severity", sa.String(8), nullable=False),
    sa.Column("numbers", sa.Text, nullable=False),
    sa.Column("evidence", sa.Text, nullable=False),
    sa.Column("found_at", UtcDateTime, nullable=False),
    sa.Column("seen_at", UtcDateTime, nullable=False),
    sa.Column("holds", sa.Boolean, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Index("found_facility", "facility", "last_day"),
    sa.Index("found_day", "last_day"),
)

finding_note = sa.Table(
    "finding_note",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("key", sa.String(32), sa.ForeignKey("found.key"), nullable=False),
    sa.Column("noted_at", UtcDateTime, nullable=False),
    sa.Column("noted_by", sa.Text, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Index("finding_note_key", "key"),
)

finding_limit = sa.Table(
    "finding_limit",
    metadata,
    sa.Column("name", sa.String(32), primary_key=True),
    sa.Column("facility", _CODE, primary_key=True),
    sa.Column("valid_from", sa.Date, primary_key=True),
    sa.Column("value", sa.Integer, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
)

finding_run = sa.Table(
    "finding_run",
    metadata,
    sa.Column("name", sa.String(16), primary_key=True),
    sa.Column("due_at", UtcDateTime, nullable=False),
    sa.Column("finished_at", UtcDateTime),
)
