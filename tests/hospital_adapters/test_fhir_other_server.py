"""The FHIR adapter beside a FHIR server of another maker."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from hospital_adapters.fhir import FhirAdapter
from kiosk.hospital_model import Encounter, MatchedBy, MatchKind, PatientRef
from kiosk.model import PartialDate
from tests.contracts.hospital import RemoteAdapterContract
from tests.hospital_adapters.fhir_peer import (
    CARD,
    CARD_SYSTEM,
    CHECKIN,
    CITIZEN,
    DAY,
    OLD,
    adapter_for,
    patient,
    person,
    visit,
    with_card,
)
from tests.peers.fhir_server import PeerServer, started

BEFORE = (
    patient("P1", {CITIZEN: "099000000000"}, "Lý Thị Khác"),
    {
        "resourceType": "Encounter",
        "id": "V1",
        "status": "arrived",
        "class": {"code": "AMB"},
        "subject": {"reference": "Patient/P1"},
    },
)


class OtherPeer:
    """RemotePeer of the contract."""

    garbage = ("lose", "error", "html", "truncated")
    secrets = ("0991900", "VĂN THỬ", "Văn Thử", "TRẦN THỊ MẪU", "GD49")

    def __init__(self, server: PeerServer) -> None:
        self._server = server
        self.adapter: FhirAdapter = adapter_for(server.url)
        self._client = httpx.AsyncClient(base_url=f"{server.url}/fhir/", trust_env=False, verify=False)

    def hold(self, *resources: dict[str, object]) -> None:
        self._server.reset(*BEFORE, *resources)

    async def close(self) -> None:
        await self.adapter.close()
        await self._client.aclose()

    def encounter(self, serial: int) -> Encounter:
        return visit(serial)

    async def count(self, kind: str, **search: str) -> int:
        form = {"_summary": "count", **search}
        found = (await self._client.post(f"{kind}/_search", data=form)).raise_for_status().json()
        return int(found.get("total") or 0)

    async def registered(self, checkin_id: str) -> int:
        return await self.count("Encounter", identifier=f"{CHECKIN}|{checkin_id}", **{"status:not": "cancelled"})

    async def go_away(self) -> None:
        await asyncio.to_thread(self._server.tell, "away")

    async def come_back(self) -> None:
        self._server.tell("back")

    async def refuse_next(self) -> None:
        self._server.tell("refuse")

    async def lose_next_answer(self) -> None:
        self._server.tell("lose")

    async def answer_next_with(self, garbage: str) -> None:
        self._server.tell(f"any {garbage}")


@pytest.fixture(scope="module")
def server() -> Iterator[PeerServer]:
    with started("server.mjs", "0") as told:
        yield PeerServer(told)


@pytest.fixture
async def peer(server: PeerServer) -> AsyncIterator[OtherPeer]:
    server.reset(*BEFORE)
    made = OtherPeer(server)
    yield made
    await made.close()


class TestContract(RemoteAdapterContract):
    pass


async def test_person_and_card_are_made_once(peer: OtherPeer) -> None:
    first = await peer.adapter.push(with_card(visit(1)))
    again = await peer.adapter.push(with_card(visit(1)))
    second = await peer.adapter.push(with_card(visit(2, identity=person(1))))
    assert again == first and second.visit_id != first.visit_id
    assert await peer.count("Patient", identifier=f"{CITIZEN}|099190000001") == 1
    assert await peer.count("Coverage", identifier=f"{CARD_SYSTEM}|{CARD.number}") == 1
    found = dict(await peer.adapter.find_visits(person(1), None, DAY))
    assert set(found) == {visit(1).checkin_id, visit(2).checkin_id}


async def test_people_are_found_by_each_number_and_suggested_by_name(peer: OtherPeer) -> None:
    peer.hold(
        patient("P7", {OLD: "099000101"}, "ĐẶNG VĂN THỬ 1", birthDate="1990-09-02"),
        patient("P8", {CITIZEN: "099190000002"}, "Đặng Văn Thử 2", birthDate="1990"),
    )
    by_old = await peer.adapter.find_patient(person(1, old_id="099000101"))
    assert (by_old.kind, by_old.ref, by_old.matched_by) == (MatchKind.ONE, PatientRef("P7", None), MatchedBy.OLD_ID)
    assert (await peer.adapter.find_patient(person(2))).ref == PatientRef("P8", None)
    assert [row.ref.id for row in await peer.adapter.suggest(person(1))] == ["P7"]
    year_alone = person(2, birth_date=PartialDate(1990))
    assert [row.ref.id for row in await peer.adapter.suggest(year_alone)] == ["P8"]


async def test_an_amended_visit_has_a_new_version_and_one_card(peer: OtherPeer) -> None:
    receipt = await peer.adapter.push(visit(1))
    for _ in range(2):
        await peer.adapter.amend(receipt, with_card(visit(1)))
    assert await peer.count("Coverage", identifier=f"{CARD_SYSTEM}|{CARD.number}") == 1
    await peer.adapter.cancel(receipt, "left")
    await peer.adapter.cancel(receipt, "left")
    assert await peer.registered(visit(1).checkin_id) == 0
