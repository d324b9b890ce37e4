"""Evidence of lookups, untouched answers, receipts, officers on duty, and a relay's register of the day."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables and the column; lookups of before have no evidence beyond their own row."""
    op.add_column("checkin", sa.Column("lookup_receipt", sa.Text(), nullable=True))
    op.create_table(
        "question",
        sa.Column("request_id", sa.Text(), primary_key=True),
        sa.Column("checkin_id", sa.Text(), nullable=True),
        sa.Column("moment", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("key_kind", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("result_code", sa.Text(), nullable=True),
        sa.Column("http_status", sa.Integer(), nullable=True),
        sa.Column("latency_ms", sa.Integer(), nullable=False),
    )
    op.create_index("question_checkin", "question", ["checkin_id"])
    op.create_index("question_day", "question", ["day"])
    op.create_table(
        "gateway_answer",
        sa.Column("request_id", sa.Text(), primary_key=True),
        sa.Column("checkin_id", sa.Text(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
    )
    op.create_index("gateway_answer_day", "gateway_answer", ["day"])
    op.create_table(
        "lookup_receipt",
        sa.Column("code", sa.Text(), primary_key=True),
        sa.Column("checkin_id", sa.Text(), nullable=True),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("result_code", sa.Text(), nullable=True),
        sa.Column("digest", sa.Text(), nullable=False),
    )
    op.create_table(
        "officer",
        sa.Column("officer_id", sa.Text(), primary_key=True),
        sa.Column("full_name", sa.Text(), nullable=False),
        sa.Column("citizen_number", sa.Text(), nullable=False, unique=True),
        sa.Column("designated", sa.Boolean(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
    )
    op.create_table(
        "duty",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("officer_id", sa.Text(), sa.ForeignKey("officer.officer_id"), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=True),
        sa.Column("signed_by", sa.Text(), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "visit_register",
        sa.Column("checkin_id", sa.Text(), primary_key=True),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("person_key", sa.Text(), nullable=False),
        sa.Column("station", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("identity", sa.JSON(), nullable=False),
        sa.Column("number", sa.Text(), nullable=True),
        sa.Column("issued_by", sa.Text(), nullable=True),
    )
    op.create_index("visit_register_person", "visit_register", ["person_key", "day"])
