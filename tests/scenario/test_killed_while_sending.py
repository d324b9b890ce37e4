"""kill -9 between a registration's request and its answer: found as unknown at the start, and never sent blindly.

His-kiosk-c06.md 8 and acceptance test 7; tests/chaos/test_kill9 kills at random moments.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from people import Clerk, Patient, eventually, force, registrations

from simulators.stack import Stack, free_base


@pytest.fixture(scope="module", params=["staff", "history", "du_phong"])
def stack(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Processes that wait long enough for the hospital to be killed meanwhile; *param*: how a lost answer is solved."""
    settings, switches = {
        "staff": ({}, {}),
        "history": ({"history_path": "/lichsu-dangky"}, {"SIM_HISTORY": "on"}),
        "du_phong": ({"dedup": "du_phong"}, {"SIM_DEDUP": "du_phong"}),
    }[request.param]
    config: dict[str, dict[str, Any]] = {
        "hospital": {"grace": 0.5, "timeouts": {"post": 20}, **settings},
        "outbox": {"base": 0.2, "cap": 1},
    }
    with Stack(
        tmp_path_factory.mktemp("stack"), free_base(), config=config, his_env=switches, with_province=False
    ) as running:
        yield running


def calls(stack: Stack) -> int:
    made = httpx.get(stack.url("his") + "/_sim/calls").json()["calls"]
    return sum(call["endpoint"] == "dangky-kcb" for call in made)


@pytest.mark.parametrize(("mode", "stored", "person"), [("hang_after", 1, 1), ("hang_before", 0, 3)])
def test_a_visit_being_sent_is_unknown_at_the_start(
    stack: Stack, request: pytest.FixtureRequest, mode: str, stored: int, person: int
) -> None:
    way, before = request.node.callspec.params["stack"], calls(stack)
    force(stack, "his", "dangky-kcb", mode, 1)
    patient = Patient(stack)
    patient.tap(person)
    patient.touch("confirm")
    seen = patient.wait("choose_service")
    checkin_id = seen["checkin_id"]
    patient.touch("service", service_id=seen["screen"]["services"][0]["id"])
    eventually(lambda: calls(stack) == before + 1)
    stack.kill_kiosk()
    assert len(mine(stack, checkin_id)) == stored
    stack.start_kiosk()
    clerk = Clerk(stack)
    if way == "staff":
        unknown = eventually(lambda: (c := clerk.one(checkin_id))["needs_staff"] and c)
        assert unknown["needs_staff"]["reason"] == "hospital_outcome_unknown"
        assert (calls(stack), len(mine(stack, checkin_id))) == (before + 1, stored)
        if stored:
            [row] = mine(stack, checkin_id)
            clerk.post(f"/check-ins/{checkin_id}/amend", visit_id=row["MA_LK"], number=str(row["STT_LK"]))
        else:
            clerk.post(f"/check-ins/{checkin_id}/push", confirmed_absent=True)
    accepted = eventually(lambda: (c := clerk.one(checkin_id))["hospital"]["state"] == "accepted" and c)
    [row] = mine(stack, checkin_id)
    assert accepted["needs_staff"] is None and accepted["ticket"]["his_number"] == str(row["STT_LK"])
    assert calls(stack) - before == (2 if way == "du_phong" else 2 - stored)


def mine(stack: Stack, checkin_id: str) -> list[dict[str, Any]]:
    return [row for row in registrations(stack) if checkin_id in row["DU_PHONG"]]
