"""Months over HTTP: their state, confirming, closing, objections, and the comparison with the insurer's figures."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import date
from typing import Annotated, Any, Final, TypeVar

import sqlalchemy as sa
from fastapi import Depends, FastAPI, Query
from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field, StrictInt, StrictStr

from province.access.caller import Caller, Role
from province.feed import to_csv
from province.guards import ApiError
from province.months import closing, confirmations, objections
from province.months.insurer import InsurerFigure, enter
from province.months.parallel_run import COLUMNS, parallel_run
from province.months.rules import MonthRefused, parse_month
from province.months.state import month_state
from province.months.state import months as known_months
from province.openapi import TABLE
from province.parts import Parts
from province.tables import hub_key

_CONFLICTS: Final = frozenset({"month_not_over", "month_closed", "not_confirmed"})
_UNKNOWN: Final = frozenset({"unknown_facility", "unknown_objection"})
_FORMATS: Final[dict[str, Any]] = {"enum": ["json", "csv", "xlsx"]}
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


class InsurerNumbers(_Body):
    """The insurer's figures of one facility."""

    visits: StrictInt
    lookups: StrictInt


class InsurerFigures(_Body):
    """The insurer's figures of a month by facility code."""

    figures: Annotated[dict[StrictStr, InsurerNumbers], Field(max_length=20_000)]


def add_routes(app: FastAPI, parts: Parts) -> None:
    """`/api/v1/months...` and `/api/v1/objections/{number}/answers`."""
    Reader = Annotated[Caller, Depends(parts.gate.reader)]
    Analyst = Annotated[Caller, Depends(parts.gate.role(Role.ANALYST))]
    Admin = Annotated[Caller, Depends(parts.gate.role(Role.ADMIN))]

    def change(work: Callable[[sa.Connection], _T]) -> _T:
        with parts.store.write() as connection:
            return _asked(lambda: work(connection))

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
            found = _asked(lambda: month_state(connection, parse_month(month), caller.facility))
        return JSONResponse(jsonable_encoder(asdict(found)))

    @app.get("/api/v1/months/{month}/document")
    def document(caller: Reader, month: str) -> Response:
        """The signed document of a closed month byte for byte, its `Signature` in the header (interfaces.md 5)."""
        _for_the_whole(caller)
        with parts.store.read() as connection:
            found = closing.snapshot(connection, _asked(lambda: parse_month(month)))
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
        return _asked(lambda: closing.close(parts.store, parts.key, parse_month(month), caller.name, asked.reason))

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

    @app.put("/api/v1/months/{month}/insurer")
    def insurer(caller: Analyst, month: str, asked: InsurerFigures) -> dict[str, object]:
        """Keep the insurer's own figures of a month; all or none."""
        figures = {code: InsurerFigure(each.visits, each.lookups) for code, each in asked.figures.items()}
        return {"changed": change(lambda each: enter(each, parse_month(month), figures, caller.name))}

    @app.get("/api/v1/months/{month}/parallel-run", responses=TABLE)
    def compared(
        caller: Reader,
        month: str,
        wanted: Annotated[str, Query(alias="format", json_schema_extra=_FORMATS)] = "json",
    ) -> Response:
        """Our figures of a month beside the insurer's own, every difference with its causes."""
        _for_the_whole(caller)
        day = _asked(lambda: parse_month(month))
        if wanted not in ("json", "csv", "xlsx"):
            raise ApiError(422, "format_not_offered", "format: json, csv or xlsx")
        with parts.store.read() as connection:
            found = parallel_run(connection, day)
        return _as_file(found, day, wanted) if wanted != "json" else JSONResponse(found)


def _as_file(found: dict[str, Any], month: date, wanted: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="parallel-run-{month:%Y-%m}.{wanted}"'}
    if wanted == "csv":
        return Response(to_csv(found["rows"], COLUMNS), media_type="text/csv; charset=utf-8", headers=headers)
    from province.feed_xlsx import MEDIA_TYPE, to_xlsx  # noqa: PLC0415  (openpyxl: only who asks pays for it)

    return Response(to_xlsx(found["rows"], COLUMNS), media_type=MEDIA_TYPE, headers=headers)


def _asked(work: Callable[[], _T]) -> _T:
    try:
        return work()
    except MonthRefused as error:
        status = 409 if error.code in _CONFLICTS else 404 if error.code in _UNKNOWN else 422
        raise ApiError(status, error.code, error.detail) from None


def _for_the_whole(caller: Caller) -> None:
    if caller.facility is not None:
        raise ApiError(403, "not_allowed")


def _speaks_for(caller: Caller, facility: str) -> None:
    """A person of this facility, or the province for a facility that has signed on paper; never a program."""
    own = caller.role is Role.FACILITY and caller.facility == facility
    if not (caller.signed_in and (own or caller.role is Role.ADMIN)):
        raise ApiError(403, "not_allowed")
