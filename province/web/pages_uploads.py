"""The page on which people hand in figures as files: a template to fill in, what a file would change, then counting it.

The file is checked first and counted only when its sender has seen what it changes. In between it is kept nowhere but
in the page itself, as a hidden field.
"""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Final

from fastapi import Depends, FastAPI, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from kiosk.events import VIETNAM
from province.access.caller import Caller, Scope
from province.access.gate import PEOPLE
from province.guards import ApiError, read_body
from province.observe import log
from province.openapi import body, fields
from province.pages.frame import answer as page_of
from province.parts import Parts
from province.uploads.kinds import UploadKind
from province.uploads.listing import list_uploads
from province.uploads.problems import Problem, UploadRefused
from province.uploads.table_file import MAX_BYTES
from province.uploads.taking import Receipt, hand_in
from province.web.access import form_fields
from province.web.file_form import read_file_form

_AROUND: Final = 4096
_MOST_SHOWN: Final = 300
_HTML: Final[dict[str, Any]] = {"text/html": {}, "application/json": {}}
_REFUSED: Final[dict[int | str, dict[str, Any]]] = {
    403: {"description": "Lines of another facility, or not the caller's to do", "content": _HTML},
    422: {"description": "What is wrong in which cell", "content": _HTML},
}
_FILE: Final = body(
    "multipart/form-data",
    {
        "type": "object",
        "required": ["kind", "file"],
        "properties": {"kind": {"enum": list(UploadKind)}, "file": {"type": "string", "format": "binary"}},
    },
)
_CONTENT: Final = body("application/x-www-form-urlencoded", fields("kind", "content"))


@dataclass(frozen=True, slots=True)
class Checked:
    """What became of a file. ``content``: the file as base64, to be counted; empty when there is nothing to count."""

    kind: UploadKind
    problems: Sequence[Problem] = ()
    receipt: Receipt | None = None
    content: str = ""


def add_routes(app: FastAPI, parts: Parts) -> None:
    """`/uploads` and `/uploads/check`."""
    Sender = Annotated[Caller, Depends(parts.gate.form)]

    def page(
        request: Request, caller: Caller, checked: Checked | None, counted: int = 0, status: int = 200
    ) -> Response:
        today = datetime.now(UTC).astimezone(VIETNAM).date()
        content: dict[str, Any] = {
            "may_upload": _may_upload(caller),
            "kinds": list(UploadKind),
            "checked": checked,
            "counted": counted,
            "most": _MOST_SHOWN,
            "first": _month_before(today),
            "last": today.replace(day=1) - timedelta(days=1),
        }
        with parts.store.read() as connection:
            content["uploads"] = [
                each | {"uploaded_at": datetime.fromisoformat(each["uploaded_at"])}
                for each in list_uploads(connection, only=caller.facility)
            ]
            return page_of(request, connection, caller, "uploads.html", status=status, **content)

    def take(request: Request, caller: Caller, kind: UploadKind, content: bytes, *, dry_run: bool) -> Response:
        try:
            receipt = hand_in(parts.store, parts.key, caller, content, kind, datetime.now(UTC), dry_run=dry_run)
        except UploadRefused as error:
            return page(request, caller, Checked(kind, error.problems), status=403 if error.foreign else 422)
        number = len(receipt.changes)
        log.info("upload", extra={"fields": {"kind": kind, "changes": number, "dry_run": dry_run}})
        if not dry_run:
            return RedirectResponse(f"/uploads?counted={number}#told", 303)
        kept = base64.urlsafe_b64encode(content).decode() if number else ""
        return page(request, caller, Checked(kind, (), receipt, kept))

    @app.get("/uploads", response_class=HTMLResponse)
    def uploads_page(
        request: Request,
        caller: Annotated[Caller, Depends(parts.gate.person)],
        counted: Annotated[int, Query(ge=0, le=100_000, include_in_schema=False)] = 0,
    ) -> Response:
        """Templates, the form for a file, and the files that were taken."""
        return page(request, caller, None, counted)

    @app.post("/uploads/check", response_class=HTMLResponse, openapi_extra=_FILE, responses=_REFUSED)
    async def check(request: Request, caller: Sender) -> Response:
        """What a file (form fields `kind`, `file`) would change, or what is wrong in which cell; nothing counts yet."""
        _refuse_others(caller)
        given = await read_file_form(request, MAX_BYTES)
        kind = _kind(given.fields)
        return await run_in_threadpool(take, request, caller, kind, given.file, dry_run=True)

    @app.post("/uploads", status_code=303, response_class=RedirectResponse, openapi_extra=_CONTENT, responses=_REFUSED)
    async def count(request: Request, caller: Sender) -> Response:
        """Count a file that was checked: 303 to the page."""
        _refuse_others(caller)
        given = form_fields(await read_body(request, 4 * MAX_BYTES // 3 + _AROUND))
        kind = _kind(given)
        try:
            content = base64.b64decode(given.get("content", ""), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            raise ApiError(422, "malformed", "content: base64") from None
        return await run_in_threadpool(take, request, caller, kind, content, dry_run=False)


def _may_upload(caller: Caller) -> bool:
    return caller.signed_in and caller.role in PEOPLE[Scope.UPLOAD]


def _refuse_others(caller: Caller) -> None:
    if not _may_upload(caller):
        raise ApiError(403, "not_allowed")


def _kind(given: dict[str, str]) -> UploadKind:
    try:
        return UploadKind(given.get("kind", ""))
    except ValueError:
        raise ApiError(422, "bad_parameters", f"kind: {', '.join(UploadKind)}") from None


def _month_before(day: date) -> date:
    return (day.replace(day=1) - timedelta(days=1)).replace(day=1)
