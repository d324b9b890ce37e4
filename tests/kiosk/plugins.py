"""Hospital adapters that a test installs as plug-ins."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from hospital_adapters.dry_run import DryRunAdapter
from kiosk.errors import HospitalError, HospitalOutcomeUnknown, HospitalUnavailable
from kiosk.hospital_model import (
    Appointment,
    Candidate,
    Capabilities,
    Encounter,
    Idempotency,
    MatchKind,
    PatientMatch,
    PatientRef,
    QueueNumber,
    Receipt,
    Service,
    TicketLine,
)
from kiosk.model import Identity
from kiosk.ports import AdapterContext


class Faulty(DryRunAdapter):
    """Leaks a foreign error, text and all."""

    async def push(self, encounter: Encounter) -> Receipt:
        raise KeyError(encounter.identity.full_name)


class Forgetful(DryRunAdapter):
    """Can amend, but the answer to an amendment is always lost; nothing tells what became of it."""

    capabilities = Capabilities(
        menu=True, amend=True, idempotency=Idempotency.NONE, queue_number=QueueNumber.IN_RECEIPT
    )

    async def amend(self, receipt: Receipt, encounter: Encounter) -> Receipt:
        raise HospitalOutcomeUnknown("forgetful.lost")


class Slow(DryRunAdapter):
    """Gives each visit its number only when ``numbers`` says so; nobody else's is ever given."""

    capabilities = Capabilities(
        menu=True, history=True, amend=True, idempotency=Idempotency.KEY, queue_number=QueueNumber.LATER
    )

    def __init__(self) -> None:
        super().__init__()
        self.numbers: dict[str, str] = {}
        self.refused: set[str] = set()
        self.away = False

    async def push(self, encounter: Encounter) -> Receipt:
        return replace(await super().push(encounter), tickets=())

    async def find_visits(
        self, identity: Identity, ref: PatientRef | None, day: date
    ) -> tuple[tuple[str, Receipt], ...]:
        if self.away:
            raise HospitalUnavailable("slow.away")
        found = await super().find_visits(identity, ref, day)
        return tuple((i, replace(receipt, tickets=self._ticket(i), refused=i in self.refused)) for i, receipt in found)

    def _ticket(self, checkin_id: str) -> tuple[TicketLine, ...]:
        number = self.numbers.get(checkin_id)
        return (TicketLine(number, "Phòng 3", "Khoa Nội"),) if number else ()


class Booked(DryRunAdapter):
    """Knows appointments, people of the same name, and how to withdraw a visit; each fails when told."""

    capabilities = replace(DryRunAdapter.capabilities, appointments=True, suggest=True, cancel=True, find_patient=True)

    def __init__(self) -> None:
        super().__init__()
        self.booked: tuple[Appointment, ...] = ()
        self.match = PatientMatch(MatchKind.NONE)
        self.same_name: tuple[Candidate, ...] = ()
        self.asked_with: list[str | None] = []
        self.pushed: list[Encounter] = []
        self.cancelled: list[tuple[str | None, str]] = []
        self.fail: HospitalError | None = None

    async def appointments(self, identity: Identity, day: date) -> tuple[Appointment, ...]:
        if self.fail is not None:
            raise self.fail
        return self.booked

    async def find_patient(self, identity: Identity, card: str | None = None) -> PatientMatch:
        self.asked_with.append(card)
        return self.match

    async def suggest(self, identity: Identity) -> tuple[Candidate, ...]:
        if self.fail is not None:
            raise self.fail
        return self.same_name

    async def push(self, encounter: Encounter) -> Receipt:
        self.pushed.append(encounter)
        return await super().push(encounter)

    async def cancel(self, receipt: Receipt, reason: str) -> None:
        if self.fail is not None:
            raise self.fail
        self.cancelled.append((receipt.visit_id, reason))


class Roomless(DryRunAdapter):
    """Has no menu."""

    capabilities = replace(DryRunAdapter.capabilities, menu=False)


def roomless(settings: Mapping[str, Any], context: AdapterContext) -> Roomless:
    return Roomless()


def booked(settings: Mapping[str, Any], context: AdapterContext) -> Booked:
    return Booked()


def slow(settings: Mapping[str, Any], context: AdapterContext) -> Slow:
    return Slow()


def faulty(settings: Mapping[str, Any], context: AdapterContext) -> Faulty:
    return Faulty()


def forgetful(settings: Mapping[str, Any], context: AdapterContext) -> Forgetful:
    return Forgetful()


class Attacked(Booked):
    """Answers as it is told: each person the same visit, refusals in hostile words, faults that no port allows.

    What became of a lost answer, nobody can say.
    """

    capabilities = replace(Booked.capabilities, history=False, idempotency=Idempotency.NONE)

    def __init__(self) -> None:
        super().__init__()
        self.answer: Receipt | None = None
        self.refusal: HospitalError | None = None
        self.bug: Exception | None = None
        self.amended: list[Encounter] = []

    async def push(self, encounter: Encounter) -> Receipt:
        if self.refusal is not None:
            raise self.refusal
        receipt = await super().push(encounter)
        return self.answer or receipt

    async def amend(self, receipt: Receipt, encounter: Encounter) -> Receipt:
        if self.fail is not None:
            raise self.fail
        self.amended.append(encounter)
        return receipt

    async def services(self, day: date) -> tuple[Service, ...]:
        if self.bug is not None:
            raise self.bug
        return await super().services(day)

    async def find_patient(self, identity: Identity, card: str | None = None) -> PatientMatch:
        if self.bug is not None:
            raise self.bug
        return await super().find_patient(identity, card)

    async def appointments(self, identity: Identity, day: date) -> tuple[Appointment, ...]:
        if self.bug is not None:
            raise self.bug
        return await super().appointments(identity, day)

    async def suggest(self, identity: Identity) -> tuple[Candidate, ...]:
        if self.bug is not None:
            raise self.bug
        return await super().suggest(identity)


def attacked(settings: Mapping[str, Any], context: AdapterContext) -> Attacked:
    return Attacked()
