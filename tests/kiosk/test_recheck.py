"""What happens when the gateway's answer comes after the person has left with a number."""

import pytest

from kiosk import records
from kiosk.model import EligibilityClass
from kiosk.recheck import recheck_now
from tests.kiosk.world import World, qr, until

SOON = {"recheck_after": [0.2, 0.2]}
DRY = {"adapter": "dry_run"}


async def left_unanswered(world: World, person: int = 1, service: str = "502") -> str:
    """Somebody registered while the gateway was away; it comes back."""
    world.gateway.mode("http_500_html", endpoint="*")
    checkin = await world.register(person, service)
    assert checkin.status is EligibilityClass.CANNOT_SAY
    return checkin.checkin_id


async def test_the_question_is_asked_again_until_it_is_answered(start):
    async with start(insurance=SOON) as world:
        checkin_id = await left_unanswered(world)

        async def asked_again() -> bool:
            return (await world.row("gateway")).attempts >= 2

        await until(asked_again)
        world.gateway.mode("normal", endpoint="*")
        after = await world.becomes(checkin_id, status=EligibilityClass.INSURED)
        assert after.answer_origin == "pending"
        assert after.coverage is not None and after.coverage.number.endswith("9900000001")
        row = await world.row("gateway")
        assert row.state == "done"
        told = [(body["class"], body["result_code"], body["attempt"]) for body in await world.events("lookup")]
        assert told[-1] == ("insured", "000", len(told))
        assert {name for name, _, _ in told[:-1]} == {"cannot_say"}


async def test_the_schedule_is_one_five_fifteen_thirty_minutes_then_hourly(start):
    schedule = [60.0, 300.0, 900.0, 1800.0, 3600.0]
    async with start(insurance={"recheck_after": schedule}) as world:
        await left_unanswered(world)
        row = await world.row("gateway")
        pauses = [(row.next_at - row.created_at).total_seconds()]
        for attempt in range(1, 6):
            world.clock.shift += row.next_at - world.clock()
            world.parts.outbox.wake("gateway")

            async def settled(attempts: int = attempt) -> bool:
                now = await world.row("gateway")
                return now.attempts == attempts and now.state == "waiting"

            await until(settled)
            row = await world.row("gateway")
            pauses.append((row.next_at - row.updated_at).total_seconds())
        assert pauses[0] == 60.0
        for wanted, pause in zip([*schedule[1:], 3600.0], pauses[1:], strict=True):
            assert 0.9 * wanted <= pause <= 1.1 * wanted


async def test_a_hospital_that_cannot_amend_leaves_the_card_to_staff(start):
    async with start(insurance=SOON) as world:
        checkin_id = await left_unanswered(world)
        assert await world.staff_list() == {}
        world.gateway.mode("normal", endpoint="*")
        after = await world.becomes(checkin_id, staff_reason="coverage_to_enter")
        assert after.registered_status is EligibilityClass.CANNOT_SAY and after.hospital_state == "accepted"
        assert after.bhyt is True
        assert len(world.hospital.visits()) == 1


async def test_who_turns_out_not_insured_is_staffs_and_no_insured_visit(start):
    async with start(insurance=SOON) as world:
        checkin_id = await left_unanswered(world, person=13)
        world.gateway.mode("normal", endpoint="*")
        after = await world.becomes(checkin_id, staff_reason="turned_not_insured")
        assert after.bhyt is False
        assert [body["bhyt"] for body in await world.events("visit")] == [True, False]
        assert len({body["checkin_id"] for body in await world.events("visit")}) == 1


async def test_who_turns_out_to_need_staff_is_on_their_list(start):
    async with start(insurance=SOON) as world:
        checkin_id = await left_unanswered(world, person=10)
        world.gateway.mode("normal", endpoint="*")
        await world.becomes(checkin_id, staff_reason="turned_needs_staff")


async def test_a_hospital_that_can_amend_gets_the_answer(start):
    async with start(insurance=SOON, hospital=DRY) as world:
        checkin_id = await left_unanswered(world, service="NOI-BHYT")
        number = (await world.get(checkin_id)).his_number
        world.gateway.mode("normal", endpoint="*")
        after = await world.becomes(checkin_id, registered_status=EligibilityClass.INSURED)
        assert (after.staff_reason, after.his_number, after.hospital_state) == (None, number, "accepted")
        assert [(row.kind, row.state) for row in await world.rows("hospital")] == [("push", "done"), ("amend", "done")]
        visit = world.parts.hospital._days[world.today()][checkin_id]  # type: ignore[attr-defined]
        assert visit.coverage is not None and visit.coverage.number.endswith("9900000001")


