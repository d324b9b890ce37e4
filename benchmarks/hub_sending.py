"""Signed batches as stations send them, and processes that send them over HTTP and honour `Retry-After`."""

from __future__ import annotations

import http.client
import json
import multiprocessing
import random
import time
import uuid
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from benchmarks.hub_bed import Station, days_before
from kiosk.events import lookup_event, new_event_id, sign_batch, visit_event

AT_ONCE = 8
"""Stations that one process sends for at the same time."""

_OUTAGE_DAYS = 7
Signed = tuple[bytes, str]
Load = list[list[Signed]]
"""Per station its signed batches, in order."""


def visits(number: int, dice: random.Random, *, days: int = _OUTAGE_DAYS) -> list[dict[str, object]]:
    """So many check-ins over the last days, each a `lookup` and a `visit`, gapless by `seq`."""
    epoch = new_event_id()
    found: list[dict[str, object]] = []
    begin = days_before(days)
    for place in range(number):
        at = begin + timedelta(days=days) * (place / number)
        same: dict[str, object] = {"epoch": epoch, "checkin_id": new_event_id(), "lane": "self", "method": "CHIP_CCCD"}
        same |= {"person_day": f"{dice.getrandbits(64):016x}", "happened_at": at}
        asked: dict[str, object] = {"key_kind": "PERSONAL_12", "chip_verdict": "genuine", "issuer": "0123456789abcdef"}
        asked |= {"eligibility_class": "insured", "result_code": "000", "reached_gateway": True}
        asked |= {"latency_ms": dice.randrange(300, 2500), "attempt": 1}
        found.append(lookup_event(**(same | asked | {"event_id": new_event_id(), "seq": 2 * place + 1})))  # type: ignore[arg-type]
        seen: dict[str, object] = {"bhyt": True, "not_by_chip": None, "event_id": new_event_id(), "seq": 2 * place + 2}
        found.append(visit_event(**(same | seen)))  # type: ignore[arg-type]
    return found


def signed(station: Station, events: Sequence[dict[str, object]], size: int) -> list[Signed]:
    """The events in batches of *size*, each with its signature."""
    found = []
    for start in range(0, len(events), size):
        envelope = {"facility": station.facility, "station": station.name, "events": events[start : start + size]}
        body = json.dumps(envelope).encode()
        found.append((body, sign_batch(station.key, station.key_id, body)))
    return found


def week(station: Station, events: int, size: int) -> list[Signed]:
    """A week of *events* of the station, in batches of *size*."""
    return signed(station, visits(events // 2, random.Random(uuid.UUID(new_event_id()).int)), size)


def send(ports: Sequence[int], load: Load, processes: int) -> tuple[float, Counter[str]]:
    """Send everything, each station's batches in order; gives seconds and what the hubs answered in sum."""
    context = multiprocessing.get_context("fork")
    shares = [load[number::processes] for number in range(processes)]
    started = time.perf_counter()
    with context.Pool(processes) as pool:
        parts = pool.starmap(_send_share, [(list(ports), share) for share in shares], chunksize=1)
    total: Counter[str] = Counter()
    for part in parts:
        total.update(part)
    return time.perf_counter() - started, total


def _send_share(ports: list[int], share: Load) -> Counter[str]:
    total: Counter[str] = Counter()
    with ThreadPoolExecutor(AT_ONCE) as threads:
        for part in threads.map(lambda each: _send_one(ports[each[0] % len(ports)], each[1]), enumerate(share)):
            total.update(part)
    return total


def _send_one(port: int, batches: list[Signed]) -> Counter[str]:
    total: Counter[str] = Counter()
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    for body, signature in batches:
        total.update(post(line, body, signature))
    line.close()
    return total


def post(line: http.client.HTTPConnection, body: bytes, signature: str) -> Counter[str]:
    """Send one batch until it is taken; counts `accepted`, `duplicates`, `rejected` and `held_back`."""
    total: Counter[str] = Counter()
    while True:
        try:
            line.request("POST", "/api/v1/events", body, {"Signature": signature})
            answer = line.getresponse()
            told = answer.read()
        except (ConnectionError, http.client.HTTPException):  # the hub closes lines that were silent for a while
            line.close()
            continue
        if answer.status == 200:
            outcome = json.loads(told)
            total.update(accepted=outcome["accepted"], duplicates=outcome["duplicates"])
            total.update(rejected=len(outcome["rejected"]))
            return total
        if answer.status not in (429, 503):
            raise RuntimeError(f"{answer.status} {told!r}")
        total["held_back"] += 1
        time.sleep(float(answer.headers["Retry-After"]))
