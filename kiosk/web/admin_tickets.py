"""The numbers of a day for ``kioskctl tickets``."""

from __future__ import annotations

from datetime import date
from typing import Any

from fastapi import APIRouter

from kiosk.model import local_day
from kiosk.ports import Clock
from kiosk.store import Store
from kiosk.ticket_list import tickets_of_day


def tickets_router(store: Store, clock: Clock) -> APIRouter:
    """The route ``/tickets``."""
    router = APIRouter()

    @router.get("/tickets")
    async def tickets(day: date | None = None, room: str = "") -> dict[str, Any]:
        """The numbers of *day* (default today), of the rooms whose name contains *room*."""
        which = str(day or local_day(clock()))
        return await store.read(lambda c: tickets_of_day(c, which, room))

    return router
