"""The page of the causes: why visits were not looked up by chip, and what to do about it."""

from datetime import UTC, datetime
from typing import Annotated, Any, Final

from fastapi import Depends, FastAPI, Query, Request
from fastapi.responses import HTMLResponse

from kiosk.events import parse_day
from province.access.caller import Caller
from province.causes import advice, name
from province.guards import ApiError
from province.pages.causes_view import Choice, causes_view, spans
from province.pages.frame import Display, answer
from province.pages.month_choice import today_in_vietnam
from province.parts import Parts
from province.units import Level

_MOST_SHOWN: Final = 500
_DAY: Final[dict[str, Any]] = {"format": "date"}
_Day = Annotated[str, Query(description="YYYY-MM-DD, UTC+7", json_schema_extra=_DAY)]


def add_routes(app: FastAPI, parts: Parts) -> None:
    """`/causes`."""

    @app.get("/causes", response_class=HTMLResponse)
    def causes_page(
        request: Request,
        caller: Annotated[Caller, Depends(parts.gate.page)],
        first: Annotated[_Day, Query(alias="from")] = "",
        last: Annotated[_Day, Query(alias="to")] = "",
        level: Level = Level.PROVINCE,
        unit: Annotated[str, Query(max_length=20)] = "",
    ) -> HTMLResponse:
        """The causes of a range of days, by default of this month, ranked for the units of a level, or for one."""
        today = today_in_vietnam(datetime.now(UTC))
        offered = spans(today)
        usual = offered["this_month"]
        days = (parse_day(first) if first else usual[0]), (parse_day(last) if last else usual[1])
        if days[0] is None or days[1] is None:
            raise ApiError(422, "bad_parameters", "from, to: a day as YYYY-MM-DD")
        only = caller.facility
        choice = Choice(days[0], days[1], level if only is None else Level.FACILITY, unit if only is None else "")
        language = Display.of(request).language
        with parts.store.read() as connection:
            try:
                view = causes_view(connection, choice, only)
            except ValueError as error:
                raise ApiError(422, "bad_parameters", str(error)) from None
            return answer(
                request,
                connection,
                caller,
                "causes.html",
                view=view,
                spans=offered,
                levels=list(Level),
                most=_MOST_SHOWN,
                named=lambda reason: name(reason, language),
                advised=lambda reason: advice(reason, language),
            )
