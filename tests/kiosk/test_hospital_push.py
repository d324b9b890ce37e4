"""Bringing visits to the hospital: exactly once, or left to staff as unknown."""

import sys

import pytest

from kiosk import outbox_table, records
from kiosk.errors import ConfigError
from kiosk.hospital_model import MatchKind
from kiosk.model import EligibilityClass
from kiosk.staffwork import StaffRefusal, StaffWork
from tests.kiosk.world import World, card, plug_in, until

LOST = ["hang_after", "reset_after", "http_500_after", "truncated", "html_200", "no_code"]


@pytest.mark.parametrize("mode", LOST)
async def test_a_lost_answer_is_unknown_and_is_staffs_to_solve(world: World, mode):
    world.hospital.mode(mode)
    await world.identify(1)
    shown = await world.choose()
    checkin = await world.newest()
    assert (shown["view"], shown["ticket"]["number"]) == ("needs_staff", "K-001")
    assert await world.staff_list() == {checkin.checkin_id: "hospital_outcome_unknown"}
    row = await world.row("hospital")
    assert (row.state, row.owner, row.uncertain, row.attempts) == ("parked", "staff", True, 1)
    world.hospital.mode(None)
    world.clock.forward(hours=2)
    world.parts.outbox.wake("hospital")
    assert len(world.hospital.visits()) == 1, "never repeated blindly"


async def test_staff_find_the_lost_registration(world: World):
    world.hospital.mode("reset_after", times=1)
    await world.identify(1)
    await world.choose()
    checkin = await world.newest()
    (visit,) = world.hospital.visits()
    work = StaffWork(world.checkins)
    after = await work.found_in_hospital(checkin.checkin_id, visit["MA_LK"], str(visit["number"]), "an")
    assert (after.hospital_state, after.his_number, after.staff_reason) == ("accepted", str(visit["number"]), None)
    assert after.receipt is not None and after.receipt.visit_id == visit["MA_LK"]
    assert (after.number, after.kiosk_number) == (str(visit["number"]), "K-001")
    assert (await world.row("hospital")).state == "done"
    assert len(world.hospital.visits()) == 1


async def test_staff_find_nothing_and_send_again(world: World):
    world.hospital.mode("reset_before", times=1)
    await world.identify(1)
    await world.choose()
    checkin = await world.newest()
    assert await world.staff_list() == {checkin.checkin_id: "hospital_outcome_unknown"}
    after = await StaffWork(world.checkins).push_again(checkin.checkin_id, patient=None, who="an")
    assert (after.hospital_state, after.staff_reason) == ("accepted", None)
    assert [str(visit["number"]) for visit in world.hospital.visits()] == [after.his_number]


async def test_with_the_hospitals_history_a_lost_answer_solves_itself(start):
    async with start(hospital={"history_path": "/lichsu-dangky"}) as world:
        world.hospital.switch(SIM_HISTORY="on")
        for mode, person in (("reset_after", 1), ("reset_before", 6)):
            world.hospital.mode(mode, times=1)
            await world.identify(person)
            shown = await world.choose()
            assert (shown["view"], shown["ticket"]["issued_by"]) == ("done", "kiosk")
            checkin = await world.newest()
            after = await world.becomes(checkin.checkin_id, hospital_state="accepted")
            assert after.staff_reason is None and after.his_number is not None
            await world.leave()
        assert len(world.hospital.visits()) == 2


async def test_a_key_that_the_hospital_keeps_lets_the_same_request_go_again(start):
    async with start(hospital={"dedup": "du_phong"}) as world:
        world.hospital.switch(SIM_DEDUP="du_phong")
        world.hospital.mode("reset_after", times=1)
        await world.identify(1)
        await world.choose()
        checkin = await world.newest()
        after = await world.becomes(checkin.checkin_id, hospital_state="accepted")
        assert after.staff_reason is None
        (visit,) = world.hospital.visits()
        assert visit["count"] == 2 and str(visit["number"]) == after.his_number


async def test_an_answer_learnt_after_the_lost_attempt_is_still_brought_to_staff(start):
    """The attempt that got lost said nothing of a card, so the visit found later has none either."""
    async with start(insurance={"recheck_after": [0.6, 0.3]}) as world:
        world.gateway.mode("http_500_html", endpoint="*")
        world.hospital.mode("reset_after", times=1)
        await world.identify(1)
        await world.choose()
        checkin = await world.newest()
        assert (await world.get(checkin.checkin_id)).staff_reason == "hospital_outcome_unknown"
        world.gateway.mode("normal", endpoint="*")
        await world.becomes(checkin.checkin_id, status=EligibilityClass.INSURED)
        assert (await world.get(checkin.checkin_id)).staff_reason == "hospital_outcome_unknown"
        (visit,) = world.hospital.visits()
        work = StaffWork(world.checkins)
        after = await work.found_in_hospital(checkin.checkin_id, visit["MA_LK"], str(visit["number"]), "an")
        assert after.registered_status is EligibilityClass.CANNOT_SAY
        assert after.staff_reason == "coverage_to_enter"


async def test_who_turns_not_insured_while_the_outcome_is_unknown_cannot_be_registered_twice(start):
    async with start(insurance={"recheck_after": [0.6, 0.3]}) as world:
        world.gateway.mode("http_500_html", endpoint="*")
        world.hospital.mode("reset_after", times=1)
        await world.identify(13)
        await world.choose()
        checkin = await world.newest()
        world.gateway.mode("normal", endpoint="*")
        await world.becomes(checkin.checkin_id, status=EligibilityClass.NOT_INSURED)
        assert await world.staff_list() == {checkin.checkin_id: "hospital_outcome_unknown"}
        service = next(s for s in await world.checkins.menu() if not s.insured)
        with pytest.raises(StaffRefusal) as refused:
            await StaffWork(world.checkins).register(
                checkin.checkin_id, service, insured=False, reason="", patient=None, who="an"
            )
        assert refused.value.code == "OUTCOME_UNKNOWN"
        assert len(world.hospital.visits()) == 1


