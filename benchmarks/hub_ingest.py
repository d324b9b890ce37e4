"""Signed ingest over HTTP against COPY of the same rows into the same keyed table, and duplicates against new ones."""

from __future__ import annotations

import statistics
import time

import psycopg

from benchmarks.hub_bed import hubs, new_database, stations
from benchmarks.hub_sending import Load, send, week
from province.facilities import load_packaged, read_registry
from province.store import Store

ROUNDS, STATIONS, EACH, BATCH = 3, 30, 2_000, 1_000
HUBS, SENDERS = 2, 2


def copy_rate(url: str) -> float:
    """Rows a second of one COPY of the ledger's rows into a table with the ledger's keys."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS copied")
        connection.execute("CREATE TABLE copied (LIKE event INCLUDING ALL)")
        with connection.cursor().copy("COPY event TO STDOUT") as source:
            rows = [bytes(chunk) for chunk in source]
        started = time.perf_counter()
        with connection.cursor().copy("COPY copied FROM STDIN") as target:
            for row in rows:
                target.write(row)
        took = time.perf_counter() - started
        connection.execute("DROP TABLE copied")
        return len(rows) / took


def measure(server: str, *, rounds: int = ROUNDS) -> dict[str, object]:
    """Alternate the three, on a new database each round, so that a drifting machine hurts all."""
    found = [_round(server, f"ingest{number}") for number in range(rounds)]
    copied, fresh, again = (statistics.median(each[place] for each in found) for place in range(3))
    return {
        "copy_rows_per_s": round(copied),
        "ingest_events_per_s": round(fresh),
        "ingest_over_copy": round(statistics.median(each[1] / each[0] for each in found), 3),
        "duplicates_per_s": round(again),
        "duplicates_over_fresh": round(statistics.median(each[2] / each[1] for each in found), 2),
    }


def _round(server: str, name: str) -> tuple[float, float, float]:
    url = new_database(server, name)
    store = Store(url)
    load_packaged(store)
    with store.read() as connection:
        codes = sorted(read_registry(connection).facilities)[: STATIONS + 1]
    joined = stations(store, codes)
    store.close()
    load: Load = [week(station, EACH, BATCH) for station in joined]
    with hubs(url, HUBS) as ports:
        send(ports, load[STATIONS:], 1)  # warm
        fresh, taken = send(ports, load[:STATIONS], SENDERS)
        again, known = send(ports, load[:STATIONS], SENDERS)
    number = STATIONS * EACH
    if (taken["accepted"], known["duplicates"]) != (number, number):
        raise RuntimeError(f"of {number} events: {dict(taken)}, again: {dict(known)}")
    return copy_rate(url), number / fresh, number / again
