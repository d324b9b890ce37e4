"""A breaking hospital system, and staff who err: no visit twice, none lost, nobody given what is another's."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from kiosk.errors import HospitalOutcomeUnknown, HospitalRejected
from kiosk.hospital_model import Candidate, MatchKind, PatientMatch, PatientRef, Receipt, TicketLine
from kiosk.logs import JsonFormatter
from kiosk.model import EligibilityClass, Identity, PartialDate
from kiosk.patient_choice import PatientChoice
from kiosk.staffwork import Entry, StaffRefusal, StaffWork
from kiosk.web.staff_view import views
from tests.kiosk.world import PEOPLE, World, plug_in, qr

SAME = Receipt("V-1", "P-1", tickets=(TicketLine("7"),))
ROOM = "NOI-BHYT"


@pytest.fixture
async def world(tmp_path, start) -> AsyncIterator[World]:
    async with (
        plug_in(tmp_path / "site", "attacked", "tests.kiosk.plugins:attacked"),
        start(hospital={"adapter": "attacked"}, insurance={"recheck_after": [0.3, 0.3]}) as running,
    ):
        yield running


async def refused(call) -> str:
    with pytest.raises(StaffRefusal) as refusal:
        await call
    return refusal.value.code


async def test_an_answer_about_somebody_elses_visit_gives_nobody_their_number(world: World):
    hospital = world.checkins.hospital
    hospital.answer = SAME
    first = await world.register(1, ROOM)
    assert (first.hospital_state, first.his_number) == ("accepted", "7")
    await world.leave()
    await world.identify(6)
    shown = await world.choose(ROOM)
    assert (shown["view"], shown["ticket"]["number"]) == ("needs_staff", "K-001")
    second = await world.newest()
    assert (second.hospital_state, second.his_number, second.receipt) == ("parked", None, None)
    row = (await world.rows("hospital"))[-1]
    assert (row.state, row.reason, row.uncertain) == ("parked", "hospital.wrong_person", True)
    assert await world.staff_list() == {second.checkin_id: "hospital_outcome_unknown"}
    assert len(hospital.pushed) == 2, "a visit may stand there: never sent again by itself"


async def test_a_system_without_ids_of_its_own_still_serves_everybody(world: World):
    hospital = world.checkins.hospital
    for person, number in ((1, "7"), (6, "8")):
        hospital.answer = Receipt("0", "P-1", tickets=(TicketLine(number),))
        checkin = await world.register(person, ROOM)
        assert (checkin.hospital_state, checkin.his_number) == ("accepted", number)
        await world.leave()


async def test_two_answers_at_once_about_one_visit_serve_one_person(world: World):
    hospital = world.checkins.hospital
    hospital.answer = SAME
    work = StaffWork(world.checkins)
    entered = []
    for number in (1, 6):
        person = PEOPLE[number]
        typed = Entry(person.citizen_id, person.name, person.birth_date(world.today()), None)
        entered.append((await work.enter(typed, "an"))[0])
    service = next(item for item in await world.checkins.menu() if item.id == ROOM)
    done = await asyncio.gather(
        *(work.register(item.checkin_id, service, insured=True, reason="", patient=None, who="an") for item in entered)
    )
    assert sorted(str(item.hospital_state) for item in done) == ["accepted", "parked"]
    assert sorted(str(item.his_number) for item in done) == ["7", "None"]


async def test_the_same_persons_second_examination_may_be_in_the_same_visit(world: World):
    hospital = world.checkins.hospital
    hospital.answer = SAME
    await world.register(1, ROOM)
    await world.station.scan(qr(1))
    await world.view("done")
    await world.answer("another_examination")
    await world.view("confirm")
    await world.answer("confirm")
    await world.view("choose_service")
    await world.choose(ROOM)
    assert [item.hospital_state for item in await world.all()] == ["accepted", "accepted"]


async def test_staff_cannot_type_the_visit_of_somebody_else(world: World):
    hospital = world.checkins.hospital
    first = await world.register(1, ROOM)
    await world.leave()
    hospital.refusal = HospitalOutcomeUnknown("test.lost")
    await world.identify(6)
    await world.choose(ROOM)
    second = await world.newest()
    work = StaffWork(world.checkins)
    taken = first.receipt.visit_id
    assert await refused(work.found_in_hospital(second.checkin_id, taken, "9", "an")) == "VISIT_OF_ANOTHER"
    assert (await world.get(second.checkin_id)).staff_reason == "hospital_outcome_unknown"
    after = await work.found_in_hospital(second.checkin_id, "V-OTHER", "9", "an")
    assert (after.hospital_state, after.his_number) == ("accepted", "9")


async def test_who_staff_call_a_new_patient_is_sent_as_one(world: World):
    """Under the person's number stands somebody else; asking again could only say the same."""
    hospital = world.checkins.hospital
    hospital.match = PatientMatch(MatchKind.MISMATCH, PatientRef("P9", None), differences=("name",))
    await world.identify(1)
    checkin = await world.newest()
    assert checkin.coverage is not None
    service = next(item for item in await world.checkins.menu() if item.id == ROOM)
    work = StaffWork(world.checkins)
    after = await work.register(checkin.checkin_id, service, insured=True, reason="", patient="new", who="an")
    assert (after.hospital_state, after.staff_reason) == ("accepted", None)
    (sent,) = hospital.pushed
    assert sent.patient == PatientMatch(MatchKind.NONE, decided=True)


