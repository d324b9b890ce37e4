"""Queue numbers that a hospital system gives only after a visit is registered: looked for until the day ends.

It may also refuse the visit then; that is for staff to solve.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa

from kiosk import outbox_table, records
from kiosk.errors import HospitalError, StoreError
from kiosk.hospital_model import Capabilities, QueueNumber, Receipt
from kiosk.model import local_day
from kiosk.outbox import Done, Effect, Outcome, Park, Retry
from kiosk.outbox_table import OutboxRow
from kiosk.ports import Clock, HospitalAdapter
from kiosk.records import CheckIn
from kiosk.store import Store

log = logging.getLogger(__name__)

_PAUSES: Final = (2.0, 3.0, 5.0, 8.0, 13.0, 20.0, 30.0, 60.0)
_WITHIN_S: Final = 20.0


def look_for_number(connection: sa.Connection, able: Capabilities, checkin: CheckIn, now: datetime) -> None:
    """Let the number of a visit that was just registered be looked for, where it comes later and can be found."""
    wanted = able.queue_number is QueueNumber.LATER and able.history and checkin.his_number is None
    row = outbox_table.of_ref(connection, outbox_table.NUMBER, checkin.checkin_id)
    if wanted and (row is None or row.state == "done"):
        due = now + timedelta(seconds=_PAUSES[0])
        outbox_table.enqueue(connection, outbox_table.NUMBER, "number", checkin.checkin_id, now, due=due)


class LaterNumber:
    """The delivery of destination ``number``: one look a row, at growing pauses, so that it never delays a visit."""

    destination = outbox_table.NUMBER
    workers = 2
    batch = 1

    def __init__(
        self,
        store: Store,
        adapter: HospitalAdapter,
        clock: Clock,
        renumbered: Callable[[sa.Connection, str], None] = lambda connection, checkin_id: None,
    ) -> None:
        """*renumbered*: called in the transaction in which a check-in gets its number after one of our own."""
        self._store = store
        self._adapter = adapter
        self._clock = clock
        self._renumbered = renumbered

    async def deliver(self, rows: Sequence[OutboxRow]) -> Sequence[Outcome]:
        """One look a row."""
        return [await self._one(row) for row in rows]

    def give_up(self, row: OutboxRow) -> Park:
        """Only an operator can help; the visit itself is registered."""
        return Park("internal_error", "operator")

    async def _one(self, row: OutboxRow) -> Outcome:
        checkin = await self._store.read(lambda c: records.get(c, row.ref))
        if checkin is None or checkin.closed_reason is not None or checkin.his_number is not None:
            return Done()
        if str(local_day(self._clock())) > checkin.day or not self._adapter.capabilities.history:
            return Done()  # who came yesterday was called by the kiosk's own number
        after = _PAUSES[min(row.attempts, len(_PAUSES) - 1)]
        try:
            async with asyncio.timeout(_WITHIN_S):
                found = await self._find(checkin)
        except TimeoutError:
            return Retry("no_answer", after=after)
        except HospitalError as error:
            return Retry(str(error), after=after)
        except StoreError:
            raise
        except Exception:
            log.exception("hospital adapter failed")
            return self.give_up(row)
        if found is not None and found.refused:
            return Done(self._refused(row.ref))
        if found is None or found.number is None:
            return Retry("no_number_yet", after=after)
        return Done(self._numbered(row.ref, found))

    async def _find(self, checkin: CheckIn) -> Receipt | None:
        ref = checkin.patient.ref if checkin.patient else None
        visits = await self._adapter.find_visits(checkin.identity, ref, local_day(checkin.happened_at))
        known = checkin.receipt.visit_id if checkin.receipt else None
        for checkin_id, receipt in visits:
            if checkin_id == checkin.checkin_id or (not checkin_id and known and receipt.visit_id == known):
                return receipt
        return None

    def _refused(self, checkin_id: str) -> Effect:
        def effect(connection: sa.Connection) -> None:
            now = self._clock()
            records.update(connection, checkin_id, staff_reason="refused_later", staff_since=now)
            records.add_audit(connection, now, "hospital", "refused", checkin_id, {})

        return effect

    def _numbered(self, checkin_id: str, receipt: Receipt) -> Effect:
        def effect(connection: sa.Connection) -> None:
            records.update(connection, checkin_id, receipt=receipt, his_number=receipt.number)
            self._renumbered(connection, checkin_id)

        return effect
