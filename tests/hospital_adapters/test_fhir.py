"""The FHIR adapter beside a strict FHIR server."""

from collections.abc import AsyncIterator

import pytest

from simulators.fhir_server import Settings
from tests.contracts.hospital import RemoteAdapterContract
from tests.hospital_adapters.fhir_peer import QUEUE, VISIT, FhirPeer

ROOMS = (
    {"resourceType": "Location", "id": "L1", "name": "Phòng 101", "status": "active"},
    {"resourceType": "HealthcareService", "id": "H1", "name": "Khám Nội", "location": [{"reference": "Location/L1"}]},
)


@pytest.fixture
async def peer() -> AsyncIterator[FhirPeer]:
    async with FhirPeer() as made:
        yield made


class TestContract(RemoteAdapterContract):
    pass


class TestContractWithEverything(RemoteAdapterContract):
    """A server that gives numbers, asks for a login, and offers all that the adapter can use."""

    @pytest.fixture
    async def peer(self) -> AsyncIterator[FhirPeer]:
        sim = Settings(client="kiosk:s:e cret/1", token_uses=3, visit_system=VISIT, queue_url=QUEUE)
        async with FhirPeer(
            sim,
            login=True,
            menu="healthcare_service",
            appointments=True,
            eligibility_response=True,
            queue_number="in_receipt",
            extensions={"queue_number": QUEUE},
            visit_count_query="date=ge{from}&date=lt{to}&status:not=cancelled&class=AMB",
            name_split="first",
            slip="reason",
        ) as made:
            made.garbage = ("http_401", "reset_after", "unknown_elements", "nulls", "odd_entries")
            for room in ROOMS:
                made.hold(room)
            yield made


class TestContractWithoutRepresentation(RemoteAdapterContract):
    """A server that sends back no resources, and wants searches in the URL."""

    @pytest.fixture
    async def peer(self) -> AsyncIterator[FhirPeer]:
        async with FhirPeer(Settings(representation=False, visit_system=VISIT), search="get") as made:
            made.garbage = ("http_401", "reset_after", "bare", "no_location")
            yield made
