"""The insurer's own figures of a month over HTTP, and the month beside them."""

from datetime import date
from typing import Annotated, Any, Final

from fastapi import Depends, FastAPI, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field, StrictInt, StrictStr
from starlette.concurrency import run_in_threadpool

from province.access.caller import Caller, Role
from province.facilities import read_registry
from province.feed import to_csv
from province.guards import ApiError, read_body
from province.months.insurer import InsurerFigure, enter
from province.months.insurer_file import COLUMNS as FILE_COLUMNS
from province.months.insurer_file import read_insurer_file, template_rows
from province.months.parallel_run import COLUMNS, parallel_run
from province.months.rules import parse_month
from province.openapi import TABLE, XLSX, body
from province.parts import Parts
from province.uploads.problems import UploadRefused
from province.uploads.table_file import MAX_BYTES
from province.web.month_refusals import for_the_whole, ruled
from province.web.uploads import refusal

_FILE: Final = body("application/octet-stream", {"type": "string", "format": "binary"})
_TEMPLATE: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "The file to fill in", "content": {"text/csv": {}, XLSX: {}}}
}
Tabular = Annotated[str, Query(alias="format", json_schema_extra={"enum": ["csv", "xlsx"]})]
Comparison = Annotated[str, Query(alias="format", json_schema_extra={"enum": ["json", "csv", "xlsx"]})]


class InsurerNumbers(BaseModel):
    """The insurer's figures of one facility."""

    model_config = ConfigDict(extra="forbid")
    visits: StrictInt
    lookups: StrictInt


class InsurerFigures(BaseModel):
    """The insurer's figures of a month by facility code."""

    model_config = ConfigDict(extra="forbid")
    figures: Annotated[dict[StrictStr, InsurerNumbers], Field(max_length=20_000)]


def add_routes(app: FastAPI, parts: Parts) -> None:
    """`/api/v1/months/{month}/insurer...` and `/api/v1/months/{month}/parallel-run`."""
    Reader = Annotated[Caller, Depends(parts.gate.reader)]
    Analyst = Annotated[Caller, Depends(parts.gate.role(Role.ANALYST))]

    def keep(month: date, figures: dict[str, InsurerFigure], caller: Caller) -> dict[str, object]:
        with parts.store.write() as connection:
            return {"changed": ruled(lambda: enter(connection, month, figures, caller.name))}

    def take(month: date, content: bytes, caller: Caller) -> JSONResponse:
        with parts.store.read() as connection:
            codes = frozenset(read_registry(connection).facilities)
        try:
            figures = read_insurer_file(content, codes)
        except UploadRefused as error:
            return refusal(error)
        return JSONResponse(keep(month, figures, caller) | {"facilities": len(figures)})

    @app.put("/api/v1/months/{month}/insurer")
    def insurer(caller: Analyst, month: str, told: InsurerFigures) -> dict[str, object]:
        """Keep the insurer's own figures of a month; all or none."""
        figures = {code: InsurerFigure(each.visits, each.lookups) for code, each in told.figures.items()}
        return keep(ruled(lambda: parse_month(month)), figures, caller)

    @app.put("/api/v1/months/{month}/insurer/file", openapi_extra=_FILE)
    async def insurer_file(request: Request, caller: Analyst, month: str) -> JSONResponse:
        """The same from a CSV or XLSX file as the body; a refusal is 422 `bad_upload` with `problems` by row."""
        day = ruled(lambda: parse_month(month))
        return await run_in_threadpool(take, day, await read_body(request, MAX_BYTES), caller)

    @app.get("/api/v1/months/{month}/insurer/template", responses=_TEMPLATE)
    def template(_: Analyst, month: str, wanted: Tabular = "xlsx") -> Response:
        """A file to fill in, with a line for each facility active in the month."""
        day = ruled(lambda: parse_month(month))
        if wanted not in ("csv", "xlsx"):
            raise ApiError(422, "format_not_offered", "format: csv or xlsx")
        with parts.store.read() as connection:
            rows = template_rows(read_registry(connection), day)
        return as_table(rows, FILE_COLUMNS, f"insurer-{day:%Y-%m}", wanted)

    @app.get("/api/v1/months/{month}/parallel-run", responses=TABLE)
    def compared(caller: Reader, month: str, wanted: Comparison = "json") -> Response:
        """Our figures of a month beside the insurer's own, every difference with its causes."""
        for_the_whole(caller)
        day = ruled(lambda: parse_month(month))
        if wanted not in ("json", "csv", "xlsx"):
            raise ApiError(422, "format_not_offered", "format: json, csv or xlsx")
        with parts.store.read() as connection:
            found = parallel_run(connection, day)
        if wanted == "json":
            return JSONResponse(found)
        return as_table(found["rows"], COLUMNS, f"parallel-run-{day:%Y-%m}", wanted)


def as_table(rows: list[dict[str, Any]], columns: dict[str, str], name: str, wanted: str) -> Response:
    """Rows as a file called *name*; *wanted*: `csv` or `xlsx`."""
    headers = {"Content-Disposition": f'attachment; filename="{name}.{wanted}"'}
    if wanted == "csv":
        return Response(to_csv(rows, columns), media_type="text/csv; charset=utf-8", headers=headers)
    from province.feed_xlsx import to_xlsx  # noqa: PLC0415  (openpyxl: only who asks pays for it)

    return Response(to_xlsx(rows, columns), media_type=XLSX, headers=headers)
