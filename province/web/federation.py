"""What hubs below send: the sums of their days, signed; and how they join (issue 7)."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Final

from fastapi import FastAPI, Header, Request
from starlette.concurrency import run_in_threadpool

from kiosk.events import MAX_BYTES, parse_signature, verify_batch
from province.enrolment import EnrolmentError
from province.federation.members import Member, find_member, join, note_use
from province.federation.sharing import MAX_SHARED, open_shared, take_shared
from province.federation.taking import take_rollups
from province.federation.wire import MAX_ROLLUPS, open_body
from province.guards import ApiError, read_body
from province.observe import log
from province.openapi import body as body_of
from province.openapi import fields
from province.parts import Parts
from province.store import Store

_JOIN_BYTES: Final = 4096
_ROLLUPS: Final = body_of(
    "application/json",
    {
        "type": "object",
        "required": ["hub", "rollups"],
        "properties": {
            "hub": {"type": "string"},
            "rollups": {"type": "array", "maxItems": MAX_ROLLUPS, "items": {"type": "object"}},
        },
    },
)

_EVENTS: Final = body_of(
    "application/json",
    {
        "type": "object",
        "required": ["hub", "events"],
        "properties": {
            "hub": {"type": "string"},
            "events": {"type": "array", "maxItems": MAX_SHARED, "items": {"type": "object"}},
        },
    },
)


def add_routes(app: FastAPI, parts: Parts) -> None:
    """`POST /api/v1/rollups`, `POST /api/v1/shared-events` and `POST /api/v1/hubs`."""

    def take(header: str | None, body: bytes) -> dict[str, object]:
        member = _sender(parts.store, header, body)
        parts.limit.check(member.key_id)
        outcome = take_rollups(parts.store, member, open_body(body, member.hub), datetime.now(UTC))
        counts = {"accepted": outcome.accepted, "duplicates": outcome.duplicates, "rejected": len(outcome.rejected)}
        log.info("rollups", extra={"fields": {"hub": member.hub, **counts}})
        return asdict(outcome)

    @app.post("/api/v1/rollups", openapi_extra=_ROLLUPS)
    async def rollups(request: Request, signature: Annotated[str | None, Header()] = None) -> dict[str, object]:
        """Signed sums of days from a hub below, each facility, day and revision once."""
        return await run_in_threadpool(take, signature, await read_body(request, MAX_BYTES))

    def keep(header: str | None, body: bytes) -> dict[str, object]:
        member = _sender(parts.store, header, body)
        parts.limit.check(member.key_id)
        outcome = take_shared(parts.store, member, open_shared(body, member.hub), datetime.now(UTC))
        counts = {"accepted": outcome["accepted"], "duplicates": outcome["duplicates"]}
        log.info("shared events", extra={"fields": {"hub": member.hub, **counts, "rejected": len(outcome["rejected"])}})
        return outcome

    @app.post("/api/v1/shared-events", openapi_extra=_EVENTS)
    async def shared_events(request: Request, signature: Annotated[str | None, Header()] = None) -> dict[str, object]:
        """Signed events of a hub below whose province shares them: kept once each, in no rate."""
        return await run_in_threadpool(keep, signature, await read_body(request, MAX_BYTES))

    @app.post("/api/v1/hubs", status_code=201, openapi_extra=body_of("application/json", fields("code", "public_key")))
    async def join_hub(request: Request) -> dict[str, str]:
        """Exchange a code made here and the public key of a hub below for a key id."""
        body = await read_body(request, _JOIN_BYTES)
        try:
            asked = json.loads(body)
            code, public_key = asked["code"], asked["public_key"]
        except (ValueError, RecursionError, TypeError, KeyError):
            raise ApiError(422, "malformed", "code and public_key are needed") from None
        if not isinstance(code, str) or not isinstance(public_key, str):
            raise ApiError(422, "malformed", "code and public_key must be text")
        try:
            return await run_in_threadpool(join, parts.store, code, public_key)
        except EnrolmentError as error:
            raise ApiError(403 if error.code == "code_not_valid" else 422, error.code) from None


def _sender(store: Store, header: str | None, body: bytes) -> Member:
    parsed = parse_signature(header)
    if parsed is None:
        raise ApiError(401, "bad_signature_header")
    with store.read() as connection:
        member = find_member(connection, parsed.key_id)
    if member is None:
        raise ApiError(401, "unknown_key")
    if not verify_batch(member.public_key, parsed.signature, body):
        raise ApiError(401, "wrong_signature")
    note_use(store, member, datetime.now(UTC))
    return member
