"""Lists as single parameters: an array on PostgreSQL, a JSON text on SQLite.

A statement that binds them is the same for any number of values, so that it is made once, and neither this process nor
the database has to read it again.
"""

import json
from collections.abc import Iterable
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql


def listed(dialect: str, name: str, kind: type[sa.types.TypeEngine[Any]]) -> sa.Select[Any]:
    """The values of the parameter *name* as a subquery of one column; on PostgreSQL a table to hash."""
    if dialect == "sqlite":
        return sa.select(sa.func.json_each(sa.bindparam(name, type_=sa.Text)).table_valued("value").c.value)
    array = sa.bindparam(name, type_=postgresql.ARRAY(kind))
    return sa.select(sa.func.unnest(array).table_valued("value").render_derived().c.value)


def is_listed(dialect: str, column: sa.ColumnElement[Any], name: str) -> sa.ColumnElement[bool]:
    """Whether the column has one of the values of the parameter *name*; an index on it can be used."""
    if dialect == "sqlite":
        return column.in_(listed(dialect, name, sa.Text))
    return column == sa.func.any(sa.bindparam(name, type_=postgresql.ARRAY(column.type)))


def bound(dialect: str, values: Iterable[str | date]) -> object:
    """What to bind for these texts or days."""
    if dialect == "sqlite":
        return json.dumps([each.isoformat() if isinstance(each, date) else each for each in values])
    return list(values)
