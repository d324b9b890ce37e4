"""The causes of missed chip lookups, ranked, for readers (interfaces.md 6)."""

from typing import Annotated, Any

from fastapi import Depends, FastAPI, Request

from kiosk.events import parse_day
from province.access.caller import Caller
from province.causes import UnitCauses, advice, causes, name
from province.guards import ApiError
from province.pages.texts import Language
from province.parts import Parts
from province.units import Level
from province.web.feed import FirstDay, LastDay


def add_routes(app: FastAPI, parts: Parts) -> None:
    """`/api/v1/kpi/causes`."""

    @app.get("/api/v1/kpi/causes")
    def causes_of_units(
        request: Request,
        caller: Annotated[Caller, Depends(parts.gate.reader)],
        first: FirstDay,
        last: LastDay,
        level: Level = Level.PROVINCE,
        lang: Language = Language.VIETNAMESE,
    ) -> dict[str, Any]:
        """Per unit the reasons of its missed chip lookups, largest first, and a sentence of advice on the largest."""
        days = parse_day(first), parse_day(last)
        if days[0] is None or days[1] is None:
            raise ApiError(422, "bad_parameters", "from, to: a day as YYYY-MM-DD")
        if caller.facility is not None and level is not Level.FACILITY:
            raise ApiError(403, "not_allowed", "level: facility")
        with parts.store.read() as connection:
            try:
                found = causes(connection, days[0], days[1], level, only=caller.facility)
            except ValueError as error:
                raise ApiError(422, "bad_parameters", str(error)) from None
        request.state.rows = len(found)
        return {"units": [_as_json(unit, lang) for unit in found]}


def _as_json(unit: UnitCauses, language: Language) -> dict[str, Any]:
    return {
        "unit_code": unit.unit_code,
        "unit_name": unit.unit_name,
        "missed": unit.missed,
        "unexplained": unit.unexplained,
        "unexplained_pct": unit.unexplained_pct,
        "causes": [
            {"reason": each.reason, "name": name(each.reason, language), "visits": each.visits, "share_pct": each.share}
            for each in unit.causes
        ],
        "advice": advice(unit.causes[0].reason, language) if unit.causes else None,
    }
