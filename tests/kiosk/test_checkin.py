"""The check-in from card to ticket, against the simulated gateway and hospital."""

import asyncio
from datetime import timedelta

import pytest

from kiosk import records
from kiosk.checkin import Arrival
from kiosk.hospital_model import MatchKind
from kiosk.kpi import own_rates
from kiosk.model import EligibilityClass, Lane
from kiosk.station_views import patient_answer
from kiosk.ticket_numbers import NumberSeries, next_number
from tests.kiosk.world import World, card, qr, until


async def test_an_insured_person_gets_the_hospitals_number(world: World):
    shown = await world.identify(1)
    assert (shown["view"], shown["answer"]) == ("choose_service", "insured")
    assert shown["valid_to"] is not None
    done = await world.choose()
    checkin = await world.newest()
    (visit,) = world.hospital.visits()
    assert done["ticket"]["number"] == checkin.his_number == str(visit["STT_LK"])
    assert (done["view"], done["ticket"]["issued_by"], done["again"]) == ("done", "his", False)
    assert (checkin.state, checkin.hospital_state, checkin.bhyt) == ("accepted", "accepted", True)
    assert checkin.registered_status is EligibilityClass.INSURED
    assert checkin.staff_reason is None and checkin.kiosk_number is None
    assert checkin.receipt is not None and checkin.receipt.visit_id == visit["MA_LK"]


ANSWERS = [
    (1, "insured", EligibilityClass.INSURED, "valid", "000"),
    (9, "insured", EligibilityClass.INSURED_NEW_CARD, "new_card", "003"),
    (13, "not_insured", EligibilityClass.NOT_INSURED, "expired", "010"),
    (24, "cannot_say", EligibilityClass.CANNOT_SAY, "gateway_error", "101"),
]


@pytest.mark.parametrize(("person", "told", "status", "reason", "code"), ANSWERS)
async def test_the_answers_that_lead_to_a_service(world: World, person, told, status, reason, code):
    shown = await world.identify(person)
    assert (shown["view"], shown["answer"]) == ("choose_service", told)
    checkin = await world.newest()
    assert checkin.eligibility is not None
    assert (checkin.status, checkin.eligibility.reason, checkin.eligibility.result_code) == (status, reason, code)
    assert (checkin.answer_origin, checkin.state) == ("live", "looked_up")
    offered = {service["id"] for service in shown["services"]}
    menu = await world.checkins.menu()
    assert offered == {s.id for s in menu if s.insured is (told != "not_insured") and s.available != "no"}
    done = await world.choose(sorted(offered)[0])
    assert (done["view"], done["answer"]) == ("done", told)
    assert (await world.newest()).bhyt is (told != "not_insured")


STAFF = [
    (10, "not_valid_on_day"),
    (26, "unknown_code"),
    (30, "sex_differs"),
    (14, "not_found"),
    (7, "defence_card"),
]


@pytest.mark.parametrize(("person", "reason"), STAFF)
async def test_whom_staff_must_see_still_gets_a_number(world: World, person, reason):
    shown = await world.identify(person)
    assert (shown["view"], shown["answer"]) == ("needs_staff", "needs_staff")
    assert shown["ticket"]["number"].startswith("K-") and shown["ticket"]["issued_by"] == "kiosk"
    checkin = await world.newest()
    assert await world.staff_list() == {checkin.checkin_id: reason}
    assert (checkin.state, checkin.bhyt, checkin.hospital_state) == ("accepted", None, None)
    assert world.hospital.visits() == []


@pytest.mark.parametrize("mode", ["hang", "reset", "http_500_html", "bad_json", "null_json", "no_code"])
async def test_a_broken_gateway_is_cannot_say_and_is_asked_again_later(world: World, mode):
    world.gateway.mode(mode, endpoint="*")
    shown = await world.identify(1)
    assert (shown["view"], shown["answer"], shown["valid_to"]) == ("choose_service", "cannot_say", None)
    done = await world.choose()
    checkin = await world.newest()
    assert (done["view"], done["answer"], done["ticket"]["number"]) == ("done", "cannot_say", checkin.his_number)
    assert checkin.registered_status is EligibilityClass.CANNOT_SAY
    row = await world.row("gateway")
    assert (row.kind, row.ref, row.state) == ("recheck", checkin.checkin_id, "waiting")
    assert 590 < (row.next_at - row.created_at).total_seconds() <= 600


