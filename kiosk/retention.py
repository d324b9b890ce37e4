"""Forgetting people: what is delivered and old enough loses everything that names a person (invariant 6).

What stays is a register without persons: times, classes, numbers of the queue, and who did what in the audit, without
the words that were typed; and beside it, for as long as its own rule says, what the insurer answered. Nothing that
still waits for a hospital, the gateway or staff is touched.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import sqlalchemy as sa

from kiosk import audit
from kiosk.tables import checkin, chip_evidence, chip_seen, gateway_answer, lookup, outbox

_ABANDONED_DAYS = 1


def purge(
    connection: sa.Connection,
    today: date,
    keep_days: int,
    *,
    evidence_days: int = 30,
    chip_days: int = 90,
    answers_days: int = 1825,
) -> int:
    """Strip check-ins older than *keep_days* (abandoned ones after a day); returns how many.

    Evidence of chips goes after *evidence_days*, the memory of whose chip was read after *chip_days*, the insurer's
    untouched answers after *answers_days*: the facility must keep those much longer than the people it has served.
    """
    for table, days in ((chip_evidence, evidence_days), (chip_seen, chip_days), (gateway_answer, answers_days)):
        connection.execute(table.delete().where(table.c.day < str(today - timedelta(days=days))))
    settled = sa.and_(
        checkin.c.day < str(today - timedelta(days=keep_days)),
        checkin.c.staff_reason.is_(None),
        checkin.c.checkin_id.not_in(unfinished()),
    )
    left = sa.and_(checkin.c.state == "abandoned", checkin.c.day < str(today - timedelta(days=_ABANDONED_DAYS)))
    due = sa.and_(checkin.c.person_key != "", sa.or_(settled, left))
    ids = list(connection.execute(sa.select(checkin.c.checkin_id).where(due).limit(5000)).scalars())
    forget(connection, ids)
    return len(ids)


def forget(connection: sa.Connection, checkin_ids: Sequence[str]) -> None:
    """Empty everything that names a person in these check-ins, their lookups and the words typed about them."""
    for start in range(0, len(checkin_ids), 500):
        some = list(checkin_ids[start : start + 500])
        connection.execute(
            checkin.update()
            .where(checkin.c.checkin_id.in_(some))
            .values(
                identity={},
                read_identity=sa.null(),
                guardian=sa.null(),
                document_coverage=sa.null(),
                key_number="",
                person_key="",
                warnings=[],
                eligibility=sa.null(),
                patient=sa.null(),
                receipt=sa.null(),
                issuer=sa.null(),
                chip=sa.null(),
            )
        )
        connection.execute(
            lookup.update().where(lookup.c.checkin_id.in_(some)).values(eligibility=sa.null(), person_key="")
        )
        audit.empty(connection, some)


def unfinished() -> sa.Select[tuple[str]]:
    """The check-ins of which something still waits for a hospital, the gateway or a relay."""
    return sa.select(outbox.c.ref).where(outbox.c.state != "done", outbox.c.destination != "province")
