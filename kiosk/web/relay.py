"""The relay's listener: stations of one facility ask here with keys of their own (architecture, section 6).

Nothing of this is for browsers: no cookie opens it. A key speaks for its own station only.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Annotated, Final

import uuid_utils
from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request

from kiosk import visit_register
from kiosk.insurance import relay_wire as wire
from kiosk.insurance.shared_calls import SharedCalls
from kiosk.insurance.vss_codes import Reason
from kiosk.model import AdapterHealth, Attempt, Eligibility, EligibilityClass, LookupKey
from kiosk.ports import Clock, EligibilityGateway
from kiosk.register_model import Elsewhere, Passage
from kiosk.relay_config import fingerprint
from kiosk.store import Store
from kiosk.web.app import add_probes, base_app
from kiosk.web.eligibility import Brake

AT_ONCE: Final = 64
"""Lookups that may wait at a time; more would only wait for each other."""
_REMEMBERED: Final = 4096
_CHECK_SERVES_S: Final = 300.0


class FirstTold:
    """Which station was given an answer first: only that one counts it as its lookup."""

    def __init__(self) -> None:
        """Nobody was told anything yet."""
        self._told: dict[str, str] = {}

    def seen_by(self, answer: Eligibility, station: str) -> Eligibility:
        """*answer* for *station*; with ``attempts`` 0 where another station was given the same one before."""
        if not answer.trail:
            return answer
        first = self._told.setdefault(answer.trail[-1].request_id, station)
        while len(self._told) > _REMEMBERED:
            del self._told[next(iter(self._told))]
        return answer if first == station else replace(answer, attempts=0)


class StationKeys:
    """Who asks, by the key that is brought as ``Authorization: Bearer``; of the keys only fingerprints are known."""

    def __init__(self, keys: Mapping[str, str]) -> None:
        """*keys*: fingerprint by station."""
        self._keys = dict(keys)
        self._brake = Brake()

    def station(self, request: Request) -> str:
        """The station whose key came; HTTPException 401, and 429 after too many wrong ones in a minute."""
        scheme, _, brought = request.headers.get("authorization", "").partition(" ")
        found = fingerprint(brought.strip()) if scheme.lower() == "bearer" else ""
        matches = [station for station, known in self._keys.items() if hmac.compare_digest(found, known)]
        if matches:
            return matches[0]
        self._brake.check()
        self._brake.failed()
        raise HTTPException(401, "KEY_NEEDED", {"WWW-Authenticate": "Bearer"})


def _asking(request: Request) -> str:
    keys: StationKeys = request.app.state.stations
    return keys.station(request)


Station = Annotated[str, Depends(_asking)]


def relay_app(
    *,
    gateway: EligibilityGateway,
    store: Store,
    facility_key: bytes,
    keys: Mapping[str, str],
    clock: Clock,
    ready: Callable[[], Awaitable[list[str]]],
    metrics: Callable[[], Awaitable[bytes]],
    observe: Callable[[Eligibility], None],
) -> FastAPI:
    """The routes. *keys*: fingerprint of the key by station; *observe* gets each answer."""
    app = base_app("Kiosk relay")
    add_probes(app, ready, metrics)
    router = APIRouter(tags=["relay"])
    app.state.stations = StationKeys(keys)
    told, places = FirstTold(), asyncio.Semaphore(AT_ONCE)
    checks: SharedCalls[AdapterHealth] = SharedCalls(_CHECK_SERVES_S, lambda found: found.ok)

    def own(station: str, claimed: str) -> str:
        if station != claimed:
            raise HTTPException(403, "KEY_OF_ANOTHER_STATION")
        return station

    @router.post(wire.LOOKUP)
    async def lookup(body: wire.Question, station: Station) -> wire.Reply:
        """Ask the insurer, or give the answer that another station got a moment ago."""
        try:
            key = body.key()
        except ValueError:
            raise HTTPException(422, "BAD_DATE") from None
        if places.locked():
            raise HTTPException(429, "TOO_MANY", {"Retry-After": "5"})
        async with places:
            answer = await _within(body.seconds, gateway, key, body, clock)
        observe(answer)
        return wire.Reply(eligibility=told.seen_by(answer, station))

    @router.post(wire.CHECK)
    async def check(station: Station) -> wire.Checked:
        """Probe the gateway, without any person's number: one login for all stations that open in the morning."""
        found = await checks.run(None, gateway.check)
        return wire.Checked(ok=found.ok, problems=found.problems, details=dict(found.details))

    @router.get(wire.FACILITY_KEY)
    async def key_of_facility(request: Request, station: Station) -> dict[str, str]:
        """The key under which all stations make the same daily digests; over TLS only."""
        if request.url.scheme != "https":
            raise HTTPException(403, "TLS_NEEDED")
        return {"facility_key": facility_key.hex()}

    @router.post(wire.FIND)
    async def find(body: wire.Told, station: Station) -> wire.Registered:
        """Note that somebody stands at a station; where else they stood or were accepted."""
        passage, here, now = _passage(body), own(station, body.station), clock()
        found = await store.run(lambda c: visit_register.find(c, facility_key, passage, here, now))
        return wire.Registered(first=found is None, elsewhere=found)

    @router.post(wire.CLAIM)
    async def claim(body: wire.Told, station: Station) -> wire.Registered:
        """The person's visit of the day for whoever asks first."""
        passage, here, now = _passage(body), own(station, body.station), clock()
        taken = await store.run(lambda c: visit_register.claim(c, facility_key, passage, here, now))
        return wire.Registered(first=taken is None, elsewhere=taken)

    @router.post(wire.ACCEPTED)
    async def accepted(body: wire.Told, station: Station) -> wire.Registered:
        """A visit was accepted, with its ticket; the one that was accepted before it elsewhere, if any."""
        passage, here, now, ticket = _passage(body), own(station, body.station), clock(), body.ticket
        if ticket is None:
            raise HTTPException(422, "TICKET_NEEDED")
        earlier: Elsewhere | None = await store.run(
            lambda c: visit_register.accepted(c, facility_key, passage, ticket, here, now)
        )
        return wire.Registered(first=earlier is None, elsewhere=earlier)

    @router.post(wire.ENDED)
    async def ended(body: wire.Ended, station: Station) -> wire.Registered:
        """A passage came to nothing."""
        here = own(station, body.station)
        await store.run(lambda c: visit_register.ended(c, body.checkin_id, here))
        return wire.Registered(first=True)

    app.include_router(router)
    return app


async def _within(
    seconds: float, gateway: EligibilityGateway, key: LookupKey, body: wire.Question, clock: Clock
) -> Eligibility:
    """The gateway's answer, or ``net_timeout`` when the station would wait no longer; the question itself goes on."""
    asked_at = clock()
    try:
        async with asyncio.timeout(seconds):
            return await gateway.lookup(key, body.visit_day, body.moment)
    except TimeoutError:
        waited = round(seconds * 1000)
        call = Attempt(str(uuid_utils.uuid7()), asked_at, key.kind, Reason.NET_TIMEOUT, latency_ms=waited)
        status, reason = EligibilityClass.CANNOT_SAY, Reason.NET_TIMEOUT
        return Eligibility(status, reason, asked_at, latency_ms=waited, key_kind=key.kind, trail=(call,))


def _passage(body: wire.Told) -> Passage:
    try:
        return body.passage()
    except ValueError:
        raise HTTPException(422, "BAD_DATE") from None
