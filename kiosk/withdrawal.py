"""Withdraws visits that the hospital system holds, where it can (capability ``cancel``).

Staff ask; the outbox brings it to the hospital, under the rules of a registration: an answer that got lost is looked
into where the hospital tells which visits stand, else staff look. The visit counts until it is surely withdrawn.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

import sqlalchemy as sa

from kiosk import outbox_table, records
from kiosk.across_stations import AcrossStations
from kiosk.errors import HospitalRejected
from kiosk.hospital_model import Receipt
from kiosk.journal import Journal
from kiosk.model import local_day
from kiosk.outbox_table import OutboxRow
from kiosk.ports import HospitalAdapter
from kiosk.records import CheckIn

KIND: Final = "cancel"
"""Kind of the outbox row."""
REFUSED: Final = "cancel_refused"
UNKNOWN: Final = "cancel_unknown"
"""Staff reasons of a visit that was not, or perhaps not, withdrawn."""
_ASKED: Final = "cancel_asked"


def row_of(connection: sa.Connection, checkin_id: str) -> OutboxRow | None:
    """The withdrawal of a check-in that is under way or waits for staff, or None."""
    row = outbox_table.of_ref(connection, outbox_table.HOSPITAL, checkin_id)
    return row if row is not None and row.kind == KIND and row.state != "done" else None


def ask(connection: sa.Connection, checkin: CheckIn, reason: str, who: str, now: datetime) -> None:
    """Staff want the registered visit *checkin* withdrawn; what waited to be amended in it no longer matters."""
    row = outbox_table.of_ref(connection, outbox_table.HOSPITAL, checkin.checkin_id)
    if row is not None and row.state != "done":
        outbox_table.settle(connection, row.id, "done", now, reason="cancelled", owner=None)
    outbox_table.enqueue(connection, outbox_table.HOSPITAL, KIND, checkin.checkin_id, now)
    records.add_audit(connection, now, who, _ASKED, checkin.checkin_id, {"reason": reason})


async def withdraw(adapter: HospitalAdapter, row: OutboxRow, checkin: CheckIn, reason: str) -> None:
    """Bring the withdrawal to the hospital; returns once the visit surely no longer stands there.

    The adapter's three errors rise. *reason*: what staff typed.
    """
    receipt = checkin.receipt or Receipt()
    if not adapter.capabilities.cancel:  # asked for while another adapter was configured
        raise HospitalRejected("adapter.no_cancel")
    if row.uncertain and adapter.capabilities.history:
        ref = checkin.patient.ref if checkin.patient else None
        visits = await adapter.find_visits(checkin.identity, ref, local_day(checkin.happened_at))
        if not any(_is_it(checkin.checkin_id, receipt, *visit) for visit in visits):
            return
    await adapter.cancel(receipt, reason)


def _is_it(checkin_id: str, ours: Receipt, theirs: str, receipt: Receipt) -> bool:
    """Whether a visit of the hospital is or may be ours; one without any number may be."""
    return theirs == checkin_id or (not theirs and receipt.visit_id in (None, ours.visit_id))


def reason_of(connection: sa.Connection, checkin_id: str) -> str:
    """What staff typed when they asked for it; empty if nothing."""
    entries = records.audits_of(connection, [checkin_id]).get(checkin_id, [])
    asked = [entry["detail"].get("reason", "") for entry in entries if entry["action"] == _ASKED]
    return str(asked[-1]) if asked else ""


def close(connection: sa.Connection, journal: Journal, across: AcrossStations, checkin_id: str, now: datetime) -> None:
    """The visit of a check-in no longer stands: nothing more is sent, and it counts as no insured visit."""
    checkin = records.get(connection, checkin_id)
    if checkin is None or checkin.closed_reason is not None:
        return
    if checkin.bhyt:
        journal.visit(connection, checkin, bhyt=False, now=now)
    records.update(connection, checkin_id, closed_reason="cancelled", bhyt=False, staff_reason=None, staff_since=None)
    across.tell(connection, checkin_id, now)
