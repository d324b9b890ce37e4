"""Chip cards on a real serial reader, through the daemon, to the province's rates."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from conftest import FAST
from people import Clerk, Patient, eventually, today

from simulators.stack import Stack, free_base

CAME = {
    1: ("genuine", "done"),
    3: ("cc_2024", "done"),
    4: ("max_le_160_6988", "done"),
    6: ("slips", "done"),
    8: ("clone_without_keys", "needs_staff"),
    9: ("dg13_of_another", "needs_staff"),
    10: ("foreign_signer", "needs_staff"),
}


@pytest.fixture(scope="module")
def chips(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("chips"), free_base(), config=FAST, with_card=True) as running:
        yield running


@pytest.fixture(scope="module")
def seen(chips: Stack) -> dict[int, dict[str, Any]]:
    """Each person scans the QR, lays the card down, and goes through; one more says "I can't"."""
    patient = Patient(chips)
    last = {}
    eventually(lambda: patient.see()["screen"]["card_reader"])
    for number, (mode, _) in CAME.items():
        patient.scan(number)
        chips.lay(number, mode)
        last[number] = through(patient)
        chips.take_away()
    patient.scan(11)
    patient.touch("skip_chip")
    last[11] = through(patient)
    return last


def through(patient: Patient) -> dict[str, Any]:
    here = patient.wait("confirm", "needs_staff")
    if here["phase"] == "confirm":
        patient.touch("confirm")
        here = patient.wait("choose_service", "needs_staff")
    if here["phase"] == "choose_service":
        patient.touch("service", service_id=here["screen"]["services"][0]["id"])
        here = patient.wait("done", "needs_staff")
    patient.touch("cancel")
    patient.wait("idle")
    return here


def test_everybody_leaves_with_a_number(seen: dict[int, dict[str, Any]]) -> None:
    assert {number: here["phase"] for number, here in seen.items()} == {
        **{number: phase for number, (_, phase) in CAME.items()},
        11: "done",
    }
    assert all(here["screen"]["ticket"]["number"] for here in seen.values())


def test_evidence_can_be_taken_out_and_checked_again_offline(
    chips: Stack, seen: dict[int, dict[str, Any]], tmp_path: Path
) -> None:
    def kioskctl(*arguments: str) -> subprocess.CompletedProcess[bytes]:
        command = [sys.executable, "-m", "kiosk", *arguments]
        return subprocess.run(command, capture_output=True, check=False)

    kept = kioskctl("evidence", seen[1]["checkin_id"], "--config", str(chips.config_path))
    assert kept.returncode == 0, kept.stderr
    (tmp_path / "evidence.json").write_bytes(kept.stdout)
    checked = kioskctl("verify-evidence", str(tmp_path / "evidence.json"), "--anchors", str(chips.data / "anchors"))
    assert checked.returncode == 0, checked.stdout
    assert json.loads(checked.stdout)["confirmed"] is True
    none = kioskctl("evidence", seen[11]["checkin_id"], "--config", str(chips.config_path))
    assert (none.returncode, json.loads(none.stdout)) == (1, {"error": "NO_EVIDENCE"})


def test_staff_are_called_for_the_doubtful_only(chips: Stack, seen: dict[int, dict[str, Any]]) -> None:
    items = Clerk(chips).get(f"/check-ins?date={today()}")["check_ins"]
    reasons = sorted(item["needs_staff"]["reason"] for item in items if item["needs_staff"])
    assert reasons == ["chip_forged", "chip_forged", "chip_suspected_copy"]
    verdicts = sorted(str(item["verdict"]) for item in items)
    assert verdicts == sorted(["None", *["genuine"] * 4, "suspected_copy", *["forged"] * 2])


def test_the_province_counts_as_chips_only_what_is_not_doubted(chips: Stack, seen: dict[int, dict[str, Any]]) -> None:
    span = {"from": str(today()), "to": str(today()), "level": "facility", "period": "day"}

    def rows_of(feed: str) -> list[dict[str, Any]]:
        url = f"{chips.url('province')}/api/v1/kpi/{feed}"
        answer = httpx.get(url, params=span, headers={"Authorization": "Bearer demo"}, timeout=20)
        return list(answer.json()["rows"])

    def row() -> dict[str, Any] | None:
        rows = rows_of("lookup-rate")
        mine = next((row for row in rows if row["unit_code"] == chips.facility), None)
        return mine if mine and mine["visits_bhyt"] >= 5 else None

    mine = eventually(row)
    assert mine["by_method"]["QR_CCCD"] == 1 and mine["by_method"]["CHIP_CCCD"] >= 4
    assert (mine["r4_numerator"], mine["r4_denominator"]) == (4, 5)
    assert {r["reason"]: r["visits"] for r in rows_of("why-not-by-chip") if r["unit_code"] == chips.facility} == {
        "PATIENT_CHOSE_QR": 1
    }
