"""The hub and PostgreSQL killed during a drain, and two hubs behind one database: every event once (issue 7).

Faults-threats-speed.md 3, F11. The seed of a failing run is in its report.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path
from threading import Barrier

import httpx
import hub_kills
import pytest
from hub_bed import Cluster, own_cluster, running_hubs
from hub_books import assert_books_agree
from hub_senders import DAYS, Event, SendingStation

from province.access.keys import new_api_key
from province.facilities import load_packaged
from province.store import Store

pytestmark = pytest.mark.chaos


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """A PostgreSQL server that syncs."""
    with own_cluster() as started:
        yield started


def _assert_nothing_lost(report: hub_kills.Report, kills: int) -> None:
    assert report.problems == [], report
    assert sum(report.kills.values()) == kills
    assert report.interrupted >= kills, report


def test_kills_during_a_drain_lose_and_double_nothing(cluster: Cluster, tmp_path: Path) -> None:
    _assert_nothing_lost(hub_kills.run(cluster, tmp_path, kills=3, seed=random.randrange(10**6)), 3)


@pytest.mark.long
def test_twenty_kills_during_a_drain_lose_and_double_nothing(cluster: Cluster, tmp_path: Path) -> None:
    _assert_nothing_lost(hub_kills.run(cluster, tmp_path, kills=20, seed=random.randrange(10**6)), 20)


def test_two_hubs_behind_one_database_take_each_event_once(cluster: Cluster, tmp_path: Path) -> None:
    """Each station sends to both at the same moment: the same batch, then two words on each of its visits.

    Each pair of turns has a day of its own, so that no later one mends its sums.
    """
    database = cluster.new_database()
    store = Store(database)
    load_packaged(store)
    stations = [SendingStation(store, *place, seed=1) for place in (("93002", "a"), ("93002", "b"), ("93003", "a"))]
    together = Barrier(2 * len(stations))

    def send(url: str, station: SendingStation, batches: list[list[Event]]) -> list[int]:
        accepted = []
        with httpx.Client(base_url=url, timeout=30) as http:
            for batch in batches:
                body, headers = station.signed(batch)
                together.wait(30)
                answer = http.post("/api/v1/events", content=body, headers=headers)
                accepted.append(answer.raise_for_status().json()["accepted"])
        return accepted

    with running_hubs(database, tmp_path, 2) as hubs, ThreadPoolExecutor(together.parties) as pool:
        answers = []
        for station in stations:
            same = [station.batch(25, day) for day in range(DAYS)]
            for hub, bhyt in zip(hubs, (False, True), strict=True):
                own = [station.replacing(batch, bhyt=bhyt) for batch in same]
                answers.append((same, own, pool.submit(send, hub.url, station, [*chain(*zip(same, own, strict=True))])))
        for (same, own, here), (_, other_own, there) in zip(answers[::2], answers[1::2], strict=True):
            of_both = zip(here.result()[::2], there.result()[::2], strict=True)
            assert [sum(each) for each in of_both] == [len(batch) for batch in same]
            assert here.result()[1::2] == [len(batch) for batch in own]
            assert there.result()[1::2] == [len(batch) for batch in other_own]
        api_key = new_api_key(store, "read")["key"]
        for hub in hubs:
            assert_books_agree(store, stations, hub.url, api_key)
    store.close()
