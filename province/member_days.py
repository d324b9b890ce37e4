"""Days whose sums another hub made and sent: they lead over anything counted here (`federation_tables.member_day`)."""

import json
from collections.abc import Collection
from datetime import date
from functools import cache
from typing import Any, Final

import sqlalchemy as sa

from province.day_counts import Scope
from province.federation_tables import member_day
from province.measures import Measures, Row, to_row

Rows = dict[tuple[str, date], Row]
_EMPTY: Final = to_row(Measures())


def pack(row: Any) -> Row:
    """The sums in a row of `rollup` (a mapping), without zeros; the words without a column are in `rest`."""
    packed: Row = {name: int(row[name]) for name in _EMPTY if name != "rest" and row[name]}
    return packed | ({"rest": json.loads(row["rest"])} if row["rest"] else {})


def as_text(packed: Row) -> str:
    """Packed sums as they are kept: the same text for the same sums."""
    return json.dumps(packed, sort_keys=True)


def packed_of(text: str) -> Row:
    """The packed sums kept as *text*."""
    packed: Row = json.loads(text)
    return packed


def unpack(text: str) -> Row:
    """The columns of `rollup` that hold the sums kept as *text*."""
    packed = packed_of(text)
    rest = packed.pop("rest", None)
    return _EMPTY | packed | {"rest": json.dumps(rest, ensure_ascii=False, sort_keys=True) if rest else None}


def member_rows(connection: sa.Connection, days: Collection[date], codes: Collection[str] | None) -> Rows:
    """The columns of `rollup` per facility and day that a member sent: of these facilities, or of all."""
    scope = Scope.of_facilities(connection, codes)
    rows = connection.execute(_sent(scope), scope.asked(days, codes))
    return {(row.facility, row.day): unpack(row.sums) for row in rows}


def days_of_members(connection: sa.Connection) -> dict[str, set[date]]:
    """The days that members sent, per facility."""
    found: dict[str, set[date]] = {}
    for code, day in connection.execute(sa.select(member_day.c.facility, member_day.c.day)):
        found.setdefault(code, set()).add(day)
    return found


@cache
def _sent(scope: Scope) -> sa.Select[tuple[str, date, str]]:
    return sa.select(member_day.c.facility, member_day.c.day, member_day.c.sums).where(scope.of(member_day))
