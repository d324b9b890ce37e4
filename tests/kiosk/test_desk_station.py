"""A desk beside the kiosk: its own person, its own lane, typed people, and the same refusals (issue 8, 6)."""

import pytest

from kiosk.config import parse
from kiosk.desk_station import DeskStation
from kiosk.errors import ConfigError
from kiosk.model import Lane, Method
from kiosk.staff_entry import Entry, StaffRefusal
from kiosk.station_model import StationBusy
from kiosk.tables import audit
from tests.kiosk.world import GENERAL, PEOPLE, World, insurance_card, qr, tables


def desk(world: World) -> DeskStation:
    return world.parts.desks[0]


async def desk_view(world: World, wanted: str) -> dict[str, object]:
    async for state in desk(world).changes():
        if state["screen"]["view"] == wanted:
            return dict(state["screen"])
    raise AssertionError("the desk ended")


async def test_desk_and_kiosk_serve_different_people_at_the_same_time(world: World):
    await world.station.scan(qr(1))
    await desk(world).scan(qr(4), typed=False)
    assert (world.screen["view"], desk(world).phase) == ("confirm", "confirm")
    assert desk(world).state()["screen"]["name"] != world.screen["name"]
    with pytest.raises(StationBusy):
        await desk(world).scan(qr(12))
    await desk(world).answer(desk(world).checkin_id, "confirm")
    await desk_view(world, "choose_service")
    await desk(world).answer(desk(world).checkin_id, "service", service_id=GENERAL)
    await desk_view(world, "done")
    checkin = await world.newest()
    assert (checkin.station, checkin.lane, checkin.holder_check) == ("desk-1", Lane.DESK, "staff")
    events = await world.events()
    assert {(each["kind"], each["lane"], each["method"]) for each in events} == {
        ("lookup", "desk", "QR_CCCD"),
        ("visit", "desk", "QR_CCCD"),
    }
    assert world.screen["view"] == "confirm", "the kiosk's person still stands there"


async def test_a_typed_person_is_not_asked_about_again_and_who_typed_is_kept(world: World):
    person = PEOPLE[1]
    entry = Entry(str(person.citizen_id), person.name.title(), "02/09/1990")
    checkin_id = await desk(world).enter(entry, "lan")
    await desk_view(world, "choose_service")
    await desk(world).answer(checkin_id, "service", service_id=GENERAL)
    await desk_view(world, "done")
    checkin = await world.get(checkin_id)
    assert (checkin.method, checkin.lane) == (Method.MANUAL_ID, Lane.DESK)
    rows = await world.parts.store.read(lambda c: c.execute(audit.select()).all())
    assert [(row.who, row.action, row.detail) for row in rows] == [("lan", "entered", {"key_kind": "PERSONAL_12"})]
    assert await desk(world).enter(entry, "lan") == checkin_id, "the same day, the same number"
    assert desk(world).state()["screen"]["again"] is True


@pytest.mark.parametrize(
    ("entry", "code"),
    [
        (Entry("12"), "BAD_NUMBER"),
        (Entry("099190000998"), "NAME_AND_BIRTH_DATE_NEEDED"),
        (Entry("099190000998", "Thử Nghiệm", "31/02/1990"), "BAD_DATE"),
    ],
)
async def test_what_is_typed_wrong_opens_nothing(world: World, entry: Entry, code: str):
    with pytest.raises(StaffRefusal) as refused:
        await desk(world).enter(entry, "lan")
    assert (refused.value.code, desk(world).phase, await world.all()) == (code, "idle", [])


async def test_nobody_is_typed_over_the_person_who_stands_there(world: World):
    await desk(world).scan(qr(1))
    with pytest.raises(StationBusy):
        await desk(world).enter(Entry("099150000004", "Võ Thị Mô Phỏng", "20/10/1950"), "lan")
    assert len(await world.all()) == 1


async def test_the_person_of_the_kiosk_has_the_same_number_at_the_desk(world: World):
    number = (await world.register(1)).number
    await desk(world).scan(qr(1))
    shown = await desk_view(world, "done")
    assert (shown["again"], shown["ticket"]["number"]) == (True, number)  # type: ignore[index]


def test_names_of_desks_are_their_own(tmp_path):
    values = tables(tmp_path, "http://127.0.0.1:1", "http://127.0.0.1:2")
    assert parse(values).staff.desks == ("desk-1",)
    for wrong in (["a", "a"], ["kiosk-1"], ["quầy"]):
        with pytest.raises(ConfigError, match="desks"):
            parse(values | {"staff": {"desks": wrong}})


async def test_a_child_before_a_clerk_is_the_clerks_and_not_confirmed_leaves_an_empty_desk(world: World):
    await desk(world).scan(insurance_card(2))
    await desk_view(world, "confirm")
    assert (await world.newest()).lane is Lane.DESK
    await desk(world).answer(desk(world).checkin_id, "reject")
    await desk_view(world, "idle")
