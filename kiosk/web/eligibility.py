"""``/api/v1/eligibility``: the hospital system and the cashier ask with a key of their own (interfaces, section 4).

Nothing of this is for browsers: no cookie opens it, and the key never stands in an address.
"""

from __future__ import annotations

import asyncio
import hmac
import time
from datetime import date
from typing import Annotated, Any, Final, Literal

import sqlalchemy as sa
from fastapi import APIRouter, Depends, HTTPException, Request
from pydantic import BaseModel, ConfigDict, Field, model_validator

from kiosk.checkin import CheckIns
from kiosk.documents.card_number import classify_number
from kiosk.documents.text import clean, tidy
from kiosk.eligibility_questions import Answered, ask_about_person, ask_about_visit
from kiosk.model import Coverage, LookupKey, Moment, RouteHint, Sex, local_day
from kiosk.pending import Pending, pending_of
from kiosk.staffwork import parse_birth_date

PATH: Final = "/api/v1/eligibility"
AT_ONCE: Final = 8
"""Questions of this key that may wait at a time; more would only wait for each other."""
_FAILURES: Final = 10
_WINDOW_S: Final = 60.0

Text = Annotated[str, Field(min_length=1, max_length=200)]


class Question(BaseModel):
    """About a visit, by our id or the hospital's, or about a person without one."""

    model_config = ConfigDict(extra="forbid")

    moment: Literal["arrival", "treatment", "closing"] = "treatment"
    checkin_id: Text | None = None
    visit_id: Text | None = None
    number: Text | None = None
    full_name: Text | None = None
    birth_date: Text | None = None
    sex: Sex | None = None

    @model_validator(mode="after")
    def _one_subject(self) -> Question:
        person = (self.number, self.full_name, self.birth_date)
        given = [self.checkin_id is not None, self.visit_id is not None, any(part is not None for part in person)]
        if given.count(True) != 1 or (given[2] and None in person) or (self.sex is not None and not given[2]):
            raise ValueError("one of checkin_id, visit_id, or number with full_name and birth_date")
        return self


class Brake:
    """Slows down whoever guesses keys; one for all, for there is one key."""

    def __init__(self) -> None:
        """Nobody has failed yet."""
        self._failures: list[float] = []

    def check(self) -> None:
        """HTTPException 429 after too many wrong keys in a minute."""
        now = time.monotonic()
        self._failures = [moment for moment in self._failures if now - moment < _WINDOW_S]
        if len(self._failures) >= _FAILURES:
            raise HTTPException(429, "TOO_MANY", {"Retry-After": "60"})

    def failed(self) -> None:
        """Count a wrong key."""
        self._failures.append(time.monotonic())


def eligibility_api(checkins: CheckIns, key: str) -> APIRouter:
    """The routes for whoever brings *key* as ``Authorization: Bearer``."""
    router = APIRouter(prefix=PATH, tags=["eligibility"])
    brake = Brake()
    places = asyncio.Semaphore(AT_ONCE)

    def allowed(request: Request) -> None:
        scheme, _, brought = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and hmac.compare_digest(brought.strip().encode(), key.encode()):
            return
        brake.check()
        brake.failed()
        raise HTTPException(401, "KEY_NEEDED", {"WWW-Authenticate": "Bearer"})

    @router.post("", dependencies=[Depends(allowed)])
    async def ask(body: Question) -> dict[str, Any]:
        """Ask the insurer now, or get the answer of a moment ago."""
        if places.locked():
            raise HTTPException(429, "TOO_MANY", {"Retry-After": "5"})
        moment = Moment(body.moment)
        async with places:
            if body.number is None:
                return _answer(await ask_about_visit(checkins, body.checkin_id, body.visit_id, moment))
            return _answer(await ask_about_person(checkins, _key_of(body), moment))

    @router.get("/pending", dependencies=[Depends(allowed)])
    async def pending(day: date | None = None) -> dict[str, Any]:
        """The visits of a day (default today) that nobody could look up yet: to be settled before they are closed."""
        wanted = str(day or local_day(checkins.clock()))

        def work(connection: sa.Connection) -> list[dict[str, Any]]:
            return [_pending(one) for one in pending_of(connection, wanted)]

        return {"day": wanted, "visits": await checkins.store.read(work)}

    return router


def _key_of(body: Question) -> LookupKey:
    """The person of *body*; HTTPException 422 BAD_NUMBER or BAD_NAME, StaffRefusal BAD_DATE."""
    classified = classify_number(body.number or "")
    if classified is None:
        raise HTTPException(422, "BAD_NUMBER")
    name = tidy(clean(body.full_name or ""))
    if not name:
        raise HTTPException(422, "BAD_NAME")
    kind, number = classified
    return LookupKey(number, kind, name, parse_birth_date(body.birth_date or ""), body.sex)


def _answer(answered: Answered) -> dict[str, Any]:
    found = answered.eligibility
    return {
        "checkin_id": answered.checkin_id,
        "class": found.status,
        "reason": found.reason,
        "result_code": found.result_code,
        "coverage": _coverage(found.coverage),
        "notices": list(found.notices),
        "route": _route(found.route),
        "asked_at": found.asked_at.isoformat(),
        "origin": "live" if answered.asked else "remembered",
        "evidence_id": answered.evidence_id,
        "receipt": answered.receipt,
    }


def _coverage(coverage: Coverage | None) -> dict[str, Any] | None:
    """The card in full: the hospital writes it on the visit."""
    if coverage is None:
        return None
    return {
        "number": coverage.number,
        "key_kind": coverage.key_kind,
        "registered_facility": coverage.registered_facility,
        "valid_from": coverage.valid_from.isoformat() if coverage.valid_from else None,
        "valid_to": coverage.valid_to.isoformat() if coverage.valid_to else None,
        "five_years_on": coverage.five_years_on.isoformat() if coverage.five_years_on else None,
        "benefit_level": coverage.benefit_level,
        "living_area": coverage.living_area,
    }


def _route(route: RouteHint | None) -> dict[str, Any] | None:
    if route is None:
        return None
    return {"object_code": route.object_code, "certainty": route.certainty, "rate": route.rate, "provisional": True}


def _pending(one: Pending) -> dict[str, Any]:
    checkin = one.checkin
    return {
        "checkin_id": checkin.checkin_id,
        "visit_id": checkin.receipt.visit_id if checkin.receipt else None,
        "ticket": checkin.number,
        "since": checkin.happened_at.isoformat(),
        "calls": one.calls,
        "last_reason": one.last_reason,
        "next_at": one.next_at.isoformat() if one.next_at else None,
    }
