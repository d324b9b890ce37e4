"""The tables of the province hub; one definition for SQLite and PostgreSQL (architecture.md 4).

`event` is the ledger: each accepted event once, as it came. `lookup`, `visit`, `visit_count` and `desk_lookups` are
what days are made of (`rollup_table` holds their sums); events too far in the future stay in the ledger only.
"""

from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

metadata = sa.MetaData()


class UtcDateTime(TypeDecorator[datetime]):
    """An aware time, kept as UTC microseconds; SQLite would drop the offset silently. ValueError for a naive one."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Python to database: UTC, without the offset where the database has no place for one."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a stored time needs an offset")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Database to Python: always aware, always UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


_CODE = sa.String(64)

facility = sa.Table(
    "facility",
    metadata,
    sa.Column("code", _CODE, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("tier", sa.Text, nullable=False),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("area_code", _CODE, nullable=False),
    sa.Column("area_name", sa.Text, nullable=False),
)

facility_version = sa.Table(
    "facility_version",
    metadata,
    sa.Column("facility", _CODE, sa.ForeignKey("facility.code"), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("valid_from", sa.Date),
    sa.Column("valid_to", sa.Date),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("province_code", _CODE, nullable=False),
    sa.Column("province_name", sa.Text, nullable=False),
    sa.Column("commune_code", _CODE, nullable=False),
    sa.Column("commune_name", sa.Text, nullable=False),
)

registry_load = sa.Table(
    "registry_load",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("loaded_at", UtcDateTime, nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
)

station_key = sa.Table(
    "station_key",
    metadata,
    sa.Column("key_id", _CODE, primary_key=True),
    sa.Column("facility", _CODE, sa.ForeignKey("facility.code"), nullable=False),
    sa.Column("station", _CODE, nullable=False),
    sa.Column("public_key", sa.LargeBinary(32), nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("revoked_at", UtcDateTime),
    sa.Column("used_at", UtcDateTime),
)

enrolment = sa.Table(
    "enrolment",
    metadata,
    sa.Column("code_hash", sa.String(64), primary_key=True),
    sa.Column("facility", _CODE, sa.ForeignKey("facility.code"), nullable=False),
    sa.Column("station", _CODE, nullable=False),
    sa.Column("expires_at", UtcDateTime, nullable=False),
    sa.Column("used_at", UtcDateTime),
)

api_key = sa.Table(
    "api_key",
    metadata,
    sa.Column("key_hash", sa.String(64), primary_key=True),
    sa.Column("scope", sa.String(16), nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("facility", _CODE),
    sa.Column("label", sa.Text),
    sa.Column("expires_at", UtcDateTime),
    sa.Column("revoked_at", UtcDateTime),
)

hub_key = sa.Table(
    "hub_key",
    metadata,
    sa.Column("key_id", _CODE, primary_key=True),
    sa.Column("public_key", sa.LargeBinary(32), nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
)

station = sa.Table(
    "station",
    metadata,
    sa.Column("facility", _CODE, primary_key=True),
    sa.Column("station", _CODE, primary_key=True),
    sa.Column("heard_at", UtcDateTime, nullable=False),
    sa.Column("heartbeat_at", UtcDateTime),
    sa.Column("heartbeat", sa.Text),
    sa.Column("clock_suspect", sa.Boolean, nullable=False),
)

event = sa.Table(
    "event",
    metadata,
    sa.Column("facility", _CODE, primary_key=True),
    sa.Column("event_id", sa.String(36), primary_key=True),
    sa.Column("station", _CODE, nullable=False),
    sa.Column("epoch", _CODE),
    sa.Column("seq", sa.BigInteger),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("happened_at", UtcDateTime, nullable=False),
    sa.Column("received_at", UtcDateTime, nullable=False),
    sa.Column("clock_suspect", sa.Boolean, nullable=False),
    sa.Column("in_rates", sa.Boolean, nullable=False),
    sa.Column("payload", sa.Text, nullable=False),
    sa.Index("event_seq", "facility", "epoch", "seq"),
)

finding = sa.Table(
    "finding",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("kind", sa.String(32), nullable=False),
    sa.Column("facility", _CODE, nullable=False),
    sa.Column("station", _CODE, nullable=False),
    sa.Column("epoch", _CODE, nullable=False),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("event_id", sa.String(36), nullable=False),
    sa.Column("other_event_id", sa.String(36), nullable=False),
    sa.Column("found_at", UtcDateTime, nullable=False),
)

lookup = sa.Table(
    "lookup",
    metadata,
    sa.Column("facility", _CODE, primary_key=True),
    sa.Column("event_id", sa.String(36), primary_key=True),
    sa.Column("checkin_id", _CODE, nullable=False),
    sa.Column("happened_at", UtcDateTime, nullable=False),
    sa.Column("day", sa.Date, nullable=False),
    sa.Column("key_kind", _CODE),
    sa.Column("method", _CODE),
    sa.Column("chip_verdict", _CODE),
    sa.Column("result_code", _CODE),
    sa.Column("reached_gateway", sa.Boolean, nullable=False),
    sa.Column("person_day", sa.String(16)),
    sa.Index("lookup_checkin", "facility", "checkin_id"),
    sa.Index("lookup_day", "day", "facility"),
)

visit = sa.Table(
    "visit",
    metadata,
    sa.Column("facility", _CODE, primary_key=True),
    sa.Column("epoch", _CODE, primary_key=True),
    sa.Column("checkin_id", _CODE, primary_key=True),
    sa.Column("first_seq", sa.BigInteger, nullable=False),
    sa.Column("first_event_id", sa.String(36), nullable=False),
    sa.Column("day", sa.Date, nullable=False),
    sa.Column("last_seq", sa.BigInteger, nullable=False),
    sa.Column("last_event_id", sa.String(36), nullable=False),
    sa.Column("bhyt", sa.Boolean, nullable=False),
    sa.Column("lane", _CODE),
    sa.Column("not_by_chip", _CODE),
    sa.Column("counted", sa.Boolean, nullable=False),
    sa.Index("visit_checkin", "facility", "checkin_id"),
    sa.Index("visit_day", "day", "facility"),
)

visit_count = sa.Table(
    "visit_count",
    metadata,
    sa.Column("facility", _CODE, primary_key=True),
    sa.Column("event_id", sa.String(36), primary_key=True),
    sa.Column("happened_at", UtcDateTime, nullable=False),
    sa.Column("day", sa.Date, nullable=False),
    sa.Column("origin", _CODE, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("bhyt_visits", sa.Integer, nullable=False),
    sa.Column("by_class", sa.Text),
    sa.Index("visit_count_day", "day", "facility"),
)

desk_lookups = sa.Table(
    "desk_lookups",
    metadata,
    sa.Column("facility", _CODE, primary_key=True),
    sa.Column("event_id", sa.String(36), primary_key=True),
    sa.Column("happened_at", UtcDateTime, nullable=False),
    sa.Column("day", sa.Date, nullable=False),
    sa.Column("origin", _CODE, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("lookups", sa.Integer, nullable=False),
    sa.Column("visits_looked_up", sa.Integer, nullable=False),
    sa.Column("visits_success", sa.Integer, nullable=False),
    sa.Index("desk_lookups_day", "day", "facility"),
)

facility_day = sa.Table(
    "facility_day",
    metadata,
    sa.Column("facility", _CODE, primary_key=True),
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("reported", sa.Boolean, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Index("facility_day_day", "day"),
)