@pytest.mark.parametrize("mode", ["c999", "unknown_code"])
async def test_a_refusal_goes_to_staff_with_the_hospitals_words(world: World, mode):
    world.hospital.mode(mode)
    await world.identify(1)
    shown = await world.choose()
    assert (shown["view"], shown["ticket"]["number"]) == ("needs_staff", "K-001")
    checkin = await world.newest()
    assert (checkin.hospital_state, checkin.staff_reason) == ("parked", "hospital_rejected")
    row = await world.row("hospital")
    assert (row.state, row.owner, row.uncertain) == ("parked", "staff", False)
    assert row.reason is not None and row.reason.startswith("c06.")
    audit = await world.store.read(lambda c: records.audits_of(c, [checkin.checkin_id])[checkin.checkin_id])
    assert [(entry["who"], entry["detail"]["text"]) for entry in audit] == [("hospital", "Hệ thống từ chối")]
    world.hospital.mode(None)
    after = await StaffWork(world.checkins).push_again(checkin.checkin_id, patient=None, who="an")
    assert (after.hospital_state, after.staff_reason) == ("accepted", None)
    assert len(world.hospital.visits()) == 1


async def test_a_refused_visit_delays_no_other(world: World):
    world.hospital.mode("c999", times=1)
    await world.identify(1)
    await world.choose()
    await world.leave()
    checkin = await world.register(6)
    assert checkin.hospital_state == "accepted"


async def test_a_difference_seen_only_at_the_push_can_be_decided_by_staff(world: World):
    """The look-up of the patient failed while the person stood there; the push finds another name."""
    await world.checkins.menu()
    world.gateway.mode("http_500_html", endpoint="*")
    world.hospital.mode("http_500_before", endpoint="benhnhan", times=1)
    await world.identify(30)
    shown = await world.choose()
    assert shown["view"] == "needs_staff"
    checkin = await world.newest()
    assert (checkin.hospital_state, checkin.staff_reason) == ("parked", "hospital_patient_differs")
    assert checkin.patient is not None and checkin.patient.kind is MatchKind.MISMATCH
    assert world.hospital.visits() == []
    after = await StaffWork(world.checkins).push_again(checkin.checkin_id, patient="known", who="an")
    assert (after.hospital_state, after.staff_reason) == ("accepted", None)
    assert [visit["MA_BN"] for visit in world.hospital.visits()] == ["BN000007"]


async def test_a_stop_between_sending_and_the_answer_is_unknown_after_the_restart(start, hospital):
    async with start() as world:
        await world.checkins.menu()
        hospital.down()
        await world.identify(1)
        await world.choose()
        checkin = await world.newest()
        world.parts.outbox.stop()

        async def quiet() -> bool:
            return (await world.row("hospital")).state == "waiting"

        await until(quiet)
        row = await world.row("hospital")
        await world.store.run(lambda c: outbox_table.settle(c, row.id, "sending", world.clock()))
    hospital.up()
    async with start() as world:
        after = await world.becomes(checkin.checkin_id, hospital_state="parked")
        assert after.staff_reason == "hospital_outcome_unknown"
        assert hospital.visits() == []


async def test_a_faulty_adapter_leaves_the_visit_to_staff_and_its_text_to_nobody(tmp_path, start, caplog):
    async with (
        plug_in(tmp_path / "site", "faulty", "tests.kiosk.plugins:faulty"),
        start(hospital={"adapter": "faulty"}) as world,
    ):
        await world.identify(1)
        shown = await world.choose("NOI-BHYT")
        assert shown["view"] == "needs_staff"
        checkin = await world.newest()
        assert await world.staff_list() == {checkin.checkin_id: "hospital_outcome_unknown"}
        row = await world.row("hospital")
        assert (row.state, row.reason, row.owner, row.uncertain) == ("parked", "internal_error", "staff", True)


async def test_an_amendment_that_cannot_be_made_is_entered_by_staff_and_the_visit_stays(tmp_path, start):
    async with (
        plug_in(tmp_path / "site", "forgetful", "tests.kiosk.plugins:forgetful"),
        start(hospital={"adapter": "forgetful"}, insurance={"recheck_after": [0.3, 0.3]}) as world,
    ):
        world.gateway.mode("http_500_html", endpoint="*")
        checkin = await world.register(1, "NOI-BHYT")
        world.gateway.mode("normal", endpoint="*")
        after = await world.becomes(checkin.checkin_id, staff_reason="coverage_to_enter")
        assert (after.hospital_state, after.his_number) == ("accepted", checkin.his_number)


async def test_only_the_named_plug_in_is_loaded(tmp_path, start):
    sys.modules.pop("tests.kiosk.plugins", None)
    async with plug_in(tmp_path / "site", "faulty", "tests.kiosk.plugins:faulty"):
        async with start():
            assert "tests.kiosk.plugins" not in sys.modules
        with pytest.raises(ConfigError, match=r"hospital.adapter: expected one of c06, dry_run, faulty"):
            async with start(hospital={"adapter": "acme"}):
                pass


async def test_a_hostile_name_reaches_the_hospital_whole_or_not_at_all(world: World):
    world.gateway.mode("http_500_html", endpoint="*")
    await world.identify(card("099085000078", "Lê 'Thử'' -- DROP", "01021985"))
    shown = await world.choose()
    assert shown["view"] == "done" and len(world.hospital.visits()) == 1
