"""The same person at another station just before: staff see it, nobody is refused."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest

from kiosk.seen_elsewhere import seen_at_view
from kiosk.staffwork import DESK, Entry, StaffWork
from kiosk.station_model import Timings
from kiosk.stations import Station
from kiosk.web import staff_view
from tests.kiosk.world import PEOPLE, STATION, World, qr


@pytest.fixture
async def other(world: World) -> AsyncIterator[Station]:
    """A second station on the same store, with nobody at it in the end."""
    station = Station("desk-2", world.checkins, world.clock, Timings(), simulated=True)
    yield station
    if station.checkin_id is not None:
        await station.answer(station.checkin_id, "cancel")


async def seen(world: World, checkin_id: str | None) -> tuple[str, datetime] | None:
    checkin = await world.get(str(checkin_id))
    view = seen_at_view(checkin.seen_at)
    return None if view is None else (view["station"], datetime.fromisoformat(view["at"]))


async def test_whoever_comes_to_another_station_within_five_minutes_is_told_to_staff(world: World, other: Station):
    first = await world.station.scan(qr(1))
    world.clock.forward(minutes=4, seconds=50)
    second = await other.scan(qr(1))
    assert second != first and other.phase == "confirm", "nobody is refused"
    assert await seen(world, first) is None
    assert await seen(world, second) == (STATION, (await world.get(str(first))).happened_at)
    checkin = await world.get(str(second))
    [view] = await world.store.read(lambda c: staff_view.views(c, [checkin]))
    assert view["seen_at"]["station"] == STATION and view["document"] == "CCCD_QR"


async def test_after_five_minutes_it_is_no_news(world: World, other: Station):
    await world.station.scan(qr(1))
    world.clock.forward(minutes=5, seconds=10)
    assert await seen(world, await other.scan(qr(1))) is None


async def test_another_person_and_the_same_station_are_no_news(world: World, other: Station):
    await world.station.scan(qr(1))
    assert await seen(world, await other.scan(qr(13))) is None
    await world.answer("reject")
    await world.view("idle")
    assert await seen(world, await world.station.scan(qr(1))) is None


async def test_the_passage_of_today_is_shown_again_and_not_marked(world: World, other: Station):
    checkin = await world.register(1)
    assert await other.scan(qr(1)) == checkin.checkin_id
    assert other.state()["screen"]["again"] is True
    assert await seen(world, checkin.checkin_id) is None
    assert len(await world.all()) == 1


async def test_another_examination_at_another_station_is_marked(world: World, other: Station):
    first = await world.register(1)
    await other.scan(qr(1))
    await other.answer(first.checkin_id, "another_examination")
    assert await seen(world, other.checkin_id) == (STATION, first.happened_at)


async def test_who_left_with_the_answer_and_goes_on_elsewhere_is_marked(world: World, other: Station):
    await world.identify(1)
    first = str(world.station.checkin_id)
    await world.answer("cancel")
    await world.becomes(first, state="abandoned")
    world.clock.forward(minutes=1)
    assert await other.scan(qr(1)) == first
    moved = await world.get(first)
    assert moved.station == "desk-2"
    assert await seen(world, first) == (STATION, moved.happened_at)


async def test_what_staff_enter_has_a_station_of_its_own(world: World):
    await world.station.scan(qr(1))
    await world.answer("reject")
    await world.view("idle")
    entry = Entry(str(PEOPLE[1].citizen_id), "Trần Thị Mẫu", "1990-09-02")
    entered, new = await StaffWork(world.checkins).enter(entry, "lan")
    assert new and entered.station == DESK
    told = await seen(world, entered.checkin_id)
    assert told is not None and told[0] == STATION


async def test_a_clock_that_was_set_back_marks_nobody(world: World, other: Station):
    await world.station.scan(qr(1))
    world.clock.shift -= timedelta(minutes=3)
    assert await seen(world, await other.scan(qr(1))) is None
