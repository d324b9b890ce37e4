"""Who answers for lookups now: the officer who signed on for this shift, else the designated one.

A refusal (054, 055) stops asking in that officer's name only. It ends when the insurer accepts them again; until then
one lookup every half an hour is the trial, or the next one after somebody corrected the registration and says so.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import sqlalchemy as sa

from kiosk import officers, records
from kiosk.model import Officer
from kiosk.officer_stop import Stop
from kiosk.officers import OnDuty, Registered
from kiosk.ports import Clock
from kiosk.store import Store

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class DutyView:
    """Who answers, as staff see it. ``refused``: 054 or 055 while the insurer refuses this officer."""

    officer: Officer | None
    signed_on: OnDuty | None
    refused: str | None


class Duty:
    """``kiosk.ports.OfficerDuty`` over the store; what it needs for an answer stands in memory.

    Each change of the register or of a shift is audited in its transaction; *who*: the name of whoever made it.
    """

    def __init__(self, store: Store, clock: Clock, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Read who is registered and on duty. StoreError when the store cannot be read."""
        self._store = store
        self._clock = clock
        self._monotonic = monotonic
        self._stops: dict[str, Stop] = {}
        self._registered: list[Registered] = []
        self._signed_on: OnDuty | None = None
        self._take_in(store.run_now(_read))

    def current(self) -> Officer | None:
        """See ``OfficerDuty``; taking the officer for a trial uses the trial up."""
        officer = self._answering()
        if officer is None:
            return None
        stop = self._stop_of(officer)
        if stop.holds:
            return None
        stop.trial()
        return officer

    def refused(self, officer: Officer, code: str) -> None:
        """See ``OfficerDuty``."""
        self._stop_of(officer).refused(code)

    def accepted(self, officer: Officer) -> None:
        """See ``OfficerDuty``."""
        self._stop_of(officer).accepted()

    def try_now(self) -> None:
        """Somebody says that the registration is right now: the next lookup tries it."""
        if (officer := self._answering()) is not None:
            self._stop_of(officer).try_now()

    @property
    def view(self) -> DutyView:
        """Who answers now."""
        officer = self._answering()
        return DutyView(officer, self._shift(), self._stop_of(officer).code if officer else None)

    @property
    def registered(self) -> list[Registered]:
        """All who may answer."""
        return list(self._registered)

    async def sign_on(self, officer_id: str, who: str) -> bool:
        """Begin a shift; False if there is no such officer."""
        now = self._clock()
        begun = await self._change(
            who, "officer_signed_on", officer_id, lambda c: officers.sign_on(c, officer_id, who, now)
        )
        if begun and officer_id in self._stops:
            self._stops[officer_id].try_now()
        return begun

    async def sign_off(self, who: str) -> None:
        """End the shift that runs, if any."""
        now = self._clock()
        shift = self._signed_on
        ended = shift.officer.officer_id if shift else None
        await self._change(who, "officer_signed_off", ended, lambda c: officers.sign_off(c, now))

    async def add(self, full_name: str, citizen_number: str, who: str) -> None:
        """Register one more officer, or give a known number another name."""
        officer_id = await self._change(
            who, "officer_added", None, lambda c: officers.put(c, full_name, citizen_number)
        )
        if officer_id in self._stops:
            self._stops[officer_id].try_now()

    async def remove(self, officer_id: str, who: str) -> bool:
        """Take an officer off the register; False if there is none."""
        now = self._clock()
        return await self._change(who, "officer_removed", officer_id, lambda c: officers.remove(c, officer_id, now))

    async def designate(self, officer_id: str, who: str) -> bool:
        """Make one officer the one who stands in; False if there is none."""
        return await self._change(who, "officer_designated", officer_id, lambda c: officers.designate(c, officer_id))

    async def _change(self, who: str, action: str, officer_id: str | None, work: Callable[[sa.Connection], _T]) -> _T:
        now = self._clock()

        def change(connection: sa.Connection) -> tuple[_T, tuple[list[Registered], OnDuty | None]]:
            result = work(connection)
            if result is not False:
                whom = result if isinstance(result, str) else officer_id
                records.add_audit(connection, now, who, action, None, {"officer": whom})
            return result, _read(connection)

        result, state = await self._store.run(change)
        self._take_in(state)
        return result

    def _take_in(self, state: tuple[list[Registered], OnDuty | None]) -> None:
        self._registered, self._signed_on = state

    def _shift(self) -> OnDuty | None:
        shift = self._signed_on
        return None if shift is None or shift.over(self._clock()) else shift

    def _answering(self) -> Officer | None:
        if (shift := self._shift()) is not None:
            return shift.officer
        return next((each.officer for each in self._registered if each.designated), None)

    def _stop_of(self, officer: Officer) -> Stop:
        return self._stops.setdefault(officer.officer_id, Stop(self._monotonic))


def _read(connection: sa.Connection) -> tuple[list[Registered], OnDuty | None]:
    return officers.registered(connection), officers.on_duty(connection)
