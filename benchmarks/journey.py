"""Machine time of a patient: from the tap on the serial line to the number on the screen, through all processes.

Beside it, in the same run, the time that the same questions to gateway and hospital take when they are simply asked one
after the other: the ratio says what the kiosk adds. Prints one JSON document.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

import httpx

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "scenario"))

from people import Patient, today

from simulators.stack import Stack, free_base
from simulators.vss_people import qr_payload

PEOPLE = (3, 4, 5, 6, 9, 11, 12, 15, 18, 19, 20, 27, 28, 29)
QUESTIONS = 5  # token or lookup, patient, menu, registration, province


def journey(patient: Patient, number: int) -> float:
    """Seconds of machine time; the touches of the person cost nothing here."""
    payload = qr_payload(patient.people[number], today())
    assert payload is not None
    started = time.perf_counter()
    patient.stack.tap(payload)
    patient.wait("confirm")
    patient.touch("confirm")
    seen = patient.wait("choose_service")
    patient.touch("service", service_id=seen["screen"]["services"][0]["id"])
    patient.wait("done")
    took = time.perf_counter() - started
    patient.touch("cancel")
    patient.wait("idle")
    return took


def question(stack: Stack) -> float:
    """Seconds that one HTTP question to a simulator takes."""
    started = time.perf_counter()
    httpx.get(stack.url("his") + "/_sim/health")
    return time.perf_counter() - started


def main() -> None:
    """Run it."""
    fast = {"insurance": {"per_second": 50}}
    with tempfile.TemporaryDirectory() as name, Stack(Path(name), free_base(), config=fast) as stack:
        patient = Patient(stack)
        journey(patient, 1)
        pairs = [(journey(patient, number), QUESTIONS * question(stack)) for number in PEOPLE]
    times = sorted(took for took, _ in pairs)
    print(
        json.dumps(
            {
                "people": len(times),
                "tap_to_number_s_median": round(statistics.median(times), 3),
                "tap_to_number_s_worst": round(times[-1], 3),
                "over_bare_questions_ratio": round(statistics.median(a / b for a, b in pairs), 2),
            },
            indent=2,
        )
    )


if __name__ == "__main__":
    main()
