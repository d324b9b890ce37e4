"""Who answers for lookups: signing officers on and off at the staff screen, and what to do when one is refused."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Request
from pydantic import BaseModel, ConfigDict, Field

from kiosk import outbox_table, records
from kiosk.checkin import CheckIns
from kiosk.duty import Duty
from kiosk.model import Officer
from kiosk.privacy import mask_number


class SignOn(BaseModel):
    """Who begins the shift."""

    model_config = ConfigDict(extra="forbid")

    officer_id: Annotated[str, Field(min_length=1, max_length=40)]


def duty_router(checkins: CheckIns, duty: Duty, signed_in: Callable[[Request], str]) -> APIRouter:
    """The routes under ``/duty``; *signed_in* gives the name of the clerk or refuses."""
    router = APIRouter(prefix="/duty")
    Who = Annotated[str, Depends(signed_in)]

    async def done() -> dict[str, Any]:
        now = checkins.clock()
        await checkins.store.run(lambda c: outbox_table.hasten(c, outbox_table.GATEWAY, now))
        checkins.outbox.wake(outbox_table.GATEWAY)
        return duty_view(duty)

    @router.get("")
    async def now(_: Who) -> dict[str, Any]:
        """Who answers now, and who could."""
        return duty_view(duty)

    @router.post("/sign-on")
    async def sign_on(who: Who, body: SignOn) -> dict[str, Any]:
        """Begin a shift."""
        if not await duty.sign_on(body.officer_id, who):
            raise HTTPException(404, "NO_SUCH_OFFICER")
        return await done()

    @router.post("/sign-off")
    async def sign_off(who: Who) -> dict[str, Any]:
        """End the shift: the designated officer stands in."""
        await duty.sign_off(who)
        return await done()

    @router.post("/try-again")
    async def try_again(who: Who) -> dict[str, Any]:
        """The registration was corrected: let the next lookup try it."""
        now = checkins.clock()
        await checkins.store.run(lambda c: records.add_audit(c, now, who, "officer_tried_again", None, {}))
        duty.try_now()
        return await done()

    return router


def duty_view(duty: Duty) -> dict[str, Any]:
    """As the staff screen shows it; numbers are masked."""
    view = duty.view
    return {
        "officer": _officer(view.officer) if view.officer else None,
        "signed_on": (
            {"since": view.signed_on.since.isoformat(), "by": view.signed_on.signed_by} if view.signed_on else None
        ),
        "refused": view.refused,
        "officers": [_officer(each.officer) | {"designated": each.designated} for each in duty.registered],
    }


def _officer(officer: Officer) -> dict[str, Any]:
    return {
        "id": officer.officer_id,
        "name": officer.full_name,
        "number": mask_number(officer.citizen_number),
    }
