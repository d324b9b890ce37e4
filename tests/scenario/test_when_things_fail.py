"""Gateway and hospital misbehave while the processes run; each person still ends as the reference states."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from people import Clerk, Patient, eventually, force, gateway_calls, registrations

from simulators.stack import Stack


@pytest.fixture(autouse=True)
def behave_again(stack: Stack) -> Iterator[None]:
    yield
    force(stack, "gateway", "*", "normal")
    httpx.post(stack.url("his") + "/_sim/mode", json={"endpoint": "*", "mode": None})


def test_two_first_lookups_at_once_make_one_login(stack: Stack) -> None:
    clerk = Clerk(stack)
    people = [clerk.people[number] for number in (2, 22)]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(clerk.enter_card, people))
    logins = [call for call in gateway_calls(stack) if "token" in call["endpoint"]]
    assert len(logins) == 1


@pytest.mark.parametrize(
    ("number", "mode", "expected"),
    [
        (3, "hang", "cannot_say"),
        (6, "http_500_html", "cannot_say"),
        (15, "bad_json", "cannot_say"),
        (27, "wrong_person", "needs_staff"),
    ],
)
def test_gateway_fails(stack: Stack, number: int, mode: str, expected: str) -> None:
    force(stack, "gateway", "lookup", mode)
    patient, clerk = Patient(stack), Clerk(stack)
    seen = patient.check_in(number)
    checkin = clerk.one(seen["checkin_id"])
    assert checkin["eligibility"]["class"] == expected
    assert seen["screen"]["answer"] == expected
    assert seen["screen"]["ticket"]["number"]
    if expected == "needs_staff":
        assert checkin["needs_staff"]["reason"] == "wrong_person"
        assert checkin["eligibility"]["coverage"] is None


def test_refused_account_is_an_alarm_and_two_lookups_at_most(stack: Stack) -> None:
    force(stack, "gateway", "lookup", "always_401")
    before = len([call for call in gateway_calls(stack) if "token" not in call["endpoint"]])
    patient, clerk = Patient(stack), Clerk(stack)
    seen = patient.check_in(28)
    after = len([call for call in gateway_calls(stack) if "token" not in call["endpoint"]])
    assert after - before == 2
    assert seen["screen"]["answer"] == "cannot_say"
    assert clerk.one(seen["checkin_id"])["eligibility"]["class"] == "misconfigured"
    assert clerk.get("/status")["gateway"]["ok"] is False


def test_late_answer_reaches_the_staff_list(stack: Stack) -> None:
    force(stack, "gateway", "lookup", "http_500_html")
    patient, clerk = Patient(stack), Clerk(stack)
    seen = patient.check_in(9)
    force(stack, "gateway", "*", "normal")
    after = clerk.post(f"/check-ins/{seen['checkin_id']}/recheck")
    assert after["eligibility"]["class"] == "insured_new_card"
    assert after["eligibility"]["origin"] == "pending"
    assert after["needs_staff"]["reason"] == "coverage_to_enter"  # this hospital cannot amend a visit
    closed = clerk.post(f"/check-ins/{seen['checkin_id']}/amend", done=True)
    assert closed["needs_staff"] is None


def test_lost_answer_of_the_hospital_is_staffs_to_resolve(stack: Stack) -> None:
    force(stack, "his", "dangky-kcb", "hang_after", 1)
    patient, clerk = Patient(stack), Clerk(stack)
    seen = patient.check_in(29)
    assert seen["screen"]["ticket"]["number"].startswith("K-")
    checkin_id = seen["checkin_id"]
    unknown = eventually(lambda: (c := clerk.one(checkin_id))["needs_staff"] and c)
    assert unknown["needs_staff"]["reason"] == "hospital_outcome_unknown"
    mine = [row for row in registrations(stack) if checkin_id in row["DU_PHONG"]]
    assert len(mine) == 1
    found = clerk.post(f"/check-ins/{checkin_id}/amend", visit_id=mine[0]["MA_LK"], number=str(mine[0]["STT_LK"]))
    assert found["hospital"]["state"] == "accepted"
    assert found["needs_staff"] is None
    assert found["ticket"]["his_number"] == str(mine[0]["STT_LK"])
    assert found["ticket"]["kiosk_number"] == seen["screen"]["ticket"]["number"]
    assert len([row for row in registrations(stack) if checkin_id in row["DU_PHONG"]]) == 1


def test_request_that_never_arrived_is_sent_again_by_staff(stack: Stack) -> None:
    force(stack, "his", "dangky-kcb", "hang_before", 1)
    patient, clerk = Patient(stack), Clerk(stack)
    seen = patient.check_in(11)
    checkin_id = seen["checkin_id"]
    eventually(lambda: clerk.one(checkin_id)["needs_staff"])
    sent = clerk.post(f"/check-ins/{checkin_id}/push", confirmed_absent=True)
    assert sent["hospital"]["state"] == "accepted"
    assert len([row for row in registrations(stack) if checkin_id in row["DU_PHONG"]]) == 1


def test_hospital_away_gives_a_number_of_our_own_and_registers_once_later(stack: Stack) -> None:
    patient, clerk = Patient(stack), Clerk(stack)
    patient.check_in(4)  # the menu is known
    stack.stop_part("his")
    seen = patient.check_in(5)
    ticket = seen["screen"]["ticket"]
    assert ticket["number"].startswith("K-")
    assert ticket["issued_by"] == "kiosk"
    stack.start_simulator("his")
    checkin_id = seen["checkin_id"]
    eventually(lambda: clerk.one(checkin_id)["hospital"]["state"] == "accepted")
    assert len([row for row in registrations(stack) if checkin_id in row["DU_PHONG"]]) == 1


def test_scanner_unplugged_is_seen_and_comes_back(stack: Stack) -> None:
    patient = Patient(stack)
    assert stack.scanner is not None
    stack.scanner.unplug()
    eventually(lambda: not patient.see()["screen"]["reader_ok"], within=3)
    stack.scanner.plug()
    eventually(lambda: patient.see()["screen"]["reader_ok"], within=4)
    assert patient.tap(1)["phase"] == "confirm"
    patient.touch("reject")
    patient.wait("idle")
