"""Brings events to the province hub, signed, in order, as often as it takes (interfaces, section 5)."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kiosk import events, journal, outbox_table
from kiosk.errors import ConfigError, ProvinceUnavailable
from kiosk.model import AdapterHealth
from kiosk.outbox import Done, Outcome, Park, Retry
from kiosk.outbox_table import OutboxRow
from kiosk.records import get_setting, put_setting
from kiosk.store import Store
from kiosk.tls import client_context

logging.getLogger("httpx").setLevel(logging.WARNING)  # it logs whole URLs

_TIMEOUT = httpx.Timeout(10.0, connect=5.0)
_NOT_ENROLLED = "not_enrolled"
_UNTIL_ENROLLED = 30.0
_BUSY = "http_429"


class ProvinceClient:
    """The delivery of destination ``province``, the enrolment, and the heartbeat."""

    destination = outbox_table.PROVINCE
    workers = 1
    batch = 500

    def __init__(self, store: Store, *, url: str, facility: str, station: str, ca_file: Path | None = None) -> None:
        """*url*: base address of the hub; empty: events wait. ConfigError when *ca_file* cannot be read."""
        self._store = store
        self._url = url.rstrip("/")
        self._facility = facility
        self._station = station
        try:
            trust = client_context(self._url, ca_file)
        except (OSError, ValueError):
            raise ConfigError("province.ca_file: expected a readable PEM file with certificates") from None
        self._http = httpx.AsyncClient(timeout=_TIMEOUT, verify=trust, follow_redirects=False)

    async def deliver(self, rows: Sequence[OutboxRow]) -> Sequence[Outcome]:
        """Send one batch; what the hub rejects by name is parked, the rest is done."""
        ids = [row.ref for row in rows]
        bodies = await self._store.read(lambda c: journal.bodies(c, ids))
        try:
            rejected = await self._send([bodies[event_id] for event_id in ids if event_id in bodies])
        except ProvinceUnavailable as exc:
            return [_again(exc) for _ in rows]
        return [
            Park(f"rejected:{rejected[row.ref]}"[:200], "operator") if row.ref in rejected else Done() for row in rows
        ]

    def give_up(self, row: OutboxRow) -> Park:
        """Only an operator can help."""
        return Park("internal_error", "operator")

    async def heartbeat(self, event: dict[str, object]) -> None:
        """Send one heartbeat; ProvinceUnavailable if it did not arrive (it is not kept)."""
        await self._send([event])

    async def _send(self, bodies: Sequence[dict[str, Any]]) -> dict[str, str]:
        key_id, private = await self._key()
        envelope = {"facility": self._facility, "station": self._station, "events": list(bodies)}
        body = json.dumps(envelope, ensure_ascii=False, separators=(",", ":")).encode()
        headers = {"Content-Type": "application/json", "Signature": events.sign_batch(private, key_id, body)}
        answer = await self._post("/api/v1/events", content=body, headers=headers)
        if answer.status_code != 200:
            raise ProvinceUnavailable(f"http_{answer.status_code}", retry_after=_retry_after(answer))
        try:
            rejected = answer.json()["rejected"]
            return {str(item["event_id"]): str(item["reason"]) for item in rejected}
        except (ValueError, KeyError, TypeError):
            raise ProvinceUnavailable("bad_answer") from None

    async def _key(self) -> tuple[str, Ed25519PrivateKey]:
        stored = await self._store.read(lambda c: get_setting(c, "province_key"))
        if not self._url or not stored or not stored.get("key_id"):
            raise ProvinceUnavailable(_NOT_ENROLLED)
        return stored["key_id"], Ed25519PrivateKey.from_private_bytes(bytes.fromhex(stored["private"]))

    async def enrolled(self) -> bool:
        """Whether a hub knows this station's key."""
        stored = await self._store.read(lambda c: get_setting(c, "province_key"))
        return bool(self._url and stored and stored.get("key_id"))

    async def enrol(self, url: str, code: str) -> dict[str, str]:
        """Join the province at *url* with a one-time *code*; returns what the hub answered.

        After a lost answer a new code is needed: this one may be used up. ProvinceUnavailable carries
        ``http_<status>`` when the hub refuses. ConfigError, before anything is sent, if *url* is not the hub of the
        configuration: events would go elsewhere.
        """
        if url.rstrip("/") != self._url:
            raise ConfigError("province.url: expected the same address as the one to join")
        private = Ed25519PrivateKey.generate()
        public = base64.b64encode(private.public_key().public_bytes_raw()).decode("ascii")
        answer = await self._post("/api/v1/enrol", json={"code": code, "public_key": public})
        if answer.status_code != 201:
            raise ProvinceUnavailable(f"http_{answer.status_code}")
        try:
            joined = {name: str(answer.json()[name]) for name in ("key_id", "facility", "station")}
        except (ValueError, KeyError, TypeError):
            raise ProvinceUnavailable("bad_answer") from None
        if (joined["facility"], joined["station"]) != (self._facility, self._station):
            raise ProvinceUnavailable("code_of_another_station")
        value = {"key_id": joined["key_id"], "private": private.private_bytes_raw().hex()}
        await self._store.run(lambda c: put_setting(c, "province_key", value))
        return joined

    async def check(self) -> AdapterHealth:
        """Whether the hub takes this station's signature: an empty batch counts for nothing."""
        try:
            await self._send([])
        except ProvinceUnavailable as exc:
            return AdapterHealth(False, (f"the province does not answer: {exc.reason}",))
        return AdapterHealth(True)

    async def _post(self, path: str, **request: Any) -> httpx.Response:
        try:
            return await self._http.post(self._url + path, **request)
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as exc:
            raise ProvinceUnavailable(f"net_{type(exc).__name__.lower()}") from None

    async def close(self) -> None:
        """Release connections."""
        await self._http.aclose()


def _again(exc: ProvinceUnavailable) -> Retry:
    """What a hub that answered asks for leads; the pauses of an outage are for one that says nothing."""
    if exc.retry_after is None:
        after = _UNTIL_ENROLLED if exc.reason == _NOT_ENROLLED else None
        return Retry(exc.reason, after=after, down=True)
    if exc.reason == _BUSY:
        return Retry(exc.reason, counts=False, rest=exc.retry_after)
    return Retry(exc.reason, down=True, rest=exc.retry_after)


def _retry_after(answer: httpx.Response) -> float | None:
    value = answer.headers.get("Retry-After", "")
    return float(value) if value.isascii() and value.isdigit() and len(value) < 6 else None
