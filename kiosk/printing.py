"""Prints the tickets of check-ins and minds the printer; whatever happens to it, nobody waits for longer than a job."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from kiosk.model import VIETNAM
from kiosk.ports import TicketPrinter
from kiosk.records import CheckIn
from kiosk.station_views import answer_view, ticket_view
from kiosk.ticket_model import FurtherNumber, PrinterState, Ticket

log = logging.getLogger(__name__)

_BY_ITSELF: Final = 3
_REMEMBERED: Final = 2000


def ticket_of(checkin: CheckIn) -> Ticket:
    """What the ticket of an accepted check-in says: always the same until the hospital gives a number."""
    told, shown = answer_view(checkin), ticket_view(checkin)
    receipt = checkin.receipt
    accepted = checkin.accepted_at or checkin.happened_at
    codes = (receipt.barcode, receipt.visit_id, receipt.patient_code) if receipt else ()
    return Ticket(
        number=checkin.number or "",
        own=checkin.his_number is None,
        at=accepted.astimezone(VIETNAM).strftime("%d/%m/%Y %H:%M"),
        to_staff=checkin.service is None or checkin.hospital_state == "parked",
        room=shown["room"],
        department=shown["department"],
        service=shown["service"],
        before=checkin.kiosk_number if checkin.his_number else None,
        others=tuple(FurtherNumber(each["number"], each["room"]) for each in shown.get("others", ())),
        valid_to="/".join(reversed(told["valid_to"].split("-"))) if told["valid_to"] else None,
        level=told["level"],
        unchecked=told["answer"] == "cannot_say",
        barcode=next(filter(None, codes), None),
        lookup_receipt=shown["lookup_receipt"],
    )


class Printing:
    """The printer of a station. *changed* is told each state that was seen, *ended* how each print ended."""

    def __init__(
        self,
        printer: TicketPrinter,
        changed: Callable[[PrinterState], None] = lambda state: None,
        ended: Callable[[PrinterState], None] = lambda state: None,
    ) -> None:
        """Nothing is known of the printer yet."""
        self._printer = printer
        self._changed = changed
        self._ended = ended
        self._printed: dict[str, int] = {}
        self.state: PrinterState | None = None
        """What was seen last; None before the first look."""

    async def print(self, checkin: CheckIn, language: str | None = None) -> bool | None:
        """Print the ticket of *checkin*: True if it came out, False if not, None if nobody can tell.

        *language*: the one the person reads, printed first; None: as the printer is set.
        """
        state = await self._printer.print(replace(ticket_of(checkin), language=language))
        self._see(state)
        self._ended(state)
        return state.prints

    async def by_itself(self, checkin: CheckIn, language: str | None = None) -> bool | None:
        """As ``print``, for somebody at the screen: a few times at most, or a card could empty the roll (then None)."""
        times = self._printed.get(checkin.checkin_id, 0)
        if times >= _BY_ITSELF:
            return None
        while len(self._printed) >= _REMEMBERED:
            del self._printed[next(iter(self._printed))]
        self._printed[checkin.checkin_id] = times + 1
        printed = await self.print(checkin, language)
        if printed is False:  # no paper was used
            self._printed[checkin.checkin_id] = times
        return printed

    async def mind(self, pause: float = 15.0) -> None:
        """Ask the printer for its state for ever, with *pause* seconds between."""
        while True:
            self._see(await self._printer.state())
            await asyncio.sleep(pause)

    async def close(self) -> None:
        """Let go of the printer."""
        await self._printer.close()

    def _see(self, state: PrinterState) -> None:
        self.state = state
        self._changed(state)
