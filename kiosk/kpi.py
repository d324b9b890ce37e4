"""This kiosk's own rates, from its own events: the province's definitions for one station (interfaces, section 6)."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from kiosk import events


def percent(numerator: int, denominator: int) -> float | None:
    """Two decimals, half up; None without a denominator."""
    if denominator == 0:
        return None
    return float((Decimal(100 * numerator) / denominator).quantize(Decimal("0.01"), ROUND_HALF_UP))


def own_rates(bodies: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """r1 and r2 of the events in *bodies* (in order): insured visits, those looked up, lookups, successful lookups."""
    visits: dict[str, bool] = {}
    counted: list[tuple[str, bool]] = []
    not_counted = attempted_not_sent = other_key = 0
    for body in bodies:
        if body["kind"] == "visit":
            visits[body["checkin_id"]] = body["bhyt"]
        elif body["kind"] == "lookup":
            code = body["result_code"]
            kpi_class = events.result_kpi_class(code) if code else "failed_technical"
            if not body["reached_gateway"]:
                attempted_not_sent += 1
            elif body["key_kind"] != events.KeyKind.PERSONAL_12:
                other_key += 1
            elif kpi_class in events.OWN_FAULT_CLASSES:
                not_counted += 1
            else:
                counted.append((body["checkin_id"], kpi_class in events.SUCCESS_CLASSES))
    insured = {checkin_id for checkin_id, bhyt in visits.items() if bhyt}
    looked_up = insured & {checkin_id for checkin_id, _ in counted}
    successes = sum(success for _, success in counted)
    return {
        "visits_bhyt": len(insured),
        "lookups_total": len(counted),
        "lookups_success": successes,
        "lookups_not_counted": not_counted,
        "lookups_other_key": other_key,
        "attempted_not_sent": attempted_not_sent,
        "r1_numerator": len(looked_up),
        "r1_denominator": len(insured),
        "r1_pct": percent(len(looked_up), len(insured)),
        "r2_numerator": successes,
        "r2_denominator": len(counted),
        "r2_pct": percent(successes, len(counted)),
    }
