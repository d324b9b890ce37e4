"""The pages on which a month is confirmed, closed, objected to and compared with the insurer's own figures."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Annotated, Any, Final

import sqlalchemy as sa
from fastapi import Depends, FastAPI, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from province.access.caller import Caller, Role
from province.guards import ApiError, read_body
from province.months import closing, confirmations, objections
from province.months.insurer import entered
from province.months.parallel_run import parallel_run
from province.months.rules import MonthRefused, month_name, parse_month
from province.openapi import body, fields
from province.pages.frame import answer as page_of
from province.pages.month_list import month_lines
from province.pages.month_view import MAIN_FIELDS, Standing, month_view
from province.parts import Parts
from province.web.access import form_fields
from province.web.month_refusals import ruled

_FORM_BYTES: Final = 16 * 1024  # 500 characters take up to 6 kB as a form
_MOST_SHOWN: Final = 500
FORMS: Final = frozenset({"confirm", "object", "answer", "close"})
"""The names of the forms on a month's page, as they stand in `done` after one was taken."""
_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    303: {"description": "Done: the page of the month"},
    **{
        status: {
            "description": f"Not done, {why}: the page again",
            "content": {"text/html": {}, "application/json": {}},
        }
        for status, why in ((404, "unknown"), (409, "not at this time"), (422, "wrongly filled in"))
    },
}
_STATUS: Final = {
    "month_not_over": 409,
    "month_closed": 409,
    "not_confirmed": 409,
    "unknown_facility": 404,
    "unknown_objection": 404,
}


@dataclass(frozen=True, slots=True)
class Told:
    """What became of a form: ``done`` (its name); or the name of the ``form``, why not, and what had been typed."""

    done: str = ""
    form: str = ""
    refused: str = ""
    given: Mapping[str, str] = field(default_factory=dict)


