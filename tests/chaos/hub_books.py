"""What a hub holds beside a plain count of what stations sent: ledger, feed, and sums made anew."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import httpx
import sqlalchemy as sa
from hub_senders import DAYS, FIRST_DAY, Event, SendingStation

from kiosk.events import VIETNAM, parse_happened_at
from province.rebuild import rebuild
from province.rollup_table import rollup
from province.store import Store
from province.tables import event


def ledger_problems(connection: sa.Connection, stations: Sequence[SendingStation]) -> dict[str, int]:
    """How many events are lost, doubled or strangers in the hub's ledger; empty when all is well."""
    sent = {(station.facility, each["event_id"]) for station in stations for each in station.sent}
    kept = Counter((row.facility, row.event_id) for row in connection.execute(sa.select(event)))
    found = {"lost": len(sent - kept.keys()), "strangers": len(kept.keys() - sent), "doubled": kept.total() - len(kept)}
    return {name: number for name, number in found.items() if number}


def counted(stations: Sequence[SendingStation]) -> dict[tuple[str, str], tuple[int, int]]:
    """Facility and day -> insured visits and lookups, counted one by one from what was sent."""
    last_word: dict[tuple[str, str], Event] = {}
    lookups: Counter[tuple[str, str]] = Counter()
    for station in stations:
        for each in station.sent:
            if each["kind"] == "lookup":
                lookups[station.facility, _day(each)] += 1
            else:
                last_word[station.facility, each["checkin_id"]] = each
    visits = Counter((facility, _day(each)) for (facility, _), each in last_word.items() if each["bhyt"])
    return {place: (visits[place], lookups[place]) for place in lookups.keys() | visits.keys()}


def in_feed(url: str, api_key: str) -> dict[tuple[str, str], tuple[int, int]]:
    """The same as `counted`, as the hub's feed tells it."""
    query = {"from": FIRST_DAY.date().isoformat(), "to": (FIRST_DAY + timedelta(days=DAYS)).date().isoformat()}
    query |= {"level": "facility", "period": "day"}
    answer = httpx.get(
        f"{url}/api/v1/kpi/lookup-rate", params=query, headers={"Authorization": f"Bearer {api_key}"}, timeout=30
    )
    rows = answer.raise_for_status().json()["rows"]
    told = {(row["unit_code"], row["period_start"]): (row["visits_bhyt"], row["lookups_total"]) for row in rows}
    return {place: numbers for place, numbers in told.items() if numbers != (0, 0)}


def sums(connection: sa.Connection) -> list[dict[str, Any]]:
    """All sums that the feed reads."""
    rows = connection.execute(sa.select(rollup).order_by(rollup.c.facility, rollup.c.grain, rollup.c.start)).mappings()
    return [dict(row) | {"rest": json.loads(row["rest"] or "null")} for row in rows]


def assert_books_agree(store: Store, stations: Sequence[SendingStation], url: str, api_key: str) -> None:
    """Ledger, feed and sums equal the plain count, and an event taken away would have been noticed."""
    with store.read() as connection:
        assert ledger_problems(connection, stations) == {}
    assert in_feed(url, api_key) == counted(stations)
    with store.write() as connection:
        before = sums(connection)
        rebuild(connection)
        assert sums(connection) == before
        one = sa.select(sa.func.min(event.c.event_id)).scalar_subquery()
        connection.execute(sa.delete(event).where(event.c.event_id == one))
        assert ledger_problems(connection, stations) == {"lost": 1}
        connection.rollback()


def _day(each: Event) -> str:
    at = parse_happened_at(each["happened_at"])
    assert at is not None
    return at.astimezone(VIETNAM).date().isoformat()
