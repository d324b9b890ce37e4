"""Staff routes about who somebody is in the hospital system, where no number says so."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field

from kiosk.checkin import CheckIns
from kiosk.model import Identity
from kiosk.patient_choice import PatientChoice
from kiosk.privacy import mask_number
from kiosk.records import CheckIn


class ChosenPatient(BaseModel):
    """The token of a suggestion, or null for none of them."""

    model_config = ConfigDict(extra="forbid")

    candidate: Annotated[str, Field(max_length=40)] | None


def patient_api(
    checkins: CheckIns,
    signed_in: Callable[[Request], str],
    shown: Callable[[CheckIn], Awaitable[dict[str, Any]]],
) -> APIRouter:
    """``POST check-ins/{id}/candidates`` and ``.../patient``; *signed_in* gives the name of who asks, or 401.

    Asking is a POST, because it shows people of the hospital and stands in the audit.
    """
    router = APIRouter()
    choice = PatientChoice(checkins)
    who_asks = Depends(signed_in)

    @router.post("/check-ins/{checkin_id}/candidates")
    async def candidates(checkin_id: str, who: str = who_asks) -> dict[str, Any]:
        """People of the same name and birth date in the hospital system."""
        found = await choice.suggestions(checkin_id, who)
        return {"candidates": [{"id": each.token} | _person(each.candidate.person) for each in found]}

    @router.post("/check-ins/{checkin_id}/patient")
    async def choose(checkin_id: str, body: ChosenPatient, who: str = who_asks) -> dict[str, Any]:
        """The person is one of those suggested just now, or none of them."""
        return await shown(await choice.choose(checkin_id, body.candidate, who))

    return router


def _person(person: Identity) -> dict[str, Any]:
    """What a clerk compares with the papers; of a number only its end."""
    return {
        "name": person.full_name,
        "birth_date": str(person.birth_date) if person.birth_date else None,
        "sex": person.sex,
        "number": mask_number(person.personal_id) if person.personal_id else None,
        "old_number": mask_number(person.old_id) if person.old_id else None,
        "address": person.address,
    }
