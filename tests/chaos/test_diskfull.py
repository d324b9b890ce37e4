"""A full disk: no promise that cannot be kept, and service resumes by itself (faults-threats-speed.md 3, F4)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.chaos


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the scenario saw, with the daemon's data on a small disk of its own."""
    script = Path(__file__).with_name("diskfull.py")
    namespace = "-m" if os.geteuid() == 0 else "-rm"
    command = ["unshare", namespace, sys.executable, str(script), str(tmp_path_factory.mktemp("diskfull"))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return dict(json.loads(done.stdout))


def test_a_scan_is_refused_and_the_screen_sends_to_the_desk(found: dict[str, Any]) -> None:
    assert found["scanned"]["scan"] == [503, {"error": "STORE_FULL"}]
    assert found["scanned"]["scan_again"] == 409
    assert found["scanned"]["screen"]["view"] == "out_of_order"
    assert found["scanned"]["ready"] == [503, ["store"]]


def test_a_choice_gets_no_number(found: dict[str, Any]) -> None:
    assert found["chosen"]["screen"]["view"] == "out_of_order"
    assert "ticket" not in found["chosen"]["screen"]
    assert found["chosen"]["accepted"] == found["accepted_before"]


def test_staff_are_told_that_nothing_was_written(found: dict[str, Any]) -> None:
    assert found["chosen"]["staff_entry"] == [503, {"error": "STORE_FULL"}]


def test_service_resumes_within_five_seconds_without_a_restart(found: dict[str, Any]) -> None:
    assert found["scanned"]["recovered_after"] < 5
    assert found["chosen"]["recovered_after"] < 5
    assert found["same_process"]


def test_all_that_was_promised_is_kept_and_nothing_else(found: dict[str, Any]) -> None:
    assert found["wrong"] == []
    assert found["only_told"]
    assert found["registered"] == 0
