"""The table between the kiosk and a hospital system: what we write, and what the system writes back.

One row a visit. The kiosk writes all columns but those of `READ_BACK`, which are the hospital system's; nobody deletes.
The statement that makes it: ``python -m hospital_adapters.staging_table_schema postgresql|mysql|mssql|oracle|sqlite``.
"""

from __future__ import annotations

import importlib
import sys
from typing import Final

import sqlalchemy as sa
from sqlalchemy.schema import CreateTable

DIALECTS: Final = ("postgresql", "mysql", "mssql", "oracle", "sqlite")


def _columns() -> list[sa.Column[object]]:
    text, code = sa.Unicode, sa.String
    return [
        sa.Column("checkin_id", code(36), primary_key=True),  # ours; the same visit is written once
        sa.Column("facility", code(10), nullable=False),
        sa.Column("happened_at", code(19), nullable=False),  # when the card was read: YYYY-MM-DD HH:MM:SS, UTC+7
        sa.Column("day", code(10), nullable=False),  # of happened_at: YYYY-MM-DD
        sa.Column("personal_id", code(12)),
        sa.Column("old_id", code(12)),
        sa.Column("full_name", text(200), nullable=False),
        sa.Column("birth_date", code(10)),  # YYYY, YYYY-MM or YYYY-MM-DD: as much as is known
        sa.Column("sex", code(1)),  # M F
        sa.Column("address", text(500)),
        sa.Column("province_code", code(5)),  # of today's two levels
        sa.Column("commune_code", code(8)),
        sa.Column("service_id", code(64), nullable=False),
        sa.Column("service_name", text(200), nullable=False),
        sa.Column("department", text(200)),
        sa.Column("insured", sa.SmallInteger, nullable=False),  # 1: an insured visit, 0: the patient pays
        sa.Column("status", code(20), nullable=False),  # what the insurer said: insured ... cannot_say
        sa.Column("card_number", code(20)),
        sa.Column("registered_facility", code(10)),
        sa.Column("valid_from", code(10)),
        sa.Column("valid_to", code(10)),
        sa.Column("slip", code(20)),  # referral re_examination none
        sa.Column("follows", code(64)),  # the appointment that the visit keeps
        sa.Column("lookup_receipt", code(20)),
        sa.Column("state", code(10), nullable=False),  # new amended cancelled
        sa.Column("reason", text(200)),  # of a cancellation
        sa.Column("revision", sa.Integer, nullable=False),  # 1, and one more with each change of ours
        sa.Column("visit_id", code(64)),  # from here on the hospital system's
        sa.Column("patient_code", code(64)),
        sa.Column("queue_number", code(20)),
        sa.Column("room", text(200)),
        sa.Column("his_state", code(20)),
        sa.Column("his_message", text(500)),
    ]


def table(name: str, schema: str | None = None) -> sa.Table:
    """The table under *name*."""
    columns = _columns()
    index = sa.Index(f"ix_{name}_person", "personal_id", "day")
    return sa.Table(name, sa.MetaData(schema=schema), *columns, index)


READ_BACK: Final = ("visit_id", "patient_code", "queue_number", "room", "his_state", "his_message")


def ddl(dialect: str, name: str = "kiosk_visit") -> str:
    """The statement that makes the table in a database of *dialect*, one of `DIALECTS`."""
    module = importlib.import_module(f"sqlalchemy.dialects.{dialect}")
    return f"{CreateTable(table(name)).compile(dialect=module.dialect())};".strip()


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in DIALECTS:
        sys.exit(f"expected one of: {', '.join(DIALECTS)}")
    sys.stdout.write(ddl(sys.argv[1]) + "\n")
