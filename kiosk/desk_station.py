"""A desk: a clerk's browser on another PC, whose scanner types. One person at a time is served, as at a kiosk."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from kiosk import records
from kiosk.checkin import CheckIns
from kiosk.model import Lane
from kiosk.ports import Clock
from kiosk.staff_entry import Entry
from kiosk.station_model import InFront, Timings
from kiosk.stations import Station
from kiosk.typed_entry import typed_person

TIMINGS: Final = Timings(unreadable=60, confirm=300, choose=300, done=120, staff=120)
"""A clerk is called away and comes back; what stands on the screen of an empty desk goes all the same."""


class DeskStation(Station):
    """One desk; people stand before a clerk, who may also type what no scanner reads."""

    def __init__(self, station_id: str, checkins: CheckIns, clock: Clock, *, simulated: bool = False) -> None:
        """*simulated*: people with numbers of the simulators' range are expected (demo)."""
        super().__init__(station_id, checkins, clock, TIMINGS, simulated=simulated, lane=Lane.DESK)

    async def enter(self, entry: Entry, who: str) -> str:
        """Take a person whom the clerk *who* typed, with the document in hand; returns the check-in id.

        It is not asked again whether it is that person. StaffRefusal as `typed_person`, StationBusy if another person
        is being served, StoreError if the store takes nothing.
        """
        document, key = await typed_person(self._checkins, entry)
        async with self._moving:
            self._refuse_others(key)
            if self._serving and self.checkin_id is not None:
                return self.checkin_id
            presented = await self._open(InFront(document, key))
            checkin_id = presented.checkin.checkin_id
            if presented.again:
                self._show_ticket(presented.checkin, again=True)
                return checkin_id
            await self._note(checkin_id, who, key.kind.value, self._checkins.clock())
            self._begin_check(checkin_id)
            return checkin_id

    async def _note(self, checkin_id: str, who: str, kind: str, now: datetime) -> None:
        detail = {"key_kind": kind}
        await self._checkins.store.run(lambda c: records.add_audit(c, now, who, "entered", checkin_id, detail))
