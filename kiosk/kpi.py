"""This kiosk's own rates, from its own events: the province's definitions for one station (interfaces, section 6)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from kiosk import events

UNEXPLAINED: Final = "UNEXPLAINED"


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


def not_by_chip(bodies: Iterable[dict[str, Any]]) -> dict[str, int]:
    """Insured visits of the events in *bodies* without a successful lookup by chip, by reason; most first.

    A visit that names none is ``UNEXPLAINED`` (interfaces, section 6).
    """
    reasons: dict[str, str] = {}
    by_chip: set[str] = set()
    for body in bodies:
        if body["kind"] == "visit":
            reasons.pop(body["checkin_id"], None)
            if body["bhyt"]:
                reasons[body["checkin_id"]] = body["not_by_chip"] or UNEXPLAINED
        elif body["kind"] == "lookup" and body["method"] == events.Method.CHIP_CCCD and _succeeded(body):
            by_chip.add(body["checkin_id"])
    counted = Counter(reason for checkin_id, reason in reasons.items() if checkin_id not in by_chip)
    return dict(sorted(counted.items(), key=lambda each: (-each[1], each[0])))


def _succeeded(body: dict[str, Any]) -> bool:
    counts = body["reached_gateway"] and body["key_kind"] == events.KeyKind.PERSONAL_12
    return (
        bool(counts and body["result_code"]) and events.result_kpi_class(body["result_code"]) in events.SUCCESS_CLASSES
    )
