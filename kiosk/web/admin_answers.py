"""Administration of what lookups leave behind: kept answers, receipts, evidence; each handing out is in the audit."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from typing import Any, Literal

from fastapi import APIRouter, HTTPException, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, model_validator

from kiosk import records
from kiosk.answer_export import Position, answers_a_day, lines_after
from kiosk.checkin import CheckIns
from kiosk.evidence_making import evidence_of, evidence_of_day
from kiosk.receipts import check_receipt

OPERATOR = "operator"
"""Whoever may open the administration socket, in the audit."""


class Days(BaseModel):
    """From the first day to the last, inclusive."""

    model_config = ConfigDict(extra="forbid")

    first: date
    last: date


class WhichEvidence(BaseModel):
    """One visit, or all of a day that have no answer (CSV only)."""

    model_config = ConfigDict(extra="forbid")

    checkin_id: str | None = None
    day: date | None = None
    format: Literal["csv", "pdf"] = "csv"

    @model_validator(mode="after")
    def _one_of_both(self) -> WhichEvidence:
        if (self.checkin_id is None) is (self.day is None) or (self.day is not None and self.format == "pdf"):
            raise ValueError("expected a visit, or a day as csv")
        return self


def answers_router(checkins: CheckIns) -> APIRouter:
    """The routes behind ``kioskctl answers``, ``receipt`` and ``lookup-evidence``."""
    router = APIRouter()

    @router.get("/answers")
    async def counted(first: date, last: date) -> dict[str, Any]:
        """How many answers are kept of each day."""
        return {"days": await checkins.store.read(lambda c: answers_a_day(c, str(first), str(last)))}

    @router.post("/answers/export")
    async def export(body: Days) -> StreamingResponse:
        """The answers as JSON lines. They are personal data."""
        detail = {"first": str(body.first), "last": str(body.last)}
        await checkins.store.run(
            lambda c: records.add_audit(c, checkins.clock(), OPERATOR, "answers_exported", None, detail)
        )
        return StreamingResponse(_lines(checkins, body), media_type="application/jsonl")

    @router.get("/receipt/{code}")
    async def receipt(code: str) -> dict[str, Any]:
        """What is left of a receipt; nothing of the person."""
        key = checkins.journal.facility_key
        return (await checkins.store.read(lambda c: check_receipt(c, key, code))).as_json()

    @router.post("/lookup-evidence")
    async def evidence(body: WhichEvidence) -> Response:
        """The evidence file of a visit or a day."""
        if body.day is not None:
            made = await evidence_of_day(checkins, str(body.day), OPERATOR)
        else:
            found = await evidence_of(checkins, str(body.checkin_id), body.format, OPERATOR)
            if found is None:
                raise HTTPException(404, "NO_SUCH_CHECK_IN")
            made = found
        return Response(made.content, media_type=made.media_type)

    return router


async def _lines(checkins: CheckIns, days: Days) -> AsyncIterator[str]:
    at: Position | None = Position(str(days.first))
    while at is not None:
        here = at
        lines, at = await checkins.store.read(lambda c, here=here: lines_after(c, here, str(days.last)))  # type: ignore[misc]
        if lines:
            yield "\n".join(lines) + "\n"
