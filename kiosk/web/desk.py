"""Routes of the counter screen: the desks, and each desk's station for signed-in staff (interfaces, section 4)."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, HTTPException, Request
from pydantic import BaseModel, ConfigDict, Field

from kiosk.desk_station import DeskStation
from kiosk.model import Sex
from kiosk.staff_entry import Entry
from kiosk.web.station_routes import add_station_routes

STATIONS: Final = "/api/v1/stations"
Text = Annotated[str, Field(max_length=500)]


class TypedPerson(BaseModel):
    """A typed person; a citizen number alone is asked of the hospital."""

    model_config = ConfigDict(extra="forbid")

    number: Text
    full_name: Text = ""
    birth_date: Text = ""
    sex: Sex | None = None


def desk_api(desks: Sequence[DeskStation], facility: str, signed_in: Callable[[Request], str]) -> APIRouter:
    """``GET /api/v1/stations`` (the desks), and under ``/api/v1/stations/{desk}`` the four routes of a station and
    ``POST entry``. *signed_in* gives the name of who asks, or raises 401.
    """
    router = APIRouter(dependencies=[Depends(signed_in)], tags=["desk"])
    Who = Annotated[str, Depends(signed_in)]

    @router.get(STATIONS)
    async def listed() -> dict[str, Any]:
        """The desks, and at which of them somebody is being served."""
        return {"stations": [{"station": desk.id, "phase": desk.phase} for desk in desks]}

    def allowed(request: Request) -> bool:
        try:
            return bool(signed_in(request))
        except HTTPException:  # the session is over
            return False

    def add(desk: DeskStation) -> None:
        prefix = f"{STATIONS}/{desk.id}"
        add_station_routes(router, prefix, desk, facility, typed=lambda _: None, allowed=allowed)

        @router.post(f"{prefix}/entry", status_code=202)
        async def enter(who: Who, body: TypedPerson) -> dict[str, Any]:
            """Take a typed person."""
            entry = Entry(body.number, body.full_name, body.birth_date, body.sex)
            return {"checkin_id": await desk.enter(entry, who)}

    for desk in desks:
        add(desk)
    return router
