"""What a facility's day is made of, counted in SQL from the accepted events (definitions: interfaces.md 6).

A result code's class is looked up when the sums are made, and a visit belongs to its own day however late its lookup
succeeds.
"""

import json
from collections.abc import Collection, Iterable
from datetime import date
from functools import cache
from typing import Any, Final

import sqlalchemy as sa

from kiosk.events import (
    CHIP_VERDICTS,
    DOCUMENT_METHODS,
    OWN_FAULT_CLASSES,
    RESULT_CLASSES,
    SUCCESS_CLASSES,
    UNKNOWN_CODE_CLASS,
    KeyKind,
    Lane,
    Method,
    NotByChip,
)
from province import day_counts
from province.day_counts import Scope
from province.measures import Measures
from province.rollup_table import CLASSES, DESK_LOOKED_UP, DESK_NOT_LOOKED_UP, UNEXPLAINED, UNNAMED_METHOD
from province.tables import facility_day, lookup, visit

Condition = sa.ColumnElement[bool]
Sums = dict[tuple[str, date], Measures]

_LOOKUP_SUMS: Final = (
    *("counted", "success", "not_eligible", "not_counted", "other_key", "not_sent"),
    *("fail_not_found", "fail_mismatch", "fail_technical", "fail_other"),
)
_DESK_SUMS: Final = ("desk_lookups", "desk_looked_up", "desk_success")
_OBJECT_CODES: Final = {"2": "EMERGENCY", "8": "RECOVERY"}
"""Codes of `MA_DOITUONG_KCB` that a hospital may give in `by_class` instead of our words."""


def day_sums(connection: sa.Connection, days: Collection[date], codes: Collection[str] | None = None) -> Sums:
    """The sums per facility code and day, of all facilities or of *codes*; only where there is any event."""
    scope = Scope.of_facilities(connection, codes)
    asked = scope.asked(days, codes)
    found: Sums = {}

    def of(row: Any) -> Measures:
        return found.setdefault((row.facility, row.day), Measures())

    for row in connection.execute(_lookup_sums(scope), asked):
        _copy(row, of(row), (*_LOOKUP_SUMS, "persons"))
    for row in connection.execute(_method_counts(scope), asked):
        of(row).by_method[row.method] += row.lookups
    for row in connection.execute(_visit_sums(scope), asked):
        _add_visits(of(row), row)
    for row in connection.execute(day_counts.visits(scope), asked):
        sums = of(row)
        sums.visits, sums.origins = int(row.visits), {row.origin}
        _count_classes(sums, row.by_class)
    for row in connection.execute(day_counts.portal_visits(scope), asked):
        sums = of(row)
        sums.visits_portal, sums.visits_beside_portal = int(row.visits), sums.visits
    for row in connection.execute(day_counts.desk(scope), asked):
        _copy(row, of(row), _DESK_SUMS)
    for row in connection.execute(day_counts.at_desk(scope), asked):
        reasons = of(row).not_by_chip
        reasons[DESK_LOOKED_UP] += int(row.looked_up)
        reasons[DESK_NOT_LOOKED_UP] += int(row.not_looked_up)
    for row in connection.execute(_days(scope), asked):
        sums = of(row)
        sums.reported, sums.revision = bool(row.reported), row.revision
    return found


def _copy(row: Any, sums: Measures, names: Iterable[str]) -> None:
    for name in names:
        setattr(sums, name, int(getattr(row, name)))


def _add_visits(sums: Measures, row: Any) -> None:
    sums.visits_looked_up += int(row.looked_up)
    sums.visits_by_document += int(row.by_document)
    sums.visits_by_chip += int(row.by_chip)
    if row.not_by_chip_visits:
        sums.not_by_chip[row.reason] += int(row.not_by_chip_visits)
    if row.visit_class is not None:
        sums.classes[f"{row.visit_class}.visits"] += int(row.visits)
        sums.classes[f"{row.visit_class}.looked_up"] += int(row.looked_up)
        sums.classes[f"{row.visit_class}.by_document"] += int(row.by_document)
        sums.classes[f"{row.visit_class}.by_chip"] += int(row.by_chip)


def _count_classes(sums: Measures, by_class: str | None) -> None:
    """The hospital's own count of a class leads over what the stations saw of it."""
    told: dict[str, int] = {}
    for word, count in json.loads(by_class or "{}").items():
        name = _OBJECT_CODES.get(word, word)
        if name in CLASSES:
            told[name] = told.get(name, 0) + count
    for name, count in told.items():
        sums.classes[f"{name}.visits"] = count


def _codes(*classes: str) -> list[str]:
    return [code for code, kpi_class in RESULT_CLASSES.items() if kpi_class in classes]


def _flag(condition: Condition) -> sa.Case[int]:
    return sa.case((condition, 1), else_=0)


def _sum(condition: Condition, name: str) -> sa.Label[int]:
    return sa.func.coalesce(sa.func.sum(_flag(condition)), 0).label(name)


_CODE = lookup.c.result_code
_CLASS = sa.case(
    (sa.or_(visit.c.lane == str(Lane.EMERGENCY), visit.c.not_by_chip == str(NotByChip.EMERGENCY)), "EMERGENCY"),
    (visit.c.not_by_chip == str(NotByChip.CHILD), "CHILD"),
    else_=None,
)
_REACHED: Condition = lookup.c.reached_gateway
_PERSONAL: Condition = sa.func.coalesce(lookup.c.key_kind, "") == str(KeyKind.PERSONAL_12)
_OWN_FAULT: Condition = sa.func.coalesce(_CODE, "").in_(_codes(*OWN_FAULT_CLASSES))
_COUNTED: Condition = sa.and_(_REACHED, _PERSONAL, sa.not_(_OWN_FAULT))
_SUCCESS: Condition = sa.and_(_COUNTED, sa.func.coalesce(_CODE, "").in_(_codes(*SUCCESS_CLASSES)))
_BY_CHIP: Condition = sa.and_(_SUCCESS, sa.func.coalesce(lookup.c.method, "") == str(Method.CHIP_CCCD))