def add_routes(app: FastAPI, parts: Parts) -> None:
    """`/months`, `/months/{month}` and the forms on it."""
    Looker = Annotated[Caller, Depends(parts.gate.page)]
    Sender = Annotated[Caller, Depends(parts.gate.form)]

    def page(request: Request, caller: Caller, month: date, told: Told, status: int = 200) -> HTMLResponse:
        with parts.store.read() as connection:
            view = month_view(connection, month, datetime.now(UTC), caller.facility)
            whole = caller.facility is None
            compared = parallel_run(connection, month) if whole and entered(connection, month) else None
            content: dict[str, Any] = {
                "view": view,
                "told": told,
                "compared": compared,
                "document": _document(connection, month, parts) if not view.is_open else None,
                "own": view.line(caller.facility) if caller.facility else None,
                "may_speak": caller.signed_in and caller.role in (Role.FACILITY, Role.ADMIN),
                "is_admin": caller.signed_in and caller.role is Role.ADMIN,
                "counts": {str(each): view.count(each) for each in Standing},
                "names": view.names(),
                "main_fields": MAIN_FIELDS,
                "most": _MOST_SHOWN,
                "different": _different(compared),
                "figures": objections.FIGURES,
                "reasons": list(objections.Reason),
                "verdicts": list(objections.Verdict),
            }
            return page_of(request, connection, caller, "month.html", status=status, **content)

    async def taken(
        request: Request, caller: Caller, month: str, form: str, work: Callable[[date, dict[str, str]], None]
    ) -> Response:
        """Do what a form asks for; when that is refused, the page again with what was typed."""
        given = form_fields(await read_body(request, _FORM_BYTES))
        day = _month(month)

        def do() -> Response:
            try:
                work(day, given)
            except MonthRefused as error:
                told = Told(form=form, refused=error.code, given=given)
                return page(request, caller, day, told, _STATUS.get(error.code, 422))
            return RedirectResponse(f"/months/{month_name(day)}?done={form}#told", 303)

        return await run_in_threadpool(do)

    @app.get("/months", response_class=HTMLResponse)
    def months_page(request: Request, caller: Looker) -> HTMLResponse:
        """The months with their rate and how far their closing is."""
        with parts.store.read() as connection:
            lines = month_lines(connection, datetime.now(UTC), caller.facility)
            return page_of(request, connection, caller, "months.html", lines=lines)

    @app.get("/months/{month}", response_class=HTMLResponse)
    def month_page(
        request: Request, caller: Looker, month: str, done: Annotated[str, Query(include_in_schema=False)] = ""
    ) -> HTMLResponse:
        """One month (`YYYY-MM`): figures, confirmations, closing, adjustments, objections, the insurer's figures."""
        day = _month(month)
        return page(request, caller, day, Told(done=done if done in FORMS else ""))

    @app.post("/months/{month}/confirmations", **_form("facility"))
    async def confirm(request: Request, caller: Sender, month: str) -> Response:
        """A facility's head confirms its figures as they are now, or an admin for one that signed on paper."""

        def work(day: date, given: dict[str, str]) -> None:
            with parts.store.write() as connection:
                confirmations.confirm(connection, _spoken_for(caller, given), day, caller.name)

        return await taken(request, caller, month, "confirm", work)

    @app.post("/months/{month}/objections", **_form("facility", "figure", "reason", optional=("text",)))
    async def object_to(request: Request, caller: Sender, month: str) -> Response:
        """A facility objects to a figure of its month."""

        def work(day: date, given: dict[str, str]) -> None:
            words = (given.get(name, "") for name in ("figure", "reason", "text"))
            with parts.store.write() as connection:
                objections.object_to(connection, _spoken_for(caller, given), day, caller.name, *words)

        return await taken(request, caller, month, "object", work)

    @app.post("/months/{month}/answers", **_form("number", "verdict", "text"))
    async def answer(request: Request, caller: Sender, month: str) -> Response:
        """The province answers an objection."""
        _admin(caller)

        def work(day: date, given: dict[str, str]) -> None:
            number = given.get("number", "")
            with parts.store.write() as connection:
                if number not in {str(each.number) for each in objections.objections(connection, day)}:
                    raise MonthRefused("unknown_objection")
                objections.answer(connection, int(number), caller.name, given.get("verdict", ""), given.get("text", ""))

        return await taken(request, caller, month, "answer", work)

    @app.post("/months/{month}/closing", **_form("sure", optional=("reason",)))
    async def close(request: Request, caller: Sender, month: str) -> Response:
        """Freeze the month's figures in a signed document."""
        _admin(caller)

        def work(day: date, given: dict[str, str]) -> None:
            if given.get("sure") != "yes":
                raise MonthRefused("not_sure")
            closing.close(parts.store, parts.key, day, caller.name, given.get("reason", ""))

        return await taken(request, caller, month, "close", work)


def _form(*required: str, optional: tuple[str, ...] = ()) -> dict[str, Any]:
    described = body("application/x-www-form-urlencoded", fields(*required, optional=optional))
    return {
        "status_code": 303,
        "response_class": RedirectResponse,
        "openapi_extra": described,
        "responses": _ANSWERS,
    }


def _month(text: str) -> date:
    day = ruled(lambda: parse_month(text))
    if not 2000 <= day.year < 2200:  # near the end of the calendar there is no day after
        raise ApiError(422, "bad_month", "YYYY-MM")
    return day


def _spoken_for(caller: Caller, given: Mapping[str, str]) -> str:
    facility = given.get("facility", "")
    if not caller.may_speak_for(facility):
        raise ApiError(403, "not_allowed")
    return facility


def _admin(caller: Caller) -> None:
    if caller.role is not Role.ADMIN:
        raise ApiError(403, "not_allowed")


def _different(compared: dict[str, Any] | None) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = compared["rows"] if compared else []
    return [
        row for row in rows if row["visits_difference"] or row["lookups_difference"] or row["visits_theirs"] is None
    ]


def _document(connection: sa.Connection, month: date, parts: Parts) -> dict[str, Any] | None:
    found = closing.snapshot(connection, month)
    if found is None:
        return None
    signed = json.loads(found.document)
    names = ("closed_by", "reason", "unconfirmed")
    faults = closing.verify_month(connection, month, parts.key)
    return {name: signed[name] for name in names} | {
        "at": found.closed_at,
        "sha256": found.sha256,
        "signature": found.signature,
        "faults": faults,
    }
