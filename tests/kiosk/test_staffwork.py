"""What staff decide, through to the simulated hospital."""

import asyncio
from typing import Any

import pytest

from kiosk import records
from kiosk.hospital_model import MatchKind
from kiosk.model import EligibilityClass, KeyKind, Lane, Method, Sex
from kiosk.staffwork import Entry, StaffRefusal, StaffWork, parse_birth_date
from tests.kiosk.world import PEOPLE, World, qr, until


@pytest.fixture
def work(world: World) -> StaffWork:
    return StaffWork(world.checkins)


async def service_of(world: World, service_id: str):
    return next(service for service in await world.checkins.menu() if service.id == service_id)


async def actions(world: World, checkin_id: str) -> list[tuple[str, str]]:
    audit = await world.store.read(lambda c: records.audits_of(c, [checkin_id]).get(checkin_id, []))
    return [(entry["who"], entry["action"]) for entry in audit]


async def test_a_child_by_card_number_is_entered_and_registered_by_staff(world: World, work: StaffWork):
    child = PEOPLE[2]
    born = child.birth_date(world.today())
    entered, new = await work.enter(Entry(str(child.card).lower(), "lê bé thử", born, Sex.MALE), "an")
    assert new and entered.status is EligibilityClass.INSURED
    assert (entered.method, entered.lane, entered.key_kind) == (Method.CARD_NUMBER, Lane.DESK, KeyKind.BHYT_15)
    assert (entered.kiosk_number, entered.staff_reason, entered.holder_check) == ("K-001", "manual_entry", "staff")
    service = await service_of(world, "507")
    done = await work.register(entered.checkin_id, service, insured=True, reason="", patient=None, who="an")
    assert (done.hospital_state, done.staff_reason, done.bhyt) == ("accepted", None, True)
    assert len(world.hospital.visits()) == 1
    assert await actions(world, entered.checkin_id) == [("an", "entered"), ("an", "registered")]
    assert [(body["method"], body["not_by_chip"]) for body in await world.events("visit")] == [
        ("CARD_NUMBER", "NO_CARD")
    ]


async def test_a_citizen_number_alone_is_completed_by_the_hospital(world: World, work: StaffWork):
    entered, new = await work.enter(Entry("099190 000001"), "an")
    assert new and entered.status is EligibilityClass.INSURED and entered.method is Method.MANUAL_ID
    assert entered.identity.full_name == "TRẦN THỊ MẪU" and str(entered.identity.birth_date) == "1990-09-02"
    again, fresh = await work.enter(Entry("099190000001"), "bình")
    assert (again.checkin_id, fresh) == (entered.checkin_id, False)
    assert len(world.gateway.lookups()) == 1


async def test_a_patient_who_scans_after_being_entered_gets_the_same_ticket(world: World, work: StaffWork):
    entered, _ = await work.enter(Entry("099190000001"), "an")
    await world.station.scan(qr(1))
    assert world.station.checkin_id == entered.checkin_id
    assert world.screen["ticket"]["number"] == "K-001" and world.screen["again"] is True


@pytest.mark.parametrize(
    ("entry", "code"),
    [
        (Entry("12345"), "BAD_NUMBER"),
        (Entry("<script>"), "BAD_NUMBER"),
        (Entry("099999999999"), "NAME_AND_BIRTH_DATE_NEEDED"),
        (Entry("DN4999900000001"), "NAME_AND_BIRTH_DATE_NEEDED"),
        (Entry("DN4999900000001", "Trần Thị Mẫu"), "NAME_AND_BIRTH_DATE_NEEDED"),
        (Entry("099190000001", "Trần Thị Mẫu", "31/02/1990"), "BAD_DATE"),
        (Entry("099190000001", "Trần Thị Mẫu", "00/00/1990"), "BAD_DATE"),
    ],
)
async def test_an_entry_that_says_too_little_is_refused_and_leaves_nothing(world: World, work: StaffWork, entry, code):
    with pytest.raises(StaffRefusal) as refused:
        await work.enter(entry, "an")
    assert refused.value.code == code
    assert await world.all() == [] and world.gateway.lookups() == []


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("1990-02-01", "1990-02-01"),
        ("1990-02", "1990-02"),
        ("1990", "1990"),
        ("01/02/1990", "1990-02-01"),
        ("1/2/1990", "1990-02-01"),
        (" 1.2.1990 ", "1990-02-01"),
        ("02/1990", "1990-02"),
    ],
)
def test_dates_are_read_as_people_write_them(text, wanted):
    assert str(parse_birth_date(text)) == wanted


async def test_a_number_that_the_hospital_cannot_complete_needs_name_and_date(world: World, work: StaffWork):
    world.hospital.down()
    with pytest.raises(StaffRefusal) as refused:
        await work.enter(Entry("099190000001"), "an")
    assert refused.value.code == "NAME_AND_BIRTH_DATE_NEEDED"
    entered, _ = await work.enter(Entry("099190000001", "Trần Thị Mẫu", "02/09/1990", Sex.FEMALE), "an")
    assert entered.status is EligibilityClass.INSURED


