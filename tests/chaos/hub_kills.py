"""Kills the hub and its PostgreSQL with signal 9 while stations drain their backlogs, then compares the books.

By hand: ``python tests/chaos/hub_kills.py --kills 20 --seed 7`` (faults-threats-speed.md 3, F11).
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import threading
import time
from dataclasses import asdict, dataclass, field
from itertools import cycle, islice
from pathlib import Path

from hub_bed import Cluster, HubProcess, own_cluster, running_hubs
from hub_books import assert_books_agree
from hub_senders import Drain, SendingStation

from province.access.keys import new_api_key
from province.facilities import load_packaged
from province.store import Store

_STATIONS = (("93002", "kiosk-1"), ("93002", "kiosk-2"), ("93003", "kiosk-1"), ("93004", "kiosk-1"))
_SHORTEST, _LONGEST = 0.1, 0.6
_VICTIMS = ("hub", "database", "both")


@dataclass
class Report:
    """What a run did; the books agreed if there is one."""

    seed: int
    kills: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_VICTIMS, 0))
    events: int = 0
    acknowledged: int = 0
    interrupted: int = 0
    lost_answers: int = 0
    slowest_recovery: float = 0.0
    problems: list[str] = field(default_factory=list)


def run(cluster: Cluster, folder: Path, *, kills: int, seed: int) -> Report:
    """Kill *kills* times, hub, database and both by turns, with work done in between.

    AssertionError when a book differs from the plain count of what was sent.
    """
    report = Report(seed)
    chance = random.Random(seed)
    database = cluster.new_database()
    store = Store(database)
    load_packaged(store)
    stations = [SendingStation(store, *place, seed) for place in _STATIONS]
    api_key = new_api_key(store, "read")["key"]
    store.close()
    with running_hubs(database, folder, 1) as (hub,):
        enough = threading.Event()
        drains = [Drain(station, hub.url, enough) for station in stations]
        for drain in drains:
            drain.start()
        try:
            for victim in islice(cycle(_VICTIMS), kills):
                _let_work(drains)
                time.sleep(chance.uniform(_SHORTEST, _LONGEST))
                since = time.monotonic()
                _kill(victim, hub, cluster)
                report.kills[victim] += 1
                _let_work(drains)
                report.slowest_recovery = max(report.slowest_recovery, time.monotonic() - since)
        finally:
            enough.set()
            for drain in drains:
                drain.join()
        store = Store(database)
        assert_books_agree(store, stations, hub.url, api_key)
        store.close()
    report.events = sum(len(station.sent) for station in stations)
    report.acknowledged = sum(drain.acknowledged for drain in drains)
    report.interrupted = sum(drain.interrupted for drain in drains)
    report.lost_answers = sum(drain.lost_answers for drain in drains)
    report.problems = [problem for drain in drains for problem in drain.problems]
    return report


def _kill(victim: str, hub: HubProcess, cluster: Cluster) -> None:
    if victim != "hub":
        cluster.kill()
    if victim != "database":
        hub.kill()
    if victim != "hub":
        cluster.start()
    if victim != "database":
        hub.start()
    hub.wait()


def _let_work(drains: list[Drain]) -> None:
    """Return when every station has had a batch acknowledged since now."""
    before = [drain.acknowledged for drain in drains]
    deadline = time.monotonic() + 60
    while any(drain.acknowledged == earlier for drain, earlier in zip(drains, before, strict=True)):
        assert not any(drain.problems for drain in drains), [drain.problems for drain in drains]
        assert time.monotonic() < deadline, "a station gets nothing acknowledged"
        time.sleep(0.01)


def main() -> None:
    """Run by hand; prints the report as JSON and ends with 1 if anything is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    given = parser.parse_args()
    with own_cluster() as cluster, tempfile.TemporaryDirectory() as folder:
        report = run(cluster, Path(folder), kills=given.kills, seed=given.seed)
    print(json.dumps(asdict(report), indent=2))
    sys.exit(1 if report.problems else 0)


if __name__ == "__main__":
    main()
