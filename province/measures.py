"""What the rates are made of, counted in SQL per facility and period (definitions: interfaces.md 6).

Nothing is counted ahead of time: a result code's class is looked up when the question is asked, and a visit belongs to
its own day however late its lookup succeeds.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
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
    Method,
)
from province import day_counts
from province.periods import Period
from province.tables import facility_day, lookup, visit

UNNAMED_METHOD: Final = "UNKNOWN"
Condition = sa.ColumnElement[bool]


@dataclass(slots=True)
class Measures:
    """The sums of one facility, or of several, in one period; `add` puts two together."""

    visits: int = 0
    origins: set[str] = field(default_factory=set)
    visits_portal: int | None = None
    counted: int = 0
    success: int = 0
    not_eligible: int = 0
    fail_not_found: int = 0
    fail_mismatch: int = 0
    fail_technical: int = 0
    fail_other: int = 0
    not_counted: int = 0
    other_key: int = 0
    not_sent: int = 0
    persons: int = 0
    by_method: Counter[str] = field(default_factory=Counter)
    desk_lookups: int = 0
    desk_looked_up: int = 0
    desk_success: int = 0
    visits_looked_up: int = 0
    visits_by_document: int = 0
    visits_by_chip: int = 0
    reported: bool = False
    revision: int = 1

    def add(self, other: "Measures") -> None:
        """Add another unit's sums to these; whether it reported is counted by the caller."""
        for name in _SUMMED:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.origins |= other.origins
        self.by_method.update(other.by_method)
        if other.visits_portal is not None:
            self.visits_portal = (self.visits_portal or 0) + other.visits_portal
        self.revision = max(self.revision, other.revision)


_LOOKUP_SUMS: Final = (
    *("counted", "success", "not_eligible", "not_counted", "other_key", "not_sent"),
    *("fail_not_found", "fail_mismatch", "fail_technical", "fail_other"),
)
_VISIT_SUMS: Final = ("visits_looked_up", "visits_by_document", "visits_by_chip")
_DESK_SUMS: Final = ("desk_lookups", "desk_looked_up", "desk_success")
_SUMMED: Final = (*_LOOKUP_SUMS, *_VISIT_SUMS, *_DESK_SUMS, "visits", "persons")


def measure(connection: sa.Connection, periods: Sequence[Period]) -> list[dict[str, Measures]]:
    """The sums per facility code, one dictionary per period, for adjoining periods in order."""
    calendar = day_counts.calendar_of(periods)
    found: list[dict[str, Measures]] = [{} for _ in periods]

    def of(row: Any) -> Measures:
        by_facility: dict[str, Measures] = found[row.period]
        return by_facility.setdefault(row.facility, Measures())

    for row in connection.execute(_lookup_sums(calendar)):
        _copy(row, of(row), (*_LOOKUP_SUMS, "persons"))
    for row in connection.execute(_method_counts(calendar)):
        of(row).by_method[row.method] += row.lookups
    for row in connection.execute(_visit_sums(calendar)):
        _copy(row, of(row), _VISIT_SUMS)
    for row in connection.execute(day_counts.visits(calendar)):
        sums = of(row)
        sums.visits, sums.origins = int(row.visits), {row.first_origin, row.last_origin}
    for row in connection.execute(day_counts.portal_visits(calendar)):
        of(row).visits_portal = int(row.visits)
    for row in connection.execute(day_counts.desk(calendar)):
        _copy(row, of(row), _DESK_SUMS)
    for row in connection.execute(_days(calendar)):
        sums = of(row)
        sums.reported, sums.revision = bool(row.reported), row.revision
    return found


def not_by_chip(connection: sa.Connection, periods: Sequence[Period]) -> list[dict[str, Counter[str]]]:
    """Insured visits without a successful chip lookup: per period, per facility code, how many of each reason.

    Visits of the facility that no station saw are AT_DESK_LOOKED_UP or AT_DESK_NOT_LOOKED_UP, worked out per day.
    """
    calendar = day_counts.calendar_of(periods)
    found: list[dict[str, Counter[str]]] = [{} for _ in periods]
    visits = _insured_visits(calendar)
    reason = sa.func.coalesce(visits.c.not_by_chip, "UNEXPLAINED").label("reason")
    query = sa.select(visits.c.facility, visits.c.period, reason, sa.func.count().label("visits")).where(
        visits.c.chip_success == 0
    )
    for row in connection.execute(query.group_by(visits.c.facility, visits.c.period, reason)):
        found[row.period].setdefault(row.facility, Counter())[row.reason] += row.visits
    for row in connection.execute(day_counts.at_desk(calendar)):
        reasons = found[row.period].setdefault(row.facility, Counter())
        reasons["AT_DESK_LOOKED_UP"] += int(row.looked_up)
        reasons["AT_DESK_NOT_LOOKED_UP"] += int(row.not_looked_up)
    return found


