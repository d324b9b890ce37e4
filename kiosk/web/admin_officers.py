"""Officers for ``kioskctl officers``: shortened names and the last digits of their numbers, in full only when asked."""

from __future__ import annotations

from typing import Any, Final

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel

from kiosk.config import read_officers
from kiosk.duty import Duty
from kiosk.errors import ConfigError
from kiosk.privacy import mask_name, mask_number

ADMINISTRATOR: Final = "administrator"
"""Whom shifts and the audit name for what is done that way."""


class Line(BaseModel):
    """One officer as a line of the officers' file: ``name;12-digit number``."""

    line: str


def officers_router(duty: Duty) -> APIRouter:
    """The routes under ``/officers``."""
    router = APIRouter(prefix="/officers")

    def listed(*, reveal: bool = False) -> dict[str, Any]:
        view = duty.view
        answering = view.officer.officer_id if view.officer else None
        return {
            "officers": [
                {
                    "id": each.officer.officer_id,
                    "name": each.officer.full_name if reveal else mask_name(each.officer.full_name),
                    "number": each.officer.citizen_number if reveal else mask_number(each.officer.citizen_number),
                    "designated": each.designated,
                    "answering": each.officer.officer_id == answering,
                }
                for each in duty.registered
            ],
            "refused": view.refused,
        }

    @router.get("")
    async def all_of_them(reveal: bool = False) -> dict[str, Any]:
        """Who may answer, and who does."""
        return listed(reveal=reveal)

    @router.post("")
    async def add(body: Line) -> dict[str, Any]:
        """Register one more."""
        try:
            (pair,) = read_officers(body.line)
        except (ConfigError, ValueError):
            raise HTTPException(422, "BAD_OFFICER") from None
        await duty.add(*pair, ADMINISTRATOR)
        return listed()

    @router.delete("/{officer_id}")
    async def remove(officer_id: str) -> dict[str, Any]:
        """Take one off the register."""
        if not await duty.remove(officer_id, ADMINISTRATOR):
            raise HTTPException(404, "NO_SUCH_OFFICER")
        return listed()

    @router.post("/{officer_id}/designate")
    async def designate(officer_id: str) -> dict[str, Any]:
        """The one who stands in when nobody has signed on."""
        if not await duty.designate(officer_id, ADMINISTRATOR):
            raise HTTPException(404, "NO_SUCH_OFFICER")
        return listed()

    @router.post("/{officer_id}/sign-on")
    async def sign_on(officer_id: str) -> dict[str, Any]:
        """Begin a shift where no staff screen can: at a relay."""
        if not await duty.sign_on(officer_id, ADMINISTRATOR):
            raise HTTPException(404, "NO_SUCH_OFFICER")
        return listed()

    @router.post("/sign-off")
    async def sign_off() -> dict[str, Any]:
        """End the shift: the designated officer stands in."""
        await duty.sign_off(ADMINISTRATOR)
        return listed()

    return router
