"""The gateway's untouched answers out of the store again, for the facility that must keep them (Circular 12/2026)."""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from kiosk.model import VIETNAM
from kiosk.tables import gateway_answer

PAGE: Final = 200
"""Answers read at a time: some 10 kB each, so that memory stays flat."""


@dataclass(frozen=True, slots=True)
class Position:
    """Where a page ended: day, then request id."""

    day: str
    request_id: str = ""


def answers_a_day(connection: sa.Connection, first: str, last: str) -> list[dict[str, Any]]:
    """How many answers are kept of each day from *first* to *last* (ISO, inclusive), and their packed size in bytes."""
    query = (
        sa.select(gateway_answer.c.day, sa.func.count(), sa.func.sum(sa.func.length(gateway_answer.c.body)))
        .where(gateway_answer.c.day.between(first, last))
        .group_by(gateway_answer.c.day)
        .order_by(gateway_answer.c.day)
    )
    return [{"day": row[0], "answers": row[1], "bytes": row[2]} for row in connection.execute(query)]


def lines_after(connection: sa.Connection, after: Position, last: str) -> tuple[list[str], Position | None]:
    """The next page of JSON lines up to the day *last*, and where to go on; None at the end.

    A line: ``request_id``, ``checkin_id``, ``at`` (UTC+7), ``digest`` (SHA-256 of the body), ``intact`` (the body has
    that digest), ``encoding`` (``utf-8`` or ``base64``), ``body`` (null where it cannot be unpacked).
    """
    table = gateway_answer.c
    later = sa.or_(table.day > after.day, sa.and_(table.day == after.day, table.request_id > after.request_id))
    query = sa.select(gateway_answer).where(later, table.day <= last).order_by(table.day, table.request_id).limit(PAGE)
    rows = connection.execute(query).all()
    lines = [json.dumps(_line(row), ensure_ascii=False) for row in rows]
    return lines, Position(rows[-1].day, rows[-1].request_id) if len(rows) == PAGE else None


def _line(row: Any) -> dict[str, Any]:
    try:
        body: bytes | None = zlib.decompress(row.body)
    except zlib.error:
        body = None
    encoding, text = _as_text(body)
    return {
        "request_id": row.request_id,
        "checkin_id": row.checkin_id,
        "at": row.at.astimezone(VIETNAM).isoformat(),
        "digest": row.digest,
        "intact": body is not None and hashlib.sha256(body).hexdigest() == row.digest,
        "encoding": encoding,
        "body": text,
    }


def _as_text(body: bytes | None) -> tuple[str | None, str | None]:
    if body is None:
        return None, None
    try:
        return "utf-8", body.decode("utf-8")
    except UnicodeDecodeError:
        return "base64", base64.b64encode(body).decode("ascii")
