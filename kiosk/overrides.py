"""Decisions of staff against what the insurer answered: a reason from a closed list, and a second person's signature.

Such a decision changes the lookup rate. A supervisor, never the one who decided, countersigns it by the next working
day (Monday to Friday); what is not countersigned by then, or not agreed to, is a finding.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from kiosk import records
from kiosk.model import EligibilityClass, local_day
from kiosk.records import CheckIn
from kiosk.tables import checkin as checkin_table
from kiosk.tables import override_decision

REASONS: Final = (
    "paper_card_seen",
    "insurer_confirmed",
    "wrong_person",
    "newborn",
    "emergency",
    "not_covered",
    "patient_pays",
)
SHOWN_DAYS: Final = 31
_SATURDAY: Final = 5


def is_override(checkin: CheckIn, *, insured: bool) -> bool:
    """Whether to register the visit so contradicts the newest answer.

    While the insurer has not answered, people are served as insured and asked about later: that is no override. Nor is
    any decision where the answer itself asks staff to judge.
    """
    if checkin.unanswered or checkin.status is None:
        return not insured
    return checkin.status is not EligibilityClass.NEEDS_STAFF and insured is not checkin.status.insured


def note(connection: sa.Connection, checkin: CheckIn, *, insured: bool, reason: str, who: str, now: datetime) -> None:
    """Keep the decision, open until it is countersigned; a newer one on the same visit takes its place."""
    table = override_decision.c
    connection.execute(override_decision.delete().where(table.checkin_id == checkin.checkin_id, table.agreed.is_(None)))
    day = local_day(now)
    row = {"checkin_id": checkin.checkin_id, "day": str(day), "at": now, "who": who, "reason": reason}
    connection.execute(override_decision.insert().values(**row, insured=insured, due=str(next_working_day(day))))


def next_working_day(day: date) -> date:
    """The first day after *day* from Monday to Friday; public holidays are not known here."""
    following = day + timedelta(days=1)
    while following.weekday() >= _SATURDAY:
        following += timedelta(days=1)
    return following


def shown(connection: sa.Connection, today: date) -> list[dict[str, Any]]:
    """What waits, and what was decided in the last 31 days: findings first, then open ones, then the rest."""
    table = override_decision.c
    since = str(today - timedelta(days=SHOWN_DAYS))
    query = (
        sa.select(override_decision, checkin_table.c.his_number, checkin_table.c.kiosk_number)
        .outerjoin(checkin_table, checkin_table.c.checkin_id == table.checkin_id)
        .where(sa.or_(table.agreed.is_(None), table.day >= since))
        .order_by(table.id)
    )
    rows = [row._asdict() | {"state": _state(row.agreed, row.due, today)} for row in connection.execute(query)]
    return sorted(rows, key=lambda row: ("late", "refused", "open", "agreed").index(row["state"]))


def counts(connection: sa.Connection, today: date) -> dict[str, int]:
    """How many wait for a signature, and how many are findings."""
    states = [row["state"] for row in shown(connection, today)]
    return {"open": states.count("open"), "findings": states.count("late") + states.count("refused")}


def countersign(connection: sa.Connection, number: int, who: str, now: datetime, *, agreed: bool) -> str | None:
    """A supervisor's word on a decision; why it cannot be taken: NO_SUCH_DECISION, SIGNED_ALREADY, NOT_ONESELF."""
    query = sa.select(override_decision).where(override_decision.c.id == number)
    row = connection.execute(query).first()
    if row is None:
        return "NO_SUCH_DECISION"
    if row.agreed is not None:
        return "SIGNED_ALREADY"
    if row.who == who:
        return "NOT_ONESELF"
    values = {"agreed": agreed, "signed_by": who, "signed_at": now}
    connection.execute(override_decision.update().where(override_decision.c.id == number).values(**values))
    action = "countersigned" if agreed else "not_countersigned"
    records.add_audit(connection, now, who, action, row.checkin_id, {"decision": number, "reason": row.reason})
    return None


def _state(agreed: bool | None, due: str, today: date) -> str:
    if agreed is None:
        return "late" if str(today) > due else "open"
    return "agreed" if agreed else "refused"
