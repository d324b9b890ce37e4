"""The audit as a chain, roles and locks of staff accounts, and decisions that a supervisor must countersign."""

import json
import secrets
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from alembic import op

from kiosk.audit import BEFORE_THE_FIRST, chained, digest_of

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_ROLES = '["receptionist", "supervisor", "technician"]'


def upgrade() -> None:
    """Chain what is there; the accounts of before could do everything and still can."""
    _chain()
    op.create_table(
        "audit_anchor",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=True),
        sa.Column("public_key", sa.Text(), nullable=False),
        sa.Column("signature", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    for column in (
        sa.Column("roles", sa.JSON(), nullable=False, server_default=_ROLES),
        sa.Column("pin_hash", sa.Text(), nullable=True),
        sa.Column("totp_secret", sa.Text(), nullable=True),
        sa.Column("totp_step", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("disabled", sa.Boolean(), nullable=False, server_default="0"),
        sa.Column("must_change", sa.Boolean(), nullable=False, server_default="0"),
        sa.Column("failures", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("locked_until", sa.BigInteger(), nullable=True),
        sa.Column("seen_at", sa.BigInteger(), nullable=True),
    ):
        op.add_column("staff_user", column)
    now = (datetime.now(UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    op.get_bind().execute(sa.text("UPDATE staff_user SET seen_at = :now"), {"now": now})
    op.create_table(
        "override_decision",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("checkin_id", sa.Text(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("insured", sa.Boolean(), nullable=False),
        sa.Column("due", sa.Text(), nullable=False),
        sa.Column("agreed", sa.Boolean(), nullable=True),
        sa.Column("signed_by", sa.Text(), nullable=True),
        sa.Column("signed_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("override_open", "override_decision", ["due"], sqlite_where=sa.text("agreed IS NULL"))


def _chain() -> None:
    op.execute("DROP TRIGGER audit_no_update")
    for name in ("salt", "digest", "hash"):
        op.add_column("audit", sa.Column(name, sa.Text(), nullable=False, server_default=""))
    connection = op.get_bind()
    rows = connection.execute(sa.text("SELECT id, at, who, action, checkin_id, detail FROM audit ORDER BY id"))
    before = BEFORE_THE_FIRST
    for row in rows.all():
        detail = json.loads(row.detail)
        salt = secrets.token_hex(16) if detail else ""
        at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=row.at)
        digest = digest_of(detail, salt)
        fields = dict(row._mapping) | {"at": at, "digest": digest}
        before = chained(before, fields)
        change = sa.text("UPDATE audit SET salt = :salt, digest = :digest, hash = :hash WHERE id = :id")
        connection.execute(change, {"salt": salt, "digest": digest, "hash": before, "id": row.id})
    refuse = "BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END"
    op.execute(
        "CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit WHEN NEW.detail <> '{}' OR NEW.salt <> '' "
        "OR NEW.id <> OLD.id OR NEW.at <> OLD.at OR NEW.who <> OLD.who OR NEW.action <> OLD.action "
        "OR NEW.digest <> OLD.digest OR NEW.hash <> OLD.hash "
        f"OR NEW.checkin_id IS NOT OLD.checkin_id {refuse}"
    )
