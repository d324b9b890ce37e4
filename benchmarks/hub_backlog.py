"""A week's outage ends: the backlog of 95 stations at once, while other stations go on sending live."""

from __future__ import annotations

import http.client
import multiprocessing
import random
import time
from collections.abc import Sequence
from multiprocessing.synchronize import Event

import psycopg

from benchmarks.hub_bed import Station, hubs, new_database, stations
from benchmarks.hub_reading import percentile_ms
from benchmarks.hub_sending import Load, post, send, signed, visits, week
from province.facilities import load_packaged, read_registry
from province.store import Store

EACH, BATCH = 2_000, 1_000
HUBS, SENDERS = 2, 2
LIVE_STATIONS, LIVE_EVERY = 3, 0.2
LIVE_AT_MOST = 1_500


def measure(server: str) -> dict[str, object]:
    """Seconds of the drain, how long a live check-in waits meanwhile and without it, and what the ledger holds then."""
    url = new_database(server, "backlog")
    store = Store(url)
    load_packaged(store)
    with store.read() as connection:
        codes = sorted(read_registry(connection).facilities)
    backlog = stations(store, codes)
    live, early = (stations(store, codes[:LIVE_STATIONS], name) for name in ("kiosk-2", "kiosk-3"))
    store.close()
    load: Load = [week(station, EACH, BATCH) for station in backlog]
    with hubs(url, HUBS) as ports:
        quiet = _LiveTraffic(ports, early)
        time.sleep(4)
        idle, before = quiet.stop()
        busy = _LiveTraffic(ports, live)
        took, taken = send(ports, load, SENDERS)
        waits, during = busy.stop()
    sent = len(backlog) * EACH
    with psycopg.connect(url) as connection:
        kept, ids, of_stations = _counts(connection)
    return {
        "events": sent,
        "drained_s": round(took, 1),
        "events_per_s": round(sent / took),
        "held_back": taken["held_back"],
        "lost": sent + before + during - ids,
        "doubled": kept - ids,
        "visits_in_feed_missing": (sent + before + during) // 2 - of_stations,
        "live_idle_p99_ms": percentile_ms(idle, 0.99),
        "live_median_ms": percentile_ms(waits, 0.5),
        "live_p99_ms": percentile_ms(waits, 0.99),
        "live_worst_ms": percentile_ms(waits, 1),
    }


def _counts(connection: psycopg.Connection[tuple[int, ...]]) -> tuple[int, int, int]:
    row = connection.execute("SELECT count(*), count(DISTINCT event_id) FROM event").fetchone()
    feed = connection.execute("SELECT sum(visits) FROM rollup WHERE grain = 'day'").fetchone()
    assert row is not None and feed is not None
    return row[0], row[1], feed[0]


class _LiveTraffic:
    """A process that sends single check-ins of these stations, one after the other, until it is stopped."""

    def __init__(self, ports: Sequence[int], live: Sequence[Station]) -> None:
        context = multiprocessing.get_context("fork")
        self._stop = context.Event()
        self._told, other = context.Pipe(duplex=False)
        load = [signed(station, visits(LIVE_AT_MOST, random.Random(7), days=0), 2) for station in live]
        self._process = context.Process(target=_send_live, args=(list(ports), load, self._stop, other))
        self._process.start()

    def stop(self) -> tuple[list[float], int]:
        """The seconds that each check-in took until it was acknowledged, and how many events these were."""
        self._stop.set()
        waits: list[float] = self._told.recv()
        self._process.join()
        return waits, 2 * len(waits)


def _send_live(ports: list[int], load: Load, stop: Event, tell: object) -> None:
    lines = [http.client.HTTPConnection("127.0.0.1", ports[number % len(ports)]) for number in range(len(load))]
    waits = []
    for at_once in zip(*load, strict=True):
        for line, (body, signature) in zip(lines, at_once, strict=True):
            started = time.perf_counter()
            post(line, body, signature)
            waits.append(time.perf_counter() - started)
        if stop.wait(LIVE_EVERY):
            break
    tell.send(waits)  # type: ignore[attr-defined]
