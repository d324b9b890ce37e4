"""What happens when the gateway's answer comes after the visit was registered without it.

The answer reaches the hospital where the hospital can amend a visit; else it goes on the staff list. All of this runs
inside the transaction that learnt the answer or the registration, whichever came second.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from kiosk import outbox_table, records
from kiosk.hospital_model import Capabilities
from kiosk.journal import Journal
from kiosk.model import EligibilityClass
from kiosk.records import CheckIn
from kiosk.to_hospital import send_visit

_STAFF_REASON = {
    EligibilityClass.INSURED: "coverage_to_enter",
    EligibilityClass.INSURED_NEW_CARD: "coverage_to_enter",
    EligibilityClass.NOT_INSURED: "turned_not_insured",
    EligibilityClass.NEEDS_STAFF: "turned_needs_staff",
}


def send_amendment(connection: sa.Connection, checkin_id: str, now: datetime) -> None:
    """Let what is known now go to a registered visit, unless that is under way or the visit is being withdrawn."""
    row = outbox_table.of_ref(connection, outbox_table.HOSPITAL, checkin_id)
    if row is None or row.state == "done" or row.kind == "push":
        outbox_table.enqueue(connection, outbox_table.HOSPITAL, "amend", checkin_id, now)


def entered_by_hand(connection: sa.Connection, checkin_id: str, now: datetime) -> None:
    """Staff have typed into the hospital system what an amendment did not bring there."""
    row = outbox_table.of_ref(connection, outbox_table.HOSPITAL, checkin_id)
    if row is not None and row.kind == "amend" and row.state == "parked":
        done = {"reason": "entered_by_staff", "owner": None, "uncertain": False}
        outbox_table.settle(connection, row.id, "done", now, **done)


def bring_to_hospital(connection: sa.Connection, checkin: CheckIn, *, can_amend: bool, now: datetime) -> None:
    """If the visit was registered while nothing was known and now something is: amend it, or call staff.

    Staff hear of a negative answer in any case: the person left as an insured patient.
    """
    registered = checkin.registered_status
    if checkin.hospital_state != "accepted" or registered is None or not registered.unanswered:
        return
    if checkin.status is None or checkin.status.unanswered:
        return
    if can_amend:
        send_amendment(connection, checkin.checkin_id, now)
    if not (can_amend and checkin.status.insured):
        records.call_staff(connection, checkin.checkin_id, _STAFF_REASON[checkin.status], now)


def take_in_late_answer(
    connection: sa.Connection, journal: Journal, checkin: CheckIn, *, able: Capabilities, now: datetime
) -> None:
    """Follow up an answer that came after the person had left with a number. *checkin* already carries the answer.

    *able*: what the hospital can do.
    """
    if checkin.closed_reason is not None or checkin.status is None or checkin.status.unanswered:
        return
    held = checkin.hospital_state == "waiting" and (
        outbox_table.of_ref(connection, outbox_table.HOSPITAL, checkin.checkin_id) is None
    )
    if checkin.status is EligibilityClass.NOT_INSURED and checkin.bhyt:
        records.update(connection, checkin.checkin_id, bhyt=False)
        journal.visit(connection, checkin, bhyt=False, now=now)
    if checkin.hospital_state == "accepted":
        bring_to_hospital(connection, checkin, can_amend=able.amend, now=now)
    elif not checkin.status.insured and checkin.bhyt is not None and checkin.hospital_state != "parked":
        records.call_staff(connection, checkin.checkin_id, _STAFF_REASON[checkin.status], now)
    elif held:
        send_visit(connection, able, checkin.checkin_id, now)