async def test_policy_hold_registers_nothing_before_the_answer(start):
    async with start(insurance=SOON, hospital={"unchecked": "hold"}) as world:
        world.gateway.mode("http_500_html", endpoint="*")
        await world.identify(1)
        done = await world.choose()
        assert (done["view"], done["ticket"]["number"], done["answer"]) == ("done", "K-001", "cannot_say")
        checkin = await world.newest()
        assert (checkin.hospital_state, await world.rows("hospital")) == ("waiting", [])
        world.gateway.mode("normal", endpoint="*")
        after = await world.becomes(checkin.checkin_id, hospital_state="accepted")
        assert after.registered_status is EligibilityClass.INSURED and after.staff_reason is None
        assert len(world.hospital.visits()) == 1


@pytest.mark.parametrize(("person", "reason"), [(13, "turned_not_insured"), (10, "turned_needs_staff")])
async def test_policy_hold_leaves_the_rest_to_staff(start, person, reason):
    async with start(insurance=SOON, hospital={"unchecked": "hold"}) as world:
        world.gateway.mode("http_500_html", endpoint="*")
        await world.identify(person)
        await world.choose()
        checkin = await world.newest()
        world.gateway.mode("normal", endpoint="*")
        await world.becomes(checkin.checkin_id, staff_reason=reason)
        assert world.hospital.visits() == [] and await world.rows("hospital") == []


async def test_gateway_and_hospital_both_away_end_as_one_insured_visit(start):
    async with start(insurance=SOON) as world:
        await world.checkins.menu()
        world.hospital.down()
        world.gateway.mode("http_500_html", endpoint="*")
        await world.identify(1)
        assert (await world.choose())["ticket"]["number"] == "K-001"
        checkin = await world.newest()
        world.gateway.mode("normal", endpoint="*")
        await world.becomes(checkin.checkin_id, status=EligibilityClass.INSURED)
        assert await world.staff_list() == {}
        world.hospital.up()
        after = await world.becomes(checkin.checkin_id, hospital_state="accepted")
        assert after.registered_status is EligibilityClass.INSURED and after.staff_reason is None
        assert len(world.hospital.visits()) == 1


async def test_a_person_scanning_again_does_not_ask_twice_in_the_background(start):
    async with start() as world:
        await left_unanswered(world)
        await world.station.scan(qr(1))
        await world.view("done")
        assert len(await world.rows("gateway")) == 1


async def test_asking_now_by_hand_settles_it_and_counts_each_question_once(world: World):
    checkin_id = await left_unanswered(world)
    world.gateway.mode("normal", endpoint="*")
    before = await world.asked()
    for _ in range(3):
        answer = await recheck_now(world.checkins, checkin_id)
        assert answer is not None and answer.status is EligibilityClass.INSURED
    assert await world.asked() == before + 1, "the gateway was asked once, so one question counts"
    assert len([call for call in world.gateway.lookups() if call["result_code"] == "000"]) == 1
    after = await world.get(checkin_id)
    assert after.staff_reason == "coverage_to_enter"
    world.clock.forward(minutes=11)
    world.parts.outbox.wake("gateway")

    async def closed() -> bool:
        return (await world.row("gateway")).state == "done"

    await until(closed)
    assert await world.asked() == before + 1


async def test_asking_by_hand_without_an_answer_forgets_no_earlier_one(world: World):
    checkin = await world.register(1)
    world.gateway.mode("http_500_html", endpoint="*")
    world.parts.gateway._shared._tasks.clear()  # the answer of a moment ago would serve again
    answer = await recheck_now(world.checkins, checkin.checkin_id)
    assert answer is not None and answer.status.unanswered
    after = await world.get(checkin.checkin_id)
    assert after.status is EligibilityClass.INSURED and after.coverage is not None
    assert await recheck_now(world.checkins, "nobody") is None


async def test_a_withdrawn_visit_is_not_asked_about_any_more(start):
    async with start(insurance=SOON, hospital={"unchecked": "hold"}) as world:
        world.gateway.mode("http_500_html", endpoint="*")
        await world.identify(1)
        await world.choose()
        checkin = await world.newest()
        await world.store.run(lambda c: records.update(c, checkin.checkin_id, closed_reason="cancelled"))

        async def closed() -> bool:
            return (await world.row("gateway")).state == "done"

        await until(closed)
        world.gateway.mode("normal", endpoint="*")
        assert (await world.get(checkin.checkin_id)).staff_reason is None
        assert world.hospital.visits() == []
