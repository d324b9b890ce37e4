"""Drawing a month's sample: no facility can steer it, everybody can check it.

The seed is the hub's Ed25519 signature over the name of the month, which no facility can know before it is drawn. Of
each facility those chip lookups are drawn whose SHA-256 of seed and event id is smallest. Who holds the hub's key could
still make seeds until one pleases: against the province itself the sample proves nothing.
"""

import hashlib
import heapq
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import Any, Final

import sqlalchemy as sa
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from kiosk.events import Method
from province.audit_sample_tables import audit_draw, audit_item
from province.hub_key import HubKey
from province.months.rules import month_name, refuse_not_over
from province.periods import month_end
from province.store import Store
from province.tables import event, hub_key, lookup
from province.upsert import insert_rows

EACH: Final = 20
"""Lookups of a facility in a sample; all of them where there are fewer."""

SETTLED: Final = timedelta(minutes=10)
"""What was received less than this ago may not be in the database yet, and is not drawn."""


def draw(store: Store, key: HubKey, month: date, name: str, now: datetime | None = None) -> int:
    """Draw the sample of the month that begins on the day *month*; the answer is how many lookups it has.

    A month is drawn once: later calls change nothing, also when later events have come. *name*: who asked for it.
    Raises MonthRefused `month_not_over` or `bad_month`.
    """
    moment = now or datetime.now(UTC)
    refuse_not_over(month, moment)
    key.make_known(store)
    with store.write() as connection:
        store.lock_facility(connection, "audit sample")
        mine = audit_item.c.month == month
        if connection.scalar(sa.select(audit_draw.c.month).where(audit_draw.c.month == month)) is None:
            seed = key.private.sign(_message(month))
            made = {"month": month, "drawn_at": moment, "drawn_by": name, "key_id": key.key_id, "seed": seed}
            connection.execute(sa.insert(audit_draw).values(made))
            found = list(_drawn(connection, month, seed, moment - SETTLED))
            items = [
                {"month": month, "facility": facility, "place": place} | row
                for facility, rows in found
                for place, row in enumerate(rows, start=1)
            ]
            insert_rows(connection, audit_item, items)
        return connection.scalar(sa.select(sa.func.count()).select_from(audit_item).where(mine)) or 0


def verify(connection: sa.Connection, month: date) -> list[str]:
    """What does not hold of a drawn sample: `not_drawn`, `seed_not_signed`, and `other_items:` with a facility's code.

    The lookups are drawn again, from those that the hub had when the sample was drawn.
    """
    made = connection.execute(sa.select(audit_draw).where(audit_draw.c.month == month)).first()
    if made is None:
        return ["not_drawn"]
    faults = [] if _signed(connection, made.key_id, bytes(made.seed), month) else ["seed_not_signed"]
    query = sa.select(audit_item.c.facility, audit_item.c.event_id).where(audit_item.c.month == month)
    kept: dict[str, list[str]] = {}
    for row in connection.execute(query.order_by(audit_item.c.facility, audit_item.c.place)):
        kept.setdefault(row.facility, []).append(row.event_id)
    again = {
        facility: [str(row["event_id"]) for row in rows]
        for facility, rows in _drawn(connection, month, bytes(made.seed), made.drawn_at - SETTLED)
    }
    wrong = sorted(code for code in {*kept, *again} if kept.get(code) != again.get(code))
    return faults + [f"other_items:{code}" for code in wrong]


def _message(month: date) -> bytes:
    return f"audit-sample {month_name(month)}".encode("ascii")


def _signed(connection: sa.Connection, key_id: str, seed: bytes, month: date) -> bool:
    public = connection.scalar(sa.select(hub_key.c.public_key).where(hub_key.c.key_id == key_id))
    if public is None:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(bytes(public)).verify(seed, _message(month))
    except (InvalidSignature, ValueError):
        return False
    return True


def _drawn(
    connection: sa.Connection, month: date, seed: bytes, until: datetime
) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Per facility its lookups in the order of the draw, at most EACH."""
    names = ("event_id", "checkin_id", "happened_at", "chip_verdict", "result_code")
    query = (
        sa.select(lookup.c.facility, *(lookup.c[name] for name in names), event.c.station)
        .join(event, sa.and_(event.c.facility == lookup.c.facility, event.c.event_id == lookup.c.event_id))
        .where(lookup.c.day.between(month, month_end(month)), lookup.c.method == Method.CHIP_CCCD)
        .where(event.c.received_at <= until)
        .order_by(lookup.c.facility)
    )
    rows = connection.execute(query, execution_options={"yield_per": 5_000}).mappings()
    for facility, mine in groupby(rows, key=lambda row: str(row["facility"])):
        first = heapq.nsmallest(EACH, mine, key=lambda row: _rank(seed, str(row["event_id"])))
        yield facility, [{name: row[name] for name in (*names, "station")} for row in first]


def _rank(seed: bytes, event_id: str) -> bytes:
    return hashlib.sha256(seed + event_id.encode("ascii")).digest()