async def test_a_refused_officer_is_shown_to_the_patient_as_cannot_say(world: World):
    world.gateway.mode("officer_054")
    shown = await world.identify(1)
    assert shown["answer"] == "cannot_say"
    checkin = await world.newest()
    assert checkin.status is EligibilityClass.MISCONFIGURED
    assert checkin.eligibility is not None and checkin.eligibility.result_code == "054"
    await world.choose()
    assert (await world.row("gateway")).state == "waiting"
    assert world.parts.health.gateway.view() == {"ok": False, "reason": "officer_unknown"}


@pytest.mark.parametrize("status", EligibilityClass)
def test_unknown_is_never_told_as_insured_nor_as_not_insured(status):
    told = patient_answer(status)
    assert (told == "insured") is status.insured
    assert (told == "not_insured") is (status is EligibilityClass.NOT_INSURED)
    assert (told == "cannot_say") is status.unanswered
    assert patient_answer(None) == "cannot_say"


@pytest.mark.parametrize("mode", ["wrong_person", "null_fields"])
async def test_somebody_elses_data_never_reach_the_screen(world: World, mode):
    world.gateway.mode(mode)
    seen = []
    watching = asyncio.create_task(_collect(world, seen))
    shown = await world.identify(6)
    watching.cancel()
    assert (shown["view"], shown["answer"]) == ("needs_staff", "needs_staff")
    assert shown["ticket"]["number"].startswith("K-")
    everything = str(seen) + str(shown)
    for foreign in ("MẪU", "Mẫu", "PHẠM", "Phạm", "990000000", "DN499", "HN299", "1975"):
        assert foreign not in everything
    checkin = await world.newest()
    assert checkin.eligibility is not None and checkin.eligibility.coverage is None
    assert list((await world.staff_list()).values()) == [checkin.eligibility.reason]


async def _collect(world: World, seen: list[object]) -> None:
    async for state in world.station.changes():
        seen.append(state["screen"])


async def test_another_name_goes_to_staff_and_shows_only_what_the_card_says(world: World):
    shown = await world.identify(card("099190000001", "Nguyễn Văn Khác", "02091990", "Nữ"))
    assert shown["view"] == "needs_staff"
    assert list((await world.staff_list()).values()) == ["name_refused"]
    assert "Mẫu" not in str(shown)


async def test_a_person_whom_the_hospital_knows_by_another_name_goes_to_staff(world: World):
    world.gateway.mode("http_500_html")
    shown = await world.identify(30)
    assert (shown["view"], shown["answer"]) == ("needs_staff", "cannot_say")
    checkin = await world.newest()
    assert checkin.patient is not None and checkin.patient.kind is MatchKind.MISMATCH
    assert list((await world.staff_list()).values()) == ["hospital_patient_differs"]
    assert world.hospital.visits() == []
    assert (await world.row("gateway")).state == "waiting"


async def test_two_rows_for_one_person_in_the_hospital_go_to_staff(world: World):
    world.gateway.mode("http_500_html")
    shown = await world.identify(card("099186000109", "Kim Văn Trùng", "09061986"))
    assert shown["view"] == "needs_staff"
    assert list((await world.staff_list()).values()) == ["hospital_patient_ambiguous"]


async def test_the_same_person_again_gets_the_same_ticket(world: World):
    first = await world.register(1)
    number = world.screen["ticket"]["number"]
    await world.station.scan(qr(1))
    again = await world.view("done")
    assert (again["again"], again["ticket"]["number"]) == (True, number)
    assert world.station.checkin_id == first.checkin_id
    assert len(await world.all()) == 1
    assert len(world.hospital.visits()) == 1
    assert len(world.gateway.lookups()) == 1
    assert [body["kind"] for body in await world.events()] == ["lookup", "visit"]


async def test_another_examination_is_a_second_visit_that_joins_a_lookup_of_its_own(world: World):
    first = await world.register(1)
    await world.station.scan(qr(1))
    await world.view("done")
    await world.answer("another_examination")
    assert (await world.view("confirm"))["number"].endswith("001")
    await world.answer("confirm")
    assert (await world.view("choose_service"))["answer"] == "insured"
    done = await world.choose("505")
    second = await world.newest()
    assert second.checkin_id != first.checkin_id
    assert (second.answer_origin, done["again"]) == ("live", False)
    assert {row["ID_DICH_VU"] for row in world.hospital.visits()} == {"502", "505"}
    assert len(world.gateway.lookups()) == 1  # so soon after the first the gateway is not troubled again
    assert [body["checkin_id"] for body in await world.events("visit")] == [first.checkin_id, second.checkin_id]
    assert [body["checkin_id"] for body in await world.events("lookup")] == [first.checkin_id, second.checkin_id]
    assert own_rates(await world.events())["r1_pct"] == 100.0


