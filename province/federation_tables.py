"""The tables of hubs above and below: who may send sums here, the days they sent, and what this hub sends up.

`member_*` are of the upper hub: its members, their codes and keys, and the newest sums of each facility and day that
they sent. `upper_hub` (one row) and `sent_day` are of the lower one: `sent_day.sums` is what stands under `revision`,
so that the same revision is never sent with other contents.

Only where a province decided to share its events: `event_to_share` are those that the upper hub has not acknowledged,
`shared_event` what it was sent.
"""

import sqlalchemy as sa

from province.tables import UtcDateTime, metadata

_CODE = sa.String(64)

member_hub = sa.Table(
    "member_hub",
    metadata,
    sa.Column("hub", _CODE, primary_key=True),
    sa.Column("provinces", sa.Text, nullable=False),
)

member_code = sa.Table(
    "member_code",
    metadata,
    sa.Column("code_hash", sa.String(64), primary_key=True),
    sa.Column("hub", _CODE, sa.ForeignKey("member_hub.hub"), nullable=False),
    sa.Column("expires_at", UtcDateTime, nullable=False),
    sa.Column("used_at", UtcDateTime),
)

member_key = sa.Table(
    "member_key",
    metadata,
    sa.Column("key_id", _CODE, primary_key=True),
    sa.Column("hub", _CODE, sa.ForeignKey("member_hub.hub"), nullable=False),
    sa.Column("public_key", sa.LargeBinary(32), nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("used_at", UtcDateTime),
    sa.Column("revoked_at", UtcDateTime),
)

member_day = sa.Table(
    "member_day",
    metadata,
    sa.Column("facility", _CODE, sa.ForeignKey("facility.code"), primary_key=True),
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("hub", _CODE, sa.ForeignKey("member_hub.hub"), nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("sums", sa.Text, nullable=False),
    sa.Column("taken_at", UtcDateTime, nullable=False),
    sa.Index("member_day_day", "day"),
)

upper_hub = sa.Table(
    "upper_hub",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("hub", _CODE, nullable=False),
    sa.Column("key_id", _CODE, nullable=False),
    sa.Column("joined_at", UtcDateTime, nullable=False),
    sa.Column("sent_at", UtcDateTime),
    sa.Column("problem", _CODE),
    sa.Column("share_events", sa.Boolean, nullable=False),
)

sent_day = sa.Table(
    "sent_day",
    metadata,
    sa.Column("facility", _CODE, primary_key=True),
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("sums", sa.Text, nullable=False),
    sa.Column("sent_revision", sa.Integer, nullable=False),
    sa.Column("refused", _CODE),
)

event_to_share = sa.Table(
    "event_to_share",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("facility", _CODE, nullable=False),
    sa.Column("event_id", sa.String(36), nullable=False),
)

shared_event = sa.Table(
    "shared_event",
    metadata,
    sa.Column("facility", _CODE, sa.ForeignKey("facility.code"), primary_key=True),
    sa.Column("event_id", sa.String(36), primary_key=True),
    sa.Column("hub", _CODE, sa.ForeignKey("member_hub.hub"), nullable=False),
    sa.Column("station", _CODE, nullable=False),
    sa.Column("received_at", UtcDateTime, nullable=False),
    sa.Column("taken_at", UtcDateTime, nullable=False),
    sa.Column("payload", sa.Text, nullable=False),
    sa.Index("shared_event_hub", "hub"),
)
