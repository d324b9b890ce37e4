"""People whom staff take in at once or for whom somebody else answers: emergencies, children, bedridden people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from kiosk import events, outbox_table, records
from kiosk.ages import CARD_FROM, surely_under
from kiosk.checkin import Arrival, CheckIns
from kiosk.documents.card_number import classify_number
from kiosk.documents.text import clean, tidy
from kiosk.events import NotByChip
from kiosk.model import DocumentKind, Guardian, Identity, KeyKind, Lane, Method, local_day
from kiosk.records import CheckIn
from kiosk.staff_entry import Entry, StaffRefusal
from kiosk.staffwork import DESK, StaffWork
from kiosk.typed_entry import typed_person

RELATIONS: Final = ("mother", "father", "grandparent", "sibling", "spouse", "child", "facility", "other")
"""What the guardian is to the patient."""


@dataclass(frozen=True, slots=True)
class GuardianEntry:
    """What was typed for a guardian."""

    full_name: str
    relation: str
    number: str = ""


class StaffLanes:
    """Staff's use cases for who does not come alone with a card."""

    def __init__(self, checkins: CheckIns, work: StaffWork) -> None:
        """On top of staff's other *work*."""
        self._checkins = checkins
        self._work = work

    async def emergency(self, who: str) -> CheckIn:
        """Take somebody in of whom nothing is known: a number at once, the rest when there is time (`identify`)."""
        now = self._checkins.clock()
        checkin_id = events.new_event_id()

        def work(connection: sa.Connection) -> CheckIn:
            records.insert(
                connection,
                checkin_id=checkin_id,
                state="accepted",
                station=DESK,
                happened_at=now,
                accepted_at=now,
                person_key=records.person_key(self._checkins.journal.facility_key, checkin_id),
                document_kind=DocumentKind.UNKNOWN.value,
                method=Method.MANUAL_ID.value,
                lane=Lane.EMERGENCY.value,
                carrier="unknown",
                holder_check="staff",
                warnings=(),
                identity=Identity(),
                key_kind=KeyKind.PERSONAL_12.value,
                key_number="",
            )
            records.call_staff(connection, checkin_id, "emergency", now)
            records.add_audit(connection, now, who, "emergency", checkin_id, {})
            return self._checkins.with_number(connection, checkin_id)

        return await self._checkins.store.run(work)

    async def identify(self, checkin_id: str, entry: Entry, who: str) -> CheckIn:
        """Say who an emergency is, and ask the gateway.

        StaffRefusal: as `typed_person`; NO_SUCH_CHECK_IN, CLOSED, IDENTIFIED; ALREADY_TODAY when this person has
        another check-in today: one of both is to be cancelled.
        """
        document, key = await typed_person(self._checkins, entry)
        person = document.identity or Identity()
        digest = records.person_key(self._checkins.journal.facility_key, key.number)

        def work(connection: sa.Connection) -> None:
            checkin = records.get(connection, checkin_id)
            if checkin is None:
                raise StaffRefusal("NO_SUCH_CHECK_IN")
            if checkin.closed_reason is not None:
                raise StaffRefusal("CLOSED")
            if not checkin.nameless:
                raise StaffRefusal("IDENTIFIED")
            if records.accepted_today(connection, digest, person, checkin.day) is not None:
                raise StaffRefusal("ALREADY_TODAY")
            records.update(
                connection,
                checkin_id,
                identity=person,
                document_kind=document.kind.value,
                method=key.method.value,
                key_kind=key.kind.value,
                key_number=key.number,
                person_key=digest,
            )
            now = self._checkins.clock()
            records.add_audit(connection, now, who, "identified", checkin_id, {"key_kind": key.kind.value})
            self._checkins.across.tell(connection, checkin_id, now)

        await self._checkins.store.run(work)
        self._checkins.outbox.wake(outbox_table.REGISTER)
        return await self._work.recheck(checkin_id, who)

    async def guarded(self, entry: Entry, typed: GuardianEntry, who: str) -> tuple[CheckIn, bool]:
        """Check in a child or bedridden person for whom a guardian answers; the check-in and whether it is new.

        The guardian is kept with the visit and never asked about. StaffRefusal: as `StaffWork.enter`; BAD_GUARDIAN
        without a name, with the patient's own number, or with one that is none.
        """
        document, key = await typed_person(self._checkins, entry)
        guardian = _guardian(typed, key.number)
        child = surely_under(CARD_FROM, document.identity or Identity(), local_day(self._checkins.clock()))
        arrival = Arrival(
            Lane.GUARDIAN, attended=True, station=DESK, not_by_chip=NotByChip.CHILD.value if child else None
        )
        checkin, new = await self._work.enter(entry, who, arrival)

        def work(connection: sa.Connection) -> CheckIn:
            records.update(connection, checkin.checkin_id, guardian=guardian)
            found = records.get(connection, checkin.checkin_id)
            if found is None:
                raise StaffRefusal("NO_SUCH_CHECK_IN")
            return found

        return await self._checkins.store.run(work), new


def _guardian(typed: GuardianEntry, patient_number: str) -> Guardian:
    name = tidy(clean(typed.full_name))
    number = "".join(typed.number.split())
    classified = classify_number(number) if number else None
    if not name or typed.relation not in RELATIONS or (number and classified is None) or number == patient_number:
        raise StaffRefusal("BAD_GUARDIAN")
    return Guardian(name, typed.relation, classified[1] if classified else None)
