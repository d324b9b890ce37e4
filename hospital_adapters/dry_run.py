"""A hospital system that is none: takes every visit, gives running numbers, keeps all in memory, sends nothing.

For trying a kiosk without a HIS. Numbers and visits are forgotten when the process ends.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from hospital_adapters.base import BaseAdapter
from kiosk.errors import ConfigError
from kiosk.hospital_model import (
    Availability,
    Capabilities,
    Encounter,
    Idempotency,
    PatientRef,
    QueueNumber,
    Receipt,
    Service,
    TicketLine,
)
from kiosk.model import Coverage, Identity, local_day
from kiosk.ports import AdapterContext

_DAYS_KEPT = 7


def _service(row_id: str, name: str, department: tuple[str, str], insured: bool, price: int) -> Service:
    return Service(
        id=row_id,
        code=row_id,
        name=name,
        department_id=department[0],
        department=department[1],
        exam_type="1" if insured else "2",
        insured=insured,
        price=Decimal(price),
        insurance_price=Decimal(price) if insured else None,
        available=Availability.YES,
    )


_GENERAL, _CHILDREN = ("NOI", "Khoa Nội"), ("NHI", "Khoa Nhi")
MENU = (
    _service("NOI-BHYT", "Khám Nội", _GENERAL, True, 45_000),
    _service("NHI-BHYT", "Khám Nhi", _CHILDREN, True, 45_000),
    _service("NOI-DV", "Khám Nội theo yêu cầu", _GENERAL, False, 150_000),
    _service("NHI-DV", "Khám Nhi theo yêu cầu", _CHILDREN, False, 150_000),
)


def create(settings: Mapping[str, Any], context: AdapterContext) -> DryRunAdapter:
    """Entry point ``dry_run``. There is nothing to set: ConfigError for any key."""
    for key in settings:
        raise ConfigError(f"hospital.{key}: unknown key, expected none for dry_run")
    return DryRunAdapter()


@dataclass(frozen=True, slots=True)
class _Visit:
    identity: Identity
    service_id: str
    receipt: Receipt
    coverage: Coverage | None
    lookup_receipt: str | None


class DryRunAdapter(BaseAdapter):
    """Accepts everything. A check-in id registers once a day; the last 7 days with visits are remembered."""

    capabilities = Capabilities(
        menu=True,
        history=True,
        new_patient=True,
        amend=True,
        idempotency=Idempotency.KEY,
        queue_number=QueueNumber.IN_RECEIPT,
    )

    def __init__(self) -> None:
        """Start with no visits."""
        self._days: dict[date, dict[str, _Visit]] = {}

    async def services(self, day: date) -> tuple[Service, ...]:
        """The built-in menu, the same every day: insured and self-pay examinations."""
        return MENU

    async def find_visits(
        self, identity: Identity, ref: PatientRef | None, day: date
    ) -> tuple[tuple[str, Receipt], ...]:
        """The visits of this identity on *day*, oldest first, as (check-in id, receipt)."""
        visits = self._days.get(day, {}).items()
        return tuple((checkin_id, visit.receipt) for checkin_id, visit in visits if visit.identity == identity)

    async def push(self, encounter: Encounter) -> Receipt:
        """Accept; numbers run from 1 per service and day in Vietnam. The same check-in id gets the same receipt."""
        day, service = local_day(encounter.happened_at), encounter.service
        visits = self._days.setdefault(day, {})
        if encounter.checkin_id not in visits:
            number = 1 + sum(visit.service_id == service.id for visit in visits.values())
            receipt = Receipt(
                visit_id=f"DRY{day:%Y%m%d}-{hashlib.sha256(encounter.checkin_id.encode()).hexdigest()[:8]}",
                tickets=(TicketLine(str(number), service.name, service.department),),
                amount=service.price,
            )
            visits[encounter.checkin_id] = _Visit(
                encounter.identity, service.id, receipt, encounter.coverage, encounter.lookup_receipt
            )
            for old in sorted(self._days)[:-_DAYS_KEPT]:
                del self._days[old]
        return visits[encounter.checkin_id].receipt

    async def amend(self, receipt: Receipt, encounter: Encounter) -> Receipt:
        """Take a later answer of the gateway into the visit; one that a restart has forgotten is taken anew."""
        known = await self.push(encounter)
        visits = self._days[local_day(encounter.happened_at)]
        visits[encounter.checkin_id] = replace(
            visits[encounter.checkin_id], coverage=encounter.coverage, lookup_receipt=encounter.lookup_receipt
        )
        return receipt if receipt.visit_id else known
