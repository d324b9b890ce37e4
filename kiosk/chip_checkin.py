"""What the chip of a card, or its absence, adds to a check-in."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa

from kiosk import chip_records, records
from kiosk.across_stations import existing
from kiosk.checkin import CheckIns
from kiosk.chip_model import ChipReading
from kiosk.model import Carrier, CarrierSource, Method
from kiosk.records import CheckIn


async def chip_read(checkins: CheckIns, checkin_id: str, reading: ChipReading) -> CheckIn:
    """The chip of the card was read to its end: from now on the check-in rests on it, and on no QR."""
    now = checkins.clock()

    def work(connection: sa.Connection) -> CheckIn:
        records.update(
            connection,
            checkin_id,
            method=Method.CHIP_CCCD.value,
            identity=reading.identity,
            verdict=reading.verdict,
            issuer=reading.issuer,
            chip=dict(reading.detail),
            not_by_chip=None,
        )
        checkin = existing(connection, checkin_id)
        chip_records.keep(connection, checkin, reading.evidence, now, doubted=reading.staff_reason is not None)
        return checkin

    return await checkins.store.run(work)


async def chip_not_read(checkins: CheckIns, checkin_id: str, reason: str, *, phone: bool = False) -> None:
    """Keep why no chip was read for this check-in: a code of ``events.NotByChip``.

    *phone*: the person said that the code stands on a phone.
    """
    said = {"carrier": Carrier.PHONE.value, "carrier_source": CarrierSource.ASKED.value} if phone else {}
    await checkins.store.run(lambda c: records.update(c, checkin_id, not_by_chip=reason, **said))


async def chip_seen_on(checkins: CheckIns, checkin_id: str) -> date | None:
    """The day on which this person's chip was last read here and not doubted, or None."""
    return await checkins.store.read(lambda c: chip_records.seen_on(c, existing(c, checkin_id).person_key))
