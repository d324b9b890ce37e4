"""People without a scanner: cards and phones before the camera, through the daemon, to a number."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import FAST
from people import Clerk, Patient, eventually, today

from simulators.stack import Stack, free_base
from simulators.vss_people import qr_payload

HELD = {1: "card", 3: "phone", 4: "card"}


@pytest.fixture(scope="module")
def camera(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("camera")
    with Stack(folder, free_base(), config=FAST, with_camera=True, with_province=False) as running:
        yield running


def hold(patient: Patient, number: int, on: Any) -> None:
    payload = qr_payload(patient.people[number], today())
    assert payload is not None
    patient.stack.hold(payload, on, seconds=30)
    patient.wait("confirm", "place_card")
    assert patient.stack.camera is not None
    patient.stack.camera.take_away()


def test_everybody_held_before_the_camera_leaves_with_a_number(camera: Stack) -> None:
    patient = Patient(camera)
    eventually(lambda: patient.see()["screen"]["camera"])
    numbers = []
    for number, on in HELD.items():
        hold(patient, number, on)
        patient.touch("confirm")
        here = patient.wait("choose_service", "needs_staff", "done")
        if here["phase"] == "choose_service":
            patient.touch("service", service_id=here["screen"]["services"][0]["id"])
            here = patient.wait("done", "needs_staff")
        numbers.append(here["screen"]["ticket"]["number"])
        patient.touch("cancel")
        patient.wait("idle")
    assert len(set(numbers)) == len(HELD)

    items = Clerk(camera).get(f"/check-ins?date={today()}")["check_ins"]
    carriers = {item["carrier"] for item in items}
    assert carriers <= {"card", "phone", "unknown"}
    assert all(item["carrier_source"] == ("none" if item["carrier"] == "unknown" else "camera") for item in items)


def test_no_name_or_number_reached_a_log(camera: Stack) -> None:
    people = Patient(camera).people
    log = camera.log("kiosk")
    for number in HELD:
        assert people[number].name not in log
        assert str(people[number].citizen_id) not in log


def test_the_camera_leaves_no_picture_behind(camera: Stack) -> None:
    eventually(lambda: not _pictures(camera.data / "dev" / "camera"))
    assert not _pictures(camera.data / "kiosk")


def _pictures(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.suffix in (".jpg", ".png", ".raw") or path.name == "core"]
