"""What the rules ask the ledger in, on SQLite and PostgreSQL alike."""

from datetime import date, timedelta
from typing import Any, Final

import sqlalchemy as sa

from province.findings.finding import MOST_EVIDENCE
from province.periods import Period
from province.tables import event, lookup

_OFFSET_HOURS: Final = 7


def payload_text(connection: sa.Connection, name: str) -> sa.ColumnElement[Any]:
    """A text field of an event's JSON, NULL where it is absent or null."""
    if connection.dialect.name == "sqlite":
        return sa.func.json_extract(event.c.payload, f"$.{name}", type_=sa.Text())
    text: sa.ColumnElement[Any] = sa.cast(event.c.payload, sa.JSON)[name].as_string()
    return text


def local_hour(connection: sa.Connection, moment: sa.ColumnElement[Any]) -> sa.ColumnElement[int]:
    """The hour (0 to 23) in UTC+7 of a stored time."""
    if connection.dialect.name == "sqlite":
        return sa.cast(sa.func.strftime("%H", moment, f"+{_OFFSET_HOURS} hours"), sa.Integer)
    utc = sa.func.timezone("UTC", moment, type_=sa.DateTime())
    return sa.cast(sa.extract("hour", utc + timedelta(hours=_OFFSET_HOURS)), sa.Integer)


def five_minutes(connection: sa.Connection, moment: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """A number that is the same for all stored times within the same five minutes."""
    if connection.dialect.name == "sqlite":
        return sa.cast(sa.func.strftime("%s", moment), sa.Integer) // 300
    return sa.cast(sa.func.floor(sa.extract("epoch", moment) / 300), sa.BigInteger)


def lookups_of(connection: sa.Connection, span: Period) -> sa.Subquery:
    """The lookups of the span with what only their events say: station, lane, issuer, and whether the clock is off."""
    return (
        sa.select(
            lookup,
            event.c.station,
            event.c.clock_suspect,
            payload_text(connection, "lane").label("lane"),
            payload_text(connection, "issuer").label("issuer"),
        )
        .join(event, sa.and_(event.c.facility == lookup.c.facility, event.c.event_id == lookup.c.event_id))
        .where(lookup.c.day.between(span.start, span.end))
        .subquery("seen")
    )


def evidence(
    connection: sa.Connection, column: sa.ColumnElement[str], *conditions: sa.ColumnElement[bool]
) -> tuple[str, ...]:
    """The first MOST_EVIDENCE event ids, oldest first (they begin with their time)."""
    query = sa.select(column).where(*conditions).distinct().order_by(column).limit(MOST_EVIDENCE)
    return tuple(connection.scalars(query))


def month_of(day: date) -> str:
    """The month of a day, as the anchor of what is found once a month."""
    return day.isoformat()[:7]


def share(part: int, whole: int) -> int:
    """A share in whole percent, half up; 0 of nothing."""
    return (200 * part + whole) // (2 * whole) if whole else 0
