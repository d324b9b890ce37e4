"""Visits that a clerk enters: when they stand on the list, who has them, and what a confirmation means."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from kiosk import accepted_fields, records
from kiosk.hand_over import HandOvers
from kiosk.hand_over_content import Kind, Shown
from kiosk.model import VIETNAM, EligibilityClass, Holder, PartialDate
from kiosk.recheck import recheck_now
from kiosk.records import CheckIn
from kiosk.staffwork import Entry, StaffRefusal, StaffWork
from tests.kiosk.world import PEOPLE, World, until

ROOM = {"id": "KHAM", "code": "K01", "name": "Khám bệnh", "department": "Phòng khám"}
PAID = {"id": "YC", "code": "K02", "name": "Khám theo yêu cầu", "department": "Phòng khám", "insured": False}
FIELDS = ["personal_id", "full_name", "insured", "card"]
HOSPITAL = {"adapter": "handover", "fields": FIELDS, "accents": "keep", "insured": {"unchecked": "BHYT?"}}
Start = Callable[..., AbstractAsyncContextManager[World]]


class Ticking:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def commune(start: Start) -> Start:
    """Kiosks of a place whose hospital system can only be typed into."""

    def started(**extra: Any) -> AbstractAsyncContextManager[World]:
        hospital = HOSPITAL | extra.pop("hospital", {})
        return start(hospital=hospital, service=[ROOM, PAID], **extra)

    return started


async def arrive(world: World, person: int) -> CheckIn:
    """Somebody checks in; with one room only there is nothing to choose."""
    screen = await world.identify(person)
    assert screen["view"] == "done"
    checkin = await world.newest()
    await world.leave()
    return checkin


async def listed(work: HandOvers) -> list[tuple[str | None, str | None]]:
    return [(checkin.number, checkin.staff_reason) for checkin, _ in (await work.queue()).waiting]


async def confirm(work: HandOvers, shown: Shown, number: str = "") -> CheckIn:
    return await work.confirm(shown.checkin.checkin_id, "lan", number=number, told=shown.told, digest=shown.digest)


async def audit_of(world: World, checkin_id: str) -> list[tuple[str, str]]:
    found = await world.store.read(lambda c: records.audits_of(c, [checkin_id]))
    return [(entry["who"], entry["action"]) for entry in found.get(checkin_id, [])]


async def answer_late(world: World, checkin_id: str) -> None:
    world.gateway.mode("normal", endpoint="*")
    await recheck_now(world.checkins, checkin_id)


async def test_a_visit_waits_for_a_clerk_and_nothing_is_sent(commune: Start) -> None:
    async with commune() as world:
        work = HandOvers(world.checkins)
        screen = await world.identify(1)
        assert (screen["view"], screen["ticket"]["number"]) == ("done", "K-001")
        await world.leave()
        second = await arrive(world, 4)
        assert (second.state, second.hospital_state, second.service and second.service.id) == (
            "accepted",
            "waiting",
            "KHAM",
        )
        assert await world.rows("hospital") == []
        assert await listed(work) == [("K-001", "hand_over"), ("K-002", "hand_over")]
        assert [visit["bhyt"] for visit in await world.events("visit")] == [True, True]


async def test_what_is_confirmed_is_registered_with_the_number_typed_back(commune: Start) -> None:
    async with commune() as world:
        work = HandOvers(world.checkins)
        checkin = await arrive(world, 1)
        shown = await work.show(checkin.checkin_id, "lan", "page-one")
        card = checkin.coverage.number if checkin.coverage else ""
        assert (shown.kind, shown.told) == (Kind.VISIT, EligibilityClass.INSURED)
        assert shown.content.typed == f"{PEOPLE[1].citizen_id}\t{checkin.identity.full_name}\tBHYT\t{card}"
        done = await confirm(work, shown, "57")
        assert (done.hospital_state, done.number, done.registered_status) == (
            "accepted",
            "57",
            EligibilityClass.INSURED,
        )
        assert (done.kiosk_number, done.staff_reason) == ("K-001", None)
        assert await listed(work) == []
        assert [(one.number, kind) for one, _, kind in (await work.queue()).done] == [("57", "hand_over")]
        assert await audit_of(world, checkin.checkin_id) == [("lan", "revealed"), ("lan", "handed_over")]
        with pytest.raises(StaffRefusal, match="NOTHING_TO_ENTER"):
            await confirm(work, shown, "58")
        assert (await world.get(checkin.checkin_id)).number == "57"


async def test_without_a_number_the_kiosks_own_stays(commune: Start) -> None:
    async with commune() as world:
        work = HandOvers(world.checkins)
        checkin = await arrive(world, 1)
        done = await confirm(work, await work.show(checkin.checkin_id, "lan", "page-one"))
        assert (done.number, done.hospital_state, done.receipt and done.receipt.tickets) == ("K-001", "accepted", ())


async def test_a_confirmation_by_mistake_is_undone(commune: Start) -> None:
    async with commune() as world:
        work = HandOvers(world.checkins)
        checkin = await arrive(world, 1)
        await confirm(work, await work.show(checkin.checkin_id, "lan", "page-one"), "57")
        undone = await work.again(checkin.checkin_id, "hoa")
        assert (undone.hospital_state, undone.number, undone.receipt) == ("waiting", "K-001", None)
        assert await listed(work) == [("K-001", "hand_over")]
        assert (await work.queue()).done == ()
        assert (await audit_of(world, checkin.checkin_id))[-1] == ("hoa", "hand_over_undone")
        with pytest.raises(StaffRefusal, match="NOT_ENTERED"):
            await work.again(checkin.checkin_id, "hoa")
        assert (await confirm(work, await work.show(checkin.checkin_id, "hoa", "page-two"), "58")).number == "58"


async def test_one_page_at_a_time_has_a_visit(commune: Start) -> None:
    async with commune() as world:
        ticking = Ticking()
        work = HandOvers(world.checkins, ticking)
        first, second = [(await arrive(world, person)).checkin_id for person in (1, 4)]

        async def holders() -> list[str | None]:
            return [claim.page if claim else None for _, claim in (await work.queue()).waiting]

        await work.show(first, "lan", "page-one")
        assert await holders() == ["page-one", None]
        with pytest.raises(StaffRefusal, match="BEING_ENTERED"):
            await work.show(first, "hoa", "page-two")
        await work.show(first, "lan", "page-one")
        await work.show(second, "lan", "page-one")
        assert await holders() == [None, "page-one"], "a page enters one at a time"
        await work.show(first, "hoa", "page-two")
        work.release(second, "page-two")
        assert await holders() == ["page-two", "page-one"], "only the page itself lets go"
        work.release(second, "page-one")
        assert await holders() == ["page-two", None]
        await work.show(first, "lan", "page-one", take_over=True)
        assert await holders() == ["page-one", None]
        ticking.now += 300
        assert await holders() == [None, None]
        await work.show(first, "hoa", "page-two")


async def test_an_answer_that_comes_while_a_visit_is_entered_is_added_to_it(commune: Start) -> None:
    async with commune() as world:
        work = HandOvers(world.checkins)
        world.gateway.mode("http_500_html", endpoint="*")
        checkin = await arrive(world, 1)
        shown = await work.show(checkin.checkin_id, "lan", "page-one")
        assert shown.told is EligibilityClass.CANNOT_SAY
        assert shown.content.typed.endswith("\tBHYT?\t")
        await answer_late(world, checkin.checkin_id)
        assert await listed(work) == [("K-001", "hand_over")], "still the same entry"
        await confirm(work, shown)
        assert await listed(work) == [("K-001", "coverage_to_enter")]

        addition = await work.show(checkin.checkin_id, "lan", "page-one")
        entered = await world.get(checkin.checkin_id)
        assert (addition.kind, addition.told) == (Kind.ADDITION, EligibilityClass.INSURED)
        assert dict(addition.content.fields)["card"] == (entered.coverage and entered.coverage.number)
        assert set(dict(addition.content.fields)) >= {"card", "registered_facility", "valid_from", "valid_to"}
        assert addition.content.typed == ""
        await confirm(work, addition)
        assert await listed(work) == []
        assert await world.rows("hospital") == []
        await work.again(checkin.checkin_id, "lan")
        assert await listed(work) == [("K-001", "coverage_to_enter")]
        again = await work.show(checkin.checkin_id, "lan", "page-one")
        assert again.content == addition.content


async def test_an_answer_before_anybody_opened_it_goes_in_with_the_visit(commune: Start) -> None:
    async with commune() as world:
        work = HandOvers(world.checkins)
        world.gateway.mode("http_500_html", endpoint="*")
        checkin = await arrive(world, 1)
        await answer_late(world, checkin.checkin_id)
        done = await confirm(work, await work.show(checkin.checkin_id, "lan", "page-one"))
        assert done.registered_status is EligibilityClass.INSURED
        assert await listed(work) == []


async def test_somebody_who_turns_out_not_insured_waits_for_a_decision(commune: Start) -> None:
    async with commune() as world:
        work, staff = HandOvers(world.checkins), StaffWork(world.checkins)
        world.gateway.mode("http_500_html", endpoint="*")
        checkin = await arrive(world, 13)
        await answer_late(world, checkin.checkin_id)
        assert await listed(work) == []
        assert await world.staff_list() == {checkin.checkin_id: "turned_not_insured"}
        paid = next(service for service in await world.checkins.menu() if not service.insured)
        await staff.register(checkin.checkin_id, paid, insured=False, reason="", patient=None, who="lan")
        assert await world.rows("hospital") == []
        assert await listed(work) == [("K-001", "hand_over")]
        shown = await work.show(checkin.checkin_id, "lan", "page-one")
        assert dict(shown.content.fields)["insured"] == "Viện phí"


async def test_who_turns_out_not_insured_while_being_entered_is_one_visit(commune: Start) -> None:
    async with commune() as world:
        work = HandOvers(world.checkins)
        world.gateway.mode("http_500_html", endpoint="*")
        checkin = await arrive(world, 13)
        shown = await work.show(checkin.checkin_id, "lan", "page-one")
        await answer_late(world, checkin.checkin_id)
        done = await confirm(work, shown)
        assert (done.hospital_state, done.staff_reason) == ("accepted", "turned_not_insured")
        assert await listed(work) == []


async def test_a_visit_entered_in_spite_of_its_reason_is_undone_as_a_visit(commune: Start) -> None:
    async with commune() as world:
        work = HandOvers(world.checkins)
        world.gateway.mode("http_500_html", endpoint="*")
        checkin = await arrive(world, 13)
        await answer_late(world, checkin.checkin_id)
        shown = await work.show(checkin.checkin_id, "lan", "page-one")
        assert dict(shown.content.fields)["insured"] == "", "insured room, no card: nobody has decided"
        await confirm(work, shown)
        undone = await work.again(checkin.checkin_id, "lan")
        assert (undone.hospital_state, undone.registered_status) == ("waiting", None)
        assert await listed(work) == [("K-001", "hand_over")]


async def test_other_changes_are_shown_again_before_they_count(commune: Start) -> None:
    async with commune() as world:
        work, staff = HandOvers(world.checkins), StaffWork(world.checkins)
        checkin = await arrive(world, 1)
        shown = await work.show(checkin.checkin_id, "lan", "page-one")
        paid = next(service for service in await world.checkins.menu() if not service.insured)
        await staff.register(checkin.checkin_id, paid, insured=False, reason="patient_pays", patient=None, who="hoa")
        with pytest.raises(StaffRefusal, match="CHANGED"):
            await confirm(work, shown)
        assert await listed(work) == [("K-001", "hand_over")]
        fresh = await work.show(checkin.checkin_id, "lan", "page-one")
        assert fresh.digest != shown.digest
        assert (await confirm(work, fresh)).registered_status is EligibilityClass.NOT_INSURED


async def test_with_hold_a_visit_comes_when_the_answer_does(commune: Start) -> None:
    async with commune(hospital={"unchecked": "hold"}) as world:
        work = HandOvers(world.checkins)
        world.gateway.mode("http_500_html", endpoint="*")
        checkin = await arrive(world, 1)
        assert (checkin.number, checkin.hospital_state, checkin.staff_reason) == ("K-001", "waiting", None)
        assert await listed(work) == []
        with pytest.raises(StaffRefusal, match="NOTHING_TO_ENTER"):
            await work.show(checkin.checkin_id, "lan", "page-one")
        await answer_late(world, checkin.checkin_id)
        assert await listed(work) == [("K-001", "hand_over")]
        assert await world.rows("hospital") == []


async def test_with_hold_a_visit_without_an_answer_comes_when_the_day_closes(commune: Start) -> None:
    hours = {"opens": "06:30", "closes": "17:00"}
    async with commune(hospital={"unchecked": "hold"}, insurance=hours) as world:
        work = HandOvers(world.checkins)
        today = datetime.now(VIETNAM)
        world.clock.shift = today.replace(hour=16, minute=55) - datetime.now(UTC)
        world.gateway.mode("http_500_html", endpoint="*")
        checkin = await arrive(world, 1)
        assert await listed(work) == []
        world.clock.shift = today.replace(hour=17, minute=30) - datetime.now(UTC)
        world.parts.outbox.wake("gateway")

        async def handed() -> bool:
            return await listed(work) == [("K-001", "hand_over")]

        await until(handed)
        shown = await work.show(checkin.checkin_id, "lan", "page-one")
        assert dict(shown.content.fields)["insured"] == "BHYT?"


async def test_the_work_is_not_closed_before_it_is_entered(commune: Start) -> None:
    async with commune() as world:
        staff, work = StaffWork(world.checkins), HandOvers(world.checkins)
        checkin = await arrive(world, 1)
        with pytest.raises(StaffRefusal, match="HAND_OVER_FIRST"):
            await staff.close_item(checkin.checkin_id, "lan")
        await staff.cancel(checkin.checkin_id, "left", "lan")
        assert await listed(work) == []
        with pytest.raises(StaffRefusal, match="CLOSED"):
            await work.show(checkin.checkin_id, "lan", "page-one")
        with pytest.raises(StaffRefusal, match="NO_SUCH_CHECK_IN"):
            await work.show("nobody", "lan", "page-one")


async def test_typed_entries_come_once_staff_have_decided(commune: Start) -> None:
    async with commune() as world:
        staff, work = StaffWork(world.checkins), HandOvers(world.checkins)
        person = PEOPLE[1]
        checkin, _ = await staff.enter(Entry(str(person.citizen_id), person.name, person.born), "lan")
        assert await listed(work) == []
        room = next(service for service in await world.checkins.menu() if service.insured)
        await staff.register(checkin.checkin_id, room, insured=True, reason="", patient=None, who="lan")
        assert await listed(work) == [(checkin.number, "hand_over")]
        assert await world.rows("hospital") == []


async def test_rows_of_an_earlier_adapter_are_handed_over_too(start: Start, commune: Start) -> None:
    async with start() as world:
        await world.identify(1)
        world.hospital.down()
        await world.choose()
        checkin = await world.newest()
        assert checkin.hospital_state == "waiting"
    async with commune() as world:
        work = HandOvers(world.checkins)

        async def handed() -> bool:
            return await listed(work) == [(checkin.number, "hand_over")]

        await until(handed)
        assert (await world.row("hospital")).state == "done"


async def test_a_hospital_that_cannot_amend_has_its_additions_listed(start: Start) -> None:
    async with start() as world:
        work = HandOvers(world.checkins)
        world.gateway.mode("http_500_html", endpoint="*")
        checkin = await world.register(1)
        await world.leave()
        assert checkin.hospital_state == "accepted"
        await answer_late(world, checkin.checkin_id)
        assert await listed(work) == [(checkin.number, "coverage_to_enter")]
        shown = await work.show(checkin.checkin_id, "lan", "page-one")
        values = dict(shown.content.fields)
        assert len(values["valid_to"].split("/")) == 3 and len(values["valid_to"]) == 10
        assert shown.content.left_out == ()
        await confirm(work, shown)
        assert await listed(work) == []
        assert len(world.hospital.visits()) == 1


async def test_accepted_fields_are_listed_as_additions(commune: Start) -> None:
    async with commune() as world:
        work = HandOvers(world.checkins)
        checkin = await arrive(world, 1)
        await confirm(work, await work.show(checkin.checkin_id, "lan", "page-one"))
        read = replace(checkin.identity, full_name="TRAN THI MAU", birth_date=PartialDate(1990))
        held = Holder(checkin.identity.full_name, checkin.identity.birth_date, checkin.identity.sex)
        answer = replace(checkin.eligibility, held=held)
        await world.store.run(
            lambda c: records.update(c, checkin.checkin_id, identity=read, read_identity=read, eligibility=answer)
        )
        found = accepted_fields.differences_of(await world.get(checkin.checkin_id))
        assert {each.name for each in found} == {"full_name", "birth_date"}
        await accepted_fields.accept(world.checkins, checkin.checkin_id, [each.id for each in found], "hoa")
        assert await listed(work) == [("K-001", "fields_to_enter")]
        shown = await work.show(checkin.checkin_id, "lan", "page-one")
        assert shown.kind is Kind.ADDITION
        assert dict(shown.content.fields) == {"full_name": checkin.identity.full_name, "birth_date": "02/09/1990"}
        assert "full_name" in shown.content.left_out, "no scanner types its accents into a field of its own"
        assert (await confirm(work, shown)).registered_status is EligibilityClass.INSURED
        assert await listed(work) == []