def _of_class(kpi_class: str) -> Condition:
    return sa.and_(_COUNTED, sa.func.coalesce(_CODE, "").in_(_codes(kpi_class)))


@cache
def _lookup_sums(scope: Scope) -> sa.Select[Any]:
    unknown_code = sa.and_(_COUNTED, _CODE.is_not(None), _CODE.not_in(list(RESULT_CLASSES)))
    return (
        sa.select(
            lookup.c.facility,
            lookup.c.day,
            _sum(_COUNTED, "counted"),
            _sum(_SUCCESS, "success"),
            _sum(_of_class("found_not_eligible"), "not_eligible"),
            _sum(_of_class("failed_not_found"), "fail_not_found"),
            _sum(_of_class("failed_mismatch"), "fail_mismatch"),
            _sum(sa.or_(_of_class("failed_technical"), sa.and_(_COUNTED, _CODE.is_(None))), "fail_technical"),
            _sum(sa.or_(_of_class(UNKNOWN_CODE_CLASS), unknown_code), "fail_other"),
            _sum(sa.and_(_REACHED, _PERSONAL, _OWN_FAULT), "not_counted"),
            _sum(sa.and_(_REACHED, sa.not_(_PERSONAL)), "other_key"),
            _sum(sa.not_(_REACHED), "not_sent"),
            sa.func.count(sa.distinct(sa.case((_COUNTED, lookup.c.person_day)))).label("persons"),
        )
        .where(scope.of(lookup))
        .group_by(lookup.c.facility, lookup.c.day)
    )


@cache
def _method_counts(scope: Scope) -> sa.Select[Any]:
    method = sa.func.coalesce(sa.func.nullif(lookup.c.method, ""), UNNAMED_METHOD).label("method")
    return (
        sa.select(lookup.c.facility, lookup.c.day, method, sa.func.count().label("lookups"))
        .where(scope.of(lookup), _COUNTED)
        .group_by(lookup.c.facility, lookup.c.day, method)
    )


def _insured_visits(scope: Scope) -> sa.CTE:
    """One row per insured station visit, with what its lookups (of any day) say about it."""
    own = sa.and_(lookup.c.facility == visit.c.facility, lookup.c.checkin_id == visit.c.checkin_id)
    order = sa.func.row_number().over(
        partition_by=(visit.c.facility, visit.c.checkin_id),
        order_by=(_flag(_SUCCESS).desc(), lookup.c.happened_at, lookup.c.event_id),
    )
    by_trusted_chip = sa.and_(_BY_CHIP, sa.func.coalesce(lookup.c.chip_verdict, "").in_(sorted(CHIP_VERDICTS)))
    each = (
        sa.select(
            visit.c.facility,
            visit.c.day,
            visit.c.checkin_id,
            visit.c.not_by_chip,
            _CLASS.label("visit_class"),
            _flag(_COUNTED).label("counted"),
            _flag(sa.and_(_SUCCESS, lookup.c.method.in_(sorted(DOCUMENT_METHODS)))).label("by_document"),
            _flag(_BY_CHIP).label("chip_success"),
            _flag(by_trusted_chip).label("by_trusted_chip"),
            order.label("place"),
        )
        .select_from(visit)
        .outerjoin(lookup, own)
        .where(scope.of(visit), visit.c.counted, visit.c.bhyt)
        .cte("visit_lookup")
    )
    first_by_chip = sa.case((each.c.place == 1, each.c.by_trusted_chip), else_=0)
    return (
        sa.select(
            each.c.facility,
            each.c.day,
            each.c.not_by_chip,
            each.c.visit_class,
            sa.func.max(each.c.counted).label("looked_up"),
            sa.func.max(each.c.by_document).label("by_document"),
            sa.func.max(each.c.chip_success).label("chip_success"),
            sa.func.max(first_by_chip).label("first_by_chip"),
        )
        .group_by(each.c.facility, each.c.day, each.c.checkin_id, each.c.not_by_chip, each.c.visit_class)
        .cte("insured_visit")
    )


@cache
def _visit_sums(scope: Scope) -> sa.Select[Any]:
    visits = _insured_visits(scope)
    reason = sa.func.coalesce(visits.c.not_by_chip, UNEXPLAINED).label("reason")
    return sa.select(
        visits.c.facility,
        visits.c.day,
        visits.c.visit_class,
        reason,
        sa.func.count().label("visits"),
        sa.func.sum(visits.c.looked_up).label("looked_up"),
        sa.func.sum(visits.c.by_document).label("by_document"),
        sa.func.sum(visits.c.first_by_chip).label("by_chip"),
        sa.func.sum(1 - visits.c.chip_success).label("not_by_chip_visits"),
    ).group_by(visits.c.facility, visits.c.day, visits.c.visit_class, reason)


@cache
def _days(scope: Scope) -> sa.Select[Any]:
    columns = facility_day.c.facility, facility_day.c.day, facility_day.c.reported, facility_day.c.revision
    return sa.select(*columns).where(scope.of(facility_day))
