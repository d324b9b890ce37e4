"""Routes about the figures of whole days, for staff at their screen and for ``kioskctl figures``."""

import asyncio
from collections.abc import Callable
from dataclasses import asdict
from datetime import date, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from kiosk.checkin import CheckIns
from kiosk.day_figures import Day, Figure, Told
from kiosk.events import MAX_COUNT, Origin
from kiosk.figure_work import FigureWork
from kiosk.hospital_model import DeskLookups, VisitCount

Count = Annotated[int, Field(ge=0, le=MAX_COUNT)]
Month = Annotated[str, Query(pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$")]
ByHand = Literal["manual", "portal_file"]
_TEMPLATE_DAYS = 31
_MAX_BYTES = 2 * 1024 * 1024
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class Desk(BaseModel):
    """Lookups at the desk, the visits they were for, and of those the ones that were found."""

    model_config = ConfigDict(extra="forbid")

    lookups: Count
    visits_looked_up: Count
    visits_success: Count


class DayTold(BaseModel):
    """What somebody says of a day; a part that is left out stays as it was."""

    model_config = ConfigDict(extra="forbid")

    day: date
    bhyt_visits: Count | None = None
    desk: Desk | None = None


def figures_api(checkins: CheckIns, signed_in: Callable[..., str]) -> APIRouter:
    """``GET figures``, ``POST figures``, ``POST figures/file``, ``POST figures/template``; *signed_in*: name or 401."""
    router = APIRouter()
    work = FigureWork(checkins)
    Who = Annotated[str, Depends(signed_in)]

    @router.get("/figures")
    async def of_month(_: Who, month: Month | None = None) -> dict[str, Any]:
        """The days of a month (default: this one), the newest first, with what is told of them and by whom."""
        which = month or f"{work.today:%Y-%m}"
        found = await work.month(*map(int, which.split("-")))
        able = checkins.hospital.capabilities
        return {
            "month": which,
            "today": str(work.today),
            "by_hospital": {"visit_count": able.visit_count, "desk_lookups": able.lookups},
            "days": [_view(day) for day in reversed(found)],
        }

    @router.post("/figures")
    async def tell(who: Who, body: DayTold) -> dict[str, Any]:
        """Enter the figures of a day by hand."""
        figures = [] if body.bhyt_visits is None else [Figure.visits(VisitCount(body.day, body.bhyt_visits))]
        if body.desk is not None:
            figures.append(Figure.desk(DeskLookups(body.day, **body.desk.model_dump())))
        return {"new": await work.tell(figures, Origin.MANUAL, who)}

    @router.post("/figures/file")
    async def take(who: Who, request: Request, origin: ByHand = "manual") -> Response:
        """Hand in a filled template as the raw body; 422 with ``problems`` when a cell is wrong: nothing is taken."""
        from kiosk.day_figures_file import FileRefused  # noqa: PLC0415 - spreadsheets come once a month

        content = await _body(request)
        try:
            return JSONResponse({"new": await work.tell_file(content, Origin(origin), who)})
        except FileRefused as refused:
            problems = [asdict(problem) for problem in refused.problems]
            return JSONResponse({"error": "FILE_REFUSED", "problems": problems}, status_code=422)

    @router.post("/figures/template", response_class=Response)
    async def template(_: Who, form: Literal["csv", "xlsx"] = "xlsx") -> Response:
        """The template with the last 31 days."""
        from kiosk.day_figures_file import template_csv, template_xlsx  # noqa: PLC0415

        days = [work.today - timedelta(days=back) for back in range(_TEMPLATE_DAYS - 1, -1, -1)]
        make, kind = (template_csv, "text/csv") if form == "csv" else (template_xlsx, _XLSX)
        headers = {"Content-Disposition": f'attachment; filename="so-lieu-ngay.{form}"'}
        return Response(await asyncio.to_thread(make, days), media_type=kind, headers=headers)

    return router


async def _body(request: Request) -> bytes:
    """At most one byte more than a file may have: then it is refused as too large."""
    content = b""
    async for piece in request.stream():
        content = (content + piece)[: _MAX_BYTES + 1]
    return content


def _view(day: Day) -> dict[str, Any]:
    return {
        "day": str(day.day),
        "own": day.own,
        "visits": _told(day.visits),
        "desk": _told(day.desk),
        "doubtful": day.doubtful,
    }


def _told(told: Told | None) -> dict[str, Any] | None:
    if told is None:
        return None
    return {**told.values, "origin": told.origin.value, "at": told.at.isoformat(), "who": told.who}
