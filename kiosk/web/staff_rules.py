"""Staff routes about what insurer and hospital hold of a person otherwise than the document."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field

from kiosk import accepted_fields, records
from kiosk.checkin import CheckIns
from kiosk.records import CheckIn
from kiosk.staffwork import StaffRefusal, StaffWork


class AcceptFields(BaseModel):
    """Ids of differences, such as ``gateway.full_name``."""

    model_config = ConfigDict(extra="forbid")

    fields: Annotated[list[Annotated[str, Field(max_length=40)]], Field(min_length=1, max_length=8)]


def rules_api(
    checkins: CheckIns,
    work: StaffWork,
    signed_in: Callable[[Request], str],
    shown: Callable[[CheckIn], Awaitable[dict[str, Any]]],
) -> APIRouter:
    """``POST check-ins/{id}/differences`` and ``.../accept-fields``; *signed_in* gives the name of who asks, or 401.

    Reading differences is a POST, because it reveals a person and stands in the audit.
    """
    router = APIRouter()
    who_asks = Depends(signed_in)

    @router.post("/check-ins/{checkin_id}/differences")
    async def compare(checkin_id: str, who: str = who_asks) -> dict[str, Any]:
        """Each difference with both values, in full."""
        found = await accepted_fields.compare(checkins, checkin_id, who)
        return {
            "differences": [
                {
                    "id": each.id,
                    "field": each.name,
                    "source": each.source,
                    "ours": each.ours,
                    "theirs": each.theirs,
                    "acceptable": each.acceptable,
                }
                for each in found
            ]
        }

    @router.post("/check-ins/{checkin_id}/accept-fields")
    async def accept(checkin_id: str, body: AcceptFields, who: str = who_asks) -> dict[str, Any]:
        """Take the named fields over; where the insurer doubted the person, ask again at once."""
        if await accepted_fields.accept(checkins, checkin_id, body.fields, who):
            return await shown(await work.recheck(checkin_id, who))
        checkin = await checkins.store.read(lambda c: records.get(c, checkin_id))
        if checkin is None:
            raise StaffRefusal("NO_SUCH_CHECK_IN")
        return await shown(checkin)

    return router
