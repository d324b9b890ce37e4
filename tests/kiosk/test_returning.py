"""People who were here before: their appointment and last room first, and the question for papers where it matters."""

from collections.abc import AsyncIterator

import pytest

from kiosk.errors import HospitalUnavailable
from kiosk.hospital_model import Appointment, Slip
from tests.kiosk.world import World, plug_in

AT_ANOTHER_PLACE = 3


@pytest.fixture
async def world(tmp_path, start) -> AsyncIterator[World]:
    async with (
        plug_in(tmp_path / "site", "booked", "tests.kiosk.plugins:booked"),
        start(hospital={"adapter": "booked"}) as running,
    ):
        yield running


async def test_an_appointment_of_today_stands_first_and_is_kept(world):
    today = world.today()
    world.checkins.hospital.booked = (Appointment("H7", today, "NHI-BHYT"), Appointment("H8", today, "GONE"))
    screen = await world.identify(1)
    assert [(p["id"], p["why"], p["name"]) for p in screen["proposals"]] == [
        ("appointment:H7", "appointment", "Khám Nhi")
    ]
    await world.choose("appointment:H7")
    checkin = await world.newest()
    assert (checkin.follows, checkin.service.id) == ("H7", "NHI-BHYT")
    assert world.checkins.hospital.pushed[0].follows == "H7"


async def test_the_last_room_is_proposed_to_the_same_person_alone(world):
    assert "proposals" not in await world.identify(1)
    await world.choose("NHI-BHYT")
    await world.leave()
    world.clock.forward(days=3)
    assert "proposals" not in await world.identify(6)
    await world.leave_open()
    screen = await world.identify(1)
    assert [(p["id"], p["why"]) for p in screen["proposals"]] == [("NHI-BHYT", "last_time")]
    await world.choose("NHI-BHYT")
    checkin = await world.newest()
    assert (checkin.follows, checkin.hospital_state) == (None, "accepted")


async def test_a_hospital_that_cannot_say_keeps_nobody_waiting(world):
    world.checkins.hospital.fail = HospitalUnavailable("test.away")
    screen = await world.identify(1)
    assert screen["view"] == "choose_service" and "proposals" not in screen


@pytest.mark.parametrize("slip", list(Slip))
async def test_papers_are_asked_for_of_those_who_are_registered_elsewhere(world, slip):
    screen = await world.identify(AT_ANOTHER_PLACE)
    assert (screen["view"], screen["asks_slip"]) == ("choose_service", True)
    await world.answer("service", value=slip.value)
    screen = world.screen
    assert screen["view"] == "choose_service" and "asks_slip" not in screen
    await world.choose("NOI-BHYT")
    assert (await world.newest()).slip is slip
    assert world.checkins.hospital.pushed[0].slip is slip


async def test_who_does_not_answer_is_registered_all_the_same(world):
    await world.identify(AT_ANOTHER_PLACE)
    await world.choose("NOI-BHYT")
    checkin = await world.newest()
    assert (checkin.slip, checkin.hospital_state) == (None, "accepted")


async def test_nobody_who_is_registered_here_is_asked(start, tmp_path):
    accepted = {"since": "2026-01-01", "accepted": ["99002"], "level": "basic"}
    async with start(route=[accepted]) as world:
        assert "asks_slip" not in await world.identify(1)
        await world.leave_open()
        assert "asks_slip" not in await world.identify(AT_ANOTHER_PLACE)
    async with start() as world:
        world.gateway.mode("http_500_html", endpoint="*")
        assert "asks_slip" not in await world.identify(19), "nobody knows where they are registered"


async def test_a_fixed_room_is_taken_without_a_choice(tmp_path, start):
    room = {"id": "7", "name": "Phòng khám 7", "department": "Khoa Khám bệnh"}
    async with (
        plug_in(tmp_path / "site", "roomless", "tests.kiosk.plugins:roomless"),
        start(hospital={"adapter": "roomless"}, service=[room]) as world,
    ):
        screen = await world.identify(1)
        assert screen["view"] == "done"
        assert (await world.newest()).service.id == "7"
        await world.leave()
        screen = await world.identify(AT_ANOTHER_PLACE)
        assert screen["asks_slip"] is True
        await world.answer("service", value="none")
        assert (await world.view("done"))["ticket"]["department"] == "Khoa Khám bệnh"
