"""Staff routes about lookups that found no answer: the list of a day, and evidence of them as files."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from fastapi import APIRouter, Request, Response

from kiosk.checkin import CheckIns
from kiosk.evidence_making import Format, MadeFile, evidence_of, evidence_of_day
from kiosk.model import local_day
from kiosk.pending import Pending, pending_of
from kiosk.staffwork import StaffRefusal
from kiosk.web.staff_view import masked


def pending_api(checkins: CheckIns, signed_in: Callable[[Request], str]) -> APIRouter:
    """``GET pending``, ``POST pending/evidence``, ``POST check-ins/{id}/evidence``; *signed_in* gives the name or 401.

    Making a file is a POST, because it stands in the audit with the name of who did it.
    """
    router = APIRouter()

    @router.get("/pending")
    async def pending(request: Request, day: date | None = None) -> dict[str, Any]:
        """The visits of a day (default today) that have no answer yet, oldest first, and whether the day is closed."""
        signed_in(request)
        now = checkins.clock()
        which = day or local_day(now)
        found = await checkins.store.read(lambda c: pending_of(c, str(which)))
        closing = checkins.policy.hours.closing(which)
        return {
            "day": str(which),
            "closes_at": closing.isoformat(),
            "closed": now >= closing,
            "visits": [_view(item) for item in found],
        }

    @router.post("/pending/evidence", response_class=Response)
    async def of_day(request: Request, day: date | None = None) -> Response:
        """The evidence of all visits of a day without an answer, as one CSV."""
        who = signed_in(request)
        return _download(await evidence_of_day(checkins, str(day or local_day(checkins.clock())), who))

    @router.post("/check-ins/{checkin_id}/evidence", response_class=Response)
    async def of_visit(request: Request, checkin_id: str, format: Format = "csv") -> Response:  # noqa: A002 - its name in the address
        """The evidence of one visit's lookups as CSV or PDF."""
        made = await evidence_of(checkins, checkin_id, format, signed_in(request))
        if made is None:
            raise StaffRefusal("NO_SUCH_CHECK_IN")
        return _download(made)

    return router


def _view(item: Pending) -> dict[str, Any]:
    of = item.checkin
    return {
        "checkin_id": of.checkin_id,
        "identity": masked(of),
        "ticket": of.number,
        "since": of.happened_at.isoformat(),
        "calls": item.calls,
        "last_reason": item.last_reason,
        "last_at": item.last_at.isoformat() if item.last_at else None,
        "next_at": item.next_at.isoformat() if item.next_at else None,
    }


def _download(made: MadeFile) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{made.name}"'}
    return Response(made.content, media_type=made.media_type, headers=headers)
