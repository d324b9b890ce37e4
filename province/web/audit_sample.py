"""The monthly audit samples over HTTP."""

from dataclasses import asdict
from datetime import date
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Request
from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, StrictStr

from province.access.caller import Caller, Role
from province.audit_sample.drawing import draw
from province.audit_sample.results import enter, sample
from province.guards import ApiError
from province.months.rules import parse_month
from province.parts import Parts
from province.web.month_refusals import ruled


class Seen(BaseModel):
    """What was seen of one lookup: `shown`, `not_shown` or `differs`; the last two need a note."""

    model_config = ConfigDict(extra="forbid")
    facility: StrictStr
    event_id: StrictStr
    verdict: StrictStr
    note: StrictStr = ""


def add_routes(app: FastAPI, parts: Parts) -> None:
    """`/api/v1/audit-samples/{month}` and its results."""
    Reader = Annotated[Caller, Depends(parts.gate.reader)]
    Analyst = Annotated[Caller, Depends(parts.gate.role(Role.ANALYST))]
    Admin = Annotated[Caller, Depends(parts.gate.role(Role.ADMIN))]

    def asked(month: str) -> date:
        return ruled(lambda: parse_month(month))

    @app.get("/api/v1/audit-samples/{month}")
    def drawn(request: Request, caller: Reader, month: str) -> JSONResponse:
        """The sample of a month with what was seen of it; a facility sees its own lookups."""
        day = asked(month)
        with parts.store.read() as connection:
            found = sample(connection, day, only=caller.facility)
        if found is None:
            raise ApiError(404, "not_drawn")
        request.state.rows = len(found.items)
        shares: list[dict[str, Any]] = [asdict(each) | {"shown_pct": each.shown_pct} for each in found.shares]
        return JSONResponse(jsonable_encoder(asdict(found) | {"shares": shares}))

    @app.post("/api/v1/audit-samples/{month}", status_code=201)
    def draw_it(caller: Admin, month: str) -> dict[str, int]:
        """Draw the sample of a month that is over, once."""
        day = asked(month)
        return {"lookups": ruled(lambda: draw(parts.store, parts.key, day, caller.name))}

    @app.post("/api/v1/audit-samples/{month}/results", status_code=201)
    def enter_it(caller: Analyst, month: str, seen: Seen) -> dict[str, str]:
        """Keep what was seen of one lookup of the sample."""
        day = asked(month)
        with parts.store.write() as connection:
            told = seen.facility, seen.event_id, seen.verdict, caller.name, seen.note
            ruled(lambda: enter(connection, day, *told))
        return {"event_id": seen.event_id, "verdict": seen.verdict}
