"""What the inside of the kiosk asks of the outside; implemented in readers, insurance and hospital_adapters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol

from kiosk.chip_model import ProviderOpinion
from kiosk.hospital_model import (
    Appointment,
    Candidate,
    Capabilities,
    DeskLookups,
    Encounter,
    HandOver,
    PatientMatch,
    PatientRef,
    Receipt,
    Service,
    VisitCount,
)
from kiosk.model import AdapterHealth, Eligibility, Identity, LookupKey, Moment, Officer
from kiosk.register_model import Elsewhere, Handed, Passage
from kiosk.ticket_model import PrinterState, Ticket


class CardConnection(Protocol):
    """One citizen card in front of one reader, from the moment it was laid down until it is gone.

    It may be used from any one thread at a time. Nothing but ``kiosk.emrtd.errors.ChipLost`` is raised. Once the card
    is gone, or after ``close``, every call raises it for ever: a later card is another connection. A connection that
    was used stays alive for a short, bounded time while its card has slipped; ``reset`` then goes on with the card
    that is back. Whether that is still the same card, only what follows can prove.
    """

    @property
    def card_type(self) -> str:
        """Hex of the answer to reset (PC/SC) or of what the card said at activation (PN532); the same in each card of
        a make, so what was learnt of its limits is kept under it. Never a serial number.
        """
        ...

    def transmit(self, apdu: bytes) -> bytes:
        """One command APDU in, data field and SW1 SW2 out. ChipLost: the chip has to be activated anew (``reset``)."""
        ...

    def reset(self) -> None:
        """Activate the chip afresh: every access right and secure channel is gone, as after laying it down anew.

        Waits a bounded time for a card that slipped; ChipLost when none came back, and then for ever.
        """
        ...

    def close(self) -> None:
        """Let go of the card; its removal is still reported. Never raises, may be called twice."""
        ...


class EligibilityGateway(Protocol):
    """Asks the insurer whether a person is covered (insurance-gateway.md)."""

    async def lookup(self, key: LookupKey, visit_day: date, moment: Moment = Moment.ARRIVAL) -> Eligibility:
        """Ask once, with the repeats the rules allow; always ends within the configured total.

        Never raises for a refusal, an outage or nonsense from the other side: those are classes of the answer.
        """
        ...

    async def check(self) -> AdapterHealth:
        """Probe address and account without any person's number."""
        ...

    async def close(self) -> None:
        """Release connections."""
        ...


class OfficerDuty(Protocol):
    """Who answers for lookups now (insurance-gateway.md 0, point 5). Called on the event loop; never blocks."""

    def current(self) -> Officer | None:
        """The officer to be named in the next lookup; None when there is none, or the insurer refused the one there is
        and nobody has changed anything since: then nothing may be asked.
        """
        ...

    def refused(self, officer: Officer, code: str) -> None:
        """The insurer answered 054 or 055 about *officer*: staff are told, and asking stops."""
        ...

    def accepted(self, officer: Officer) -> None:
        """The insurer answered a lookup in the name of *officer*."""
        ...


class VisitRegister(Protocol):
    """Who is being served where today, across the stations of a facility: one person, one visit."""

    @property
    def shared(self) -> bool:
        """Whether there is a register at all; without one nothing need be told."""
        ...

    async def find(self, passage: Passage) -> Elsewhere | None:
        """Leave word that somebody stands here; returns where else they stood or were accepted.

        None also when the register does not answer in time; never raises.
        """
        ...

    async def claim(self, passage: Passage) -> Elsewhere | None:
        """Take the person's visit of the day for this passage: the first who asks has it.

        Returns who has it, None when it is ours now or the register does not answer in time; never raises.
        """
        ...

    async def accepted(self, passage: Passage, ticket: Handed) -> Elsewhere | None:
        """Say that a visit was accepted; returns the same person's earlier one at another station, if there is one.

        RegisterUnavailable when the register did not take it.
        """
        ...

    async def ended(self, checkin_id: str) -> None:
        """Say that a passage came to nothing. RegisterUnavailable when the register did not take it."""
        ...

    async def close(self) -> None:
        """Release connections."""
        ...


