"""What stations send: signed batches of events, and their enrolment (interfaces.md 5)."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Final

from fastapi import FastAPI, Header, Request
from starlette.concurrency import run_in_threadpool

from kiosk.events import MAX_BYTES, parse_signature, verify_batch
from province.enrolment import EnrolmentError, StationKey, enrol, find_key, note_use
from province.guards import ApiError, read_body
from province.ingest import open_envelope, take_batch
from province.observe import log
from province.openapi import BATCH, fields
from province.openapi import body as body_of
from province.parts import Parts
from province.store import Store

_ENROL_BYTES: Final = 4096


def add_routes(app: FastAPI, parts: Parts) -> None:
    """`POST /api/v1/events` and `POST /api/v1/enrol`."""

    def take(header: str | None, body: bytes) -> dict[str, object]:
        key = _sender(parts.store, header, body)
        parts.limit.check(key.key_id)
        opened = open_envelope(body, key)
        outcome = take_batch(parts.store, key, opened.events, datetime.now(UTC), storable=opened.storable)
        counts = {"accepted": outcome.accepted, "duplicates": outcome.duplicates, "rejected": len(outcome.rejected)}
        parts.metrics.events(**counts)
        log.info("batch", extra={"fields": {"facility": key.facility, "station": key.station, **counts}})
        return asdict(outcome)

    @app.post("/api/v1/events", openapi_extra=BATCH)
    async def events(request: Request, signature: Annotated[str | None, Header()] = None) -> dict[str, object]:
        """A signed batch of events, kept exactly once (interfaces.md 5)."""
        body = await read_body(request, MAX_BYTES)
        async with parts.backlogs.turn_of(body):
            return await run_in_threadpool(take, signature, body)

    @app.post("/api/v1/enrol", status_code=201, openapi_extra=body_of("application/json", fields("code", "public_key")))
    async def join(request: Request) -> dict[str, str]:
        """Exchange an enrolment code and a public key for a key id (interfaces.md 5)."""
        body = await read_body(request, _ENROL_BYTES)
        try:
            asked = json.loads(body)
            code, public_key = asked["code"], asked["public_key"]
        except (ValueError, RecursionError, TypeError, KeyError):
            raise ApiError(422, "malformed", "code and public_key are needed") from None
        if not isinstance(code, str) or not isinstance(public_key, str):
            raise ApiError(422, "malformed", "code and public_key must be text")
        try:
            return await run_in_threadpool(enrol, parts.store, code, public_key)
        except EnrolmentError as error:
            raise ApiError(403 if error.code == "code_not_valid" else 422, error.code) from None


def _sender(store: Store, header: str | None, body: bytes) -> StationKey:
    parsed = parse_signature(header)
    if parsed is None:
        raise ApiError(401, "bad_signature_header")
    with store.read() as connection:
        key = find_key(connection, parsed.key_id)
    if key is None:
        raise ApiError(401, "unknown_key")
    if not verify_batch(key.public_key, parsed.signature, body):
        raise ApiError(401, "wrong_signature")
    note_use(store, key, datetime.now(UTC))
    return key
