"""Inserting rows where some may be there already, on SQLite and PostgreSQL."""

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

Row = dict[str, Any]


def insert_or_update(connection: sa.Connection, table: sa.Table, rows: Sequence[Row], update: Iterable[str]) -> None:
    """Insert rows; where the primary key exists, set the columns `update` to the new values instead."""
    if not rows:
        return
    make = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    statement = make(table)
    keys = [column.name for column in table.primary_key]
    values = {name: statement.excluded[name] for name in update}
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=values), rows)