class HospitalAdapter(Protocol):
    """Registers visits in one hospital system (his-kiosk-c06.md 12).

    All methods but ``check`` may raise HospitalUnavailable; ``push``, ``amend`` and ``cancel`` also
    HospitalOutcomeUnknown and HospitalRejected. Nothing else may be raised.
    """

    capabilities: Capabilities

    async def check(self) -> AdapterHealth:
        """Reachability, signature or login, clock skew; never raises."""
        ...

    async def services(self, day: date) -> tuple[Service, ...]:
        """The menu of *day* (capability ``menu``)."""
        ...

    async def find_patient(self, identity: Identity, card: str | None = None) -> PatientMatch:
        """Who is known under this identity's number, else its old number, else the insurance *card*'s number.

        The first of them that is known to the system decides; which one stands in ``matched_by``. A record of another
        name, birth year or sex is MISMATCH (capability ``find_patient``).
        """
        ...

    async def suggest(self, identity: Identity) -> tuple[Candidate, ...]:
        """At most ten people of the same name and birth date, for staff to choose from (capability ``suggest``)."""
        ...

    async def find_visits(
        self, identity: Identity, ref: PatientRef | None, day: date
    ) -> tuple[tuple[str, Receipt], ...]:
        """The visits of *day* that stand, as (our check-in id or "", receipt) pairs (capability ``history``).

        Where the queue number comes later, it is found here.
        """
        ...

    async def eligibility(self, key: LookupKey) -> Eligibility:
        """The hospital asks the gateway for us (capability ``eligibility``)."""
        ...

    async def appointments(self, identity: Identity, day: date) -> tuple[Appointment, ...]:
        """Unused follow-up appointments for *day* (capability ``appointments``)."""
        ...

    async def lookups(self, day: date) -> DeskLookups | None:
        """Lookups the hospital system made itself (capability ``lookups``)."""
        ...

    async def visit_count(self, day: date) -> VisitCount | None:
        """The denominator of the lookup rate (capability ``visit_count``)."""
        ...

    async def push(self, encounter: Encounter) -> Receipt:
        """Register the visit."""
        ...

    async def hand_over(self, encounter: Encounter) -> HandOver:
        """What a clerk enters for the visit (capability ``hand_over``)."""
        ...

    async def amend(self, receipt: Receipt, encounter: Encounter) -> Receipt:
        """Write a later answer of the gateway into a registered visit (capability ``amend``)."""
        ...

    async def cancel(self, receipt: Receipt, reason: str) -> None:
        """Withdraw a registered visit (capability ``cancel``)."""
        ...

    async def close(self) -> None:
        """Release connections."""
        ...


class ChipVerifier(Protocol):
    """Asks a licensed provider about the files of a chip (identity-documents.md 7.4)."""

    async def verify_chip(self, files: Mapping[str, bytes]) -> ProviderOpinion | None:
        """The provider's opinion of raw *files* by name ("DG1", "EF.SOD", ...), or None when it gave no usable one.

        Always ends within the configured time and never raises.
        """
        ...

    async def close(self) -> None:
        """Release connections."""
        ...


class TokenVerifier(Protocol):
    """Asks a licensed service whose changing VNeID code this is (identity-documents.md 3)."""

    async def verify_token(self, token: bytes) -> Identity | None:
        """The person behind *token*, exactly as it was scanned, or None when the service vouches for nobody.

        Asked once and never again for the same scan; the token is never logged. Raises TokenVerifierUnavailable when
        there was no usable answer; always ends within the configured time.
        """
        ...

    async def close(self) -> None:
        """Release connections."""
        ...


@dataclass(frozen=True)
class AdapterContext:
    """What a plug-in may know of its surroundings.

    ``secret(name)`` gives the text of a secret by the name or path in a ``*_file`` setting (ConfigError if absent).
    """

    facility: str
    secret: Callable[[str], str]


class HospitalAdapterFactory(Protocol):
    """The object an entry point of group ``hospital_adapters`` names."""

    def __call__(self, settings: Mapping[str, Any], context: AdapterContext) -> HospitalAdapter:
        """Build the adapter from the ``[hospital]`` table without its common keys; ConfigError names a wrong key."""
        ...


class TicketPrinter(Protocol):
    """Prints tickets. Neither call ever raises or outlasts its deadline: a dead printer is a state."""

    async def print(self, ticket: Ticket) -> PrinterState:
        """Print *ticket*; the state afterwards, whose ``prints`` says whether it came out."""
        ...

    async def state(self) -> PrinterState:
        """What the printer says of itself now; uses no paper."""
        ...

    async def close(self) -> None:
        """Let go of the printer."""
        ...


class Clock(Protocol):
    """Wall clock, injectable because days and expiries depend on it."""

    def __call__(self) -> datetime:
        """Now, aware, in UTC."""
        ...
