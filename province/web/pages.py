"""The dashboard: the overview and the page of one facility."""

from datetime import UTC, datetime
from typing import Annotated, Final

import sqlalchemy as sa
from fastapi import Depends, FastAPI, Query, Request
from fastapi.responses import HTMLResponse

from province.access.caller import Caller
from province.guards import ApiError
from province.pages.cause_lines import cause_lines
from province.pages.facility_view import UnknownFacility, facility_view
from province.pages.frame import Display, answer
from province.pages.month_choice import asked_month, today_in_vietnam
from province.pages.overview import Sort, overview
from province.parts import Parts

_MAX_PAGE: Final = 10_000
_Month = Annotated[str | None, Query(description="YYYY-MM; by default the current one")]
_Page = Annotated[int, Query(ge=1, le=_MAX_PAGE, description="of the table of facilities")]


def add_routes(app: FastAPI, parts: Parts) -> None:
    """`/` and `/facility/{code}`."""

    def facility_answer(
        request: Request, connection: sa.Connection, caller: Caller, code: str, month: str | None
    ) -> HTMLResponse:
        now = datetime.now(UTC)
        wanted = asked_month(month, today_in_vietnam(now))
        try:
            view = facility_view(connection, code, wanted, now, Display.of(request).language)
        except UnknownFacility:
            raise ApiError(404, "unknown_facility") from None
        return answer(request, connection, caller, "facility.html", view=view)

    @app.get("/", response_class=HTMLResponse)
    def overview_page(
        request: Request,
        caller: Annotated[Caller, Depends(parts.gate.page)],
        month: _Month = None,
        sort: Sort = Sort.R1,
        down: bool = False,
        page: _Page = 1,
    ) -> HTMLResponse:
        """The overview of one month; people of one facility see that facility's page instead."""
        now = datetime.now(UTC)
        with parts.store.read() as connection:
            if caller.facility is not None:
                return facility_answer(request, connection, caller, caller.facility, month)
            view = overview(connection, asked_month(month, today_in_vietnam(now)), now, sort, down, page)
            request.state.rows = len(view.table.lines)
            language = Display.of(request).language
            causes = cause_lines(connection, view.month.first, view.month.last, language)
            return answer(request, connection, caller, "overview.html", view=view, causes=causes)

    @app.get("/facility/{code}", response_class=HTMLResponse)
    def facility_page(
        request: Request, code: str, caller: Annotated[Caller, Depends(parts.gate.page)], month: _Month = None
    ) -> HTMLResponse:
        """One facility in one month."""
        if not caller.may_see(code):
            raise ApiError(403, "not_allowed")
        with parts.store.read() as connection:
            return facility_answer(request, connection, caller, code, month)
