"""Inserting many rows at once, some of which may be there already, on SQLite and PostgreSQL."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import psycopg
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

Row = dict[str, Any]
_WORTH_A_COPY: Final = 20


def insert_rows(connection: sa.Connection, table: sa.Table, rows: Sequence[Row]) -> None:
    """Insert rows with the same keys, none of which is there; on PostgreSQL many of them by COPY.

    Raises SQLAlchemy's errors, IntegrityError for a row that is there.
    """
    if not rows:
        return
    if connection.dialect.name == "sqlite" or len(rows) < _WORTH_A_COPY:
        connection.execute(sa.insert(table), rows)
        return
    names = list(rows[0])
    into = f"COPY {_quoted(connection, table.name)} ({_columns(connection, names)}) FROM STDIN"
    driver = connection.connection.dbapi_connection
    try:
        with driver.cursor() as cursor, cursor.copy(into) as copy:  # type: ignore[union-attr]
            for row in rows:
                copy.write_row([row[name] for name in names])
    except psycopg.Error as error:
        raise sa.exc.DBAPIError.instance(into, None, error, psycopg.Error, dialect=connection.dialect) from error


def insert_or_update(connection: sa.Connection, table: sa.Table, rows: Sequence[Row], update: Iterable[str]) -> None:
    """Insert rows with the same keys; where the primary key exists, set the columns `update` to the new values instead.

    No two rows have the same primary key.
    """
    if not rows:
        return
    if connection.dialect.name == "sqlite":
        statement = sqlite.insert(table)
        keys = [column.name for column in table.primary_key]
        values = {name: statement.excluded[name] for name in update}
        connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=values), rows)
        return
    # One array for each column: a statement per row would cost as many round trips.
    names = list(rows[0])
    types = [table.c[name].type.compile(connection.dialect) for name in names]
    arrays = ", ".join(f"%s::{each}[]" for each in types)
    keys_of = _columns(connection, [column.name for column in table.primary_key])
    setting = ", ".join(f"{_quoted(connection, name)} = EXCLUDED.{_quoted(connection, name)}" for name in update)
    connection.exec_driver_sql(
        f"INSERT INTO {_quoted(connection, table.name)} ({_columns(connection, names)}) "  # noqa: S608 - own names
        f"SELECT * FROM unnest({arrays}) ON CONFLICT ({keys_of}) DO UPDATE SET {setting}",
        tuple([row[name] for row in rows] for name in names),
    )


def among(connection: sa.Connection, column: sa.ColumnElement[Any], values: Iterable[Any]) -> sa.ColumnElement[bool]:
    """Whether a column has one of many values; on PostgreSQL they are one array and not as many parameters."""
    if connection.dialect.name == "sqlite":
        return column.in_(values)
    return column == sa.func.any(sa.bindparam(None, list(values), type_=postgresql.ARRAY(column.type), unique=True))


def _quoted(connection: sa.Connection, name: str) -> str:
    return connection.dialect.identifier_preparer.quote(name)


def _columns(connection: sa.Connection, names: Iterable[str]) -> str:
    return ", ".join(_quoted(connection, name) for name in names)
