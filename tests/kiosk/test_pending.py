"""Lookups that wait: when they are asked again, what hastens or ends them, and what becomes of the visit."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from kiosk import outbox_table, pending, records
from kiosk.model import VIETNAM, Eligibility, EligibilityClass, Moment
from kiosk.recheck import OUTSIDE_HOURS, recheck_now, record_late_answer
from tests.kiosk.world import World, qr, until

SOON = {"recheck_after": [0.2, 0.2]}
DRY = {"adapter": "dry_run"}


async def leave_unanswered(world: World, person: int, service: str = "502") -> str:
    """Somebody registered while the gateway is away, and gone from the station."""
    checkin = await world.register(person, service)
    assert checkin.status is EligibilityClass.CANNOT_SAY
    await world.leave()
    return checkin.checkin_id


async def due_now(world: World) -> None:
    """Move the clock to when the only question that waits is due."""
    row = await world.row("gateway")
    world.clock.shift += row.next_at - world.clock()
    world.parts.outbox.wake("gateway")


def set_clock(world: World, hour: int, minute: int = 0) -> None:
    """To that time of today in Vietnam."""
    today = datetime.now(VIETNAM).replace(hour=hour, minute=minute, second=0, microsecond=0)
    world.clock.shift = today - datetime.now(UTC)


async def test_after_closing_nothing_is_asked_until_the_opening(start):
    async with start(insurance={"opens": "06:30", "closes": "17:00"}) as world:
        set_clock(world, 16, 59)
        world.gateway.mode("http_500_html", endpoint="*")
        checkin_id = await leave_unanswered(world, 1)
        world.gateway.mode("normal", endpoint="*")
        asked = len(world.gateway.lookups())
        naps = 0
        while True:
            await due_now(world)

            async def settled() -> bool:
                row = await world.row("gateway")
                return row.state == "done" or (row.state == "waiting" and row.next_at > world.clock())

            await until(settled)
            row = await world.row("gateway")
            if row.state == "done":
                break
            naps += 1
            assert (row.reason, row.attempts) == (OUTSIDE_HOURS, 0)
            assert row.next_at - world.clock() <= outbox_table.LONGEST_PAUSE
            assert len(world.gateway.lookups()) == asked
            assert naps < 12
        opened = world.clock().astimezone(VIETNAM)
        assert (opened.hour, opened.minute) == (6, 30) and opened.date() > world.today() - timedelta(days=1)
        assert naps >= 7, "13.5 hours in naps of at most two, so that a clock set back is noticed"
        assert (await world.get(checkin_id)).status is EligibilityClass.INSURED


async def test_a_question_that_never_left_costs_no_step_and_no_event(start, monkeypatch):
    async with start() as world:
        world.gateway.mode("http_500_html", endpoint="*")
        checkin_id = await leave_unanswered(world, 1)
        asked = await world.asked()

        async def refused(*_: object) -> Eligibility:
            return Eligibility(EligibilityClass.CANNOT_SAY, "breaker_open", world.clock(), attempts=0)

        monkeypatch.setattr(world.parts.gateway, "lookup", refused)
        for _ in range(3):
            await due_now(world)

            async def put_off() -> bool:
                row = await world.row("gateway")
                return row.state == "waiting" and row.next_at > world.clock()

            await until(put_off)
            row = await world.row("gateway")
            assert (row.reason, row.attempts) == ("breaker_open", 0)
        assert await world.asked() == asked
        monkeypatch.undo()
        await due_now(world)

        async def counted() -> bool:
            row = await world.row("gateway")
            return row.attempts == 1 and row.state == "waiting"

        await until(counted)
        assert await world.asked() == asked + 1
        assert (await world.get(checkin_id)).status is EligibilityClass.CANNOT_SAY


async def test_the_first_answer_of_anybody_hastens_all_that_wait(start):
    async with start(insurance={"recheck_after": [6000, 6000], "per_second": 100}) as world:
        world.gateway.mode("http_500_html", endpoint="*")
        waiting = [await leave_unanswered(world, person) for person in (1, 6)]
        world.gateway.mode("normal", endpoint="*")
        assert {row.attempts for row in await world.rows("gateway")} == {0}
        await world.register(5)
        for checkin_id in waiting:
            await world.becomes(checkin_id, status=EligibilityClass.INSURED)
        assert [row.state for row in await world.rows("gateway")] == ["done", "done"]


async def test_what_waits_is_hastened_one_by_one_and_never_put_off(world: World):
    now = world.clock()
    soon = now + timedelta(seconds=1)

    def work(connection) -> list[timedelta]:
        for number in range(4):
            due = soon if number == 3 else now + timedelta(hours=1)
            outbox_table.enqueue(connection, "later", "x", f"row-{number}", now, due=due)
        assert outbox_table.hasten_gently(connection, "later", now, timedelta(seconds=2)) == 3
        rows = [outbox_table.of_ref(connection, "later", f"row-{number}") for number in range(4)]
        return [row.next_at - now for row in rows if row]

    gaps = await world.store.run(work)
    assert [gap.total_seconds() for gap in gaps] == [0, 2, 4, 1]


async def test_a_restart_loses_no_question(start):
    async with start(insurance={"recheck_after": [6000]}) as world:
        world.gateway.mode("http_500_html", endpoint="*")
        checkin_id = await leave_unanswered(world, 1)
        now = world.clock()
        # as kill -9 leaves it in the middle of the call
        await world.store.run(lambda c: outbox_table.hasten(c, "gateway", now))
        await world.store.run(lambda c: outbox_table.claim(c, "gateway", now, 1))
        assert (await world.row("gateway")).state == "sending"
    async with start(insurance={"recheck_after": [6000]}) as world:
        after = await world.becomes(checkin_id, status=EligibilityClass.INSURED)
        assert after.answer_origin == "pending" and after.staff_reason == "coverage_to_enter"
        assert [(row.kind, row.state) for row in await world.rows("hospital")] == [("push", "done")]


async def test_a_second_examination_answered_live_ends_the_question_of_the_first_without_a_call(start):
    async with start(insurance={"recheck_after": [6000]}) as world:
        world.gateway.mode("http_500_html", endpoint="*")
        first = await leave_unanswered(world, 1)
        world.gateway.mode("normal", endpoint="*")
        await world.station.scan(qr(1))
        await world.view("done")
        await world.answer("another_examination")
        await world.view("confirm")
        await world.answer("confirm")
        await world.view("choose_service")
        await world.choose("501")
        before = len(world.gateway.lookups())
        after = await world.becomes(first, status=EligibilityClass.INSURED)
        assert len(world.gateway.lookups()) == before
        second = await world.newest()
        assert second.checkin_id != first and second.lookup_receipt and after.lookup_receipt
        assert second.lookup_receipt != after.lookup_receipt, "a receipt is bound to its visit"


async def test_an_answer_that_comes_while_the_push_is_under_way_is_entered_once(start):
    async with start(insurance={"recheck_after": [0.3, 0.3]}, policy={"number_wait": 0.1}) as world:
        await world.checkins.menu()
        world.gateway.mode("http_500_html", endpoint="*")
        await world.identify(1)
        world.hospital.down()
        await world.choose()
        checkin = await world.newest()
        world.gateway.mode("normal", endpoint="*")
        await world.becomes(checkin.checkin_id, status=EligibilityClass.INSURED)
        world.hospital.up()
        after = await world.becomes(checkin.checkin_id, hospital_state="accepted")
        assert after.registered_status is EligibilityClass.INSURED and after.staff_reason is None
        assert len(world.hospital.visits()) == 1


async def test_a_negative_answer_is_told_to_staff_also_where_the_hospital_takes_it(start):
    async with start(insurance=SOON, hospital=DRY) as world:
        world.gateway.mode("http_500_html", endpoint="*")
        negative = await leave_unanswered(world, 13, "NOI-BHYT")
        positive = await leave_unanswered(world, 1, "NOI-BHYT")
        assert await world.staff_list() == {}
        world.gateway.mode("normal", endpoint="*")
        await world.becomes(positive, registered_status=EligibilityClass.INSURED)
        await world.becomes(negative, registered_status=EligibilityClass.NOT_INSURED)
        assert await world.staff_list() == {negative: "turned_not_insured"}
        kinds = [(row.kind, row.state) for row in await world.rows("hospital")]
        assert sorted(kinds) == [("amend", "done")] * 2 + [("push", "done")] * 2


async def test_the_hospital_gets_the_receipt_with_the_late_answer(start):
    async with start(insurance=SOON, hospital=DRY) as world:
        world.gateway.mode("http_500_html", endpoint="*")
        checkin_id = await leave_unanswered(world, 1, "NOI-BHYT")
        visits = world.parts.hospital._days[world.today()]  # type: ignore[attr-defined]
        assert visits[checkin_id].lookup_receipt is None
        world.gateway.mode("normal", endpoint="*")
        after = await world.becomes(checkin_id, registered_status=EligibilityClass.INSURED)
        assert after.lookup_receipt is not None and visits[checkin_id].lookup_receipt == after.lookup_receipt


async def test_the_list_of_a_day_holds_who_has_no_answer_and_nobody_else(world: World):
    await world.register(5)
    await world.leave()
    world.gateway.mode("http_500_html", endpoint="*")
    first = await leave_unanswered(world, 1)
    second = await leave_unanswered(world, 6)
    cancelled = await leave_unanswered(world, 13)
    paying = await leave_unanswered(world, 10)

    def staff_decided(connection) -> None:
        records.update(connection, cancelled, closed_reason="cancelled")
        records.update(connection, paying, bhyt=False)

    await world.store.run(staff_decided)
    day = str(world.today())
    found = await world.store.read(lambda c: pending.pending_of(c, day))
    assert [item.checkin.checkin_id for item in found] == [first, second]
    assert all(item.next_at is not None and item.last_at is not None and item.last_reason for item in found)
    count, oldest = await world.store.read(pending.waiting)
    assert (count, oldest) == (2, (await world.get(first)).accepted_at)
    earlier = str(world.today() - timedelta(days=1))
    assert await world.store.read(lambda c: pending.pending_of(c, earlier)) == []


@pytest.mark.parametrize("times", [1, 3])
async def test_answers_at_the_same_time_enter_the_record_once(start, times):
    async with start(insurance={"recheck_after": [6000]}, hospital=DRY) as world:
        world.gateway.mode("http_500_html", endpoint="*")
        checkin_id = await leave_unanswered(world, 1, "NOI-BHYT")
        world.gateway.mode("normal", endpoint="*")
        await asyncio.gather(*(recheck_now(world.checkins, checkin_id) for _ in range(times)))
        await world.becomes(checkin_id, registered_status=EligibilityClass.INSURED)
        assert [(row.kind, row.state) for row in await world.rows("hospital")] == [("push", "done"), ("amend", "done")]


async def test_a_stop_between_answer_and_registration_leaves_one_visit(start):
    options = {
        "insurance": {"recheck_after": [6000]},
        "hospital": {"unchecked": "hold"},
        "policy": {"number_wait": 0.1},
    }
    async with start(**options) as world:
        world.gateway.mode("http_500_html", endpoint="*")
        await world.identify(1)
        await world.choose()
        checkin = await world.newest()
        assert await world.rows("hospital") == []
        world.gateway.mode("normal", endpoint="*")
        answer = await world.checkins.ask(checkin, Moment.PENDING)
        world.parts.outbox.stop()  # nothing is delivered any more, as after kill -9

        def answered(connection) -> None:
            record_late_answer(connection, world.checkins, checkin.checkin_id, answer, Moment.PENDING)

        await world.store.run(answered)
        assert [(row.kind, row.state) for row in await world.rows("hospital")] == [("push", "waiting")]
    async with start(**options) as world:
        after = await world.becomes(checkin.checkin_id, hospital_state="accepted")
        assert after.registered_status is EligibilityClass.INSURED and after.staff_reason is None
        assert len(world.hospital.visits()) == 1
        world.parts.outbox.wake("gateway")
        assert [(row.kind, row.state) for row in await world.rows("hospital")] == [("push", "done")]


async def test_a_person_whose_register_is_unreadable_is_not_asked_about_with_every_answer_of_others(world: World):
    await world.register(1)  # the first answer after a start hastens what waited over it
    await world.leave()
    await world.register(24)  # always 101
    await world.leave()
    asked = len(world.gateway.lookups())
    for person in (3, 4, 5):
        await world.register(person)
        await world.leave()
    assert len(world.gateway.lookups()) == asked + 3
    row = await world.row("gateway")
    assert (row.state, row.attempts) == ("waiting", 0)
