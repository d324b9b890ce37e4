"""A person's rights for ``kioskctl subject``; each act is in the audit, without the numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from kiosk import records, subject
from kiosk.checkin import CheckIns
from kiosk.web.admin_answers import OPERATOR

Number = Annotated[str, Field(pattern=r"^[0-9A-Z]{9,15}$")]


class Person(BaseModel):
    """All numbers by which somebody is known."""

    model_config = ConfigDict(extra="forbid")

    numbers: Annotated[list[Number], Field(min_length=1, max_length=20)]


def subject_router(checkins: CheckIns) -> APIRouter:
    """The routes under ``/subject``."""
    router = APIRouter(prefix="/subject")
    key = checkins.journal.facility_key

    @router.post("/find")
    async def find(body: Person) -> dict[str, Any]:
        """What is kept, as counts."""
        return await noted(body, "subject_found", lambda c: subject.as_json(subject.find(c, key, body.numbers)))

    @router.post("/export")
    async def export(body: Person) -> dict[str, Any]:
        """What is kept, in full."""
        return await noted(body, "subject_exported", lambda c: subject.export(c, key, body.numbers))

    @router.post("/erase")
    async def erase(body: Person) -> dict[str, Any]:
        """Erase what may be erased."""
        return await noted(body, "subject_erased", lambda c: subject.as_json(subject.erase(c, key, body.numbers)))

    async def noted(body: Person, action: str, work: Callable[[sa.Connection], dict[str, Any]]) -> dict[str, Any]:
        def done(connection: sa.Connection) -> dict[str, Any]:
            ids = subject.find(connection, key, body.numbers).checkin_ids
            answer = work(connection)
            detail = {"check_ins": len(ids)}
            records.add_audit(connection, checkins.clock(), OPERATOR, action, None, detail)
            return answer

        return await checkins.store.run(done)

    return router
