"""How an accepted visit goes to the hospital: by the outbox, or by a clerk where there is nothing to send to."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import sqlalchemy as sa

from kiosk import outbox_table, records
from kiosk.hospital_model import Capabilities, Encounter, PatientMatch, Service
from kiosk.records import CheckIn

HAND_OVER: Final = "hand_over"
"""Staff reason of a visit that a clerk enters into the hospital system (kiosk.hand_over)."""


def send_visit(connection: sa.Connection, able: Capabilities, checkin_id: str, now: datetime) -> None:
    """Let a visit whose state is ``waiting`` go to the hospital; one that was handed over already keeps its place."""
    if able.hand_over:
        records.call_staff(connection, checkin_id, HAND_OVER, now)
    else:
        outbox_table.enqueue(connection, outbox_table.HOSPITAL, "push", checkin_id, now)


def encounter_of(checkin: CheckIn, service: Service, facility: str, patient: PatientMatch | None) -> Encounter:
    """*checkin* as the hospital is told of it. *facility*: our own code."""
    return Encounter(
        checkin_id=checkin.checkin_id,
        facility=facility,
        happened_at=checkin.happened_at,
        identity=checkin.identity,
        service=service,
        patient=patient,
        coverage=checkin.coverage if checkin.bhyt else None,
        eligibility=checkin.registered_as,
        lookup_receipt=checkin.lookup_receipt,
        follows=checkin.follows,
        slip=checkin.slip,
        priority=checkin.priority is not None,
        route=checkin.eligibility.route if checkin.bhyt and checkin.eligibility else None,
    )
