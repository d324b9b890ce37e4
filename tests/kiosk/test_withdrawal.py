"""Registered visits that staff withdraw, where the hospital system can; and whom it is asked for with which number."""

from collections.abc import AsyncIterator

import pytest

from kiosk.errors import HospitalOutcomeUnknown, HospitalRejected, HospitalUnavailable
from kiosk.staffwork import StaffRefusal, StaffWork
from tests.kiosk.world import World, plug_in


@pytest.fixture
async def world(tmp_path, start) -> AsyncIterator[World]:
    async with (
        plug_in(tmp_path / "site", "booked", "tests.kiosk.plugins:booked"),
        start(hospital={"adapter": "booked"}) as running,
    ):
        yield running


async def test_a_registered_visit_is_withdrawn_there_and_counts_no_more(world):
    checkin = await world.register(1, "NOI-BHYT")
    after = await StaffWork(world.checkins).cancel(checkin.checkin_id, "về nhà", "an")
    assert (after.closed_reason, after.bhyt, after.staff_reason) == ("cancelled", False, None)
    assert world.checkins.hospital.cancelled == [(checkin.receipt.visit_id, "về nhà")]
    assert [body["bhyt"] for body in await world.events("visit")] == [True, False]
    with pytest.raises(StaffRefusal):
        await StaffWork(world.checkins).cancel(checkin.checkin_id, "", "an")


async def test_a_hospital_that_is_away_is_asked_again(world):
    checkin = await world.register(1, "NOI-BHYT")
    world.checkins.hospital.fail = HospitalUnavailable("test.away", retry_after=0.1)
    work = StaffWork(world.checkins)
    assert (await work.cancel(checkin.checkin_id, "", "an")).closed_reason is None
    world.checkins.hospital.fail = None
    await world.becomes(checkin.checkin_id, closed_reason="cancelled")
    assert len(world.checkins.hospital.cancelled) == 1


@pytest.mark.parametrize(("stands", "closed"), [(True, None), (False, "cancelled")])
async def test_a_refusal_is_for_staff_to_look_into(world, stands, closed):
    checkin = await world.register(1, "NOI-BHYT")
    world.checkins.hospital.fail = HospitalRejected("test.no", "đã khám")
    work = StaffWork(world.checkins)
    after = await work.cancel(checkin.checkin_id, "", "an")
    assert (after.staff_reason, after.closed_reason, after.hospital_state) == ("cancel_refused", None, "accepted")
    after = await work.looked_for_withdrawn(checkin.checkin_id, "an", stands=stands)
    assert (after.staff_reason, after.closed_reason) == (None, closed)


async def test_a_lost_answer_is_looked_into_before_anything_is_said(world):
    checkin = await world.register(1, "NOI-BHYT")
    hospital = world.checkins.hospital
    hospital.fail = HospitalOutcomeUnknown("test.lost")
    await StaffWork(world.checkins).cancel(checkin.checkin_id, "", "an")
    hospital.fail = None
    await world.becomes(checkin.checkin_id, closed_reason="cancelled")
    assert len(hospital.cancelled) == 1, "the visit still stood there, so it was withdrawn again"


async def test_a_hospital_that_cannot_withdraw_is_left_to_staff(start):
    async with start() as world:
        checkin = await world.register(1)
        with pytest.raises(StaffRefusal) as refused:
            await StaffWork(world.checkins).cancel(checkin.checkin_id, "", "an")
        assert refused.value.code == "ALREADY_REGISTERED"


async def test_whoever_is_unknown_by_number_is_looked_for_by_the_card_that_the_insurer_named(world):
    checkin = await world.register(1, "NOI-BHYT")
    card = checkin.eligibility.coverage.number
    assert world.checkins.hospital.asked_with == [None, card]
