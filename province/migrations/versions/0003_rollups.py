"""Sums per facility and day, month and year."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

NUMBERS = (
    "counted",
    "success",
    "not_eligible",
    "not_counted",
    "other_key",
    "not_sent",
    "fail_not_found",
    "fail_mismatch",
    "fail_technical",
    "fail_other",
    "persons",
    "visits",
    "visits_looked_up",
    "visits_by_document",
    "visits_by_chip",
    "desk_lookups",
    "desk_looked_up",
    "desk_success",
    "visits_portal",
    "visits_beside_portal",
    "by_method_chip_cccd",
    "by_method_qr_cccd",
    "by_method_vneid_token",
    "by_method_bhyt_qr",
    "by_method_card_number",
    "by_method_manual_id",
    "by_method_unknown",
    "not_by_chip_no_card",
    "not_by_chip_child",
    "not_by_chip_chip_failed",
    "not_by_chip_reader_down",
    "not_by_chip_chip_not_asked",
    "not_by_chip_patient_chose_qr",
    "not_by_chip_staff_typed",
    "not_by_chip_gateway_down",
    "not_by_chip_emergency",
    "not_by_chip_unexplained",
    "not_by_chip_at_desk_looked_up",
    "not_by_chip_at_desk_not_looked_up",
    "classes_child_visits",
    "classes_child_looked_up",
    "classes_child_by_document",
    "classes_child_by_chip",
    "classes_emergency_visits",
    "classes_emergency_looked_up",
    "classes_emergency_by_document",
    "classes_emergency_by_chip",
    "classes_armed_forces_visits",
    "classes_armed_forces_looked_up",
    "classes_armed_forces_by_document",
    "classes_armed_forces_by_chip",
    "classes_recovery_visits",
    "classes_recovery_looked_up",
    "classes_recovery_by_document",
    "classes_recovery_by_chip",
    "origin_his",
    "origin_portal_file",
    "origin_manual",
    "origin_stations",
    "has_portal",
    "reported",
    "revision",
)


def upgrade() -> None:
    """Make the table of sums, and room for what the classes of visits need."""
    op.create_table(
        "rollup",
        sa.Column("facility", sa.String(length=64), nullable=False),
        sa.Column("grain", sa.String(length=8), nullable=False),
        sa.Column("start", sa.Date(), nullable=False),
        sa.Column("last", sa.Date(), nullable=False),
        sa.Column("province", sa.String(length=64), nullable=False),
        sa.Column("area", sa.String(length=64), nullable=False),
        sa.Column("active", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in NUMBERS),
        sa.Column("rest", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("facility", "grain", "start"),
    )
    op.create_index("rollup_start", "rollup", ["grain", "start"], unique=False)
    op.create_table(
        "closed_month",
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("month"),
    )
    op.add_column("visit", sa.Column("lane", sa.String(length=64), nullable=True))
    op.add_column("visit_count", sa.Column("by_class", sa.Text(), nullable=True))
    for table in ("lookup", "visit", "visit_count", "desk_lookups"):
        op.drop_index(f"{table}_day", table)
        op.create_index(f"{table}_day", table, ["day", "facility"], unique=False)
