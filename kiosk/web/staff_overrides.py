"""Decisions against the insurer's answer, for the supervisor who countersigns them."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Request
from pydantic import BaseModel, ConfigDict

from kiosk import overrides
from kiosk.checkin import CheckIns
from kiosk.model import local_day


class Signature(BaseModel):
    """Whether the supervisor agrees."""

    model_config = ConfigDict(extra="forbid")

    agreed: bool


def overrides_api(checkins: CheckIns, signed_in: Callable[[Request], str]) -> APIRouter:
    """The routes under ``/overrides``; *signed_in* gives the name of the supervisor or refuses."""
    router = APIRouter(prefix="/overrides")
    Who = Annotated[str, Depends(signed_in)]

    async def shown() -> dict[str, Any]:
        found = await checkins.store.read(lambda c: overrides.shown(c, local_day(checkins.clock())))
        return {"overrides": [_view(row) for row in found]}

    @router.get("")
    async def listed(_: Who) -> dict[str, Any]:
        """Findings, what waits for a signature, and the rest of the last 31 days."""
        return await shown()

    @router.post("/{number}")
    async def sign(who: Who, number: int, body: Signature) -> dict[str, Any]:
        """Agree or not; nobody signs a decision of their own."""
        now = checkins.clock()
        refused = await checkins.store.run(lambda c: overrides.countersign(c, number, who, now, agreed=body.agreed))
        if refused is not None:
            raise HTTPException(404 if refused == "NO_SUCH_DECISION" else 409, refused)
        return await shown()

    return router


def _view(row: dict[str, Any]) -> dict[str, Any]:
    plain = {name: row[name] for name in ("id", "checkin_id", "day", "who", "reason", "insured", "due", "state")}
    return plain | {
        "at": row["at"].isoformat(),
        "signed_by": row["signed_by"],
        "number": row["his_number"] or row["kiosk_number"],
    }
