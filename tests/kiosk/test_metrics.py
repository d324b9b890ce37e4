"""Metrics: what they count, and that their labels name nobody."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families

from kiosk import outbox_table
from kiosk.funnel import WAYS
from kiosk.metrics import Metrics
from kiosk.model import Eligibility, EligibilityClass
from tests.kiosk.world import World, qr

NOW = datetime(2026, 11, 2, 1, 0, tzinfo=UTC)
WORDS = {
    "method": {"QR_CCCD", "CARD_NUMBER", "MANUAL_ID"},
    "class": {status.value for status in EligibilityClass},
    "outcome": {"done", "retry", "park"},
    "answer": {"insured", "not_insured", "cannot_say", "needs_staff"},
    "destination": {"hospital", "number", "gateway", "province", "register"},
    "state": {"waiting", "sending", "parked"},
    "reader": {"scanner"},
    "ended": set(WAYS),
    "view": {"confirm", "checking", "choose_service", "done", "needs_staff"},
}


def samples(metrics: Metrics) -> list:
    families = text_string_to_metric_families(metrics.render().decode())
    return [sample for family in families for sample in family.samples]


def value(metrics: Metrics, name: str, **labels: str) -> float:
    found = [s.value for s in samples(metrics) if s.name == name and labels.items() <= s.labels.items()]
    return sum(found)


async def test_lookups_and_deliveries_are_counted_by_closed_lists(world: World):
    await world.register(1)
    await world.leave()
    await world.identify(26)
    await world.leave()
    world.gateway.mode("http_500_html", endpoint="*")
    world.hospital.mode("c999")
    await world.identify(6)
    await world.choose()
    metrics = world.parts.metrics
    assert value(metrics, "kiosk_lookups_total", method="QR_CCCD", result_code="000", **{"class": "insured"}) == 1
    assert value(metrics, "kiosk_lookups_total", result_code="777") == 1
    assert value(metrics, "kiosk_lookups_total", result_code="none", **{"class": "cannot_say"}) == 1
    assert value(metrics, "kiosk_lookup_seconds_count") == 3
    assert value(metrics, "kiosk_hospital_deliveries_total", outcome="done") == 1
    assert value(metrics, "kiosk_hospital_deliveries_total", outcome="park") == 1


async def test_every_label_is_a_word_of_a_list(world: World):
    for person in (1, 9, 13, 24, 26, 30):
        if (await world.identify(person))["view"] == "choose_service":
            await world.answer("cancel")
            await world.view("idle")
        else:
            await world.leave()
    world.parts.metrics.reader("scanner", True)
    world.parts.metrics.outbox(await world.store.read(outbox_table.depth), world.clock())
    for sample in samples(world.parts.metrics):
        for name, label in sample.labels.items():
            if name == "result_code":
                assert label in ("none", "other") or (len(label) == 3 and label.isdigit())
            elif name != "le":
                assert label in WORDS[name], (sample.name, name, label)
    text = world.parts.metrics.render().decode()
    assert "Mẫu" not in text and "Trần" not in text
    assert not re.search(r"(?<![0-9.])(099|99)[0-9]{8,9}(?![0-9.])", text)  # a measured time may hold any digits


@pytest.mark.parametrize("code", ["Trần", "0991", "１２３", "12a", ""])
async def test_a_code_that_could_be_anything_is_not_a_label(world: World, code):
    await world.station.scan(qr(1))
    checkin = await world.newest()
    answer = Eligibility(EligibilityClass.NEEDS_STAFF, "unknown_code", NOW, result_code=code)
    world.parts.metrics.lookup(checkin, answer)
    labels = {s.labels["result_code"] for s in samples(world.parts.metrics) if s.name == "kiosk_lookups_total"}
    assert labels <= {"other", "none"}


def test_a_question_that_was_not_asked_is_not_counted():
    metrics = Metrics()
    metrics.lookup(None, Eligibility(EligibilityClass.CANNOT_SAY, "breaker_open", NOW, attempts=0))  # type: ignore[arg-type]
    assert value(metrics, "kiosk_lookup_seconds_count") == 0


def test_depth_and_age_are_as_they_are_now_and_fall_back_to_zero():
    metrics = Metrics()
    metrics.outbox([("hospital", "parked", 2, NOW - timedelta(seconds=90))], NOW)
    assert value(metrics, "kiosk_outbox_rows", destination="hospital", state="parked") == 2
    assert value(metrics, "kiosk_outbox_oldest_seconds", destination="hospital", state="parked") == 90
    metrics.outbox([], NOW)
    assert value(metrics, "kiosk_outbox_rows") == 0 and value(metrics, "kiosk_outbox_oldest_seconds") == 0
    assert {s.labels["destination"] for s in samples(metrics) if s.name == "kiosk_outbox_rows"} == WORDS["destination"]