@pytest.mark.parametrize("action", ["close", "confirm"])
async def test_an_amendment_that_staff_typed_in_is_done_with(world: World, action):
    hospital = world.checkins.hospital
    hospital.fail = HospitalRejected("test.no")
    world.gateway.mode("http_500_html", endpoint="*")
    checkin = await world.register(1, ROOM)
    world.gateway.mode("normal", endpoint="*")
    await world.becomes(checkin.checkin_id, staff_reason="coverage_to_enter")
    work = StaffWork(world.checkins)
    again = await work.push_again(checkin.checkin_id, patient=None, who="an")
    assert (again.hospital_state, again.staff_reason) == ("accepted", "coverage_to_enter"), "it stays registered"
    assert [(row.kind, row.state) for row in await world.rows("hospital")] == [("push", "done"), ("amend", "parked")]
    if action == "close":
        await work.close_item(checkin.checkin_id, "an")
    else:
        from kiosk.hand_over import HandOvers

        clerk = HandOvers(world.checkins)
        shown = await clerk.show(checkin.checkin_id, "an", "page")
        await clerk.confirm(checkin.checkin_id, "an", number="", told=shown.told, digest=shown.digest)
    assert {row.state for row in await world.rows("hospital")} == {"done"}
    assert await world.staff_list() == {}


@pytest.mark.parametrize("failure", [HospitalRejected("test.no"), HospitalOutcomeUnknown("test.lost")])
async def test_a_visit_that_is_not_registered_cannot_be_closed_out_of_sight(world: World, failure):
    world.checkins.hospital.refusal = failure
    await world.identify(1)
    await world.choose(ROOM)
    checkin = await world.newest()
    before = await world.staff_list()
    assert await refused(StaffWork(world.checkins).close_item(checkin.checkin_id, "an")) == "PARKED"
    assert await world.staff_list() == before != {}


async def test_the_hospitals_words_break_no_list(world: World):
    world.checkins.hospital.refusal = HospitalRejected("test.no", "\ud800\x00\u202e Trần\r\n" + "A" * 900)
    await world.identify(1)
    await world.choose(ROOM)
    found = await world.all()
    shown = await world.store.read(lambda c: views(c, found))
    json.dumps(shown, ensure_ascii=False).encode()
    (words,) = [line["detail"]["text"] for line in shown[0]["audit"] if line["action"] == "refused"]
    assert "Trần" in words and words.isprintable() and len(words) <= 500


async def test_what_is_learnt_while_a_withdrawal_waits_is_brought_once_the_visit_surely_stands(world: World):
    hospital = world.checkins.hospital
    world.gateway.mode("http_500_html", endpoint="*")
    checkin = await world.register(1, ROOM)
    hospital.fail = HospitalRejected("test.no")
    work = StaffWork(world.checkins)
    await work.cancel(checkin.checkin_id, "", "an")
    world.gateway.mode("normal", endpoint="*")
    await world.becomes(checkin.checkin_id, status=EligibilityClass.INSURED)
    assert [row.kind for row in await world.rows("hospital")] == ["push", "cancel"]
    hospital.fail = None
    await work.looked_for_withdrawn(checkin.checkin_id, "an", stands=True)
    after = await world.becomes(checkin.checkin_id, registered_status=EligibilityClass.INSURED)
    assert (after.hospital_state, after.closed_reason) == ("accepted", None)
    assert len(hospital.amended) == 1 and hospital.cancelled == []


async def test_nobody_suggested_for_another_name_can_be_chosen(world: World):
    """Staff correct a mistyped name while the list for the wrong one is still shown."""
    hospital = world.checkins.hospital
    wrong = Identity(full_name="TRẦN THỊ SAI", birth_date=PartialDate(1990, 9, 2))
    hospital.same_name = (Candidate(PatientRef("P9", None), wrong),)
    work, choice = StaffWork(world.checkins), PatientChoice(world.checkins)
    born = PEOPLE[1].birth_date(world.today())
    entered, _ = await work.enter(Entry(PEOPLE[1].citizen_id, "Trần Thị Sai", born), "an")
    (only,) = await choice.suggestions(entered.checkin_id, "an")
    await work.enter(Entry(PEOPLE[1].citizen_id, PEOPLE[1].name, born), "an")
    assert await refused(choice.choose(entered.checkin_id, only.token, "an")) == "NO_SUCH_CANDIDATE"
    assert (await world.get(entered.checkin_id)).patient != PatientMatch(MatchKind.ONE, PatientRef("P9", None), wrong)


async def test_a_fault_in_an_adapter_turns_nobody_away_and_is_told_to_nobody(world: World, caplog):
    hospital = world.checkins.hospital
    await world.checkins.menu()
    hospital.bug = KeyError("TRẦN THỊ MẪU 099190000001")
    await world.station.scan(qr(1))
    await world.view("confirm")
    await world.answer("confirm")
    assert (await world.view("choose_service", "needs_staff", "done", "out_of_order"))["view"] == "choose_service"
    shown = await world.choose(ROOM)
    assert (shown["view"], shown["ticket"]["number"]) == ("needs_staff", "K-001")
    checkin = await world.newest()
    assert await world.staff_list() == {checkin.checkin_id: "hospital_outcome_unknown"}
    assert hospital.pushed == []
    written = [JsonFormatter().format(record) for record in caplog.records]
    assert written and not [line for line in written if "TRẦN" in line or "0991900" in line]
