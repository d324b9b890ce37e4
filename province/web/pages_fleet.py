"""The page of the stations: which are silent, behind, short of disk or without a reader."""

from datetime import UTC, date, datetime
from typing import Annotated, Any, Final

import sqlalchemy as sa
from fastapi import Depends, FastAPI, Query, Request
from fastapi.responses import HTMLResponse

from kiosk.events import VIETNAM
from province.access.caller import Caller
from province.fleet import State, StationHealth, fleet
from province.guards import ApiError
from province.pages.frame import answer
from province.parts import Parts
from province.periods import Period
from province.units import Level, units_of

_MOST_SHOWN: Final = 500
_WORST_FIRST: Final = list(reversed(State))


def add_routes(app: FastAPI, parts: Parts) -> None:
    """`/fleet`."""

    @app.get("/fleet", response_class=HTMLResponse)
    def fleet_page(
        request: Request,
        caller: Annotated[Caller, Depends(parts.gate.person)],
        state: Annotated[str, Query(json_schema_extra={"enum": [*State, "all"]})] = "all",
    ) -> HTMLResponse:
        """The stations in a state, worst first; a facility sees its own."""
        if state not in [*State, "all"]:
            raise ApiError(422, "bad_parameters", f"state: {', '.join(State)} or all")
        now = datetime.now(UTC)
        with parts.store.read() as connection:
            found = fleet(connection, now, only=caller.facility)
            shown = [each for each in found if state in ("all", each.state)]
            shown.sort(key=lambda each: _WORST_FIRST.index(each.state))  # stable: then by facility and station
            values: dict[str, Any] = {
                "stations": shown[:_MOST_SHOWN],
                "more": max(0, len(shown) - _MOST_SHOWN),
                "wanted": state,
                "counts": {each: sum(one.state is each for one in found) for each in _WORST_FIRST},
                "total": len(found),
                "names": _names(connection, shown[:_MOST_SHOWN], now.astimezone(VIETNAM).date()),
            }
            return answer(request, connection, caller, "fleet.html", **values)


def _names(connection: sa.Connection, stations: list[StationHealth], today: date) -> dict[str, str]:
    units = units_of(connection).of(Level.FACILITY, Period(today, today))
    return {each.facility: units[each.facility].name for each in stations if each.facility in units}
