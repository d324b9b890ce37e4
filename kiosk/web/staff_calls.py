"""The staff route by which somebody says that they go to a station that called."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from fastapi import APIRouter, Request

from kiosk.calls import Call, Calls
from kiosk.staffwork import StaffRefusal


def calls_view(calls: Iterable[Call]) -> list[dict[str, Any]]:
    """Each as ``number, station, kind (emergency help trouble card_left), at``."""
    return [
        {"number": call.number, "station": call.station, "kind": call.kind.value, "at": call.at.isoformat()}
        for call in calls
    ]


def calls_api(calls: Calls, signed_in: Callable[[Request], str]) -> APIRouter:
    """``POST calls/{number}/answered``; the open calls stand in the status."""
    router = APIRouter()

    @router.post("/calls/{number}/answered")
    async def answered(request: Request, number: str) -> dict[str, Any]:
        """Somebody goes there; what is open then. NO_SUCH_CALL when it is over already."""
        signed_in(request)
        if not (number.isdecimal() and calls.answered(int(number))):
            raise StaffRefusal("NO_SUCH_CALL")
        return {"calls": calls_view(calls.open())}

    return router
