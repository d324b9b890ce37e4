"""The audit: who fetched or did what and when; each record carries the hash of all before it.

The chain shows a record that was changed, removed or put in between. Who can write the database could make the whole
chain anew; so the last hash of every day goes into the log of the hub too, where it can be compared
(`provincectl audit verify --anchor`). Fetches are written in batches, what changes something before its answer.
"""

import hashlib
import json
import re
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from kiosk.events import VIETNAM
from province.access_tables import audit, audit_anchor
from province.observe import log
from province.store import Store

KEPT: Final = timedelta(days=400)
BEFORE_THE_FIRST: Final = "0" * 64
_SHOWN: Final = re.compile(r"[A-Za-z0-9_.:*-]{1,40}")
_MANY_DIGITS: Final = re.compile(r"\d{9}")


@dataclass(frozen=True, slots=True)
class Record:
    """What is kept of one request or command.

    ``kind``: `account`, `key` or `command`. ``parameters``: as `plain_parameters` lets them through. ``status``: of
    HTTP, None for a command. ``rows``: how many rows of figures went out, where the route counts them.
    """

    happened_at: datetime
    who: str
    kind: str
    method: str
    route: str
    parameters: Mapping[str, str]
    status: int | None = None
    rows: int | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What checking the chain found: the numbers it covers, and the first number that does not fit (None: all do)."""

    first: int | None
    last: int | None
    broken_at: int | None


class AuditTrail:
    """Keeps records in order; thread-safe, and several hub processes may share the database."""

    def __init__(self, store: Store) -> None:
        """Write to this store."""
        self._store = store
        self._waiting: deque[Record] = deque()
        self._adding = threading.Lock()
        self._flushing = threading.Lock()

    def add(self, record: Record) -> None:
        """Keep a record with the next `flush`."""
        with self._adding:
            self._waiting.append(record)

    def flush(self) -> None:
        """Write what waits, durably. Raises SQLAlchemy's errors; then everything still waits."""
        with self._flushing:
            with self._adding:
                batch = list(self._waiting)
            if not batch:
                return
            append(self._store, batch)
            with self._adding:
                for _ in batch:
                    self._waiting.popleft()


def append(store: Store, records: Sequence[Record]) -> None:
    """Put records at the end of the chain, durably; the end of a day before goes into `audit_anchor` and the log."""
    with store.write() as connection:
        store.lock_facility(connection, "audit")
        last = connection.execute(sa.select(audit).order_by(audit.c.number.desc()).limit(1)).first()
        anchored = _anchor(connection, last, records[0].happened_at)
        number, chained = (last.number, last.hash) if last else _last_anchor(connection)
        rows = []
        for record in records:
            number += 1
            fields = _fields(number, record)
            chained = _chained(chained, fields)
            rows.append(fields | {"hash": chained})
        connection.execute(sa.insert(audit), rows)
    if anchored:
        log.info("audit anchor", extra={"fields": anchored})


def list_audit(
    connection: sa.Connection, first: date, last: date, *, who: str | None = None, limit: int = 1000
) -> list[dict[str, object]]:
    """The newest records of the days (UTC+7, inclusive), newest first; *who* alone when given."""
    begin = datetime(first.year, first.month, first.day, tzinfo=VIETNAM)
    end = datetime(last.year, last.month, last.day, tzinfo=VIETNAM) + timedelta(days=1)
    query = sa.select(audit).where(audit.c.happened_at >= begin, audit.c.happened_at < end)
    if who is not None:
        query = query.where(audit.c.who == who)
    return [
        {
            "number": row.number,
            "at": row.happened_at.isoformat(timespec="milliseconds"),
            "who": row.who,
            "kind": row.kind,
            "method": row.method,
            "route": row.route,
            "parameters": json.loads(row.parameters),
            "status": row.status,
            "rows": row.row_count,
        }
        for row in connection.execute(query.order_by(audit.c.number.desc()).limit(limit))
    ]


