"""The audit: who did or saw what, each row chained to all before it by its hash.

A row that is changed, taken out or put in between breaks the chain. Who can write the whole store could make the chain
anew; so the last hash of every day is signed and told outside (`audit_anchor`, a file, the log), where it can be
compared (``kioskctl audit verify --anchors``). The chain goes over a salted digest of the typed words: they can be
emptied with their salt, which leaves nothing to guess at, and the chain stands. Appended in the act's own transaction.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final

import sqlalchemy as sa

from kiosk.tables import audit

BEFORE_THE_FIRST: Final = "0" * 64


@dataclass(frozen=True, slots=True)
class Verdict:
    """What going through the chain found: its rows, those emptied, and the first number that does not fit (or None)."""

    rows: int
    emptied: int
    broken_at: int | None


def append(
    connection: sa.Connection, now: datetime, who: str, action: str, checkin_id: str | None, detail: dict[str, Any]
) -> None:
    """Put a row at the end of the chain. *detail* holds codes and notes, no copies of identities."""
    last = connection.execute(sa.select(audit.c.id, audit.c.hash).order_by(audit.c.id.desc()).limit(1)).first()
    number, before = (last.id + 1, last.hash) if last else (1, BEFORE_THE_FIRST)
    salt = secrets.token_hex(16)
    digest = digest_of(detail, salt)
    row = {"id": number, "at": now, "who": who, "action": action, "checkin_id": checkin_id, "digest": digest}
    connection.execute(audit.insert().values(**row, detail=detail, salt=salt, hash=chained(before, row)))


def empty(connection: sa.Connection, checkin_ids: list[str]) -> None:
    """Forget the typed words about these check-ins; what was done, when and by whom stays."""
    connection.execute(audit.update().where(audit.c.checkin_id.in_(checkin_ids)).values(detail={}, salt=""))


def verify(connection: sa.Connection, anchors: Mapping[int, str]) -> Verdict:
    """Go through the chain from its first row; *anchors*: number to hash, as they were told outside."""
    number, emptied, before = 0, 0, BEFORE_THE_FIRST
    every = sa.select(audit).order_by(audit.c.id).execution_options(yield_per=1000)
    with connection.execute(every) as found:
        for row in found:
            if row.id != number + 1:
                return Verdict(number, emptied, number + 1)
            fields = row._asdict()
            genuine = row.digest == digest_of(row.detail, row.salt) if row.salt else row.detail == {}
            before = chained(before, fields)
            if not genuine or before != row.hash or anchors.get(row.id, before) != before:
                return Verdict(number, emptied, row.id)
            number, emptied = row.id, emptied + (not row.salt)
    return Verdict(number, emptied, min((each for each in anchors if each > number), default=None))


def lines(connection: sa.Connection, first: date, last: date) -> Iterator[str]:
    """The rows of the days (UTC, inclusive) as JSON lines; typed words may name people."""
    begin, end = (datetime.combine(day, moment, UTC) for day, moment in ((first, _MIDNIGHT), (last, _LAST_MOMENT)))
    query = sa.select(audit).where(audit.c.at.between(begin, end)).order_by(audit.c.id)
    for row in connection.execute(query):
        yield json.dumps(row._asdict() | {"at": row.at.isoformat()}, ensure_ascii=False)


_MIDNIGHT: Final = datetime.min.time()
_LAST_MOMENT: Final = datetime.max.time()


def digest_of(detail: Any, salt: str) -> str:
    """What the chain knows of the typed words."""
    return hashlib.sha256(f"{salt}{_canonical(detail)}".encode("ascii")).hexdigest()


def chained(before: str, fields: Mapping[str, Any]) -> str:
    """The hash of a row after the row with hash *before*."""
    at: datetime = fields["at"]
    plain = [fields[name] for name in ("id", "who", "action", "checkin_id", "digest")]
    text = _canonical([before, at.astimezone(UTC).isoformat(timespec="microseconds"), *plain])
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
