"""The page of what is missing: events that never came, and events that were refused."""

from datetime import UTC, datetime
from typing import Annotated, Any, Final

from fastapi import Depends, FastAPI, Query, Request
from fastapi.responses import HTMLResponse

from kiosk.events import VIETNAM
from province.access.caller import Caller
from province.gaps import gaps
from province.guards import ApiError
from province.pages.frame import answer
from province.parts import Parts
from province.periods import Period
from province.quarantine import quarantined
from province.units import Level, units_of

_MOST_SHOWN: Final = 300
_NAMED: Final = (
    "not_an_object",
    "bad_text",
    "bad_event_id",
    "unknown_schema",
    "unknown_kind",
    "bad_happened_at",
    "cannot_be_counted",
)
"""Reasons with words of their own; the others are `bad_<field>`."""


def add_routes(app: FastAPI, parts: Parts) -> None:
    """`/quarantine`."""

    @app.get("/quarantine", response_class=HTMLResponse)
    def quarantine_page(
        request: Request,
        caller: Annotated[Caller, Depends(parts.gate.person)],
        facility: Annotated[str, Query(max_length=20)] = "",
    ) -> HTMLResponse:
        """Missing numbers and refused events, of all facilities or of one."""
        asked = facility.strip()
        if asked and not caller.may_see(asked):
            raise ApiError(403, "not_allowed")
        only = caller.facility or asked or None
        now = datetime.now(UTC)
        today = now.astimezone(VIETNAM).date()
        with parts.store.read() as connection:
            missing = gaps(connection, only, now=now)
            refused = quarantined(connection, only)
            units = units_of(connection).of(Level.FACILITY, Period(today, today))
            values: dict[str, Any] = {
                "asked": asked,
                "gaps": missing[:_MOST_SHOWN],
                "gap_count": len(missing),
                "missing": sum(each.last - each.first + 1 for each in missing),
                "refused": refused[:_MOST_SHOWN],
                "refused_count": len(refused),
                "refusals": sum(each.times for each in refused),
                "names": {code: unit.name for code, unit in units.items()},
                "named": _NAMED,
            }
            return answer(request, connection, caller, "quarantine.html", **values)
