"""One person, one visit across the stations of a facility: what the check-in asks of the register, and tells it.

The register is the relay's. Without one, or while it is away, each station goes by what it knows itself; what was
accepted meanwhile is told later, and a person with two visits is put on the staff list.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from kiosk import outbox_table, records
from kiosk.errors import RegisterUnavailable
from kiosk.hospital_model import Receipt, Service, TicketLine
from kiosk.ports import VisitRegister
from kiosk.records import CheckIn
from kiosk.register_model import Elsewhere, Handed, Passage

ALSO_ELSEWHERE: Final = "also_at_another_station"
"""Staff reason of a person whom another station accepted too."""
_POLL_SECONDS: Final = 0.5


class NoRegister:
    """``kiosk.ports.VisitRegister`` of a facility without a relay."""

    shared = False

    async def find(self, passage: Passage) -> Elsewhere | None:
        """Nobody knows."""
        return None

    async def claim(self, passage: Passage) -> Elsewhere | None:
        """Nobody else can have it."""
        return None

    async def accepted(self, passage: Passage, ticket: Handed) -> Elsewhere | None:
        """Nobody need be told."""
        return None

    async def ended(self, checkin_id: str) -> None:
        """Nobody need be told."""

    async def close(self) -> None:
        """Nothing to release."""


NO_REGISTER: Final = NoRegister()


@dataclass(frozen=True, slots=True)
class AcrossStations:
    """The check-in's view of the register. ``wait``: seconds for the number that another station is about to give."""

    register: VisitRegister = NO_REGISTER
    wait: float = 8.0

    async def claim(self, checkin: CheckIn, *, another: bool) -> Elsewhere | None:
        """Take the person's visit for *checkin*: None when it is ours, else who has it, with the ticket if it comes."""
        if checkin.state == "accepted":
            return None
        passage = passage_of(checkin, another=another)
        ends = time.monotonic() + self.wait
        taken = await self.register.claim(passage)
        while taken is not None and taken.ticket is None and time.monotonic() < ends:
            await asyncio.sleep(_POLL_SECONDS)
            taken = await self.register.claim(passage)
        return taken

    async def forget(self, checkin_id: str) -> None:
        """*checkin_id* was nobody's; the register forgets it by itself within two days if it cannot be told now."""
        with contextlib.suppress(RegisterUnavailable):
            await self.register.ended(checkin_id)

    def tell(self, connection: sa.Connection, checkin_id: str, now: datetime, *, another: bool = False) -> None:
        """Let the register know, by the outbox, how *checkin_id* stands now."""
        if self.register.shared:
            kind = "another" if another else "told"
            outbox_table.enqueue(connection, outbox_table.REGISTER, kind, checkin_id, now)

    def tell_again(self, connection: sa.Connection, checkin_id: str, now: datetime) -> None:
        """What was told of *checkin_id*, if anything, has changed since."""
        told = outbox_table.of_ref(connection, outbox_table.REGISTER, checkin_id)
        if told is not None and told.state != "waiting":
            outbox_table.enqueue(connection, outbox_table.REGISTER, told.kind, checkin_id, now)


def passage_of(checkin: CheckIn, *, another: bool = False) -> Passage:
    """*checkin* as the register knows it, under all numbers of the person that are known by now."""
    numbers = (checkin.key_number, checkin.identity.personal_id, checkin.coverage.number if checkin.coverage else None)
    known = tuple(dict.fromkeys(number for number in numbers if number))
    return Passage(checkin.checkin_id, checkin.day, known, checkin.identity, another)


def handed(checkin: CheckIn) -> Handed | None:
    """The ticket of *checkin* for other stations to show; None before it has a number."""
    if checkin.number is None:
        return None
    line = checkin.receipt.tickets[0] if checkin.receipt and checkin.receipt.tickets else None
    return Handed(
        number=checkin.number,
        issued_by="his" if checkin.his_number else "kiosk",
        service=checkin.service.name if checkin.service else None,
        department=checkin.service.department if checkin.service else None,
        room=line.room if line else None,
        status=checkin.status,
        lookup_receipt=checkin.lookup_receipt,
    )


def seen_there(elsewhere: Elsewhere | None) -> str | None:
    """Where and when, as ``checkin.seen_at`` holds it."""
    return None if elsewhere is None else f"{elsewhere.station} {elsewhere.at.isoformat()}"


def existing(connection: sa.Connection, checkin_id: str) -> CheckIn:
    """One check-in by id; LookupError if there is none."""
    checkin = records.get(connection, checkin_id)
    if checkin is None:
        raise LookupError("no such check-in")
    return checkin


def give_way(connection: sa.Connection, checkin_id: str, elsewhere: Elsewhere) -> CheckIn:
    """Give *checkin_id* up for the same person's passage at another station."""
    records.update(connection, checkin_id, state="abandoned", seen_at=seen_there(elsewhere))
    return existing(connection, checkin_id)


def shown_as(checkin: CheckIn, ticket: Handed) -> CheckIn:
    """*checkin* with the ticket of another station in its place, for the screen; nothing of it is stored."""
    service = None
    if ticket.service is not None:
        department = ticket.department or ""
        service = Service("", "", ticket.service, "", department, "", insured=ticket.status is not None)
    line = TicketLine(ticket.number, ticket.room, ticket.department)
    return replace(
        checkin,
        his_number=ticket.number if ticket.issued_by == "his" else None,
        kiosk_number=ticket.number if ticket.issued_by != "his" else None,
        receipt=Receipt(tickets=(line,)),
        service=service,
        status=ticket.status,
        eligibility=None,
        lookup_receipt=ticket.lookup_receipt,
        hospital_state=None,
    )
