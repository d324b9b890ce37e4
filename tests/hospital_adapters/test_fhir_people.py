"""Who a FHIR server holds, its menu and appointments, and what a technician is told."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from hospital_adapters.fhir import FhirAdapter
from kiosk.errors import HospitalUnavailable
from kiosk.hospital_model import Appointment, MatchedBy, MatchKind, PatientMatch, PatientRef
from kiosk.model import AdapterHealth, Identity, PartialDate, Sex
from simulators.fhir_server import Settings
from tests.contracts.hospital import outcome_of
from tests.hospital_adapters.fhir_peer import (
    CARD,
    CARD_SYSTEM,
    CITIZEN,
    DAY,
    OLD,
    FhirPeer,
    adapter_for,
    patient,
    person,
    visit,
    with_card,
)

MR = {"type": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "MR"}]}}


@pytest.fixture
async def peer() -> AsyncIterator[FhirPeer]:
    async with FhirPeer() as made:
        yield made


def found(match: PatientMatch) -> tuple[MatchKind, str | None, MatchedBy | None, tuple[str, ...]]:
    return match.kind, match.ref.id if match.ref else None, match.matched_by, match.differences


async def test_the_first_number_that_is_known_decides(peer: FhirPeer) -> None:
    old = "099000101"
    peer.hold(patient("P5", {CARD_SYSTEM: CARD.number}, "Đặng Văn Thử 1"))
    asked = person(1, old_id=old)
    assert found(await peer.adapter.find_patient(asked, CARD.number)) == (MatchKind.ONE, "P5", MatchedBy.CARD, ())
    peer.hold(patient("P6", {OLD: old}, "Đặng Văn Thử 1"))
    assert found(await peer.adapter.find_patient(asked, CARD.number)) == (MatchKind.ONE, "P6", MatchedBy.OLD_ID, ())
    peer.hold(patient("P7", {CITIZEN: "099190000001"}, "ĐẶNG VĂN THỬ 1"))
    match = await peer.adapter.find_patient(asked, CARD.number)
    assert found(match) == (MatchKind.ONE, "P7", MatchedBy.PERSONAL_ID, ())
    peer.hold(patient("P8", {CITIZEN: "099190000001"}, "ĐẶNG VĂN THỬ 1"))
    match = await peer.adapter.find_patient(asked, CARD.number)
    assert found(match) == (MatchKind.MANY, None, MatchedBy.PERSONAL_ID, ())


async def test_a_card_leads_to_the_holder_of_its_record(peer: FhirPeer) -> None:
    await peer.adapter.push(with_card(visit(1)))
    made = peer.one("Patient")
    peer.sim.store.resources["Patient", made["id"]] = {**made, "identifier": []}
    match = await peer.adapter.find_patient(Identity(full_name="Đặng Văn Thử 1"), CARD.number)
    assert found(match) == (MatchKind.ONE, made["id"], MatchedBy.CARD, ())


@pytest.mark.parametrize(
    ("elements", "differences"),
    [
        ({"name": [{"family": "Đặng", "given": ["Văn", "Thử 1"]}]}, ()),
        ({"name": [{"text": "Tên Cũ", "use": "old"}, {"text": "Dang Van Thu 1"}]}, ()),
        ({"name": [{"text": "Đặng Văn Thụ"}]}, ("name",)),
        ({"name": [{"text": "Trần Thị Mẫu"}], "gender": "female"}, ("name", "sex")),
        ({"birthDate": "1990"}, ()),
        ({"birthDate": "1991-09-02"}, ("birth_year",)),
        ({"gender": "other"}, ()),
        ({"gender": "female"}, ("sex",)),
    ],
)
async def test_a_record_of_somebody_else_is_no_match(
    peer: FhirPeer, elements: dict[str, Any], differences: tuple[str, ...]
) -> None:
    peer.hold({**patient("P7", {CITIZEN: "099190000001"}, "Đặng Văn Thử 1"), **elements})
    match = await peer.adapter.find_patient(person(1))
    kind = MatchKind.MISMATCH if differences else MatchKind.ONE
    assert found(match) == (kind, "P7", MatchedBy.PERSONAL_ID, differences)


async def test_what_the_record_says_is_told(peer: FhirPeer) -> None:
    peer.hold(
        {
            **patient("P7", {CITIZEN: "099190000001", OLD: "099000101"}, "Đặng Văn Thử 1"),
            "birthDate": "1990-09",
            "gender": "male",
            "address": [{"line": ["Ấp 3"], "city": "Xã Vĩnh Tường", "state": "Thành phố Cần Thơ"}],
        }
    )
    record = peer.one("Patient")
    peer.hold({**record, "identifier": [*record["identifier"], {**MR, "system": "urn:x", "value": "0000456"}]})
    match = await peer.adapter.find_patient(Identity("099190000001"))
    assert match.ref == PatientRef("P7", "0000456")
    assert match.person == Identity(
        "099190000001",
        "099000101",
        "Đặng Văn Thử 1",
        PartialDate(1990, 9),
        Sex.MALE,
        "Ấp 3, Xã Vĩnh Tường, Thành phố Cần Thơ",
    )


async def test_a_merged_record_gives_the_one_that_it_became(peer: FhirPeer) -> None:
    peer.hold(patient("P7", {}, "Đặng Văn Thử 1"))
    link = [{"type": "replaced-by", "other": {"reference": "Patient/P7"}}]
    for id_ in ("P8", "P9"):
        peer.hold(patient(id_, {CITIZEN: "099190000001"}, "Đặng Văn Thử 1", active=False, link=link))
    assert found(await peer.adapter.find_patient(person(1)))[:2] == (MatchKind.ONE, "P7")


async def test_a_server_that_gives_everybody_matches_nobody() -> None:
    async with FhirPeer(Settings(deaf=True)) as peer:
        assert await peer.adapter.find_patient(person(1), CARD.number) == PatientMatch(MatchKind.NONE)
        assert await peer.adapter.suggest(person(1)) == ()
        await peer.adapter.push(visit(1))
        assert await peer.adapter.find_visits(person(2), None, DAY) == ()


async def test_only_the_same_name_and_birth_date_is_suggested(peer: FhirPeer) -> None:
    for id_, name, born in (
        ("P2", "ĐẶNG VĂN THỬ 1", "1990-09-02"),
        ("P3", "Đặng Văn Thử", "1990-09-02"),
        ("P4", "Dang Van Thu 1", "1990-09-02"),
        ("P5", "Đặng Văn Thử 1", "1990-09-03"),
    ):
        peer.hold(patient(id_, {CITIZEN: f"09900000000{id_[1]}"}, name, birthDate=born))
    suggested = await peer.adapter.suggest(person(1))
    assert [(row.ref.id, row.person.full_name) for row in suggested] == [("P2", "ĐẶNG VĂN THỬ 1")]
    assert await peer.adapter.suggest(Identity("099190000001")) == ()
    for serial in range(12):
        peer.hold(patient(f"Q{serial}", {}, "Đặng Văn Thử 1", birthDate="1990-09-02"))
    assert len(await peer.adapter.suggest(person(1))) == 10


async def test_appointments_of_the_day_that_are_still_open() -> None:
    async with FhirPeer(appointments=True) as peer:
        peer.hold(patient("P7", {CITIZEN: "099190000001"}, "Đặng Văn Thử 1"))
        room = {"resourceType": "HealthcareService", "id": "H1", "name": "Khám Nội"}
        peer.hold(room)
        for id_, who, start, status, actors in (
            ("A1", "P7", "2026-01-05T09:00:00+07:00", "booked", ["HealthcareService/H1"]),
            ("A2", "P7", "2026-01-05T00:30:00+07:00", "pending", []),
            ("A3", "P7", "2026-01-05T08:00:00+07:00", "fulfilled", []),
            ("A4", "P1", "2026-01-05T08:00:00+07:00", "booked", []),
            ("A5", "P7", "2026-01-06T00:00:00+07:00", "booked", []),
        ):
            row = [{"actor": {"reference": actor}, "status": "accepted"} for actor in [f"Patient/{who}", *actors]]
            peer.hold({"resourceType": "Appointment", "id": id_, "status": status, "start": start, "participant": row})
        assert await peer.adapter.appointments(person(1), DAY) == (
            Appointment("A2", DAY),
            Appointment("A1", DAY, "HealthcareService/H1"),
        )
        assert await peer.adapter.appointments(person(2), DAY) == ()


async def test_the_menu_says_who_may_choose_what() -> None:
    coded = {"category": [{"coding": [{"code": "BHYT"}]}]}
    async with FhirPeer(menu="healthcare_service", menu_insured=["BHYT"]) as peer:
        for number in range(230):
            more = coded if number % 2 else {"type": [{"coding": [{"code": "YC"}]}]}
            service = {"resourceType": "HealthcareService", "id": f"H{number}", "name": f"Phòng {number:03d}", **more}
            peer.hold(service)
        peer.hold({"resourceType": "HealthcareService", "id": "X", "name": "Đã đóng", "active": False})
        rows = await peer.adapter.services(DAY)
        assert [row.name for row in rows] == [f"Phòng {number:03d}" for number in range(230)]
        assert [row.insured for row in rows[:4]] == [False, True, False, True]
        assert (rows[0].code, rows[1].code, rows[1].price) == ("YC", "BHYT", None)
    async with FhirPeer(menu="location", menu_query="status=active") as peer:
        peer.hold({"resourceType": "Location", "id": "L1", "name": "Phòng 1", "status": "active"})
        peer.hold({"resourceType": "Location", "id": "L2", "name": "Phòng 2", "status": "suspended"})
        rows = await peer.adapter.services(DAY)
        assert [(row.id, row.insured) for row in rows] == [("Location/L1", True), ("Location/L1#self-pay", False)]


async def test_check_says_what_it_found(peer: FhirPeer) -> None:
    health = await peer.adapter.check()
    assert health.ok and health.details["fhir_version"] == "4.0.1" and abs(health.details["skew_s"]) <= 2
    assert health.details["software"] == "kiosk-sim FHIR"


@pytest.mark.parametrize(
    ("kind", "mode", "problem"),
    [
        ("metadata", "html_200", "what answers is no FHIR server"),
        ("metadata", "http_404", "what answers is no FHIR server"),
        ("metadata", "reset_before", "the FHIR server hung up"),
        ("metadata", "http_500", "the FHIR server cannot be asked (fhir.http_500)"),
        ("search", "http_401", "the FHIR server refuses our login"),
        ("search", "http_403", "our account may not search visits in the FHIR server"),
    ],
)
async def test_check_says_what_is_wrong(peer: FhirPeer, kind: str, mode: str, problem: str) -> None:
    peer.sim.modes.set(kind, mode, 2)
    health = await peer.adapter.check()
    assert (health.ok, health.problems) == (False, (problem,))


async def test_check_names_what_cannot_be_reached(peer: FhirPeer) -> None:
    await peer.go_away()
    expected = AdapterHealth(ok=False, problems=("the FHIR server cannot be reached",))
    assert await peer.adapter.check() == expected


@pytest.mark.parametrize("mode", ["truncated", "odd_entries", "deep_200", "http_500", "array_200", "other_resource"])
async def test_a_question_without_a_usable_answer_is_an_outage(peer: FhirPeer, mode: str) -> None:
    peer.sim.modes.set("search", mode, 9)
    outcome = await outcome_of(peer.adapter.find_patient(person(1)), peer.secrets)
    if mode == "odd_entries":
        assert outcome == PatientMatch(MatchKind.NONE)
    else:
        assert isinstance(outcome, HospitalUnavailable)


async def test_the_ministrys_systems_are_a_profile() -> None:
    base = "http://fhir.ehealth.gov.vn/core/sid/"
    async with FhirPeer() as peer:
        ministry: FhirAdapter = adapter_for(peer.url, profile="ministry", systems={"old": "urn:example:old"})
        await ministry.push(with_card(visit(1, identity=person(1, old_id="099000101"))))
        numbers = {row["system"]: row["value"] for row in peer.one("Patient")["identifier"]}
        assert numbers == {
            base + "national_id": "099190000001",
            "urn:example:old": "099000101",
            base + "insurance_number": CARD.number,
        }
        assert (await ministry.find_patient(person(1))).kind is MatchKind.ONE
        assert (await peer.adapter.find_patient(person(1))).kind is MatchKind.NONE
        await ministry.close()
