"""The simulated service that verifies changing VNeID codes, and the phones that show them (identity-documents.md 3).

Nothing of the real one is published: this one is strict where any would be. A code holds for a minute and for one
question; a second one about it, a body of any other shape or a wrong bearer token is refused. Only invented people.
Serve it with `simulators.serve`: the modes `hang` and `reset` reach for the socket.
"""

import asyncio
import base64
import hmac
import json
import secrets
import time
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, Literal

from fastapi import FastAPI, HTTPException, Request, Response
from pydantic import BaseModel, ConfigDict

from simulators.serve import connection_of
from simulators.vss_people import DEFAULT_FACILITY, Person, people_of

BEARER = "sim-vneid-bearer"
VERIFY_PATH = "/verify"
_VIETNAM = timezone(timedelta(hours=7))

Mode = Literal["normal", "slow", "hang", "reset", "down", "nonsense", "wrong_number", "no_name", "damaged_name"]
_DEFORMED: dict[str, dict[str, Any]] = {
    "wrong_number": {"personal_id": "99190000001"},
    "no_name": {"full_name": ""},
    "damaged_name": {"full_name": "Tr\ufffdn Th\ufffd M\ufffdu"},
}


@dataclass(frozen=True)
class Settings:
    """`lifetime_s`: how long a code holds; `slow_s`: how long the mode `slow` takes."""

    facility: str = DEFAULT_FACILITY
    lifetime_s: float = 60.0
    slow_s: float = 1.0


class ModeRequest(BaseModel):
    """How the service behaves from now on."""

    model_config = ConfigDict(extra="forbid")

    mode: Mode


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    token: str


class Service:
    """The codes in force. `questions` counts what was asked, by HTTP status of the answer; no code is kept there."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.people = {person.number: person for person in people_of(settings.facility)}
        self.mode: Mode = "normal"
        self.questions: list[int] = []
        self._in_force: dict[str, tuple[Person, float]] = {}

    def show(self, number: int) -> str:
        """A new code on the phone of person *number*, as its QR holds it. KeyError: nobody, or a child."""
        person = self.people[number]
        if person.citizen_id is None:
            raise KeyError(number)
        head = base64.urlsafe_b64encode(b'{"alg":"none","typ":"SIM"}').rstrip(b"=").decode()
        token = f"{head}.{secrets.token_urlsafe(32)}.{secrets.token_urlsafe(24)}"
        self._in_force[token] = (person, time.monotonic() + self.settings.lifetime_s)
        return token

    def answer(self, token: str) -> dict[str, Any] | None:
        """The person behind *token*, once; None when it is unknown, used up or too old."""
        person, until = self._in_force.pop(token, (None, 0.0))
        if person is None or time.monotonic() > until:
            return None
        return {
            "personal_id": person.citizen_id,
            "full_name": person.name.title(),
            "birth_date": person.birth_date(datetime.now(_VIETNAM).date()),
            "sex": person.card_sex,
            "address": person.address,
        } | _DEFORMED.get(self.mode, {})


def create_app(settings: Settings | None = None) -> FastAPI:
    """The service: `POST /verify`; phones: `POST /_sim/show/{number}`; `POST /_sim/mode`, `GET /_sim/questions`."""
    service = Service(settings or Settings())
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)

    @app.post(VERIFY_PATH)
    async def verify(request: Request) -> Response:
        body = await request.body()
        try:
            response = await _verified(service, request, body)
        except HTTPException as exc:
            response = Response(status_code=exc.status_code)
        service.questions.append(response.status_code)
        return response

    @app.post("/_sim/show/{number}")
    async def show(number: int) -> dict[str, str]:
        try:
            return {"token": service.show(number)}
        except KeyError:
            raise HTTPException(404) from None

    @app.post("/_sim/mode")
    async def mode(wanted: ModeRequest) -> None:
        service.mode = wanted.mode

    @app.get("/_sim/questions")
    async def questions() -> list[int]:
        return service.questions

    return app


async def _verified(service: Service, request: Request, body: bytes) -> Response:
    match service.mode:
        case "slow":
            await asyncio.sleep(service.settings.slow_s)
        case "hang":
            await connection_of(request).hold(request, None, asyncio.Event())
        case "reset":
            connection_of(request).reset()
        case "down":
            raise HTTPException(503)
    given = request.headers.get("authorization", "").encode()
    if not hmac.compare_digest(given, f"Bearer {BEARER}".encode()):
        raise HTTPException(401)
    if request.headers.get("content-type", "").partition(";")[0] != "application/json":
        raise HTTPException(415)
    try:
        asked = _Asked.model_validate_json(body)
    except ValueError:
        raise HTTPException(400) from None
    found = service.answer(asked.token)
    if found is None:
        raise HTTPException(404)
    text = "<html>" if service.mode == "nonsense" else json.dumps(found, ensure_ascii=False)
    return Response(text.encode(), media_type="application/json")
