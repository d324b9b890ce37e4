"""The four routes of a station (interfaces, section 4), for whoever may speak for it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sse_starlette import EventSourceResponse

from kiosk.stations import Station


class Answer(BaseModel):
    """One touch of the person in front of the screen."""

    model_config = ConfigDict(extra="forbid")

    checkin_id: str | None
    answer: Literal[
        "confirm",
        "reject",
        "skip_chip",
        "service",
        "priority",
        "number",
        "guardian",
        "no_card",
        "emergency",
        "another_examination",
        "call_staff",
        "more_time",
        "language",
        "cancel",
    ]
    service_id: str | None = None
    value: Annotated[str, Field(max_length=40)] | None = None


def add_station_routes(
    router: APIRouter,
    prefix: str,
    station: Station,
    facility: str,
    *,
    typed: Callable[[bytes], None],
    allowed: Callable[[Request], bool],
    listed: bool = True,
) -> None:
    """State, stream, scan and answer of *station* under *prefix*; *router* lets nobody else in.

    *typed* gets each scan. *allowed*: whether who asked may go on looking; a stream ends when not. *listed*: whether
    ``/openapi.json`` names them.
    """

    def state() -> dict[str, Any]:
        return station.state() | {"facility": facility}

    @router.get(prefix, include_in_schema=listed)
    async def show() -> dict[str, Any]:
        """What the patient sees now."""
        return state()

    @router.get(prefix + "/stream", include_in_schema=listed)
    async def stream(request: Request) -> EventSourceResponse:
        """The same at each change, as server-sent events."""

        async def states() -> AsyncIterator[dict[str, str]]:
            async for _ in station.changes():
                if not allowed(request):
                    return
                yield {"data": json.dumps(state(), ensure_ascii=False)}

        return EventSourceResponse(states(), ping=10, headers={"X-Accel-Buffering": "no"})

    @router.post(prefix + "/scan", include_in_schema=listed)
    async def scan(request: Request, response: Response) -> dict[str, Any]:
        """Take the raw bytes of one scan."""
        response.status_code = 202
        raw = await request.body()
        typed(raw)
        return {"checkin_id": await station.scan(raw, typed=True)}

    @router.post(prefix + "/answer", include_in_schema=listed)
    async def answer(body: Answer) -> dict[str, Any]:
        """Take one touch."""
        await station.answer(body.checkin_id, body.answer, service_id=body.service_id, value=body.value)
        return state()
