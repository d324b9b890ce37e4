"""The dashboard's pages."""

from datetime import datetime
from typing import Annotated

from fastapi import Depends, FastAPI
from fastapi.responses import HTMLResponse

from kiosk.events import VIETNAM
from province import dashboard
from province.access.caller import Caller
from province.guards import ApiError
from province.parts import Parts


def add_routes(app: FastAPI, parts: Parts) -> None:
    """`/` and what it loads."""

    @app.get("/", response_class=HTMLResponse)
    def dashboard_page(caller: Annotated[Caller, Depends(parts.gate.page)], month: str | None = None) -> HTMLResponse:
        """The dashboard of one month (`YYYY-MM`), by default the current one."""
        now = datetime.now(VIETNAM)
        try:
            wanted = dashboard.Month.parse(month) if month else dashboard.Month(now.year, now.month)
        except ValueError:
            raise ApiError(422, "bad_parameters", "month: YYYY-MM") from None
        with parts.store.read() as connection:
            return HTMLResponse(dashboard.render(connection, wanted, now, only=caller.facility))