async def test_staff_register_a_person_whose_data_differ(world: World, work: StaffWork):
    await world.identify(30)
    checkin = await world.newest()
    assert checkin.patient is not None and checkin.patient.kind is MatchKind.MISMATCH
    service = await service_of(world, "506")
    with pytest.raises(StaffRefusal) as refused:
        await work.register(checkin.checkin_id, service, insured=False, reason="", patient=None, who="an")
    assert refused.value.code == "PATIENT_UNCLEAR"
    how: dict[str, Any] = {"insured": False, "reason": "patient_pays", "patient": "known"}
    done = await work.register(checkin.checkin_id, service, **how, who="an")
    assert (done.hospital_state, done.bhyt, done.staff_reason) == ("accepted", False, None)
    assert done.registered_status is EligibilityClass.NOT_INSURED
    assert [visit["MA_BN"] for visit in world.hospital.visits()] == ["BN000007"]
    assert [body["bhyt"] for body in await world.events("visit")] == [False]
    with pytest.raises(StaffRefusal) as twice:
        await work.register(checkin.checkin_id, service, insured=False, reason="", patient=None, who="an")
    assert twice.value.code == "ALREADY_REGISTERED"


async def test_two_clerks_at_once_register_one_visit(world: World, work: StaffWork):
    await world.identify(26)
    checkin = await world.newest()
    service = await service_of(world, "502")
    results = await asyncio.gather(
        *(
            work.register(checkin.checkin_id, service, insured=True, reason="", patient=None, who=who)
            for who in ("an", "bình", "chi")
        ),
        return_exceptions=True,
    )
    refusals = [result.code for result in results if isinstance(result, StaffRefusal)]
    assert len(refusals) == 2 and set(refusals) <= {"UNDER_WAY", "ALREADY_REGISTERED"}
    assert len(world.hospital.visits()) == 1 and len(await world.events("visit")) == 1


async def test_a_cancelled_visit_is_never_sent_and_counts_no_more(world: World, work: StaffWork):
    await world.checkins.menu()
    world.hospital.down()
    await world.identify(1)
    await world.choose()
    checkin = await world.newest()

    async def cancelled():
        try:
            return await work.cancel(checkin.checkin_id, "về", "an")
        except StaffRefusal as refusal:
            assert refusal.code == "UNDER_WAY"
            return None

    done = await until(cancelled)
    assert (done.closed_reason, done.staff_reason, done.bhyt) == ("cancelled", None, False)
    world.hospital.up()
    assert (await world.row("hospital")).state == "done"
    assert [body["bhyt"] for body in await world.events("visit")] == [True, False]
    assert world.hospital.visits() == []
    with pytest.raises(StaffRefusal) as closed:
        await work.push_again(checkin.checkin_id, patient=None, who="an")
    assert closed.value.code == "CLOSED"
    await world.leave()
    await world.register(1)
    assert len(world.hospital.visits()) == 1, "the person may come again"


async def test_a_parked_visit_that_is_cancelled_waits_for_nobody(world: World, work: StaffWork):
    world.hospital.mode("c999", times=1)
    await world.identify(1)
    await world.choose()
    checkin = await world.newest()
    await work.cancel(checkin.checkin_id, "về", "an")
    row = await world.row("hospital")
    assert (row.state, row.reason, row.owner) == ("done", "cancelled", None)
    assert await world.staff_list() == {}


async def test_what_the_hospital_holds_cannot_be_cancelled_here(world: World, work: StaffWork):
    checkin = await world.register(1)
    with pytest.raises(StaffRefusal) as refused:
        await work.cancel(checkin.checkin_id, "", "an")
    assert refused.value.code == "ALREADY_REGISTERED"
    with pytest.raises(StaffRefusal) as nothing:
        await work.push_again(checkin.checkin_id, patient=None, who="an")
    assert nothing.value.code == "NOTHING_PARKED"


async def test_notes_looks_and_closed_items_stand_in_the_audit(world: World, work: StaffWork):
    await world.identify(26)
    checkin = await world.newest()
    await work.note(checkin.checkin_id, "đã gọi", "an")
    await work.reveal(checkin.checkin_id, "bình")
    await work.recheck(checkin.checkin_id, "chi")
    done = await work.close_item(checkin.checkin_id, "an")
    assert done.staff_reason is None and await world.staff_list() == {}
    assert await actions(world, checkin.checkin_id) == [
        ("an", "note"),
        ("bình", "revealed"),
        ("chi", "rechecked"),
        ("an", "item_closed"),
    ]
    for call in (work.note("nobody", "x", "an"), work.reveal("nobody", "an"), work.recheck("nobody", "an")):
        with pytest.raises(StaffRefusal) as refused:
            await call
        assert refused.value.code == "NO_SUCH_CHECK_IN"


async def test_a_hostile_typed_name_is_cleaned(world: World, work: StaffWork):
    entry = Entry("099190000001", "  Trần\u202e <b>Thị</b>\x00  Mẫu ", "1990-09-02")
    entered, _ = await work.enter(entry, "an")
    assert entered.identity.full_name == "Trần <b>Thị</b> Mẫu"
    assert entered.staff_reason == "name_refused"


async def test_whoever_is_registered_as_insured_without_an_answer_is_asked_about(start):
    async with start(insurance={"recheck_after": [0.2, 0.2]}) as world:
        await world.station.scan(qr(6))
        await world.answer("call_staff")
        await world.view("needs_staff")
        checkin = await world.newest()
        assert checkin.status is None and await world.rows("gateway") == []
        service = await service_of(world, "502")
        work = StaffWork(world.checkins)
        done = await work.register(checkin.checkin_id, service, insured=True, reason="", patient=None, who="an")
        assert done.registered_status is EligibilityClass.CANNOT_SAY
        after = await world.becomes(checkin.checkin_id, staff_reason="coverage_to_enter")
        assert (after.status, after.answer_origin) == (EligibilityClass.INSURED, "pending")
        assert {body["checkin_id"] for body in await world.events("lookup")} == {checkin.checkin_id}
