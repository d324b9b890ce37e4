"""Staff compare the portrait of a chip with the person before them; both the look and its result are kept."""

from __future__ import annotations

import sqlalchemy as sa

from kiosk import records
from kiosk.checkin import CheckIns
from kiosk.records import CheckIn
from kiosk.staffwork import StaffRefusal

HOLDER_DIFFERS = "holder_differs"
"""Why staff are called: somebody saw that the portrait is not of the person who came with the card."""


async def portrait_seen(checkins: CheckIns, checkin_id: str, who: str) -> None:
    """Keep that *who* looked at the portrait. StaffRefusal NO_SUCH_CHECK_IN."""

    def work(connection: sa.Connection) -> None:
        _existing(connection, checkin_id)
        records.add_audit(connection, checkins.clock(), who, "portrait_seen", checkin_id, {})

    await checkins.store.run(work)


async def compared(checkins: CheckIns, checkin_id: str, who: str, *, same_person: bool) -> CheckIn:
    """Keep that *who* compared face and portrait; if they differ the check-in is on the staff list.

    A reason of the hospital or the insurer that stands there already stays: it says what else has to be done.
    StaffRefusal NO_SUCH_CHECK_IN, or CLOSED for a cancelled check-in.
    """

    def work(connection: sa.Connection) -> CheckIn:
        checkin = _existing(connection, checkin_id)
        if checkin.closed_reason is not None:
            raise StaffRefusal("CLOSED")
        now = checkins.clock()
        records.update(connection, checkin_id, holder_check="staff")
        if not same_person and (checkin.staff_reason or "chip_").startswith("chip_"):
            since = checkin.staff_since or now
            records.update(connection, checkin_id, staff_reason=HOLDER_DIFFERS, staff_since=since)
        action = "holder_same" if same_person else HOLDER_DIFFERS
        records.add_audit(connection, now, who, action, checkin_id, {})
        return _existing(connection, checkin_id)

    return await checkins.store.run(work)


def _existing(connection: sa.Connection, checkin_id: str) -> CheckIn:
    checkin = records.get(connection, checkin_id)
    if checkin is None:
        raise StaffRefusal("NO_SUCH_CHECK_IN")
    return checkin
