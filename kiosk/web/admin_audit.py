"""The audit for ``kioskctl audit``: whether its chain holds, and its rows as JSON lines."""

from __future__ import annotations

from datetime import date
from typing import Any

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel

from kiosk import audit, audit_anchor, records
from kiosk.ports import Clock
from kiosk.store import Store
from kiosk.web.admin_answers import OPERATOR


class ToldOutside(BaseModel):
    """Anchors as they were kept elsewhere: lines of ``audit-anchors.jsonl``."""

    anchors: list[dict[str, Any]] = []


class Days(BaseModel):
    """From the first day to the last, inclusive."""

    first: date
    last: date


def audit_router(store: Store, clock: Clock) -> APIRouter:
    """The routes under ``/audit``."""
    router = APIRouter(prefix="/audit")

    @router.post("/verify")
    async def verify(body: ToldOutside) -> dict[str, Any]:
        """Go through the whole chain; ``broken_at`` is the first number that does not fit, null when all do."""

        def work(connection: Any) -> tuple[audit.Verdict, list[dict[str, Any]]]:
            anchors = audit_anchor.kept(connection) + body.anchors
            signed = [anchor for anchor in anchors if audit_anchor.is_signed(anchor)]
            wanted: dict[int, str] = {}
            for anchor in signed:  # two different hashes for one number cannot both be met
                known = wanted.setdefault(anchor["number"], anchor["hash"])
                wanted[anchor["number"]] = known if known == anchor["hash"] else ""
            return audit.verify(connection, wanted), [anchor for anchor in anchors if anchor not in signed]

        verdict, unsigned = await store.read(work)
        return {
            "intact": verdict.broken_at is None and not unsigned,
            "rows": verdict.rows,
            "emptied": verdict.emptied,
            "broken_at": verdict.broken_at,
            "anchors_with_bad_signature": len(unsigned),
        }

    @router.post("/export", response_class=PlainTextResponse)
    async def export(body: Days) -> PlainTextResponse:
        """The rows of these days, one JSON object a line; making it is in the audit too."""
        detail = {"first": str(body.first), "last": str(body.last)}
        await store.run(lambda c: records.add_audit(c, clock(), OPERATOR, "audit_exported", None, detail))
        lines = await store.read(lambda c: list(audit.lines(c, body.first, body.last)))
        return PlainTextResponse("".join(f"{line}\n" for line in lines))

    return router
