"""What the FHIR adapter leaves in the server, and what it makes of each answer."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from kiosk.errors import HospitalOutcomeUnknown, HospitalRejected, HospitalUnavailable
from kiosk.hospital_model import MatchKind, PatientMatch, PatientRef, Receipt, Service, Slip, VisitCount
from kiosk.model import Certainty, Coverage, EligibilityClass, Identity, KeyKind, PartialDate, RouteHint
from simulators.fhir_server import Settings
from tests.contracts.hospital import outcome_of
from tests.hospital_adapters.fhir_peer import (
    CARD,
    CARD_SYSTEM,
    CHECKIN,
    CITIZEN,
    COVERAGE,
    DAY,
    OLD,
    QUEUE,
    VISIT,
    FhirPeer,
    patient,
    person,
    visit,
    with_card,
)


@pytest.fixture
async def peer() -> AsyncIterator[FhirPeer]:
    async with FhirPeer() as made:
        yield made


def values(resource: dict[str, Any]) -> dict[str, str]:
    return {row["system"]: row["value"] for row in resource["identifier"]}


def known(id_: str) -> PatientMatch:
    return PatientMatch(MatchKind.ONE, PatientRef(id_, None))


async def test_a_new_person_gets_a_record_and_a_visit(peer: FhirPeer) -> None:
    identity = person(1, old_id="099000101", address="Ấp 3, xã Vĩnh Tường, TP Cần Thơ")
    receipt = await peer.adapter.push(visit(1, identity=identity))
    made, opened = peer.one("Patient"), peer.one("Encounter")
    assert values(made) == {CITIZEN: "099190000001", OLD: "099000101"}
    assert made["name"] == [{"use": "official", "text": "Đặng Văn Thử 1"}]
    assert (made["gender"], made["birthDate"]) == ("male", "1990-09-02")
    assert made["address"][0]["text"] == "Ấp 3, xã Vĩnh Tường, TP Cần Thơ"
    assert opened["subject"] == {"reference": f"Patient/{made['id']}"}
    assert (opened["status"], opened["class"]["code"]) == ("arrived", "AMB")
    assert values(opened) == {CHECKIN: visit(1).checkin_id}
    assert opened["period"] == {"start": "2026-01-05T07:12:31+07:00"}
    assert opened["serviceType"]["text"] == "Khám Nội - phòng 101"
    assert opened["serviceProvider"]["identifier"]["value"] == "99001"
    assert receipt == Receipt(opened["id"], None, f"Encounter/{opened['id']}", raw_status="arrived")
    assert peer.held("Coverage") == []


async def test_a_known_person_is_referred_to_and_never_written_over(peer: FhirPeer) -> None:
    peer.hold(patient("P7", {CITIZEN: "099190000001"}, "ĐẶNG VĂN THỬ 1", birthDate="1990", gender="male"))
    before = peer.one("Patient")
    await peer.adapter.push(visit(1))
    await peer.adapter.push(with_card(visit(2, identity=person(1), patient=known("P7"))))
    assert peer.one("Patient") == before
    assert {row["subject"]["reference"] for row in peer.held("Encounter")} == {"Patient/P7"}


@pytest.mark.parametrize(
    ("numbers", "name", "reason"),
    [
        ([{CITIZEN: "099190000001"}, {CITIZEN: "099190000001"}], "Đặng Văn Thử 1", "fhir.patient_many"),
        ([{CITIZEN: "099190000001"}], "Trần Thị Mẫu", "fhir.patient_mismatch"),
    ],
)
async def test_nobody_is_registered_as_somebody_unclear(
    peer: FhirPeer, numbers: list[dict[str, str]], name: str, reason: str
) -> None:
    for row, each in enumerate(numbers):
        peer.hold(patient(f"P{row + 7}", each, name))
    outcome = await outcome_of(peer.adapter.push(visit(1)), peer.secrets)
    assert isinstance(outcome, HospitalRejected) and outcome.reason == reason
    assert peer.held("Encounter") == []


async def test_two_records_that_appear_meanwhile_stop_the_visit(peer: FhirPeer) -> None:
    for id_ in ("P7", "P8"):
        peer.hold(patient(id_, {CITIZEN: "099190000001"}, "Đặng Văn Thử 1"))
    outcome = await outcome_of(peer.adapter.push(visit(1, patient=PatientMatch(MatchKind.NONE))), peer.secrets)
    assert isinstance(outcome, HospitalRejected) and outcome.reason == "fhir.several"
    assert peer.held("Encounter") == []


async def test_a_confirmed_card_is_made_once_and_named_by_the_visit(peer: FhirPeer) -> None:
    for serial in (1, 2):
        await peer.adapter.push(with_card(visit(serial, identity=person(1))))
    card = peer.one("Coverage")
    assert values(card)[CARD_SYSTEM] == CARD.number
    assert card["period"] == {"start": "2026-01-01", "end": "2026-12-31"}
    assert card["class"][0]["value"] == "4"
    assert card["extension"][0]["valueIdentifier"]["value"] == "99001"
    named = [row["extension"] for row in peer.held("Encounter")]
    link = {"url": COVERAGE, "valueReference": {"reference": f"Coverage/{card['id']}"}}
    assert named == [[link], [link]]


async def test_a_card_in_anothers_record_stays_there(peer: FhirPeer) -> None:
    peer.hold(coverage("C7", "P1"))
    outcome = await outcome_of(peer.adapter.push(with_card(visit(1))), peer.secrets)
    assert isinstance(outcome, HospitalRejected) and outcome.reason == "fhir.patient_mismatch"
    await peer.adapter.push(with_card(visit(1, patient=PatientMatch(MatchKind.NONE))))
    made = peer.one("Patient")
    owners = {row["id"]: row["beneficiary"]["reference"] for row in peer.held("Coverage")}
    assert owners.pop("C7") == "Patient/P1"
    assert list(owners.values()) == [f"Patient/{made['id']}"]


def coverage(id_: str, holder: str, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Coverage",
        "id": id_,
        "identifier": [{"system": CARD_SYSTEM, "value": CARD.number}],
        "status": "active",
        "beneficiary": {"reference": f"Patient/{holder}"},
        "payor": [{"display": "BHXH"}],
        **more,
    }


async def test_of_several_records_of_a_card_the_one_that_runs_longest_is_named(peer: FhirPeer) -> None:
    peer.hold(patient("P7", {CITIZEN: "099190000001"}, "Đặng Văn Thử 1"))
    peer.hold(coverage("C7", "P7", period={"end": "2026-12-31"}))
    peer.hold(coverage("C8", "P7", period={"end": "2025-12-31"}))
    receipt = await peer.adapter.push(with_card(visit(1)))
    assert peer.one("Encounter")["extension"][0]["valueReference"] == {"reference": "Coverage/C7"}
    await peer.adapter.amend(receipt, with_card(visit(1)))
    assert len(peer.held("Coverage")) == 2


@pytest.mark.parametrize("status", [EligibilityClass.CANNOT_SAY, EligibilityClass.NEEDS_STAFF])
async def test_an_unconfirmed_card_goes_nowhere(peer: FhirPeer, status: EligibilityClass) -> None:
    await peer.adapter.push(replace(with_card(visit(1)), eligibility=status))
    assert peer.held("Coverage") == [] and "extension" not in peer.one("Encounter")
    assert CARD_SYSTEM not in values(peer.one("Patient"))


async def test_somebody_without_any_number_is_still_made_once(peer: FhirPeer) -> None:
    nameless = visit(1, identity=Identity(full_name="Hồ Thị Không", birth_date=PartialDate(1950)))
    first = await peer.adapter.push(nameless)
    assert await peer.adapter.push(nameless) == first
    made = peer.one("Patient")
    assert made["identifier"] == [{"use": "temp", "system": CHECKIN, "value": nameless.checkin_id}]
    assert (made["birthDate"], made["gender"]) == ("1950", "unknown")


async def test_everything_else_that_is_known_of_a_visit() -> None:
    async with FhirPeer(
        priority_code="A",
        eligibility_response=True,
        systems={"object_code": "urn:example:doi-tuong", "room": "urn:example:rooms"},
    ) as other:
        other.hold(
            {"resourceType": "Appointment", "id": "A7", "status": "booked", "participant": [{"status": "accepted"}]}
        )
        route = RouteHint("1.1", Certainty.AUTO)
        full = with_card(visit(1, priority=True, follows="A7", slip=Slip.REFERRAL, route=route, lookup_receipt="R-7"))
        await other.adapter.push(full)
        opened, answer = other.one("Encounter"), other.one("CoverageEligibilityResponse")
    assert opened["priority"]["coding"][0]["code"] == "A"
    assert opened["appointment"] == [{"reference": "Appointment/A7"}]
    assert {"url": "urn:bhyt-kiosk:slip", "valueCode": "referral"} in opened["extension"]
    assert opened["type"] == [{"coding": [{"system": "urn:example:doi-tuong", "code": "1.1"}]}]
    assert opened["location"][0]["location"]["identifier"] == {"system": "urn:example:rooms", "value": "NOI01"}
    assert (answer["outcome"], answer["disposition"]) == ("complete", "insured")
    assert answer["insurance"][0]["inforce"] is True
    assert answer["insurance"][0]["benefitPeriod"] == {"start": "2026-01-01", "end": "2026-12-31"}
    assert list(values(answer).values()) == ["R-7"]


async def test_a_room_of_the_servers_menu_is_referred_to() -> None:
    async with FhirPeer(menu="healthcare_service") as peer:
        peer.hold({"resourceType": "Location", "id": "L1", "name": "Phòng 101"})
        service = {"resourceType": "HealthcareService", "id": "H1", "name": "Khám Nội"}
        peer.hold({**service, "location": [{"reference": "Location/L1", "display": "Tầng 1"}]})
        insured, paid = await peer.adapter.services(DAY)
        await peer.adapter.push(visit(1, service=paid))
        assert (insured.id, paid.id) == ("HealthcareService/H1", "HealthcareService/H1#self-pay")
        assert peer.one("Encounter")["location"][0]["location"]["reference"] == "Location/L1"


async def test_the_number_and_the_code_of_the_visit_are_the_servers() -> None:
    sim = Settings(visit_system=VISIT, queue_url=QUEUE)
    async with FhirPeer(sim, queue_number="in_receipt", extensions={"queue_number": QUEUE}) as peer:
        receipt = await peer.adapter.push(visit(1))
        assert (receipt.visit_id, receipt.number) == ("LK000001", "A001")
        typed = Receipt(visit_id="LK000001")
        assert (await peer.adapter.amend(typed, with_card(visit(1)))).registration_id == receipt.registration_id
        await peer.adapter.cancel(typed, "left")
        assert await peer.registered(visit(1).checkin_id) == 0


@pytest.mark.parametrize(
    ("mode", "kind", "reason"),
    [
        ("http_400", HospitalRejected, "fhir.http_400"),
        ("http_403", HospitalRejected, "fhir.http_403"),
        ("http_404", HospitalRejected, "fhir.http_404"),
        ("http_412", HospitalRejected, "fhir.several"),
        ("http_422", HospitalRejected, "fhir.http_422"),
        ("http_401", HospitalUnavailable, "fhir.http_401"),
        ("http_429", HospitalUnavailable, "fhir.http_429"),
        ("http_500", HospitalOutcomeUnknown, "fhir.http_500"),
        ("http_500_after", HospitalOutcomeUnknown, "fhir.http_500"),
        ("http_502_html", HospitalOutcomeUnknown, "fhir.http_502"),
        ("http_503", HospitalOutcomeUnknown, "fhir.http_503"),
        ("reset_before", HospitalOutcomeUnknown, "fhir.connection_lost"),
        ("reset_after", HospitalOutcomeUnknown, "fhir.connection_lost"),
        ("truncated", HospitalOutcomeUnknown, "fhir.malformed"),
        ("html_200", HospitalOutcomeUnknown, "fhir.malformed"),
        ("deep_200", HospitalOutcomeUnknown, "fhir.malformed"),
        ("no_entries", HospitalOutcomeUnknown, "fhir.malformed"),
        ("bad_entry", HospitalOutcomeUnknown, "fhir.malformed"),
    ],
)
async def test_what_an_answer_means(peer: FhirPeer, mode: str, kind: type[Exception], reason: str) -> None:
    peer.sim.modes.set("transaction", mode, 1)
    outcome = await outcome_of(peer.adapter.push(visit(1)), peer.secrets)
    assert (type(outcome), str(outcome)) == (kind, reason)
    if isinstance(outcome, HospitalRejected):
        assert outcome.text == f"{mode}: TRẦN THỊ MẪU 099190000001"
    if isinstance(outcome, HospitalUnavailable) and mode == "http_429":
        assert outcome.retry_after == 5
    await peer.adapter.push(visit(1))
    assert await peer.registered(visit(1).checkin_id) == 1


async def test_a_conflict_is_tried_once_more(peer: FhirPeer) -> None:
    peer.sim.modes.set("transaction", "http_409", 1)
    assert (await peer.adapter.push(visit(1))).visit_id
    peer.sim.modes.set("transaction", "http_409", 2)
    outcome = await outcome_of(peer.adapter.push(visit(2)), peer.secrets)
    assert isinstance(outcome, HospitalRejected) and outcome.reason == "fhir.conflict"


@pytest.mark.parametrize("mode", ["bare", "no_location", "unknown_elements"])
async def test_a_sparing_answer_and_a_lavish_one_are_taken(peer: FhirPeer, mode: str) -> None:
    peer.sim.modes.set("transaction", mode, 1)
    receipt = await peer.adapter.push(visit(1))
    assert receipt.registration_id == f"Encounter/{peer.one('Encounter')['id']}"


async def test_a_visit_stands_even_if_it_cannot_be_read_afterwards(peer: FhirPeer) -> None:
    peer.sim.modes.set("transaction", "bare", 1)
    peer.sim.modes.set("read", "http_500", 1)
    receipt = await peer.adapter.push(visit(1))
    assert receipt == Receipt(peer.one("Encounter")["id"], None, f"Encounter/{peer.one('Encounter')['id']}")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"checkin_id": ""}, "fhir.checkin_id"),
        ({"checkin_id": "a|b"}, "fhir.checkin_id"),
        ({"identity": Identity("099190000001")}, "fhir.incomplete_identity"),
        ({"identity": Identity("099190000001", None, "\x00\u202e")}, "fhir.incomplete_identity"),
        ({"patient": PatientMatch(MatchKind.MANY)}, "fhir.patient_many"),
        ({"patient": PatientMatch(MatchKind.MISMATCH)}, "fhir.patient_mismatch"),
    ],
)
async def test_what_cannot_be_said_is_refused_before_anything_is_sent(
    peer: FhirPeer, changes: dict[str, Any], reason: str
) -> None:
    outcome = await outcome_of(peer.adapter.push(visit(1, **changes)), peer.secrets)
    assert isinstance(outcome, HospitalRejected) and outcome.reason == reason
    assert peer.calls() == []


async def test_a_visit_of_another_check_in_is_never_taken_for_ours(peer: FhirPeer) -> None:
    peer.sim.store.create = _gives("V1", peer.sim.store.create, peer)  # type: ignore[method-assign]
    outcome = await outcome_of(peer.adapter.push(visit(1)), peer.secrets)
    assert isinstance(outcome, HospitalOutcomeUnknown) and outcome.evidence == "fhir.wrong_person"


def _gives(id_: str, create: Any, peer: FhirPeer) -> Any:
    """A server that gives the visit *id_* for each that it is asked to create."""

    def conditional(kind: str, resource: Any, condition: str | None) -> Any:
        stored = create(kind, resource, condition)
        return replace(stored, resource=peer.sim.store.read(kind, id_)) if kind == "Encounter" else stored

    return conditional


async def test_an_amendment_adds_the_card_and_leaves_the_rest(peer: FhirPeer) -> None:
    receipt = await peer.adapter.push(visit(1))
    before = peer.one("Encounter")
    theirs = {**before, "extension": [{"url": "urn:his:x", "valueString": "y"}], "status": "triaged"}
    peer.sim.store.update("Encounter", before["id"], theirs, None)
    await peer.adapter.amend(receipt, with_card(visit(1)))
    after, card = peer.one("Encounter"), peer.one("Coverage")
    link = {"url": COVERAGE, "valueReference": {"reference": f"Coverage/{card['id']}"}}
    assert after["extension"] == [{"url": "urn:his:x", "valueString": "y"}, link]
    kept = ("identifier", "subject", "period", "serviceType", "location")
    assert after["status"] == "triaged" and [after[name] for name in kept] == [before[name] for name in kept]
    await peer.adapter.amend(receipt, replace(visit(1), eligibility=EligibilityClass.NOT_INSURED))
    assert peer.one("Encounter")["extension"] == [{"url": "urn:his:x", "valueString": "y"}]


def somebody_writes(peer: FhirPeer, times: int, **changes: Any) -> None:
    """After each of the next reads, *times* at most, somebody else writes into the visit."""
    store, left, writing = peer.sim.store, [times], [False]
    read, update = store.read, store.update

    def read_and_wait(kind: str, id_: str) -> Any:
        found = read(kind, id_)
        if not writing[0] and left[0]:
            left[0] -= 1
            updated(kind, id_, {**found, **changes}, None)
        return found

    def updated(kind: str, id_: str, resource: Any, if_match: str | None) -> Any:
        writing[0] = True
        try:
            return update(kind, id_, resource, if_match)
        finally:
            writing[0] = False

    store.read, store.update = read_and_wait, updated  # type: ignore[method-assign]


@pytest.mark.parametrize("act", ["amend", "cancel"])
async def test_what_was_written_meanwhile_is_read_again_and_kept(peer: FhirPeer, act: str) -> None:
    receipt = await peer.adapter.push(visit(1))
    somebody_writes(peer, 1, status="triaged", text={"status": "empty", "div": "<div>x</div>"})
    if act == "amend":
        await peer.adapter.amend(receipt, with_card(visit(1)))
        assert peer.one("Encounter")["status"] == "triaged" and peer.one("Encounter")["extension"]
    else:
        await peer.adapter.cancel(receipt, "patient left")
        assert peer.one("Encounter")["status"] == "cancelled"
    assert peer.one("Encounter")["text"] and peer.one("Encounter")["meta"]["versionId"] == "3"


async def test_a_visit_that_changes_all_the_time_is_left_for_later(peer: FhirPeer) -> None:
    receipt = await peer.adapter.push(visit(1))
    somebody_writes(peer, 99)
    for call in (peer.adapter.amend(receipt, with_card(visit(1))), peer.adapter.cancel(receipt, "left")):
        outcome = await outcome_of(call, peer.secrets)
        assert isinstance(outcome, HospitalUnavailable) and outcome.reason == "fhir.changes_too_fast"
    assert peer.held("Coverage") == []


@pytest.mark.parametrize(
    ("changes", "mode", "reason"),
    [
        ({"status": "entered-in-error"}, None, "fhir.visit_withdrawn"),
        ({"subject": {"display": "ai đó"}}, None, "fhir.no_person"),
        ({}, "without_version", "fhir.no_version"),
    ],
)
async def test_what_cannot_be_amended_is_refused(
    peer: FhirPeer, changes: dict[str, Any], mode: str | None, reason: str
) -> None:
    receipt = await peer.adapter.push(visit(1))
    key = ("Encounter", receipt.visit_id or "")
    peer.sim.store.resources[key] = {**peer.sim.store.resources[key], **changes}
    peer.sim.modes.set("read", mode, 1)
    outcome = await outcome_of(peer.adapter.amend(receipt, with_card(visit(1))), peer.secrets)
    assert isinstance(outcome, HospitalRejected) and outcome.reason == reason
    assert peer.held("Coverage") == []


async def test_nothing_is_amended_or_withdrawn_that_is_not_there(peer: FhirPeer) -> None:
    for receipt in (Receipt(), Receipt("nowhere"), Receipt(None, None, "Encounter/nowhere"), Receipt("a b")):
        for call in (peer.adapter.amend(receipt, visit(1)), peer.adapter.cancel(receipt, "left")):
            outcome = await outcome_of(call, peer.secrets)
            assert isinstance(outcome, HospitalRejected) and outcome.reason == "fhir.visit_gone"


async def test_a_withdrawal_says_why_and_can_be_repeated() -> None:
    async with FhirPeer(cancel_status="entered-in-error") as peer:
        receipt = await peer.adapter.push(visit(1))
        for _ in range(2):
            await peer.adapter.cancel(receipt, "patient\x00 left")
        assert peer.one("Encounter")["status"] == "entered-in-error"
        assert peer.one("Encounter")["extension"][-1]["valueCodeableConcept"] == {"text": "patient left"}
        assert peer.one("Encounter")["meta"]["versionId"] == "2"


async def test_only_visits_of_the_day_that_stand_are_found(peer: FhirPeer) -> None:
    receipt = await peer.adapter.push(visit(1))
    subject = peer.one("Encounter")["subject"]
    base = {"resourceType": "Encounter", "class": {"code": "AMB"}, "subject": subject, "status": "arrived"}
    # of yesterday and without an end, which a search for today finds; withdrawn; and one of the desk
    peer.hold({**base, "id": "V2", "period": {"start": "2026-01-04T23:00:00+07:00"}})
    peer.hold({**base, "id": "V3", "status": "cancelled", "period": {"start": "2026-01-05T08:00:00+07:00"}})
    peer.hold({**base, "id": "V4", "period": {"start": "2026-01-05T00:00:00+07:00"}})
    found = await peer.adapter.find_visits(person(1), None, DAY)
    assert {key: row.registration_id for key, row in found} == {
        visit(1).checkin_id: receipt.registration_id,
        "": "Encounter/V4",
    }
    ref = PatientRef("P1", "0000456")
    assert await peer.adapter.find_visits(person(1), ref, DAY) == ()


async def test_visits_are_counted_by_the_hospitals_own_query() -> None:
    async with FhirPeer(visit_count_query="class=AMB&date=ge{from}&date=lt{to}&status:not=cancelled") as peer:
        receipts = [await peer.adapter.push(visit(serial)) for serial in (1, 2, 3)]
        await peer.adapter.cancel(receipts[0], "left")
        assert await peer.adapter.visit_count(DAY) == VisitCount(DAY, 2)
        peer.sim.modes.set("search", "nulls", 1)
        outcome = await outcome_of(peer.adapter.visit_count(DAY), peer.secrets)
        assert isinstance(outcome, HospitalUnavailable) and outcome.reason == "fhir.malformed"


async def test_numbers_of_people_stand_in_no_address(peer: FhirPeer) -> None:
    receipt = await peer.adapter.push(with_card(visit(1)))
    await peer.adapter.find_patient(person(1, old_id="099000101"), CARD.number)
    await peer.adapter.suggest(person(1))
    await peer.adapter.find_visits(person(1), None, DAY)
    await peer.adapter.cancel(receipt, "left")
    assert "search" in peer.calls()
    assert not [call for call in peer.sim.calls if "0991900" in call["url"] or "GD49" in call["url"]]


async def test_a_card_by_another_number_is_sent_as_it_is(peer: FhirPeer) -> None:
    short = Coverage("0123456789", KeyKind.BHXH_10, None, None, None)
    await peer.adapter.push(replace(with_card(visit(1)), coverage=short))
    card = peer.one("Coverage")
    assert card["subscriberId"] == "0123456789" and "class" not in card and "period" not in card


async def test_a_self_paid_visit_names_no_card(peer: FhirPeer) -> None:
    paid = Service("9", "YC", "Khám yêu cầu", "1", "Khoa Khám", "2", False)
    await peer.adapter.push(replace(with_card(visit(1)), service=paid))
    assert peer.held("Coverage") == []


async def test_who_staff_call_a_new_patient_is_not_put_into_somebody_elses_record() -> None:
    """Under the same number stands another name: the server would find that record when asked to make this one."""
    async with FhirPeer() as peer:
        encounter = visit(1, patient=PatientMatch(MatchKind.NONE, decided=True))
        peer.hold(patient("P7", {CITIZEN: encounter.identity.personal_id or ""}, "Lê Thị Khác"))
        first = await peer.adapter.push(encounter)
        assert await peer.adapter.push(encounter) == first
        subject = peer.one("Encounter")["subject"]["reference"]
        made = [row for row in peer.held("Patient") if row["id"] != "P7"]
        assert [f"Patient/{row['id']}" for row in made] == [subject]
        assert {row["value"] for row in made[0]["identifier"]} >= {encounter.checkin_id, encounter.identity.personal_id}
