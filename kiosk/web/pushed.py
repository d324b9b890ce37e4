"""Where a vendor's reader program on this machine posts a chip's files (adapter ``pushed``).

``POST /api/v1/station/chip/challenge`` gives a challenge for Active Authentication; ``POST /api/v1/station/chip`` takes
the files and the chip's answer. Both want the token of the 0600 file ``chip-token`` in ``X-Chip-Token``.
"""

from __future__ import annotations

import hmac
from typing import Any

from fastapi import APIRouter, Depends, HTTPException, Request

from kiosk.chip_station import ChipStation
from kiosk.emrtd.trust import TrustAnchors
from kiosk.ports import Clock
from kiosk.pushed_chip import Challenges, parse, read_pushed
from kiosk.web.guards import CHIP_PATH, CHIP_TOKEN_HEADER


def pushed_api(station: ChipStation, token: str, anchors: TrustAnchors | None, clock: Clock) -> APIRouter:
    """The two routes; *anchors* as for chips that we read ourselves."""
    challenges = Challenges()

    def reader_program(request: Request) -> None:
        if not hmac.compare_digest(request.headers.get(CHIP_TOKEN_HEADER, "").encode(), token.encode()):
            raise HTTPException(403, "NOT_THE_READER_PROGRAM")

    router = APIRouter(dependencies=[Depends(reader_program)], tags=["pushed chip"])

    @router.post(CHIP_PATH + "/challenge")
    async def challenge() -> dict[str, str]:
        """Eight fresh random bytes; good once, for a minute."""
        return {"challenge": challenges.issue().hex()}

    @router.post(CHIP_PATH, status_code=202)
    async def chip(request: Request) -> dict[str, Any]:
        """Take the raw files of one chip."""
        pushed = parse(await request.body())
        read = read_pushed(pushed, challenges, anchors, clock())
        return {"checkin_id": await station.chip_pushed(read, pushed.reader), "verdict": read.verdict}

    return router
