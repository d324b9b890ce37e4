"""Each of the simulated people, through the running processes, ends in the class the reference states."""

from __future__ import annotations

from typing import Any

import pytest
from people import Clerk, Patient, eventually, gateway_calls, rate, registrations

from simulators.stack import Stack

INSURED = (1, 2, 3, 4, 5, 6, 11, 15, 18, 19, 20, 23, 27, 28, 29, 31)
EXPECTED = (
    dict.fromkeys(INSURED, "insured")
    | dict.fromkeys((9, 12), "insured_new_card")
    | dict.fromkeys((13, 16, 17, 21), "not_insured")
    | dict.fromkeys((7, 8, 10, 14, 22, 26, 30), "needs_staff")
    | dict.fromkeys((24, 25), "cannot_say")
)


@pytest.fixture(scope="module")
def ends(stack: Stack) -> dict[int, dict[str, Any]]:
    """All, one after the other; those without citizen number through staff entry by card number."""
    patient, clerk = Patient(stack), Clerk(stack)
    ends = {}
    for number, person in patient.people.items():
        if person.citizen_id is None:
            ends[number] = {"screen": None, "checkin": clerk.enter_card(person)}
        else:
            seen = patient.check_in(number)
            ends[number] = {"screen": seen["screen"], "checkin": clerk.one(seen["checkin_id"])}
    return ends


@pytest.mark.parametrize("number", range(1, 32))
def test_class(ends: dict[int, dict[str, Any]], number: int) -> None:
    checkin = ends[number]["checkin"]
    assert checkin["eligibility"]["class"] == EXPECTED[number]


@pytest.mark.parametrize("number", range(1, 32))
def test_nobody_leaves_without_a_number(ends: dict[int, dict[str, Any]], number: int) -> None:
    ticket = ends[number]["checkin"]["ticket"]
    assert ticket["number"]
    assert (ticket["issued_by"] == "kiosk") is ticket["number"].startswith("K-")


def test_screen_says_one_of_the_four_answers(ends: dict[int, dict[str, Any]]) -> None:
    shown = {number: end["screen"]["answer"] for number, end in ends.items() if end["screen"]}
    told = {"insured_new_card": "insured"}
    assert shown == {number: told.get(EXPECTED[number], EXPECTED[number]) for number in shown}


def test_hospital_holds_each_registered_visit_once(stack: Stack, ends: dict[int, dict[str, Any]]) -> None:
    sent = [row["DU_PHONG"].removeprefix("CK1;id=") for row in registrations(stack)]
    assert len(sent) == len(set(sent))
    accepted = {
        end["checkin"]["checkin_id"] for end in ends.values() if end["checkin"]["hospital"]["state"] == "accepted"
    }
    assert set(sent) == accepted
    assert len(accepted) == len(INSURED) - 1 + 2 + 4 + 2  # the child of number 2 waits for staff to choose a room


def test_staff_see_all_who_need_them(stack: Stack, ends: dict[int, dict[str, Any]]) -> None:
    waiting = {item["checkin_id"] for item in Clerk(stack).waiting()}
    expected = [number for number, answer in EXPECTED.items() if answer == "needs_staff"] + [2]
    assert {ends[number]["checkin"]["checkin_id"] for number in expected} <= waiting


def test_province_counts_what_was_looked_up(stack: Stack, ends: dict[int, dict[str, Any]]) -> None:
    by_citizen_number = 29
    visits = len(INSURED) - 1 + 2 + 2
    row = eventually(lambda: (row := rate(stack))["lookups_total"] >= by_citizen_number and row)
    assert row["lookups_total"] == by_citizen_number
    assert row["lookups_other_key"] == 2
    assert (row["r1_numerator"], row["r1_denominator"]) == (visits, visits)
    assert row["r1_pct"] == 100.0


def test_same_person_again_gets_the_same_ticket(stack: Stack, ends: dict[int, dict[str, Any]]) -> None:
    before, calls = len(registrations(stack)), len(gateway_calls(stack))
    patient = Patient(stack)
    seen = patient.tap(1)
    assert seen["phase"] == "done"
    assert seen["screen"]["again"]
    assert seen["screen"]["ticket"]["number"] == ends[1]["screen"]["ticket"]["number"]
    patient.touch("cancel")
    assert (len(registrations(stack)), len(gateway_calls(stack))) == (before, calls)


def test_no_other_persons_name_is_shown(ends: dict[int, dict[str, Any]]) -> None:
    for end in ends.values():
        assert "name" not in (end["screen"] or {})
