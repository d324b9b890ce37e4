"""Staff routes about tickets: print one again, and the numbers of a day."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any

import sqlalchemy as sa
from fastapi import APIRouter, Request

from kiosk import records
from kiosk.checkin import CheckIns
from kiosk.model import local_day
from kiosk.printing import Printing
from kiosk.records import CheckIn
from kiosk.staffwork import StaffRefusal
from kiosk.ticket_list import tickets_of_day


def tickets_api(
    checkins: CheckIns,
    printing: Printing | None,
    signed_in: Callable[[Request], str],
    shown: Callable[[CheckIn], Awaitable[dict[str, Any]]],
) -> APIRouter:
    """``POST check-ins/{id}/reprint`` and ``GET tickets``; *printing*: the kiosk's printer, if it has one."""
    router = APIRouter()

    @router.post("/check-ins/{checkin_id}/reprint")
    async def reprint(request: Request, checkin_id: str) -> dict[str, Any]:
        """Print the same ticket again; ``printed`` is null where nobody can tell. NO_PRINTER, NO_TICKET."""
        who = signed_in(request)
        checkin = await checkins.store.read(lambda c: records.get(c, checkin_id))
        if checkin is None:
            raise StaffRefusal("NO_SUCH_CHECK_IN")
        if printing is None:
            raise StaffRefusal("NO_PRINTER")
        if checkin.state != "accepted" or checkin.number is None:
            raise StaffRefusal("NO_TICKET")
        printed = await printing.print(checkin)

        def told(connection: sa.Connection) -> None:
            detail = {"number": checkin.number, "printed": printed}
            records.add_audit(connection, checkins.clock(), who, "reprinted", checkin_id, detail)

        await checkins.store.run(told)
        return await shown(checkin) | {"printed": printed, "printer": printing.state}

    @router.get("/tickets")
    async def tickets(request: Request, day: date | None = None, room: str = "") -> dict[str, Any]:
        """The numbers of a day (default today), of one room or all, with the hospital's numbers beside our own."""
        signed_in(request)
        which = str(day or local_day(checkins.clock()))
        return await checkins.store.read(lambda c: tickets_of_day(c, which, room))

    return router