def _copy(row: Any, sums: Measures, names: Iterable[str]) -> None:
    for name in names:
        setattr(sums, name, int(getattr(row, name)))


def _codes(*classes: str) -> list[str]:
    return [code for code, kpi_class in RESULT_CLASSES.items() if kpi_class in classes]


def _flag(condition: Condition) -> sa.Case[int]:
    return sa.case((condition, 1), else_=0)


def _sum(condition: Condition, name: str) -> sa.Label[int]:
    return sa.func.coalesce(sa.func.sum(_flag(condition)), 0).label(name)


_CODE = lookup.c.result_code
_REACHED: Condition = lookup.c.reached_gateway
_PERSONAL: Condition = sa.func.coalesce(lookup.c.key_kind, "") == str(KeyKind.PERSONAL_12)
_OWN_FAULT: Condition = sa.func.coalesce(_CODE, "").in_(_codes(*OWN_FAULT_CLASSES))
_COUNTED: Condition = sa.and_(_REACHED, _PERSONAL, sa.not_(_OWN_FAULT))
_SUCCESS: Condition = sa.and_(_COUNTED, sa.func.coalesce(_CODE, "").in_(_codes(*SUCCESS_CLASSES)))
_BY_CHIP: Condition = sa.and_(_SUCCESS, sa.func.coalesce(lookup.c.method, "") == str(Method.CHIP_CCCD))


def _of_class(kpi_class: str) -> Condition:
    return sa.and_(_COUNTED, sa.func.coalesce(_CODE, "").in_(_codes(kpi_class)))


def _lookup_sums(calendar: sa.CTE) -> sa.Select[Any]:
    unknown_code = sa.and_(_COUNTED, _CODE.is_not(None), _CODE.not_in(list(RESULT_CLASSES)))
    return (
        sa.select(
            lookup.c.facility,
            calendar.c.period,
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
        .join(calendar, calendar.c.day == lookup.c.day)
        .group_by(lookup.c.facility, calendar.c.period)
    )


def _method_counts(calendar: sa.CTE) -> sa.Select[Any]:
    method = sa.func.coalesce(sa.func.nullif(lookup.c.method, ""), UNNAMED_METHOD).label("method")
    return (
        sa.select(lookup.c.facility, calendar.c.period, method, sa.func.count().label("lookups"))
        .join(calendar, calendar.c.day == lookup.c.day)
        .where(_COUNTED)
        .group_by(lookup.c.facility, calendar.c.period, method)
    )


def _insured_visits(calendar: sa.CTE) -> sa.CTE:
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
            visit.c.checkin_id,
            visit.c.not_by_chip,
            calendar.c.period,
            _flag(_COUNTED).label("counted"),
            _flag(sa.and_(_SUCCESS, lookup.c.method.in_(sorted(DOCUMENT_METHODS)))).label("by_document"),
            _flag(_BY_CHIP).label("chip_success"),
            _flag(by_trusted_chip).label("by_trusted_chip"),
            order.label("place"),
        )
        .select_from(visit)
        .join(calendar, calendar.c.day == visit.c.day)
        .outerjoin(lookup, own)
        .where(visit.c.counted, visit.c.bhyt)
        .cte("visit_lookup")
    )
    first_by_chip = sa.case((each.c.place == 1, each.c.by_trusted_chip), else_=0)
    return (
        sa.select(
            each.c.facility,
            each.c.period,
            each.c.not_by_chip,
            sa.func.max(each.c.counted).label("looked_up"),
            sa.func.max(each.c.by_document).label("by_document"),
            sa.func.max(each.c.chip_success).label("chip_success"),
            sa.func.max(first_by_chip).label("first_by_chip"),
        )
        .group_by(each.c.facility, each.c.period, each.c.checkin_id, each.c.not_by_chip)
        .cte("insured_visit")
    )


def _visit_sums(calendar: sa.CTE) -> sa.Select[Any]:
    visits = _insured_visits(calendar)
    return sa.select(
        visits.c.facility,
        visits.c.period,
        sa.func.sum(visits.c.looked_up).label("visits_looked_up"),
        sa.func.sum(visits.c.by_document).label("visits_by_document"),
        sa.func.sum(visits.c.first_by_chip).label("visits_by_chip"),
    ).group_by(visits.c.facility, visits.c.period)


def _days(calendar: sa.CTE) -> sa.Select[Any]:
    return (
        sa.select(
            facility_day.c.facility,
            calendar.c.period,
            sa.func.max(_flag(facility_day.c.reported)).label("reported"),
            sa.func.max(facility_day.c.revision).label("revision"),
        )
        .join(calendar, calendar.c.day == facility_day.c.day)
        .group_by(facility_day.c.facility, calendar.c.period)
    )
