"""What the rules say of a check-in's answer, as staff see it; all of it provisional (insurance-gateway.md 5)."""

from __future__ import annotations

from datetime import date
from typing import Any

from kiosk.insurance.benefits import exceptions_of, level_on, percent_on, small_bill_threshold
from kiosk.insurance.notices import parts_of
from kiosk.insurance.routes import object_code
from kiosk.model import Coverage, RouteHint, local_day
from kiosk.records import CheckIn

_PRIMARY_CARE = "1.2"
_LEVEL = "level"


def rules_view(checkin: CheckIn) -> dict[str, Any] | None:
    """``{"notices": [{"code", "value"}], "route", "benefit"}``; None without an answer.

    ``route``: ``{"code", "words", "rate", "certainty"}`` or None. ``benefit``: ``{"percent", "may_rise": [codes],
    "small_bill": đồng or None}``, None unless the person is insured. The level's own notice is in ``benefit``.
    """
    answer = checkin.eligibility
    if answer is None:
        return None
    day = local_day(checkin.happened_at)
    notices = (parts_of(notice) for notice in answer.notices)
    insured = answer.coverage if answer.status.insured else None
    return {
        "notices": [{"code": code, "value": value} for code, value in notices if code != _LEVEL],
        "route": _route(answer.route, day) if answer.route else None,
        "benefit": _benefit(insured, answer.route, day) if insured else None,
    }


def _route(route: RouteHint, day: date) -> dict[str, Any]:
    found = object_code(route.object_code, day)
    words = found.words if found else ""
    return {"code": route.object_code, "words": words, "rate": route.rate, "certainty": route.certainty}


def _benefit(coverage: Coverage, route: RouteHint | None, day: date) -> dict[str, Any] | None:
    level = level_on(coverage.number, day)
    percent = percent_on(level, day) if level is not None else None
    if percent is None:
        return None
    below = small_bill_threshold(day)
    primary_care = route is not None and route.object_code == _PRIMARY_CARE
    return {
        "percent": percent,
        "may_rise": list(exceptions_of(coverage, day, primary_care=primary_care)),
        "small_bill": int(below) if below is not None else None,
    }
