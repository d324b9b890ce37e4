"""Backlogs of many stations at once: few are worked on, the others come again, and live traffic passes (issue 7)."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice

import sqlalchemy as sa

from province.store import Store
from province.tables import event

T0 = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
TAKEN_AT_ONCE = 16
STATIONS = 18
BACKLOG = 60


@contextmanager
def held_up(store: Store, facility: str) -> Iterator[None]:
    """Nothing can be kept for this facility within; on SQLite for none."""
    with store.write() as connection:
        store.lock_facility(connection, facility)
        yield


def kept(store: Store) -> int:
    with store.read() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(event)) or 0


def test_few_backlogs_are_worked_on_the_others_come_again_and_live_batches_pass(kind: str, hub) -> None:
    senders = [hub.station("93002", f"kiosk-{number}") for number in range(STATIONS)]
    live = hub.station("93003")
    bodies = [sender.body([sender.visit(T0) for _ in range(BACKLOG)]) for sender in senders]
    with ThreadPoolExecutor(STATIONS) as pool:
        with held_up(hub.store, "93002"):
            sent = {pool.submit(senders[number].post, bodies[number]): number for number in range(STATIONS)}
            early = list(islice(as_completed(sent, timeout=20), STATIONS - TAKEN_AT_ONCE))
            if kind == "postgresql":
                assert live.send(live.visit(T0), live.lookup(T0))["accepted"] == 2
            assert sum(answer.done() for answer in sent) == len(early)
            for answer in early:
                assert (answer.result().status_code, answer.result().json()["error"]) == (429, "backlog_under_way")
                assert answer.result().headers["Retry-After"] == "1"
        assert sorted(answer.result().status_code for answer in sent) == [200] * TAKEN_AT_ONCE + [429] * len(early)
    before = kept(hub.store)
    for answer in early:
        again = sent[answer]
        assert senders[again].post(bodies[again]).json()["accepted"] == BACKLOG, "every place is free again"
    assert kept(hub.store) - before == len(early) * BACKLOG
    assert hub.facility("93002", "2026-03-02", "2026-03-02")["visits_bhyt"] == STATIONS * BACKLOG


def test_a_batch_that_is_refused_gives_its_place_back(hub) -> None:
    station = hub.station()
    large = station.body([station.visit(T0) for _ in range(BACKLOG)])
    for _ in range(2 * TAKEN_AT_ONCE):
        assert station.post(large, 'keyId="x",algorithm="ed25519",signature="AAAA"').status_code == 401
    assert station.post(large).status_code == 200
