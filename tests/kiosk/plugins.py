"""Hospital adapters that a test installs as plug-ins."""

from collections.abc import Mapping
from typing import Any

from hospital_adapters.dry_run import DryRunAdapter
from kiosk.errors import HospitalOutcomeUnknown
from kiosk.hospital_model import Capabilities, Encounter, Idempotency, QueueNumber, Receipt
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


def faulty(settings: Mapping[str, Any], context: AdapterContext) -> Faulty:
    return Faulty()


def forgetful(settings: Mapping[str, Any], context: AdapterContext) -> Forgetful:
    return Forgetful()
