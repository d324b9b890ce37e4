"""Routes of the patient's screen: the local station's state, stream, scan and answer (interfaces, section 4)."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sse_starlette import EventSourceResponse

from kiosk.stations import Station
from kiosk.web.own_screen import own_screen, this_station


class Answer(BaseModel):
    """One touch of the person in front of the screen."""

    model_config = ConfigDict(extra="forbid")

    checkin_id: str | None
    answer: Literal[
        "confirm", "reject", "skip_chip", "service", "number", "call_staff", "cancel", "another_examination"
    ]
    service_id: str | None = None
    value: Annotated[str, Field(max_length=40)] | None = None


def patient_api(
    station: Station, facility: str, screen_secret: str, token: str, typed: Callable[[bytes], None]
) -> APIRouter:
    """The four station routes, under ``/api/v1/station`` and ``/api/v1/stations/{id}``.

    *screen_secret*: value of the cookie that ``GET /`` sets; *token*: of the 0600 file ``screen-token``. *typed* gets
    each scan that a scanner typed into the page.
    """

    router = APIRouter(
        dependencies=[Depends(own_screen(screen_secret, token)), Depends(this_station(station.id))], tags=["station"]
    )

    def state() -> dict[str, Any]:
        return station.state() | {"facility": facility}

    async def show() -> dict[str, Any]:
        """What the patient sees now."""
        return state()

    async def stream() -> EventSourceResponse:
        """The same at each change, as server-sent events."""

        async def states() -> AsyncIterator[dict[str, str]]:
            async for _ in station.changes():
                yield {"data": json.dumps(state(), ensure_ascii=False)}

        return EventSourceResponse(states(), ping=10, headers={"X-Accel-Buffering": "no"})

    async def scan(request: Request, response: Response) -> dict[str, Any]:
        """Take the raw bytes of one scan."""
        response.status_code = 202
        raw = await request.body()
        typed(raw)
        return {"checkin_id": await station.scan(raw, typed=True)}

    async def answer(body: Answer) -> dict[str, Any]:
        """Take one touch."""
        await station.answer(body.checkin_id, body.answer, service_id=body.service_id, value=body.value)
        return state()

    for prefix in ("/api/v1/station", "/api/v1/stations/{station_id}"):
        listed = prefix.endswith("}")
        router.get(prefix, include_in_schema=listed)(show)
        router.get(prefix + "/stream", include_in_schema=listed)(stream)
        router.post(prefix + "/scan", include_in_schema=listed)(scan)
        router.post(prefix + "/answer", include_in_schema=listed)(answer)
    return router
