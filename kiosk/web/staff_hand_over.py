"""Staff routes of the clerk's list: what must be typed into a hospital system, as a code for the clerk's scanner.

Personal data stand in bodies of POST answers only; each look and each confirmation is in the audit.
"""

import io
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field

from kiosk.checkin import CheckIns
from kiosk.hand_over import Claim, HandOvers
from kiosk.hand_over_content import Kind, Shown
from kiosk.model import EligibilityClass
from kiosk.web.staff_view import masked, views

Page = Annotated[str, Field(pattern=r"^[0-9a-f-]{8,40}$")]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Open(_Body):
    """``page``: a random word of the browser's page. ``take_over``: although another page has it open."""

    page: Page
    take_over: bool = False


class Release(_Body):
    """The page that has it open."""

    page: Page


class Confirm(_Body):
    """It stands in the hospital system. ``told`` and ``digest`` as they came with what was shown."""

    number: Annotated[str, Field(max_length=40)] = ""
    told: EligibilityClass
    digest: Annotated[str, Field(max_length=64)]


def hand_over_api(checkins: CheckIns, signed_in: Callable[[Request], str]) -> APIRouter:
    """``GET hand-over``, ``POST hand-over/{id}/open|release|confirm|again``; *signed_in* gives the name or 401."""
    router = APIRouter(prefix="/hand-over")
    work = HandOvers(checkins)
    Who = Annotated[str, Depends(signed_in)]

    @router.get("")
    async def queue(_: Who) -> dict[str, Any]:
        """What waits, oldest first, and what was entered last; ``expected``: whether all visits come here."""
        found = await work.queue()
        people = [checkin for checkin, _ in found.waiting]
        shown = await checkins.store.read(lambda c: views(c, people))
        return {
            "expected": checkins.hospital.capabilities.hand_over,
            "waiting": [view | {"taken": _taken(claim)} for view, (_, claim) in zip(shown, found.waiting, strict=True)],
            "done": [
                {
                    "checkin_id": checkin.checkin_id,
                    "identity": masked(checkin),
                    "number": checkin.number,
                    "at": at.isoformat(),
                }
                for checkin, at, _ in found.done
            ],
        }

    @router.post("/{checkin_id}/open")
    async def show(who: Who, checkin_id: str, body: Open) -> dict[str, Any]:
        """The content in full, with its code as SVG."""
        return _shown(await work.show(checkin_id, who, body.page, take_over=body.take_over))

    @router.post("/{checkin_id}/release")
    async def release(_: Who, checkin_id: str, body: Release) -> dict[str, Any]:
        """Not now: others may open it."""
        work.release(checkin_id, body.page)
        return {}

    @router.post("/{checkin_id}/confirm")
    async def confirm(who: Who, checkin_id: str, body: Confirm) -> dict[str, Any]:
        """Say that it is entered."""
        number = " ".join(body.number.split())
        done = await work.confirm(checkin_id, who, number=number, told=body.told, digest=body.digest)
        return {"checkin_id": done.checkin_id, "number": done.number}

    @router.post("/{checkin_id}/again")
    async def again(who: Who, checkin_id: str) -> dict[str, Any]:
        """Say that it is not."""
        return {"checkin_id": (await work.again(checkin_id, who)).checkin_id}

    return router


def _taken(claim: Claim | None) -> dict[str, str] | None:
    return {"page": claim.page, "who": claim.who, "at": claim.at.isoformat()} if claim else None


def _shown(shown: Shown) -> dict[str, Any]:
    content, checkin = shown.content, shown.checkin
    addition = shown.kind is Kind.ADDITION
    return {
        "checkin_id": checkin.checkin_id,
        "kind": shown.kind,
        "reason": checkin.staff_reason,
        "name": checkin.identity.full_name,
        "ticket": checkin.number,
        "class": checkin.status,
        "unchecked": checkin.unanswered and bool(checkin.bhyt),
        "told": shown.told,
        "digest": shown.digest,
        "fields": [
            {
                "name": name,
                "value": value,
                "typed": name not in content.left_out,
                "svg": qr_svg(value) if addition and name not in content.left_out else None,
            }
            for name, value in content.fields
        ],
        "row": "\t".join(value for _, value in content.fields),
        "typed": content.typed,
        "svg": qr_svg(content.typed),
    }


def qr_svg(text: str) -> str | None:
    """A QR code of *text* as an SVG element; None for no text, and for more than a code can hold."""
    if not text:
        return None
    import segno  # noqa: PLC0415 - only where visits are entered by clerks

    try:
        code = segno.make(text, error="m", encoding="utf-8", micro=False, boost_error=False)
    except segno.DataOverflowError:
        return None
    drawn = io.BytesIO()
    code.save(drawn, kind="svg", xmldecl=False, nl=False, omitsize=True, border=4)
    return drawn.getvalue().decode("ascii")
