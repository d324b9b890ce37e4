"""The page of the findings: what the rules found, the evidence behind it, and what people say about it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import sqlalchemy as sa
from fastapi import Depends, FastAPI, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from province.access.caller import Caller, Role
from province.findings.finding import FindingRefused, Severity, State
from province.findings.listing import Listed, findings
from province.findings.notes import finding_of, say
from province.guards import ApiError, read_body
from province.openapi import body, fields
from province.pages.frame import Display, answer
from province.parts import Parts
from province.periods import Period
from province.units import Level, units_of
from province.web.access import form_fields

_FORM_BYTES: Final = 16 * 1024  # 500 characters take up to 6 kB as a form
_PER_PAGE: Final = 50
_STATUS: Final = {"unknown_finding": 404, "already_settled": 409}
_HTML: Final[dict[str, Any]] = {"text/html": {}, "application/json": {}}
_NOTE: Final[dict[str, Any]] = {
    "status_code": 303,
    "response_class": RedirectResponse,
    "openapi_extra": body("application/x-www-form-urlencoded", fields("state", "text")),
    "responses": {
        303: {"description": "Kept: the page with the finding"},
        404: {"description": "No such finding: the page again", "content": _HTML},
        409: {"description": "Settled already: the page again", "content": _HTML},
        422: {"description": "Wrongly filled in: the page again", "content": _HTML},
    },
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody wants to see: findings in this state (None: all) of this facility (None: all), and which page.

    ``key``: one finding only.
    """

    state: State | None = State.OPEN
    facility: str | None = None
    key: str | None = None
    page: int = 1


@dataclass(frozen=True, slots=True)
class Told:
    """What became of a form: ``done``, or why it was ``refused`` and what had been typed."""

    done: bool = False
    refused: str = ""
    given: Mapping[str, str] = field(default_factory=dict)


def add_routes(app: FastAPI, parts: Parts) -> None:
    """`/findings`, `/findings/{key}` and the form on it."""
    Looker = Annotated[Caller, Depends(parts.gate.person)]
    Sender = Annotated[Caller, Depends(parts.gate.form)]

    def page(request: Request, caller: Caller, asked: Asked, told: Told, status: int = 200) -> HTMLResponse:
        only = caller.facility or asked.facility
        language = Display.of(request).language
        with parts.store.read() as connection:
            found = findings(connection, facility=only, state=asked.state, key=asked.key, language=language)
            start = (asked.page - 1) * _PER_PAGE
            values: dict[str, Any] = {
                "asked": asked,
                "told": told,
                "total": len(found),
                "shown": found[start : start + _PER_PAGE],
                "pages": max(1, -(-len(found) // _PER_PAGE)),
                "counts": {each: sum(one.severity is each for one in found) for each in reversed(Severity)},
                "states": list(State),
                "names": _names(connection, found),
                "may": {each.key: _may_say(caller, each) for each in found[start : start + _PER_PAGE]},
            }
            return answer(request, connection, caller, "findings.html", status=status, **values)

    @app.get("/findings", response_class=HTMLResponse)
    def findings_page(
        request: Request,
        caller: Looker,
        state: Annotated[str, Query(json_schema_extra={"enum": [*State, "all"]})] = State.OPEN,
        facility: Annotated[str, Query(max_length=20)] = "",
        number: Annotated[int, Query(alias="page", ge=1, le=1000)] = 1,
    ) -> HTMLResponse:
        """The findings in a state, of all facilities or of one: worst and newest first."""
        if state not in [*State, "all"]:
            raise ApiError(422, "bad_parameters", f"state: {', '.join(State)} or all")
        wanted = None if state == "all" else State(state)
        return page(request, caller, Asked(wanted, facility.strip() or None, None, number), Told())

    @app.get("/findings/{key}", response_class=HTMLResponse)
    def finding_page(
        request: Request, caller: Looker, key: str, done: Annotated[bool, Query(include_in_schema=False)] = False
    ) -> HTMLResponse:
        """One finding with its evidence and everything that was said about it."""
        with parts.store.read() as connection:
            try:
                seen = caller.may_see(finding_of(connection, key).facility)
            except FindingRefused:
                seen = False
        if not seen:
            raise ApiError(404, "unknown_finding")
        return page(request, caller, Asked(None, None, key), Told(done=done))

    @app.post("/findings/{key}/notes", **_NOTE)
    async def note(request: Request, caller: Sender, key: str) -> Response:
        """Explain a finding; an admin may also settle it or open it again."""
        given = form_fields(await read_body(request, _FORM_BYTES))

        def do() -> Response:
            try:
                with parts.store.write() as connection:
                    before = finding_of(connection, key)
                    if not caller.may_see(before.facility):
                        raise FindingRefused("unknown_finding")
                    if given.get("state", "") not in _may_say(caller, before):
                        raise ApiError(403, "not_allowed")
                    say(connection, key, given["state"], caller.name, given.get("text", ""), datetime.now(UTC))
            except FindingRefused as error:
                if error.code == "unknown_finding":
                    raise ApiError(404, error.code) from None
                told = Told(refused=error.code, given=given)
                return page(request, caller, Asked(None, None, key), told, _STATUS.get(error.code, 422))
            return RedirectResponse(f"/findings/{key}?done=true#told", 303)

        return await run_in_threadpool(do)


def _may_say(caller: Caller, each: Listed) -> list[State]:
    """The states that the caller may give a finding."""
    if caller.signed_in and caller.role is Role.ADMIN:
        return [state for state in State if state is not State.OPEN or each.state is not State.OPEN]
    own = caller.may_speak_for(each.facility) and each.state is not State.SETTLED
    return [State.EXPLAINED] if own else []


def _names(connection: sa.Connection, found: list[Listed]) -> dict[str, str]:
    if not found:
        return {}
    span = Period(min(each.first_day for each in found), max(each.last_day for each in found))
    units = units_of(connection).of(Level.FACILITY, span)
    return {each.facility: units[each.facility].name for each in found if each.facility in units}
