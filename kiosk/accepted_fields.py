"""Staff take over single fields from the insurer's register or the hospital, after they compared the papers.

What the document said stays beside it, so that the same person is known again when the document is shown once more.
The audit keeps names of fields, never values.
"""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from kiosk import outbox_table, records
from kiosk.amendment import send_amendment
from kiosk.checkin import CheckIns
from kiosk.differences import Difference, Source, differences, taken_over
from kiosk.hospital_model import MatchKind
from kiosk.model import Coverage, EligibilityClass, Holder, KeyKind
from kiosk.records import CheckIn
from kiosk.staffwork import StaffRefusal

_ASKED_WITH = ("full_name", "birth_date", "sex")
"""What a lookup is asked with or judged by."""


def differences_of(checkin: CheckIn) -> tuple[Difference, ...]:
    """What insurer and hospital hold otherwise than *checkin* now has it."""
    card = checkin.document_coverage
    if card is None and checkin.key_kind in (KeyKind.BHYT_15, KeyKind.BHYT_17):
        card = Coverage(checkin.key_number, checkin.key_kind)
    return differences(checkin.identity, card, checkin.eligibility, checkin.patient)


async def compare(checkins: CheckIns, checkin_id: str, who: str) -> tuple[Difference, ...]:
    """All differences with their values, for *who*, which the audit keeps. StaffRefusal NO_SUCH_CHECK_IN."""

    def work(connection: sa.Connection) -> tuple[Difference, ...]:
        found = differences_of(_existing(connection, checkin_id))
        records.add_audit(connection, checkins.clock(), who, "differences_seen", checkin_id, {})
        return found

    return await checkins.store.run(work)


async def accept(checkins: CheckIns, checkin_id: str, fields: Sequence[str], who: str) -> bool:
    """Take over the differences named by their ids; returns whether the insurer should be asked again.

    A visit that waits for the hospital goes there with the new values; one that is registered is amended where the
    hospital can, else staff are told to type them. StaffRefusal: NO_SUCH_CHECK_IN, CLOSED, AT_THE_STATION, UNDER_WAY
    (on its way to the hospital), NOT_DIFFERENT (no such difference any more, or two sources of one field).
    """

    def work(connection: sa.Connection) -> bool:
        checkin = _existing(connection, checkin_id)
        row = outbox_table.of_ref(connection, outbox_table.HOSPITAL, checkin_id)
        if checkin.closed_reason is not None:
            raise StaffRefusal("CLOSED")
        if checkin.state in ("presented", "looked_up"):
            raise StaffRefusal("AT_THE_STATION")
        if row is not None and (row.state == "sending" or (row.state == "waiting" and row.uncertain)):
            raise StaffRefusal("UNDER_WAY")
        chosen = _chosen(differences_of(checkin), fields)
        identity = checkin.identity
        for each in chosen:
            identity = taken_over(identity, each, _held_by(checkin, each.source))
        records.update(
            connection, checkin_id, identity=identity, read_identity=checkin.read_identity or checkin.identity
        )
        now = checkins.clock()
        records.add_audit(connection, now, who, "fields_accepted", checkin_id, {"fields": [e.id for e in chosen]})
        asked_with = any(each.name in _ASKED_WITH for each in chosen)
        if checkin.hospital_state == "accepted":
            _bring(connection, checkins, checkin_id)
        elif asked_with and checkin.patient is not None and checkin.patient.kind is MatchKind.MISMATCH:
            records.update(connection, checkin_id, patient=None)  # the hospital is asked anew whether it knows them
        return asked_with and checkin.status is EligibilityClass.NEEDS_STAFF

    again = await checkins.store.run(work)
    checkins.outbox.wake(outbox_table.HOSPITAL)
    return again


def _chosen(found: Sequence[Difference], fields: Sequence[str]) -> list[Difference]:
    possible = {each.id: each for each in found if each.acceptable}
    chosen = [possible[field] for field in dict.fromkeys(fields) if field in possible]
    if len(chosen) < len(set(fields)) or len({each.name for each in chosen}) < len(chosen):
        raise StaffRefusal("NOT_DIFFERENT")
    return chosen


def _held_by(checkin: CheckIn, source: Source) -> Holder:
    if source is Source.GATEWAY:
        return (checkin.eligibility and checkin.eligibility.held) or Holder()
    person = checkin.patient.person if checkin.patient else None
    return Holder(person.full_name, person.birth_date, person.sex, person.address) if person else Holder()


def _bring(connection: sa.Connection, checkins: CheckIns, checkin_id: str) -> None:
    """Let the new values reach a visit that the hospital already has."""
    now = checkins.clock()
    if not checkins.hospital.capabilities.amend:
        records.call_staff(connection, checkin_id, "fields_to_enter", now)
        return
    send_amendment(connection, checkin_id, now)


def _existing(connection: sa.Connection, checkin_id: str) -> CheckIn:
    checkin = records.get(connection, checkin_id)
    if checkin is None:
        raise StaffRefusal("NO_SUCH_CHECK_IN")
    return checkin
