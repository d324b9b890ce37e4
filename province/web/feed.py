"""The KPI feed and the registry for readers (interfaces.md 6)."""

from datetime import date
from typing import Annotated, Any, Final, Protocol

import sqlalchemy as sa
from fastapi import Depends, FastAPI, Query, Request
from fastapi.responses import JSONResponse, Response

from kiosk.events import parse_day
from province.access.caller import Caller
from province.facilities import list_facilities
from province.feed import LOOKUP_RATE_COLUMNS, WHY_NOT_COLUMNS, to_csv
from province.guards import ApiError
from province.openapi import TABLE
from province.parts import Parts
from province.periods import PeriodType
from province.rates import Row, lookup_rate, why_not_by_chip
from province.units import Level

_DAY: Final[dict[str, Any]] = {"format": "date"}
FirstDay = Annotated[str, Query(alias="from", description="first day, YYYY-MM-DD, UTC+7", json_schema_extra=_DAY)]
LastDay = Annotated[str, Query(alias="to", description="last day, inclusive", json_schema_extra=_DAY)]
Format = Annotated[str, Query(alias="format", json_schema_extra={"enum": ["json", "csv", "xlsx"]})]


class RowsQuery(Protocol):
    """A query of the feed; `only` one facility."""

    def __call__(
        self, connection: sa.Connection, first: date, last: date, level: Level, cut: PeriodType, *, only: str | None
    ) -> list[Row]:
        """The rows."""


def add_routes(app: FastAPI, parts: Parts) -> None:
    """`/api/v1/kpi/lookup-rate`, `/api/v1/kpi/why-not-by-chip` and `/api/v1/facilities`."""
    Reader = Annotated[Caller, Depends(parts.gate.reader)]

    def answer(
        request: Request,
        caller: Caller,
        query: RowsQuery,
        columns: dict[str, str],
        name: str,
        days: tuple[str, str],
        level: Level,
        period: PeriodType,
        wanted: str,
    ) -> Response:
        if wanted not in ("json", "csv", "xlsx"):
            raise ApiError(422, "format_not_offered", "format: json, csv or xlsx")
        first, last = parse_day(days[0]), parse_day(days[1])
        if first is None or last is None:
            raise ApiError(422, "bad_parameters", "from, to: a day as YYYY-MM-DD")
        if caller.facility is not None and level is not Level.FACILITY:
            raise ApiError(403, "not_allowed", "level: facility")
        with parts.store.read() as connection:
            try:
                rows = query(connection, first, last, level, period, only=caller.facility)
            except ValueError as error:
                raise ApiError(422, "bad_parameters", str(error)) from None
        request.state.rows = len(rows)
        if wanted == "json":
            return JSONResponse({"rows": rows})
        headers = {"Content-Disposition": f'attachment; filename="{name}-{first}-{last}.{wanted}"'}
        if wanted == "xlsx":
            from province.feed_xlsx import MEDIA_TYPE, to_xlsx  # noqa: PLC0415  (openpyxl: only who asks pays for it)

            return Response(to_xlsx(rows, columns), media_type=MEDIA_TYPE, headers=headers)
        return Response(to_csv(rows, columns), media_type="text/csv; charset=utf-8", headers=headers)

    @app.get("/api/v1/kpi/lookup-rate", responses=TABLE)
    def lookup_rate_feed(
        request: Request,
        caller: Reader,
        first: FirstDay,
        last: LastDay,
        level: Level = Level.PROVINCE,
        period: PeriodType = PeriodType.TOTAL,
        wanted: Format = "json",
    ) -> Response:
        """The lookup rate and what it is made of (interfaces.md 6)."""
        days = first, last
        return answer(request, caller, lookup_rate, LOOKUP_RATE_COLUMNS, "lookup-rate", days, level, period, wanted)

    @app.get("/api/v1/kpi/why-not-by-chip", responses=TABLE)
    def why_not_by_chip_feed(
        request: Request,
        caller: Reader,
        first: FirstDay,
        last: LastDay,
        level: Level = Level.PROVINCE,
        period: PeriodType = PeriodType.TOTAL,
        wanted: Format = "json",
    ) -> Response:
        """Why insured visits were not read by chip (interfaces.md 6)."""
        days = first, last
        return answer(request, caller, why_not_by_chip, WHY_NOT_COLUMNS, "why-not-by-chip", days, level, period, wanted)

    @app.get("/api/v1/facilities")
    def facilities(request: Request, caller: Reader) -> JSONResponse:
        """The registry with validity dates, and when each facility was last heard; a facility sees itself."""
        with parts.store.read() as connection:
            found = list_facilities(connection, only=caller.facility)
        request.state.rows = len(found["facilities"])
        return JSONResponse(found)
