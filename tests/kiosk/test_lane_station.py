"""Who does not come alone with a card: a child, somebody who is helped, nobody's card, an emergency."""

from datetime import date

import pytest
import sqlalchemy as sa

from kiosk.calls import CallKind
from kiosk.model import Lane, Method
from kiosk.station_model import NotAtThatPhase, ScanRefused
from kiosk.tables import checkin, metadata
from kiosk.to_hospital import encounter_of
from tests.kiosk.world import FACILITY, PEOPLE, World, card, insurance_card, qr

CHILD = "099219000031"
CHILD_BORN = "2019-05-05"
MOTHER, FATHER = 1, 3


async def everything(world: World) -> str:
    """All that the store holds, as text."""
    rows = []
    for table in metadata.sorted_tables:
        rows.append(await world.store.read(lambda c, t=table: [str(row) for row in c.execute(sa.select(t))]))
    return str(rows)


def calls(world: World) -> list[CallKind]:
    return [call.kind for call in world.parts.calls.open()]


async def test_a_mother_shows_her_own_code_and_it_is_her_childs_visit(world: World):
    await world.station.scan(qr(MOTHER))
    await world.view("confirm")
    await world.answer("guardian", value="child")
    assert (await world.view("for_other"))["company"] == "child"

    with pytest.raises(ScanRefused, match="NOT_A_CHILD"):
        await world.station.scan(qr(FATHER))
    assert (await world.view("for_other"))["trouble"] == "ADULT"
    assert PEOPLE[FATHER].name not in str(world.station.state())

    await world.station.answer(None, "no_card")
    await world.view("no_card")
    await world.station.answer(None, "number", value=f"{CHILD} {CHILD_BORN}")
    shown = await world.view("confirm")
    assert (shown["name"], shown["birth_year"], shown["company"]) == ("… SỐ", 2019, "child")
    await world.answer("confirm")
    await world.view("choose_service")
    assert (await world.choose())["view"] == "done"

    [visit] = await world.all()
    assert (visit.lane, visit.method, visit.identity.personal_id) == (Lane.GUARDIAN, Method.MANUAL_ID, CHILD)
    assert (visit.holder_check, visit.priority) == ("none", None)
    [event] = await world.events("visit")
    assert (event["lane"], event["not_by_chip"], event["bhyt"]) == ("guardian", "CHILD", True)
    assert [lookup["checkin_id"] for lookup in await world.events("lookup")] == [visit.checkin_id]
    kept = await everything(world)
    for parent in (MOTHER, FATHER):
        assert str(PEOPLE[parent].citizen_id) not in kept and PEOPLE[parent].name.title() not in kept
    assert CHILD in kept, "the search finds what is there"
    assert len(world.hospital.visits()) == 1


async def test_a_child_is_not_confirmed_and_another_document_is_asked_for(world: World):
    await world.station.answer(None, "guardian", value="child")
    await world.station.scan(insurance_card(2))
    assert (await world.view("confirm"))["company"] == "child"
    await world.answer("reject")
    assert (await world.view("for_other"))["trouble"] is None
    assert await world.all() == []


async def test_a_small_child_is_a_guardians_without_being_said(world: World):
    await world.station.scan(insurance_card(2))
    assert (await world.view("confirm"))["company"] == "child"
    assert (await world.newest()).lane is Lane.GUARDIAN


async def test_whoever_helps_an_old_person_shows_that_persons_card(world: World):
    await world.station.answer(None, "guardian", value="other")
    await world.view("for_other")
    assert (await world.identify(4))["view"] == "choose_service"
    await world.choose()
    visit = await world.newest()
    assert (visit.lane, visit.holder_check, visit.priority) == (Lane.GUARDIAN, "none", "elderly")
    await world.leave()
    await world.register(5)
    assert (await world.newest()).lane is Lane.SELF, "the next one comes alone"


async def test_without_any_card_a_known_number_waits_for_staff_with_the_answer_in_hand(world: World):
    await world.station.answer(None, "no_card")
    await world.station.answer(None, "number", value="099190000001 1990-09-02")
    shown = await world.view("needs_staff")
    assert shown["ticket"]["number"].startswith("K-") and "MẪU" not in str(shown).upper()
    visit = await world.newest()
    assert (visit.staff_reason, visit.lane, visit.status) == ("no_document", Lane.SELF, "insured")
    assert world.hospital.visits() == []


@pytest.mark.parametrize(
    ("number", "reason", "asked"),
    [("099190000001 1991-09-02", "no_document", 0), ("099220000077 2020-01-01", "child_unknown", 0)],
    ids=["another birth date", "nobody knows the child"],
)
async def test_a_number_that_names_nobody_surely_goes_to_staff_and_nobody_is_asked(world: World, number, reason, asked):
    await world.station.answer(None, "guardian", value="child" if reason == "child_unknown" else "other")
    await world.station.answer(None, "no_card")
    await world.station.answer(None, "number", value=number)
    await world.view("needs_staff")
    visit = await world.newest()
    assert (visit.staff_reason, visit.identity.full_name) == (reason, None)
    assert len(world.gateway.lookups()) == asked


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("", "BAD_ID_NUMBER"),
        ("12345 1990-01-01", "BAD_ID_NUMBER"),
        ("099190000001", "BAD_DATE"),
        ("099190000001 1990-13-01", "BAD_DATE"),
        ("099190000001 1790", "BAD_DATE"),
        ("099219000031 2099-01-01", "BAD_DATE"),
    ],
)
async def test_what_is_mistyped_is_refused_and_the_keys_stay(world: World, typed, code):
    await world.station.answer(None, "no_card")
    with pytest.raises(ScanRefused, match=code):
        await world.station.answer(None, "number", value=typed)
    assert world.screen["view"] == "no_card"