async def test_an_answer_is_used_again_for_a_quarter_of_an_hour_only(world: World):
    await world.identify(1)
    await world.answer("cancel")
    await world.view("idle")
    world.clock.forward(minutes=14)
    await world.identify(1)
    assert ((await world.newest()).answer_origin, await world.asked()) == ("remembered", 1)
    assert len(world.gateway.lookups()) == 1
    checkin, within = await world.newest(), world.checkins.policy.remember
    for seconds, known in ((59, True), (61, False)):
        now = world.clock() + timedelta(seconds=seconds)
        assert (
            await world.store.read(lambda c, at=now: records.recent_answer(c, checkin, at, within)) is not None
        ) is known


async def test_who_left_with_the_answer_and_returns_goes_on_so_that_the_visit_joins_its_lookup(world: World):
    await world.identify(1)
    await world.leave()
    checkin = await world.register(1)
    assert len(await world.all()) == 1
    assert {body["checkin_id"] for body in await world.events()} == {checkin.checkin_id}
    assert own_rates(await world.events())["r1_pct"] == 100.0


async def test_no_answer_is_not_remembered(world: World):
    world.gateway.mode("http_500_html", times=1)
    assert (await world.identify(1))["answer"] == "cannot_say"
    await world.answer("cancel")
    await world.view("idle")
    assert (await world.identify(1))["answer"] == "insured"
    assert await world.asked() == 2


async def test_tomorrow_is_another_visit(world: World):
    await world.register(1)
    world.clock.forward(days=1)
    await world.station.scan(qr(1))
    assert (await world.view("confirm", "done"))["view"] == "confirm"


async def test_the_hospital_is_away_and_gets_the_visit_once_when_it_is_back(world: World):
    await world.checkins.menu()
    world.hospital.down()
    assert (await world.identify(1))["answer"] == "insured"
    done = await world.choose()
    checkin = await world.newest()
    assert (done["view"], done["ticket"]["number"], done["ticket"]["issued_by"]) == ("done", "K-001", "kiosk")
    assert (checkin.kiosk_number, checkin.hospital_state) == ("K-001", "waiting")
    world.hospital.up()
    after = await world.becomes(checkin.checkin_id, hospital_state="accepted")
    (visit,) = world.hospital.visits()
    assert (after.kiosk_number, after.his_number, after.number) == ("K-001", str(visit["STT_LK"]), after.his_number)
    assert after.patient is not None and after.patient.kind is MatchKind.ONE
    row = await world.row("hospital")
    assert row.state == "done" and row.attempts > 1
    assert after.staff_reason is None


async def test_without_any_menu_staff_take_over(world: World):
    world.hospital.down()
    shown = await world.identify(1)
    assert shown["view"] == "needs_staff" and shown["ticket"]["number"] == "K-001"
    assert list((await world.staff_list()).values()) == ["no_menu"]


async def test_the_last_menu_serves_a_restarted_kiosk_while_the_hospital_is_away(start, hospital):
    async with start() as world:
        offered = await world.checkins.menu()
    assert any(service.price for service in offered)
    hospital.down()
    async with start() as world:
        remembered = await world.checkins.menu()
    assert [service.id for service in remembered] == [service.id for service in offered]
    assert not any(service.price or service.surcharge for service in remembered)  # of unknown age: no prices


async def test_a_remembered_answer_is_for_the_very_person_it_was_given_about(world: World):
    await world.identify(6)
    await world.answer("cancel")
    await world.view("idle")
    read = qr(6).decode()
    forged = read.replace(read.split("|")[2], "Nguyễn Văn Giả Mạo").encode()
    assert (await world.identify(forged))["view"] == "needs_staff"
    assert len(world.gateway.lookups()) == 2
    assert (await world.newest()).answer_origin == "live"


async def test_an_accepted_visit_without_a_number_gets_one_when_the_person_returns(world: World):
    await world.register(1)
    taken = (await world.newest()).checkin_id
    await world.store.run(lambda c: records.update(c, taken, his_number=None, kiosk_number=None))
    await world.leave()
    await world.station.scan(qr(1))
    assert world.screen["ticket"]["number"] == "K-001"


async def test_a_hospital_that_knows_no_queue_numbers_leaves_the_kiosks_own(world: World):
    world.hospital.switch(SIM_STT="null")
    checkin = await world.register(1)
    assert (world.screen["ticket"]["number"], world.screen["ticket"]["issued_by"]) == ("K-001", "kiosk")
    assert (checkin.hospital_state, checkin.his_number) == ("accepted", None)


