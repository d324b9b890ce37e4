"""Stations that send signed batches and repeat what was not acknowledged, and what they know they sent."""

from __future__ import annotations

import base64
import json
import random
import threading
import time
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kiosk import events
from province.enrolment import enrol, new_code
from province.store import Store

FIRST_DAY = datetime(2026, 3, 2, 1, tzinfo=UTC)
DAYS = 6
_IMPATIENCE = 0.2
_PATIENCE = 60.0

Event = dict[str, Any]


class SendingStation:
    """An enrolled station: makes check-ins, sends them, and keeps a ledger of its own."""

    def __init__(self, store: Store, facility: str, name: str, seed: int) -> None:
        """Enrol it at *store*; *seed* fixes what it makes."""
        self.facility = facility
        self.sent: list[Event] = []
        self._name = name
        self._chance = random.Random(f"{seed} {facility} {name}")
        self._epoch = events.new_event_id()
        self._seq = 0
        self._key = Ed25519PrivateKey.generate()
        public = base64.b64encode(self._key.public_key().public_bytes_raw()).decode()
        self._key_id = enrol(store, new_code(store, facility, name)["code"], public)["key_id"]

    def batch(self, checkins: int, day: int | None = None) -> list[Event]:
        """A lookup and a visit for each check-in, some of which end as not insured; in the ledger from now on.

        They are of the *day* with that number, or of any of the days.
        """
        made = []
        for _ in range(checkins):
            chosen = self._chance.randrange(DAYS) if day is None else day
            at = FIRST_DAY + timedelta(days=chosen, seconds=self._chance.randrange(30_000))
            person = f"{self._chance.getrandbits(64):016x}"
            checkin = {"checkin_id": events.new_event_id(), "person_day": person, "method": "CHIP_CCCD", "lane": "self"}
            made.append(self._lookup(at, checkin))
            made.append(self._visit(at, checkin, bhyt=True))
            if self._chance.random() < 0.1:
                made.append(self._visit(at, checkin, bhyt=False))
        self.sent += made
        return made

    def replacing(self, batch: Sequence[Event], *, bhyt: bool) -> list[Event]:
        """For each visit of *batch* a later word on it, which stands."""
        made = []
        for each in batch:
            if each["kind"] == "visit":
                same = {name: each[name] for name in ("checkin_id", "person_day", "method", "lane")}
                made.append(self._visit(datetime.fromisoformat(each["happened_at"]), same, bhyt=bhyt))
        self.sent += made
        return made

    def signed(self, batch: Sequence[Event]) -> tuple[bytes, dict[str, str]]:
        """The body and the header that proves whose it is."""
        body = json.dumps({"facility": self.facility, "station": self._name, "events": batch}).encode()
        return body, {"Signature": events.sign_batch(self._key, self._key_id, body)}

    def _lookup(self, at: datetime, checkin: Event) -> Event:
        said: Event = {"key_kind": "PERSONAL_12", "chip_verdict": "genuine", "issuer": "0123456789abcdef"}
        said |= {"eligibility_class": "insured", "result_code": "000", "reached_gateway": True}
        return events.lookup_event(**self._common(at), **checkin, **said, latency_ms=700, attempt=1)

    def _visit(self, at: datetime, checkin: Event, *, bhyt: bool) -> Event:
        return events.visit_event(**self._common(at), **checkin, bhyt=bhyt, not_by_chip=None)

    def _common(self, at: datetime) -> Event:
        self._seq += 1
        return {"event_id": events.new_event_id(), "epoch": self._epoch, "seq": self._seq, "happened_at": at}


class Drain(threading.Thread):
    """Sends batch after batch of one station until it is told that it is enough; each until it is acknowledged."""

    def __init__(self, station: SendingStation, url: str, enough: threading.Event) -> None:
        super().__init__()
        self.acknowledged = 0
        self.interrupted = 0
        self.lost_answers = 0
        self.problems: list[str] = []
        self._station = station
        self._url = url
        self._enough = enough
        self._chance = random.Random(uuid.uuid4().int)

    def run(self) -> None:
        """Large batches and small ones; now and then one again that was acknowledged long ago."""
        with httpx.Client(base_url=self._url, timeout=20) as http:
            batch = self._station.batch(50)
            while not self._enough.is_set() and not self.problems:
                self._send(http, batch, again=False)
                if self._chance.random() < 0.1:
                    self._send(http, batch, again=True)
                batch = self._station.batch(self._chance.choice((1, 50)))
            self._send(http, batch, again=False)

    def _send(self, http: httpx.Client, batch: list[Event], *, again: bool) -> None:
        body, headers = self._station.signed(batch)
        uncertain = again
        deadline = time.monotonic() + _PATIENCE
        while True:
            if time.monotonic() > deadline:
                self.problems.append("a batch is never acknowledged")
                return
            try:
                answer = http.post("/api/v1/events", content=body, headers=headers)
            except httpx.TransportError:
                self.interrupted += 1
                uncertain = True
                time.sleep(0.02)
                continue
            if answer.status_code in (429, 503):
                uncertain |= answer.status_code == 503
                self.interrupted += answer.status_code == 503
                time.sleep(min(float(answer.headers["Retry-After"]), _IMPATIENCE))
                continue
            break
        if answer.status_code != 200:
            self.problems.append(f"{answer.status_code} {answer.text}")
            return
        outcome = answer.json()
        known = len(batch) if again else 0
        if not again and uncertain and outcome["duplicates"] == len(batch):
            self.lost_answers += 1
            known = len(batch)
        if outcome != {"accepted": len(batch) - known, "duplicates": known, "rejected": []}:
            self.problems.append(f"{len(batch)} events, known before: {known}, answer: {outcome}")
        self.acknowledged += 1