async def test_an_adults_number_is_no_childs(world: World):
    await world.station.answer(None, "guardian", value="child")
    await world.station.answer(None, "no_card")
    for typed in ("099075000003 1975-03-15", "099075000003 2019-03-15"):
        with pytest.raises(ScanRefused, match="NOT_A_CHILD"):
            await world.station.answer(None, "number", value=typed)


async def test_a_typed_number_shows_nobody_the_ticket_of_before(world: World):
    await world.register(1)
    await world.leave()
    await world.station.answer(None, "no_card")
    await world.station.answer(None, "number", value="099190000001 1990-09-02")
    assert "ticket" not in await world.view("called")
    assert calls(world) == [CallKind.HELP]
    assert len(await world.all()) == 1


async def test_an_emergency_calls_staff_and_needs_nothing(world: World):
    await world.station.answer(None, "emergency")
    assert (await world.view("emergency"))["view"] == "emergency"
    assert calls(world) == [CallKind.EMERGENCY]
    assert await world.all() == []
    await world.station.answer(None, "cancel")
    await world.view("idle")


async def test_staff_are_called_from_anywhere_and_calls_end(world: World):
    await world.station.answer(None, "call_staff")
    await world.view("called")
    [call] = world.parts.calls.open()
    assert world.parts.calls.answered(call.number) and not world.parts.calls.answered(call.number)
    await world.station.answer(None, "cancel")
    await world.view("idle")
    await world.register(1)
    await world.answer("call_staff")
    assert world.screen["called"] is True and calls(world) == [CallKind.HELP]
    world.clock.forward(minutes=31)
    assert calls(world) == []


async def test_staff_are_called_for_who_fails_twice(world: World):
    for _ in range(2):
        with pytest.raises(ScanRefused):
            await world.station.scan(b"hello\r")
    assert world.screen["called"] is True and calls(world) == [CallKind.TROUBLE]


async def test_two_failures_far_apart_or_with_a_success_between_call_nobody(world: World):
    with pytest.raises(ScanRefused):
        await world.station.scan(b"hello\r")
    world.clock.forward(minutes=5)
    with pytest.raises(ScanRefused):
        await world.station.scan(b"hello\r")
    await world.station.scan(qr(1))
    await world.answer("reject")
    await world.view("idle")
    with pytest.raises(ScanRefused):
        await world.station.scan(b"hello\r")
    assert calls(world) == []


async def test_a_pregnant_woman_says_so_and_it_goes_with_the_visit(world: World):
    assert (await world.identify(1))["groups"] == ["pregnant", "disabled", "merit"]
    await world.answer("priority", value="pregnant")
    shown = await world.view("choose_service")
    assert (shown["priority"], shown["groups"]) == ("pregnant", [])
    await world.choose()
    visit = await world.newest()
    assert visit.priority == "pregnant" and visit.service is not None
    assert encounter_of(visit, visit.service, FACILITY, visit.patient).priority is True


async def test_a_man_cannot_say_that_he_is_pregnant(world: World):
    assert (await world.identify(3))["groups"] == ["disabled", "merit"]
    with pytest.raises(NotAtThatPhase):
        await world.answer("priority", value="pregnant")


async def test_more_time_starts_the_same_view_again(world: World):
    await world.station.scan(qr(1))
    before = await world.view("confirm")
    await world.answer("more_time")
    assert world.screen == before | {"extended": 1}


async def test_the_language_of_the_screen_is_told(world: World):
    await world.station.answer(None, "language", value="km")
    assert world.station.language == "km"
    with pytest.raises(NotAtThatPhase):
        await world.station.answer(None, "language", value="xx")


async def test_another_persons_child_of_today_keeps_one_visit(world: World):
    """A grandmother and a mother both bring the child: one visit."""
    await world.station.scan(insurance_card(2))
    await world.answer("confirm")
    await world.view("choose_service")
    await world.choose()
    await world.leave()
    await world.station.answer(None, "guardian", value="child")
    await world.station.scan(insurance_card(2))
    assert (await world.view("done"))["again"] is True
    assert len(world.hospital.visits()) == 1


async def test_somebody_whose_age_is_not_known_surely_is_believed(world: World):
    year = date.today().year - 17
    await world.station.answer(None, "guardian", value="child")
    await world.station.scan(card(f"0992{year % 100:02d}000088", "Cao Thử Tuổi", f"0102{year}"))
    assert (await world.view("confirm"))["company"] == "child"
    stored = await world.store.read(lambda c: c.execute(sa.select(checkin.c.lane)).scalar_one())
    assert stored == "guardian"


async def test_who_goes_away_is_forgotten_whatever_was_added_to_the_view(start):
    async with start(policy={"confirm_seconds": 0.2, "done_seconds": 0.2}) as world:
        await world.station.scan(insurance_card(2))
        assert (await world.view("confirm"))["company"] == "child"
        await world.view("idle")
        assert world.station.checkin_id is None
        await world.becomes((await world.newest()).checkin_id, state="abandoned")
        await world.register(1)
        await world.answer("call_staff")
        assert world.screen["called"] is True
        await world.view("idle")
