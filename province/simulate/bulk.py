"""Inserting millions of rows: COPY on PostgreSQL, one statement for many rows on SQLite."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, Final

import psycopg
import sqlalchemy as sa

Rows = Iterable[Sequence[object]]
_ESCAPES: Final = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def insert_many(connection: sa.Connection, table: sa.Table, columns: Sequence[str], rows: Rows) -> int:
    """Insert rows of text, whole numbers, truth values and days in the order of *columns*; returns how many.

    Raises SQLAlchemy's or the driver's errors for a row that the table does not take.
    """
    if connection.dialect.name == "sqlite":
        values = ", ".join("?" * len(columns))
        statement = f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES ({values})"  # noqa: S608 - our own names
        prepared = [tuple(_day_as_text(value) for value in row) for row in rows]
        if prepared:
            connection.exec_driver_sql(statement, prepared)
        return len(prepared)
    driver: psycopg.Connection[Any] = connection.connection.driver_connection  # type: ignore[assignment]
    number = 0
    with driver.cursor() as cursor, cursor.copy(f"COPY {table.name} ({', '.join(columns)}) FROM STDIN") as copy:
        for row in rows:
            copy.write("\t".join([_as_text(value) for value in row]) + "\n")
            number += 1
    return number


def _as_text(value: object) -> str:
    return value.translate(_ESCAPES) if isinstance(value, str) else str(value)


def _day_as_text(value: object) -> object:
    return value.isoformat() if isinstance(value, date) else value
