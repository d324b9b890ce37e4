"""A hospital system that gives the queue number some time after the visit is registered."""

from collections.abc import AsyncIterator

import pytest

from kiosk import later_number
from tests.kiosk.world import World, plug_in, until


@pytest.fixture
async def world(tmp_path, start, monkeypatch) -> AsyncIterator[World]:
    monkeypatch.setattr(later_number, "_PAUSES", (0.05, 0.1))
    async with (
        plug_in(tmp_path / "site", "slow", "tests.kiosk.plugins:slow"),
        start(hospital={"adapter": "slow"}) as running,
    ):
        yield running


async def accepted(world: World, person: int = 1):
    await world.identify(person)
    shown = await world.choose("NOI-BHYT")
    assert shown["ticket"]["issued_by"] == "kiosk"
    return await world.newest()


async def test_the_number_is_found_when_it_comes_and_joins_the_kiosks_own(world):
    checkin = await accepted(world)
    assert (checkin.hospital_state, checkin.number, checkin.staff_reason) == ("accepted", "K-001", None)
    world.checkins.hospital.numbers[checkin.checkin_id] = "A017"
    after = await world.becomes(checkin.checkin_id, his_number="A017")
    assert (after.kiosk_number, after.receipt.tickets[0].room) == ("K-001", "Phòng 3")
    assert (await world.row("number")).state == "done"


async def test_a_visit_that_the_hospital_refuses_later_is_told_to_staff(world):
    checkin = await accepted(world)
    world.checkins.hospital.refused.add(checkin.checkin_id)
    after = await world.becomes(checkin.checkin_id, staff_reason="refused_later")
    assert (after.hospital_state, after.number) == ("accepted", "K-001")
    assert (await world.row("number")).state == "done"


async def test_a_number_that_does_not_come_delays_no_visit_and_ends_with_the_day(world):
    first = await accepted(world)
    await world.leave()
    world.checkins.hospital.away = True
    second = await accepted(world, 6)
    assert (second.hospital_state, second.number) == ("accepted", "K-002")

    async def tried() -> bool:
        return all(row.attempts >= 2 for row in await world.rows("number"))

    await until(tried)
    world.clock.forward(days=1)

    async def ended() -> bool:
        return all(row.state == "done" for row in await world.rows("number"))

    await until(ended)
    assert (await world.get(first.checkin_id)).number == "K-001"
    assert await world.staff_list() == {}


async def test_a_visit_that_was_cancelled_is_looked_for_no_more(world):
    checkin = await accepted(world)
    await world.store.run(lambda c: later_number.records.update(c, checkin.checkin_id, closed_reason="cancelled"))

    async def ended() -> bool:
        return (await world.row("number")).state == "done"

    await until(ended)
    assert (await world.get(checkin.checkin_id)).his_number is None
