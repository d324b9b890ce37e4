"""Months over HTTP: their state, confirming, closing and objections."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated, Any, TypeVar

import sqlalchemy as sa
from fastapi import Depends, FastAPI
from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, StrictStr

from province.access.caller import Caller, Role
from province.guards import ApiError
from province.months import closing, confirmations, objections
from province.months.rules import parse_month
from province.months.state import month_state
from province.months.state import months as known_months
from province.parts import Parts
from province.tables import hub_key
from province.web.month_refusals import for_the_whole, ruled

_T = TypeVar("_T")


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Confirming(_Body):
    """Whose figures are confirmed."""

    facility: StrictStr


class Closing(_Body):
    """Why a month is closed although facilities have not confirmed; published."""

    reason: StrictStr = ""


class Objecting(_Body):
    """An objection to a figure (`province.months.objections`)."""

    facility: StrictStr
    figure: StrictStr
    reason: StrictStr
    text: StrictStr = ""


class Answering(_Body):
    """The province's answer: `accepted` or `refused`, and words."""

    verdict: StrictStr
    text: StrictStr


def add_routes(app: FastAPI, parts: Parts) -> None:
    """`/api/v1/months...` and `/api/v1/objections/{number}/answers`."""
    Reader = Annotated[Caller, Depends(parts.gate.reader)]
    Admin = Annotated[Caller, Depends(parts.gate.role(Role.ADMIN))]

    def change(work: Callable[[sa.Connection], _T]) -> _T:
        with parts.store.write() as connection:
            return ruled(lambda: work(connection))

    @app.get("/api/v1/months")
    def months(_: Reader) -> JSONResponse:
        """Months that anybody has done something about, newest first."""
        with parts.store.read() as connection:
            return JSONResponse({"months": known_months(connection)})

    @app.get("/api/v1/months/keys")
    def keys(_: Reader) -> dict[str, object]:
        """The public keys (Ed25519, 64 hex digits) with which this hub has ever signed."""
        with parts.store.read() as connection:
            known = connection.execute(sa.select(hub_key.c.key_id, hub_key.c.public_key).order_by(hub_key.c.key_id))
            return {"keys": [{"key_id": row.key_id, "public_key": bytes(row.public_key).hex()} for row in known]}

    @app.get("/api/v1/months/{month}")
    def month_of(caller: Reader, month: str) -> JSONResponse:
        """Confirmations, objections and adjustments of a month; a facility sees its own."""
        with parts.store.read() as connection:
            found = ruled(lambda: month_state(connection, parse_month(month), caller.facility))
        return JSONResponse(jsonable_encoder(asdict(found)))

    @app.get("/api/v1/months/{month}/document")
    def document(caller: Reader, month: str) -> Response:
        """The signed document of a closed month byte for byte, its `Signature` in the header (interfaces.md 5)."""
        for_the_whole(caller)
        with parts.store.read() as connection:
            found = closing.snapshot(connection, ruled(lambda: parse_month(month)))
        if found is None:
            raise ApiError(404, "month_open")
        return Response(found.document, media_type="application/json", headers={"Signature": found.signature})

    @app.post("/api/v1/months/{month}/confirmations", status_code=201)
    def confirm(caller: Reader, month: str, asked: Confirming) -> dict[str, object]:
        """The head of a facility confirms its figures as they are now."""
        _speaks_for(caller, asked.facility)
        change(lambda each: confirmations.confirm(each, asked.facility, parse_month(month), caller.name))
        return {"facility": asked.facility, "confirmed": True}

    @app.post("/api/v1/months/{month}/closing", status_code=201)
    def close(caller: Admin, month: str, asked: Closing) -> dict[str, Any]:
        """Freeze the figures of a month in a signed document."""
        return ruled(lambda: closing.close(parts.store, parts.key, parse_month(month), caller.name, asked.reason))

    @app.post("/api/v1/months/{month}/objections", status_code=201)
    def object_to(caller: Reader, month: str, asked: Objecting) -> dict[str, object]:
        """A facility objects to a figure of its own month."""
        _speaks_for(caller, asked.facility)

        def keep(connection: sa.Connection) -> objections.Objection:
            day, who = parse_month(month), caller.name
            return objections.object_to(connection, asked.facility, day, who, asked.figure, asked.reason, asked.text)

        return {"number": change(keep).number}

    @app.post("/api/v1/objections/{number}/answers", status_code=201)
    def answer(caller: Admin, number: int, asked: Answering) -> dict[str, object]:
        """The province answers an objection."""
        change(lambda each: objections.answer(each, number, caller.name, asked.verdict, asked.text))
        return {"number": number, "verdict": asked.verdict}


def _speaks_for(caller: Caller, facility: str) -> None:
    if not caller.may_speak_for(facility):
        raise ApiError(403, "not_allowed")
