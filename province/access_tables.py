"""The tables of who may see and do what: accounts, their sessions, wrong passwords, and the audit with its anchors."""

import sqlalchemy as sa

from province.tables import UtcDateTime, metadata

_HASH = sa.String(64)

account = sa.Table(
    "account",
    metadata,
    sa.Column("name", sa.String(40), primary_key=True),
    sa.Column("role", sa.String(16), nullable=False),
    sa.Column("facility", sa.String(64)),
    sa.Column("password_hash", sa.Text, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("active_at", UtcDateTime, nullable=False),
    sa.Column("disabled_at", UtcDateTime),
)

account_session = sa.Table(
    "account_session",
    metadata,
    sa.Column("token_hash", _HASH, primary_key=True),
    sa.Column("account", sa.String(40), nullable=False),
    sa.Column("born_at", UtcDateTime, nullable=False),
    sa.Column("seen_at", UtcDateTime, nullable=False),
    sa.Index("account_session_account", "account"),
)

wrong_password = sa.Table(
    "wrong_password",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("who_hash", _HASH, nullable=False),
    sa.Column("tried_at", UtcDateTime, nullable=False),
    sa.Index("wrong_password_who", "who_hash"),
)

audit = sa.Table(
    "audit",
    metadata,
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("happened_at", UtcDateTime, nullable=False),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("method", sa.String(16), nullable=False),
    sa.Column("route", sa.Text, nullable=False),
    sa.Column("parameters", sa.Text, nullable=False),
    sa.Column("status", sa.Integer),
    sa.Column("row_count", sa.Integer),
    sa.Column("hash", _HASH, nullable=False),
)

audit_anchor = sa.Table(
    "audit_anchor",
    metadata,
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("number", sa.BigInteger, nullable=False),
    sa.Column("hash", _HASH, nullable=False),
)
