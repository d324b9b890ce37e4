"""Reports of months and weeks, for readers of the whole province."""

from datetime import UTC, datetime
from typing import Annotated, Any, Final

from fastapi import Depends, FastAPI, Query
from fastapi.responses import Response

from province.access.caller import Caller
from province.guards import ApiError
from province.openapi import XLSX
from province.pages.texts import Language
from province.parts import Parts
from province.reports.content import BadPeriod, Kind
from province.reports.making import FORMATS, make
from province.reports.pdf import PdfUnavailable
from province.web.month_refusals import for_the_whole

_TYPES: Final = {"pdf": "application/pdf", "xlsx": XLSX}
_FILES: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "The report", "content": {each: {} for each in _TYPES.values()}}
}
_Format = Annotated[str, Query(alias="format", json_schema_extra={"enum": list(FORMATS)})]
_Month = Annotated[str, Query(description="YYYY-MM")]
_Week = Annotated[str, Query(description="ISO week, YYYY-Www")]


def add_routes(app: FastAPI, parts: Parts) -> None:
    """`/api/v1/reports/monthly` and `/api/v1/reports/weekly`."""
    Reader = Annotated[Caller, Depends(parts.gate.reader)]

    def answer(caller: Caller, kind: Kind, period: str, wanted: str, language: Language) -> Response:
        for_the_whole(caller)
        if wanted not in FORMATS:
            raise ApiError(422, "format_not_offered", "format: pdf or xlsx")
        try:
            with parts.store.read() as connection:
                made = make(connection, kind, period, wanted, datetime.now(UTC), language)
        except BadPeriod:
            raise ApiError(422, "bad_parameters", "month: YYYY-MM; week: YYYY-Www") from None
        except PdfUnavailable:
            raise ApiError(503, "pdf_unavailable", "the font DejaVu is missing on the hub") from None
        headers = {"Content-Disposition": f'attachment; filename="{kind}-{period}.{wanted}"'}
        return Response(made, media_type=_TYPES[wanted], headers=headers)

    @app.get("/api/v1/reports/monthly", responses=_FILES, response_class=Response)
    def monthly_report(
        caller: Reader, month: _Month, wanted: _Format = "pdf", lang: Language = Language.VIETNAMESE
    ) -> Response:
        """The month as a health department sends it."""
        return answer(caller, Kind.MONTHLY, month, wanted, lang)

    @app.get("/api/v1/reports/weekly", responses=_FILES, response_class=Response)
    def weekly_report(
        caller: Reader, week: _Week, wanted: _Format = "pdf", lang: Language = Language.VIETNAMESE
    ) -> Response:
        """The week on one sheet."""
        return answer(caller, Kind.WEEKLY, week, wanted, lang)
