"""First schema."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables of the ledger, the registry and the keys."""
    op.create_table(
        "api_key",
        sa.Column("key_hash", sa.String(length=64), nullable=False),
        sa.Column("scope", sa.String(length=16), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key_hash"),
    )
    op.create_table(
        "desk_lookups",
        sa.Column("facility", sa.String(length=64), nullable=False),
        sa.Column("event_id", sa.String(length=36), nullable=False),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("origin", sa.String(length=64), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("lookups", sa.Integer(), nullable=False),
        sa.Column("visits_looked_up", sa.Integer(), nullable=False),
        sa.Column("visits_success", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("facility", "event_id"),
    )
    op.create_index("desk_lookups_day", "desk_lookups", ["day"], unique=False)
    op.create_table(
        "event",
        sa.Column("facility", sa.String(length=64), nullable=False),
        sa.Column("event_id", sa.String(length=36), nullable=False),
        sa.Column("station", sa.String(length=64), nullable=False),
        sa.Column("epoch", sa.String(length=64), nullable=True),
        sa.Column("seq", sa.BigInteger(), nullable=True),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("clock_suspect", sa.Boolean(), nullable=False),
        sa.Column("in_rates", sa.Boolean(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("facility", "event_id"),
    )
    op.create_index("event_seq", "event", ["facility", "epoch", "seq"], unique=False)
    op.create_table(
        "facility",
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("tier", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("area_code", sa.String(length=64), nullable=False),
        sa.Column("area_name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("code"),
    )
    op.create_table(
        "facility_day",
        sa.Column("facility", sa.String(length=64), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("reported", sa.Boolean(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("facility", "day"),
    )
    op.create_index("facility_day_day", "facility_day", ["day"], unique=False)
    op.create_table(
        "finding",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("facility", sa.String(length=64), nullable=False),
        sa.Column("station", sa.String(length=64), nullable=False),
        sa.Column("epoch", sa.String(length=64), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("event_id", sa.String(length=36), nullable=False),
        sa.Column("other_event_id", sa.String(length=36), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_table(
        "lookup",
        sa.Column("facility", sa.String(length=64), nullable=False),
        sa.Column("event_id", sa.String(length=36), nullable=False),
        sa.Column("checkin_id", sa.String(length=64), nullable=False),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("key_kind", sa.String(length=64), nullable=True),
        sa.Column("method", sa.String(length=64), nullable=True),
        sa.Column("chip_verdict", sa.String(length=64), nullable=True),
        sa.Column("result_code", sa.String(length=64), nullable=True),
        sa.Column("reached_gateway", sa.Boolean(), nullable=False),
        sa.Column("person_day", sa.String(length=16), nullable=True),
        sa.PrimaryKeyConstraint("facility", "event_id"),
    )
    op.create_index("lookup_checkin", "lookup", ["facility", "checkin_id"], unique=False)
    op.create_index("lookup_day", "lookup", ["day"], unique=False)
    op.create_table(
        "registry_load",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("loaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_table(
        "station",
        sa.Column("facility", sa.String(length=64), nullable=False),
        sa.Column("station", sa.String(length=64), nullable=False),
        sa.Column("heard_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("heartbeat_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("heartbeat", sa.Text(), nullable=True),
        sa.Column("clock_suspect", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("facility", "station"),
    )
    op.create_table(
        "visit",
        sa.Column("facility", sa.String(length=64), nullable=False),
        sa.Column("epoch", sa.String(length=64), nullable=False),
        sa.Column("checkin_id", sa.String(length=64), nullable=False),
        sa.Column("first_seq", sa.BigInteger(), nullable=False),
        sa.Column("first_event_id", sa.String(length=36), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("last_seq", sa.BigInteger(), nullable=False),
        sa.Column("last_event_id", sa.String(length=36), nullable=False),
        sa.Column("bhyt", sa.Boolean(), nullable=False),
        sa.Column("not_by_chip", sa.String(length=64), nullable=True),
        sa.Column("counted", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("facility", "epoch", "checkin_id"),
    )
    op.create_index("visit_checkin", "visit", ["facility", "checkin_id"], unique=False)
    op.create_index("visit_day", "visit", ["day"], unique=False)
    op.create_table(
        "visit_count",
        sa.Column("facility", sa.String(length=64), nullable=False),
        sa.Column("event_id", sa.String(length=36), nullable=False),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("origin", sa.String(length=64), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("bhyt_visits", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("facility", "event_id"),
    )
    op.create_index("visit_count_day", "visit_count", ["day"], unique=False)
    op.create_table(
        "enrolment",
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("facility", sa.String(length=64), nullable=False),
        sa.Column("station", sa.String(length=64), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["facility"],
            ["facility.code"],
        ),
        sa.PrimaryKeyConstraint("code_hash"),
    )
    op.create_table(
        "facility_version",
        sa.Column("facility", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("province_code", sa.String(length=64), nullable=False),
        sa.Column("province_name", sa.Text(), nullable=False),
        sa.Column("commune_code", sa.String(length=64), nullable=False),
        sa.Column("commune_name", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["facility"],
            ["facility.code"],
        ),
        sa.PrimaryKeyConstraint("facility", "version"),
    )
    op.create_table(
        "station_key",
        sa.Column("key_id", sa.String(length=64), nullable=False),
        sa.Column("facility", sa.String(length=64), nullable=False),
        sa.Column("station", sa.String(length=64), nullable=False),
        sa.Column("public_key", sa.LargeBinary(length=32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["facility"],
            ["facility.code"],
        ),
        sa.PrimaryKeyConstraint("key_id"),
    )
    # ### end Alembic commands ###
