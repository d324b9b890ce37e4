"""Tells the facility's register, by the outbox, which visits were accepted here and which came to nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import sqlalchemy as sa

from kiosk import outbox_table, records
from kiosk.across_stations import ALSO_ELSEWHERE, handed, passage_of, seen_there
from kiosk.errors import RegisterUnavailable
from kiosk.outbox import Done, Effect, Outcome, Park, Retry
from kiosk.outbox_table import OutboxRow
from kiosk.ports import Clock, VisitRegister
from kiosk.register_model import Elsewhere
from kiosk.store import Store

_NUMBER_PAUSE: Final = 0.5


class RegisterDelivery:
    """The delivery of destination ``register``: how a check-in stands when its row is delivered is what is told."""

    destination = outbox_table.REGISTER
    workers = 1
    batch = 20

    def __init__(self, store: Store, register: VisitRegister, clock: Clock) -> None:
        """Wire it."""
        self._store = store
        self._register = register
        self._clock = clock

    async def deliver(self, rows: Sequence[OutboxRow]) -> Sequence[Outcome]:
        """Tell each."""
        return [await self._one(row) for row in rows]

    def give_up(self, row: OutboxRow) -> Park:
        """Only an operator can help."""
        return Park("internal_error", "operator")

    async def _one(self, row: OutboxRow) -> Outcome:
        checkin = await self._store.read(lambda c: records.get(c, row.ref))
        if checkin is None or not checkin.key_number:
            return Done()
        try:
            if checkin.state != "accepted" or checkin.closed_reason is not None:
                await self._register.ended(checkin.checkin_id)
                return Done()
            ticket = handed(checkin)
            if ticket is None:
                return Retry("no_number", after=_NUMBER_PAUSE, counts=False)
            passage = passage_of(checkin, another=row.kind == "another")
            earlier = await self._register.accepted(passage, ticket)
        except RegisterUnavailable as exc:
            return Retry(exc.reason, down=True)
        return Done() if earlier is None else Done(self._also_elsewhere(row.ref, earlier))

    def _also_elsewhere(self, checkin_id: str, earlier: Elsewhere) -> Effect:
        def work(connection: sa.Connection) -> None:
            records.update(connection, checkin_id, seen_at=seen_there(earlier))
            records.call_staff(connection, checkin_id, ALSO_ELSEWHERE, self._clock())

        return work