def verify(connection: sa.Connection, now: datetime, anchors: Mapping[int, str] | None = None) -> Verdict:
    """Go through the chain from its first kept record.

    It fits when the first record follows number 0 or an anchor old enough to have been pruned up to, every hash follows
    from the one before, and all anchors of the database and *anchors* (number to hash, from the log) are met.
    """
    rows = connection.execute(sa.select(audit_anchor).order_by(audit_anchor.c.number)).all()
    wanted: dict[int, set[str]] = {row.number: {row.hash} for row in rows}
    for number, each in (anchors or {}).items():
        wanted.setdefault(number, set()).add(each)
    oldest = (now - KEPT).astimezone(VIETNAM).date()
    begins = {0: BEFORE_THE_FIRST} | {row.number: row.hash for row in rows if row.day < oldest}
    first: int | None = None
    last = max((number for number in begins if number), default=0)
    chained = ""
    every = sa.select(audit).order_by(audit.c.number).execution_options(yield_per=1000)
    with connection.execute(every) as found:
        for row in found:
            if first is None:
                first, last = row.number, row.number - 1
                chained = begins.get(last, "")
                if wanted.get(last, {chained}) != {chained}:
                    return Verdict(first, None, first)
            if row.number != last + 1:
                return Verdict(first, last, row.number)
            chained = _chained(chained, {name: value for name, value in row._mapping.items() if name != "hash"})
            if chained != row.hash or wanted.get(row.number, {chained}) != {chained}:
                return Verdict(first, last, row.number)
            last = row.number
    missing = [number for number in wanted if number > last]
    return Verdict(first, last if first else None, min(missing, default=None))


def prune(store: Store, now: datetime) -> int:
    """Delete records of days more than 400 days before *now*; the chain then begins at an anchor. Returns how many."""
    with store.write() as connection:
        store.lock_facility(connection, "audit")
        old = audit_anchor.c.day < (now - KEPT).astimezone(VIETNAM).date()
        last = connection.scalar(sa.select(sa.func.max(audit_anchor.c.number)).where(old))
        return connection.execute(sa.delete(audit).where(audit.c.number <= last)).rowcount if last else 0


def plain_parameters(given: Mapping[str, Any]) -> dict[str, str]:
    """Parameters as the audit may keep them.

    Short codes, days and words stay; anything else, and whatever holds nine digits in a row (it might be the number of
    a person), becomes `?`.
    """
    return {_plain(str(name)): _plain(str(value)) for name, value in given.items()}


def _plain(text: str) -> str:
    return text if _SHOWN.fullmatch(text) and not _MANY_DIGITS.search(text) else "?"


def _anchor(connection: sa.Connection, last: Any, now: datetime) -> dict[str, object] | None:
    if last is None:
        return None
    day = last.happened_at.astimezone(VIETNAM).date()
    if day >= now.astimezone(VIETNAM).date():
        return None
    if connection.scalar(sa.select(audit_anchor.c.number).where(audit_anchor.c.day == day)) is not None:
        return None
    connection.execute(sa.insert(audit_anchor).values(day=day, number=last.number, hash=last.hash))
    return {"day": day.isoformat(), "number": last.number, "hash": last.hash}


def _last_anchor(connection: sa.Connection) -> tuple[int, str]:
    row = connection.execute(sa.select(audit_anchor).order_by(audit_anchor.c.number.desc()).limit(1)).first()
    return (row.number, row.hash) if row else (0, BEFORE_THE_FIRST)


def _fields(number: int, record: Record) -> dict[str, Any]:
    return {
        "number": number,
        "happened_at": record.happened_at,
        "who": record.who,
        "kind": record.kind,
        "method": record.method,
        "route": record.route,
        "parameters": json.dumps(dict(record.parameters), sort_keys=True),
        "status": record.status,
        "row_count": record.rows,
    }


def _chained(before: str, fields: Mapping[str, Any]) -> str:
    plain = dict(fields) | {"happened_at": fields["happened_at"].astimezone(UTC).isoformat(timespec="microseconds")}
    text = json.dumps([before, plain], sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()