async def test_kiosk_numbers_run_on_and_start_again_each_day(world: World):
    numbers = []
    for person in (26, 10, 14):
        await world.identify(person)
        numbers.append(world.screen["ticket"]["number"])
    world.clock.forward(days=1)
    await world.identify(7)
    assert [*numbers, world.screen["ticket"]["number"]] == ["K-001", "K-002", "K-003", "K-001"]


async def test_many_at_once_never_share_a_kiosk_number(world: World):
    day = world.today()
    gained = await asyncio.gather(
        *(world.store.run(lambda c: next_number(c, day, NumberSeries())) for _ in range(40)),
    )
    assert sorted(gained) == [f"K-{n:03d}" for n in range(1, 41)]


async def test_accepting_twice_is_one_visit(world: World):
    await world.identify(1)
    checkin_id = str(world.station.checkin_id)
    service = next(s for s in await world.checkins.menu() if s.id == "502")
    both = await asyncio.gather(
        *(world.checkins.accept(checkin_id, service, insured=True) for _ in range(5)),
    )
    assert len({checkin.number for checkin in both}) == 1
    assert len(world.hospital.visits()) == 1
    assert len(await world.events("visit")) == 1


async def test_two_open_check_ins_of_one_person_end_as_one(start):
    """The kiosk's own screen and a desk may both hold the same person before either accepts."""
    async with start(policy={"number_wait": 0.3}) as world:
        await two_open(world)


async def two_open(world: World) -> None:
    await world.identify(1)
    first = str(world.station.checkin_id)
    person = world.station._presented
    assert person is not None
    other = await world.checkins.present(person.document, person.key, Arrival(Lane.DESK, attended=True))
    await world.checkins.look_up(other.checkin.checkin_id)
    service = next(s for s in await world.checkins.menu() if s.id == "502")
    one, two = await asyncio.gather(
        world.checkins.accept(first, service, insured=True),
        world.checkins.accept(other.checkin.checkin_id, service, insured=True),
    )
    assert one.checkin_id == two.checkin_id
    assert len(world.hospital.visits()) == 1
    states = {checkin.checkin_id: checkin.state for checkin in await world.all()}
    assert sorted(states.values()) == ["abandoned", "accepted"]
    assert len(world.gateway.lookups()) == len(await world.events("lookup")) == 1


HOSTILE = [
    "<script>alert(1)</script> & <b>Mẫu</b>",
    "Trần\u202eẫM\u202c Thị",
    "Trần " + "Rất " * 60 + "Dài",
    "'; DROP TABLE checkin; --",
    "%s %n {0} ${jndi}",
    "𝕿𝖗𝖆𝖓 Mẫu",
    "A",
]


@pytest.mark.parametrize("name", HOSTILE)
async def test_hostile_names_end_well(world: World, name):
    try:
        shown = await world.identify(card("099190000001", name, "02091990", "Nữ"))
    except Exception as exc:
        assert getattr(exc, "code", "") in ("NAME_DAMAGED", "UNKNOWN_FORMAT"), exc
        assert world.screen["view"] == "unreadable"
        return
    assert shown["view"] == "needs_staff" and shown["ticket"]["number"] == "K-001"
    (item,) = await world.all()
    assert item.identity.full_name is not None and "\u202e" not in item.identity.full_name
    assert item.identity.full_name.isprintable()


async def test_a_hostile_name_can_be_registered(world: World):
    """While the gateway cannot say, the name goes to the hospital as it stands."""
    world.gateway.mode("http_500_html", endpoint="*")
    shown = await world.identify(card("099085000077", "Lê 'Văn' Thử -- O’R'", "01021985"))
    assert (shown["view"], shown["answer"]) == ("choose_service", "cannot_say")
    await world.choose()
    assert len(world.hospital.visits()) == 1 and world.screen["view"] == "done"


async def test_what_was_open_at_a_stop_is_abandoned_and_its_lookup_counts(start):
    async with start() as world:
        await world.identify(1)
    async with start() as world:
        (checkin,) = await world.all()
        assert (checkin.state, world.station.phase) == ("abandoned", "idle")
        assert len(await world.events("lookup")) == 1
        await world.register(1)
        assert len(world.hospital.visits()) == 1


async def test_events_of_a_visit_reach_the_outbox_of_the_province(world: World):
    await world.register(1)

    async def there():
        return len(await world.rows("province")) == 2

    await until(there)
    assert {row.state for row in await world.rows("province")} <= {"waiting", "sending"}
