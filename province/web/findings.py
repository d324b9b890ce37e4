"""Findings over HTTP: the list, and what a facility or the province says about one."""

from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import Annotated, Any, Final, Literal

from fastapi import Depends, FastAPI, Query, Request
from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, StrictStr

from kiosk.events import parse_day
from province.access.caller import Caller, Role
from province.findings.finding import FindingRefused, State
from province.findings.listing import findings
from province.findings.notes import finding_of, say
from province.guards import ApiError
from province.parts import Parts

_DAY: Final[dict[str, Any]] = {"format": "date"}
_Day = Annotated[str | None, Query(description="YYYY-MM-DD, UTC+7", json_schema_extra=_DAY)]
_STATUS: Final = {"unknown_finding": 404, "already_settled": 409}


class Saying(BaseModel):
    """What is said about a finding: the state from now on, and why."""

    model_config = ConfigDict(extra="forbid")
    state: State
    text: StrictStr


def add_routes(app: FastAPI, parts: Parts) -> None:
    """`/api/v1/findings` and `/api/v1/findings/{key}/notes`."""
    Reader = Annotated[Caller, Depends(parts.gate.reader)]

    @app.get("/api/v1/findings")
    def list_findings(
        request: Request,
        caller: Reader,
        facility: str | None = None,
        state: State | None = None,
        first: Annotated[_Day, Query(alias="from")] = None,
        last: Annotated[_Day, Query(alias="to")] = None,
        language: Literal["vi", "en"] = "vi",
    ) -> JSONResponse:
        """At most 2,000 findings that touch the days `from` to `to`: open ones first, then the worst, then the newest.

        Somebody of a facility sees its own.
        """
        if facility is not None and not caller.may_see(facility):
            raise ApiError(403, "not_allowed")
        days = _day(first), _day(last)
        only = facility if facility is not None else caller.facility
        with parts.store.read() as connection:
            found = findings(connection, facility=only, state=state, first=days[0], last=days[1], language=language)
        request.state.rows = len(found)
        return JSONResponse({"findings": jsonable_encoder([asdict(each) for each in found])})

    @app.post("/api/v1/findings/{key}/notes", status_code=201)
    def note(caller: Reader, key: str, asked: Saying) -> dict[str, str]:
        """Say something about a finding.

        A facility's people may explain their own; the province's admins may also settle one, or open it again.
        """
        try:
            with parts.store.write() as connection:
                facility = finding_of(connection, key).facility if caller.signed_in else ""
                own = caller.may_speak_for(facility) and asked.state is State.EXPLAINED
                if not own and not (caller.signed_in and caller.role is Role.ADMIN):
                    raise ApiError(403, "not_allowed")
                done = say(connection, key, asked.state, caller.name, asked.text, datetime.now(UTC))
        except FindingRefused as error:
            raise ApiError(_STATUS.get(error.code, 422), error.code, error.detail) from None
        return {"key": done.key, "state": done.state}


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    day = parse_day(text)
    if day is None:
        raise ApiError(422, "bad_parameters", "from, to: a day as YYYY-MM-DD")
    return day
