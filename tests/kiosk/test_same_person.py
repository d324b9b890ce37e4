"""A number alone opens nothing: tickets, answers and places belong to a whole person (invariants 3 and 6)."""

import asyncio

import pytest

from kiosk.model import Identity, PartialDate, Sex
from kiosk.records import same_person
from kiosk.staffwork import Entry, StaffRefusal, StaffWork
from tests.kiosk.world import World, qr


def forged(person: int) -> bytes:
    """A code with the person's number and another's name."""
    fields = qr(person).decode().split("|")
    return "|".join([*fields[:2], "Kẻ Lạ Mặt", *fields[3:]]).encode()


async def test_a_strangers_code_with_a_known_number_sees_no_ticket(world: World):
    await world.register(1)
    await world.leave()
    await world.station.scan(forged(1))
    assert world.screen["view"] == "confirm"
    await world.answer("confirm")
    stranger = await world.view("needs_staff")
    assert stranger["ticket"]["number"].startswith("K-")
    assert len(world.hospital.visits()) == 1


async def test_a_strangers_code_does_not_take_the_persons_place(world: World):
    await world.identify(forged(1))
    await world.leave()
    checkin = await world.register(1)
    assert checkin.identity.full_name == "Trần Thị Mẫu"
    assert checkin.hospital_state == "accepted"


async def test_what_staff_cancelled_is_not_gone_on_with(world: World):
    await world.identify(1)
    cancelled = (await world.newest()).checkin_id
    await world.answer("cancel")
    await world.view("idle")
    await StaffWork(world.checkins).cancel(cancelled, "left", "an")
    checkin = await world.register(1)
    assert checkin.checkin_id != cancelled
    assert [row["DU_PHONG"][-36:] for row in world.hospital.visits()] == [checkin.checkin_id]


async def test_who_stands_at_the_station_is_not_cancelled_under_them(world: World):
    await world.identify(1)
    with pytest.raises(StaffRefusal, match="AT_THE_STATION"):
        await StaffWork(world.checkins).cancel((await world.newest()).checkin_id, "", "an")


async def test_two_entries_of_one_person_at_once_are_one_check_in(world: World):
    work = StaffWork(world.checkins)
    entry = Entry("TE1999900000002", "Lê Bé Thử", "2023")
    first, second = await asyncio.gather(work.enter(entry, "an"), work.enter(entry, "bình"))
    assert first[0].checkin_id == second[0].checkin_id
    assert len([checkin for checkin in await world.all() if checkin.state == "accepted"]) == 1


async def test_an_abandoned_check_in_of_somebody_accepted_since_is_not_registered_again(world: World):
    await world.station.scan(qr(6))
    abandoned = (await world.newest()).checkin_id
    await world.answer("reject")
    await world.view("idle")
    await world.register(6)
    service = (await world.checkins.menu())[0]
    with pytest.raises(StaffRefusal, match="ALREADY_REGISTERED"):
        await StaffWork(world.checkins).register(abandoned, service, insured=True, reason="", patient=None, who="an")
    assert len(world.hospital.visits()) == 1


async def test_a_mistyped_entry_is_corrected_and_asked_again(world: World):
    work = StaffWork(world.checkins)
    wrong, _ = await work.enter(Entry("099190000001", "Trần Thị Mẫu", "03/09/1990"), "an")
    assert (wrong.eligibility.reason, wrong.staff_reason) == ("birth_refused", "birth_refused")
    right, new = await work.enter(Entry("099190000001", "Trần Thị Mẫu", "02/09/1990"), "an")
    assert (right.checkin_id == wrong.checkin_id, new) == (True, False)
    assert right.eligibility.status.insured
    assert right.staff_reason == "manual_entry"


@pytest.mark.parametrize("born", ["9999", "1700", "01/01/2400"])
async def test_impossible_birth_years_are_refused(world: World, born: str):
    with pytest.raises(StaffRefusal, match="BAD_DATE"):
        await StaffWork(world.checkins).enter(Entry("099190000001", "Trần Thị Mẫu", born), "an")


def test_same_person():
    one = Identity("099190000001", None, "Đỗ Thị Mẫu", PartialDate(1990, 9, 2), Sex.FEMALE)
    assert same_person(one, Identity("099190000001", None, "ĐỖ THỊ  MẪU", PartialDate(1990)))
    assert not same_person(one, Identity("099190000001", None, "Đỗ Thị Mận", PartialDate(1990, 9, 2)))
    assert not same_person(one, Identity("099190000001", None, "Đỗ Thị Mẫu", PartialDate(1990, 9, 3)))
    assert not same_person(one, Identity("099190000001", None, "Đỗ Thị Mẫu", PartialDate(1990), Sex.MALE))
    assert not same_person(one, Identity("099190000001"))
