"""Routes of the patient's screen: the local station's state, stream, scan and answer (interfaces, section 4)."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter, Depends

from kiosk.stations import Station
from kiosk.web.own_screen import own_screen, this_station
from kiosk.web.station_routes import add_station_routes


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
    for prefix in ("/api/v1/station", "/api/v1/stations/{station_id}"):
        add_station_routes(
            router,
            prefix,
            station,
            facility,
            typed=typed,
            allowed=lambda _: True,
            listed=prefix.endswith("}"),
        )
    return router
