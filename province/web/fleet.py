"""The stations' health for readers, and figures and stations for Prometheus (issue 7)."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Request
from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse, PlainTextResponse, Response

from province.access.caller import Caller
from province.exposition import exposition
from province.fleet import State, fleet
from province.parts import Parts


def add_routes(app: FastAPI, parts: Parts) -> None:
    """`/api/v1/fleet` and `/api/v1/metrics`."""
    Reader = Annotated[Caller, Depends(parts.gate.reader)]

    @app.get("/api/v1/fleet")
    def stations(request: Request, caller: Reader) -> JSONResponse:
        """Each station with its state (ok, warn or alarm) and reasons, and how many are in which state."""
        with parts.store.read() as connection:
            found = fleet(connection, datetime.now(UTC), only=caller.facility)
        request.state.rows = len(found)
        counted: dict[str, Any] = {str(state): sum(each.state is state for each in found) for state in State}
        return JSONResponse(jsonable_encoder({"states": counted, "stations": [asdict(each) for each in found]}))

    @app.get("/api/v1/metrics", response_class=PlainTextResponse)
    def figures_and_stations(caller: Reader) -> Response:
        """The month's rates and the stations in Prometheus text format; the hub's own metrics are at `/metrics`."""
        with parts.store.read() as connection:
            text = exposition(connection, datetime.now(UTC), only=caller.facility)
        return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")
