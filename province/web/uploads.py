"""Files with figures that people or programs hand in, and templates for them (issue 7)."""

from datetime import UTC, datetime
from typing import Annotated, Any, Final

from fastapi import Depends, FastAPI, Query, Request
from fastapi.responses import JSONResponse, Response
from starlette.concurrency import run_in_threadpool

from kiosk.events import parse_day
from province.access.caller import Caller, Scope
from province.facilities import read_registry
from province.guards import ApiError, read_body
from province.observe import log
from province.openapi import XLSX, body
from province.parts import Parts
from province.uploads.kinds import UploadKind
from province.uploads.listing import list_uploads
from province.uploads.problems import UploadRefused
from province.uploads.table_file import MAX_BYTES
from province.uploads.taking import finish_pending, hand_in
from province.uploads.templates import template_csv, template_rows, template_xlsx

_FILE: Final = body("application/octet-stream", {"type": "string", "format": "binary"})
_TEMPLATE: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "The file to fill in", "content": {"text/csv": {}, XLSX: {}}}
}
_DAY: Final[dict[str, Any]] = {"format": "date"}
_Day = Annotated[str, Query(description="YYYY-MM-DD, UTC+7", json_schema_extra=_DAY)]


def add_routes(app: FastAPI, parts: Parts) -> None:
    """`/api/v1/uploads` and `/api/v1/uploads/template`; first finishes what a hub that died left half taken."""
    finish_pending(parts.store)
    Uploader = Annotated[Caller, Depends(parts.gate.scope(Scope.UPLOAD))]

    def take(caller: Caller, content: bytes, kind: UploadKind, dry_run: bool) -> JSONResponse:
        try:
            receipt = hand_in(parts.store, parts.key, caller, content, kind, datetime.now(UTC), dry_run=dry_run)
        except UploadRefused as error:
            return refusal(error)
        log.info("upload", extra={"fields": {"kind": kind, "changes": len(receipt.changes), "dry_run": dry_run}})
        return JSONResponse(
            {
                "dry_run": dry_run,
                "upload": receipt.upload,
                "kind": kind,
                "origin": kind.origin,
                "account": caller.name,
                "file_sha256": receipt.sha256,
                "changes": [change.as_json() for change in receipt.changes],
                "unchanged": receipt.unchanged,
            }
        )

    @app.post("/api/v1/uploads", openapi_extra=_FILE)
    async def upload(request: Request, caller: Uploader, kind: UploadKind, dry_run: bool = False) -> JSONResponse:
        """Hand in a CSV or XLSX file as the body: whole or not at all; with `dry_run` only what it would change.

        A refusal is 422 `bad_upload`, or 403 `not_your_facility`, with `problems` by row and column.
        """
        return await run_in_threadpool(take, caller, await read_body(request, MAX_BYTES), kind, dry_run)

    @app.get("/api/v1/uploads")
    def uploads(request: Request, caller: Annotated[Caller, Depends(parts.gate.reader)]) -> dict[str, Any]:
        """The newest 500 files that were taken; somebody of a facility sees those with figures of it."""
        with parts.store.read() as connection:
            found = list_uploads(connection, only=caller.facility)
        request.state.rows = len(found)
        return {"uploads": found}

    @app.get("/api/v1/uploads/template", responses=_TEMPLATE)
    def template(
        caller: Uploader,
        kind: UploadKind,
        first: Annotated[_Day, Query(alias="from")],
        last: Annotated[_Day, Query(alias="to")],
        facility: str | None = None,
        wanted: Annotated[str, Query(alias="format", json_schema_extra={"enum": ["csv", "xlsx"]})] = "xlsx",
    ) -> Response:
        """A file to fill in, with a line for each active facility (or the one asked for) and day."""
        only = facility if facility is not None else caller.facility
        if only is not None and not caller.may_see(only):
            raise ApiError(403, "not_your_facility")
        days = parse_day(first), parse_day(last)
        if days[0] is None or days[1] is None:
            raise ApiError(422, "bad_parameters", "from, to: a day as YYYY-MM-DD")
        if wanted not in ("csv", "xlsx"):
            raise ApiError(422, "format_not_offered", "format: csv or xlsx")
        with parts.store.read() as connection:
            registry = read_registry(connection)
        try:
            rows = template_rows(registry, days[0], days[1], only)
        except ValueError as error:
            raise ApiError(422, "bad_parameters", str(error)) from None
        headers = {"Content-Disposition": f'attachment; filename="{kind}-{first}-{last}.{wanted}"'}
        if wanted == "xlsx":
            return Response(template_xlsx(kind, rows), media_type=XLSX, headers=headers)
        return Response(template_csv(kind, rows), media_type="text/csv; charset=utf-8", headers=headers)


def refusal(error: UploadRefused) -> JSONResponse:
    """422 `bad_upload` or 403 `not_your_facility`, with `problems` by row and column."""
    status, code = (403, "not_your_facility") if error.foreign else (422, "bad_upload")
    return JSONResponse(
        {
            "error": code,
            "detail": error.problems[0].words,
            "problems": [problem.as_json() for problem in error.problems],
        },
        status,
    )
