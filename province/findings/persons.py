"""The same person many times: `person_day` within a facility and a day.

Across days or facilities the province cannot see it, by design: the digest holds the day and the facility's own key,
so that nobody can follow a person (interfaces.md 5).
"""

from typing import Any

import sqlalchemy as sa

from kiosk.events import KeyKind
from province.findings.finding import Finding, Kind, Severity
from province.findings.limits import Limits
from province.findings.sql import evidence, month_of, share
from province.periods import Period
from province.tables import lookup


def same_person(connection: sa.Connection, span: Period, limits: Limits) -> list[Finding]:
    """Facility days on which a person has very many check-ins, or a large part of all check-ins are repeats."""
    each = (
        sa.select(lookup.c.facility, lookup.c.day, sa.func.count(lookup.c.checkin_id.distinct()).label("checkins"))
        .where(lookup.c.day.between(span.start, span.end), lookup.c.person_day.is_not(None))
        .group_by(lookup.c.facility, lookup.c.day, lookup.c.person_day)
        .subquery()
    )
    most, checkins, persons = sa.func.max(each.c.checkins), sa.func.sum(each.c.checkins), sa.func.count()
    query = (
        sa.select(
            each.c.facility,
            each.c.day,
            most.label("most"),
            sa.cast(checkins, sa.Integer).label("checkins"),
            persons.label("persons"),
        )
        .group_by(each.c.facility, each.c.day)
        .having(
            sa.or_(
                most >= limits.least("same_person_checkins"),
                checkins - persons >= limits.least("same_person_excess_least"),
            )
        )
    )
    return [_same_person(connection, row, limits) for row in connection.execute(query) if _is_too_many(row, limits)]


def _is_too_many(row: Any, limits: Limits) -> bool:
    if row.most >= limits.of("same_person_checkins", row.facility, row.day):
        return True
    excess = row.checkins - row.persons
    enough = excess >= limits.of("same_person_excess_least", row.facility, row.day)
    return enough and share(excess, row.checkins) >= limits.of("same_person_excess_pct", row.facility, row.day)


def _same_person(connection: sa.Connection, row: Any, limits: Limits) -> Finding:
    of_day = lookup.c.facility == row.facility, lookup.c.day == row.day
    repeated = (
        sa.select(lookup.c.person_day)
        .where(*of_day, lookup.c.person_day.is_not(None))
        .group_by(lookup.c.person_day)
        .having(sa.func.count(lookup.c.checkin_id.distinct()) > 1)
        .order_by(sa.func.count(lookup.c.checkin_id.distinct()).desc(), lookup.c.person_day)
        .limit(5)
    )
    limit = limits.of("same_person_checkins", row.facility, row.day)
    return Finding(
        kind=Kind.SAME_PERSON,
        facility=row.facility,
        station="",
        first_day=row.day,
        last_day=row.day,
        severity=Severity.ALARM if row.most >= 2 * limit else Severity.WARN,
        anchor=row.day.isoformat(),
        numbers={"most": row.most, "repeats": row.checkins - row.persons, "checkins": row.checkins},
        evidence=evidence(connection, lookup.c.event_id, *of_day, lookup.c.person_day.in_(repeated)),
    )


def person_missing(connection: sa.Connection, span: Period, limits: Limits) -> list[Finding]:
    """Months in which lookups by a personal number do not say whose: repeats could hide among them."""
    bare = (
        lookup.c.key_kind == KeyKind.PERSONAL_12,
        lookup.c.person_day.is_(None),
        lookup.c.day.between(span.start, span.end),
    )
    first, number = sa.func.min(lookup.c.day), sa.func.count()
    query = (
        sa.select(
            lookup.c.facility, first.label("first"), sa.func.max(lookup.c.day).label("last"), number.label("bare")
        )
        .where(*bare)
        .group_by(lookup.c.facility)
        .having(number >= limits.least("person_missing_least"))
    )
    found = []
    for row in connection.execute(query).all():
        if row.bare < limits.of("person_missing_least", row.facility, row.last):
            continue
        mine = lookup.c.facility == row.facility
        asked = sa.select(sa.func.count()).where(mine, lookup.c.day.between(span.start, span.end))
        whole = connection.scalar(asked) or 0
        numbers: dict[str, int | str] = {"bare": row.bare, "lookups": whole, "pct": share(row.bare, whole)}
        ids = evidence(connection, lookup.c.event_id, mine, *bare)
        severity = Severity.ALARM if 5 * row.bare >= whole else Severity.WARN
        place = Kind.PERSON_MISSING, row.facility, "", row.first, row.last
        found.append(Finding(*place, severity, month_of(span.start), numbers, ids))
    return found
