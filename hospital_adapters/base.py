"""What every adapter starts from: no capability, and a refusal for each method that it does not offer."""

from __future__ import annotations

from datetime import date

from kiosk.errors import HospitalRejected
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
from kiosk.model import AdapterHealth, Eligibility, Identity, LookupKey


def _unsupported(method: str) -> HospitalRejected:
    return HospitalRejected(f"adapter.no_{method}")


class BaseAdapter:
    """A HospitalAdapter that offers nothing; real ones override what their ``capabilities`` promise.

    Callers ask ``capabilities`` first, so these refusals are seen only when a caller is wrong; they still are
    errors of our own tree, so that the outbox parks the row instead of losing it.
    """

    capabilities = Capabilities()

    async def check(self) -> AdapterHealth:
        """Nothing to reach."""
        return AdapterHealth(ok=True)

    async def services(self, day: date) -> tuple[Service, ...]:
        """Refused: no ``menu``."""
        raise _unsupported("menu")

    async def find_patient(self, identity: Identity, card: str | None = None) -> PatientMatch:
        """Refused: no ``find_patient``."""
        raise _unsupported("find_patient")

    async def suggest(self, identity: Identity) -> tuple[Candidate, ...]:
        """Refused: no ``suggest``."""
        raise _unsupported("suggest")

    async def find_visits(
        self, identity: Identity, ref: PatientRef | None, day: date
    ) -> tuple[tuple[str, Receipt], ...]:
        """Refused: no ``history``."""
        raise _unsupported("history")

    async def eligibility(self, key: LookupKey) -> Eligibility:
        """Refused: no ``eligibility``."""
        raise _unsupported("eligibility")

    async def appointments(self, identity: Identity, day: date) -> tuple[Appointment, ...]:
        """Refused: no ``appointments``."""
        raise _unsupported("appointments")

    async def lookups(self, day: date) -> DeskLookups | None:
        """Refused: no ``lookups``."""
        raise _unsupported("lookups")

    async def visit_count(self, day: date) -> VisitCount | None:
        """Refused: no ``visit_count``."""
        raise _unsupported("visit_count")

    async def push(self, encounter: Encounter) -> Receipt:
        """Refused: every real adapter overrides this."""
        raise _unsupported("push")

    async def hand_over(self, encounter: Encounter) -> HandOver:
        """Refused: no ``hand_over``."""
        raise _unsupported("hand_over")

    async def amend(self, receipt: Receipt, encounter: Encounter) -> Receipt:
        """Refused: no ``amend``."""
        raise _unsupported("amend")

    async def cancel(self, receipt: Receipt, reason: str) -> None:
        """Refused: no ``cancel``."""
        raise _unsupported("cancel")

    async def close(self) -> None:
        """Nothing to release."""
