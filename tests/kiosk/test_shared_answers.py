"""An answer that another station of the relay was given first: kept with its evidence, counted with the visit."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from kiosk.insurance.relay_wire import LOOKUP, Question
from kiosk.model import Moment
from kiosk.records import CheckIn
from kiosk.tables import gateway_answer, question
from tests.kiosk.relay_process import RelayProcess
from tests.kiosk.world import Gateway, Hospital, World, config_of, qr, running

OTHER, HERE = "kiosk-1", "kiosk-2"
_KEPT = (question, gateway_answer)


@pytest.fixture(scope="module")
def relay(tmp_path_factory: pytest.TempPathFactory, gateway_server: Gateway) -> Iterator[RelayProcess]:
    process = RelayProcess(tmp_path_factory.mktemp("facility"), gateway_server.url, (OTHER, HERE), tls=False).start()
    yield process
    process.stop()


@pytest.fixture
async def here(tmp_path: Path, relay: RelayProcess, gateway: Gateway, hospital: Hospital) -> AsyncIterator[World]:
    """One of the two stations."""
    (tmp_path / f"key-{HERE}").write_text(relay.keys[HERE])
    tables = {
        "station": {"id": HERE, "facility": "93002", "data": str(tmp_path / "data")},
        "insurance": relay.table(HERE, connect_timeout=1, total_timeout=5),
    }
    async with running(config_of(tmp_path, gateway, hospital, **tables), tmp_path, gateway, hospital) as world:
        yield world


async def asked_first_elsewhere(world: World, relay: RelayProcess, person: int) -> CheckIn:
    """Somebody stands here whom the other station asked about a moment ago."""
    await world.station.scan(qr(person))
    await world.view("confirm")
    checkin = await world.newest()
    assert checkin.lookup_key is not None
    body = Question.of(checkin.lookup_key, world.today(), Moment.ARRIVAL, 5)
    with relay.client(OTHER) as client:
        client.post(LOOKUP, content=body.model_dump_json(), headers={"Content-Type": "application/json"})
    await world.answer("confirm")
    await world.view("choose_service")
    return await world.newest()


async def test_the_answer_is_kept_with_its_evidence_and_is_no_lookup_of_this_station(
    here: World, relay: RelayProcess, gateway: Gateway
) -> None:
    checkin = await asked_first_elsewhere(here, relay, 1)
    assert checkin.status == "insured"
    assert checkin.answer_origin == "remembered"
    assert checkin.lookup_receipt is not None
    assert len(gateway.lookups()) == 1
    assert await here.events() == []
    kept = await here.store.read(
        lambda c: [c.execute(sa.select(sa.func.count()).select_from(table)).scalar_one() for table in _KEPT]
    )
    assert kept == [1, 1]


async def test_a_visit_that_rests_on_it_takes_the_lookup_over(here: World, relay: RelayProcess) -> None:
    checkin = await asked_first_elsewhere(here, relay, 3)
    await here.choose()
    events = await here.events()
    assert [(event["kind"], event["checkin_id"]) for event in events] == [
        ("lookup", checkin.checkin_id),
        ("visit", checkin.checkin_id),
    ]
    assert events[0]["reached_gateway"] is True
    assert events[0]["result_code"] == "000"


async def test_a_visit_with_a_lookup_of_its_own_takes_none_over(here: World) -> None:
    await here.register(4)
    assert [event["kind"] for event in await here.events()] == ["lookup", "visit"]
