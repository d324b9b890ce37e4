"""The staff route of today's board."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request

from kiosk.board import TARGET_PCT, board_of
from kiosk.checkin import CheckIns
from kiosk.model import local_day


def board_api(checkins: CheckIns, signed_in: Callable[[Request], str]) -> APIRouter:
    """``GET board``; *signed_in* gives the name of who asks, or refuses."""
    router = APIRouter()

    @router.get("/board")
    async def board(_: Annotated[str, Depends(signed_in)]) -> dict[str, Any]:
        """How today stands, when it ends, and what is left to be done."""
        now = checkins.clock()
        today = local_day(now)
        found = await checkins.store.read(lambda c: board_of(c, str(today)))
        closing = checkins.policy.hours.closing(today)
        return asdict(found) | {
            "causes": [{"reason": reason, "visits": visits} for reason, visits in found.causes],
            "open_items": found.open_items,
            "target_pct": TARGET_PCT,
            "closes_at": closing.isoformat(),
            "closed": now >= closing,
        }

    return router
