"""The GNU Health adapter against a live GNU Health on PostgreSQL; what stands there is read from its database."""

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from kiosk.errors import HospitalOutcomeUnknown, HospitalRejected, HospitalUnavailable
from kiosk.hospital_model import MatchedBy, MatchKind, PatientMatch, PatientRef, Receipt, Slip
from kiosk.model import Coverage, EligibilityClass, Identity, KeyKind, PartialDate, Sex
from tests.contracts.hospital import RemoteAdapterContract, assert_ours
from tests.peers.gnuhealth import ARRIVAL, INSURED, SELF_PAY, GnuHealthPeer, adapter_for, person
from tests.peers.gnuhealth_server import EMPTY_INSTITUTION, STRANGER, GnuHealth, gnuhealth

TODAY = date(2026, 1, 5)
CARD = Coverage("DN4999900000001", KeyKind.BHYT_15, "99001", date(2026, 1, 1), date(2026, 12, 31), benefit_level="4")
WITH_CARD: dict[str, Any] = {"coverage": CARD, "eligibility": EligibilityClass.INSURED}
CREATE = "model.gnuhealth.appointment.create"


@pytest.fixture(scope="module")
def server() -> Iterator[GnuHealth]:
    with gnuhealth() as running:
        yield running


@pytest.fixture
async def peer(server: GnuHealth) -> AsyncIterator[GnuHealthPeer]:
    async with GnuHealthPeer(server) as ready:
        yield ready


class TestContract(RemoteAdapterContract):
    pass


def party(peer: GnuHealthPeer, who: Identity, **values: Any) -> int:
    """A person as a clerk enters them, without a patient record."""
    assert who.birth_date is not None and who.birth_date.exact is not None
    born = who.birth_date.exact
    fields = {
        "name": (who.full_name or "").split()[-1],
        "lastname": " ".join((who.full_name or "").split()[:-1]),
        "ref": who.personal_id,
        "gender": "m",
        "is_person": True,
        "is_patient": True,
        "fed_country": "VNM",
        "dob": {"__class__": "date", "year": born.year, "month": born.month, "day": born.day},
    }
    return int(peer.server.call("party.party.create", [fields | values])[0])


def appointment(peer: GnuHealthPeer, party_id: int, moment: datetime, **values: Any) -> int:
    """An appointment as a clerk enters it."""
    [patient] = peer.server.call("gnuhealth.patient.search", [["party", "=", party_id]], 0, 1, None) or (
        peer.server.call("gnuhealth.patient.create", [{"party": party_id}])
    )
    parts = ("year", "month", "day", "hour", "minute", "second", "microsecond")
    at = {"__class__": "datetime"} | {part: getattr(moment, part) for part in parts}
    fields = {"patient": patient, "appointment_date": at, "state": "confirmed", "name": "APPT 7"}
    return int(peer.server.call("gnuhealth.appointment.create", [fields | values])[0])


async def test_a_new_person_becomes_a_patient_with_a_visit(peer: GnuHealthPeer) -> None:
    mother = Identity(
        "099190000001", "099000108", "Trần Thị Mẫu", PartialDate(1990, 9, 2), Sex.FEMALE, "Ấp Thử, Xã Mẫu"
    )
    receipt = await peer.push(1, identity=mother, priority=True, slip=Slip.REFERRAL)
    [made], [visit] = peer.people(), peer.visits()
    assert (made["name"], made["lastname"], made["gender"]) == ("TRẦN THỊ MẪU", None, "f")
    assert (made["dob"], made["est_dob"], made["ref"]) == (date(1990, 9, 2), False, "099190000001")
    assert made["federation_account"].startswith("VNM")
    assert [row["street"] for row in peer.server.rows("SELECT street FROM party_address WHERE party = %s", made["id"])]
    [other] = peer.server.rows("SELECT code FROM gnuhealth_person_alternative_identification")
    assert other["code"] == "099000108"
    assert receipt == Receipt(str(visit["id"]), "099190000001", raw_status="checked_in")
    assert (visit["state"], visit["specialty"], visit["patient"]) == ("checked_in", "CARDIO", made["patient"])
    assert (visit["institution"], visit["appointment_type"], visit["visit_type"]) == (
        peer.server.institution,
        "outpatient",
        "new",
    )
    assert visit["appointment_date"] == visit["checked_in_date"] == datetime(2026, 1, 5, 0, 12, 31)
    assert visit["comments"].splitlines() == [
        "CK1;id=0198c0de-0000-7000-8000-000000000001",
        "Người bệnh thuộc diện ưu tiên.",
        "Người bệnh nói có giấy chuyển cơ sở khám chữa bệnh.",
    ]
    assert visit["insurance"] is None and peer.cards() == []
    # party and patient came in one call: nobody can end up with one of them
    assert "model.gnuhealth.patient.create" not in peer.proxy.calls


async def test_four_kiosks_racing_on_one_person_end_in_one_patient(peer: GnuHealthPeer) -> None:
    kiosks = [adapter_for(peer.proxy.url) for _ in range(4)]
    try:
        for round_ in range(3):
            who = person(20 + round_)
            card = replace(CARD, number=f"DN49999{round_:08d}")
            visits = [
                peer.encounter(100 * round_ + kiosk, identity=who, **(WITH_CARD | {"coverage": card}))
                for kiosk in range(4)
            ]
            receipts = await asyncio.gather(*[kiosk.push(visit) for kiosk, visit in zip(kiosks, visits, strict=True)])
            assert len({receipt.visit_id for receipt in receipts}) == 4
            assert {receipt.patient_code for receipt in receipts} == {who.personal_id}
    finally:
        for kiosk in kiosks:
            await kiosk.close()
    assert [row["ref"] for row in peer.people()] == [person(20 + round_).personal_id for round_ in range(3)]
    assert all(row["patient"] for row in peer.people())
    assert len(peer.server.rows("SELECT id FROM gnuhealth_patient")) == len(peer.cards()) == 3
    assert len(peer.visits()) == 12
    assert peer.proxy.calls.count("model.party.party.create") > 3  # or nobody raced


@pytest.mark.parametrize(
    ("split", "name", "lastname"),
    [("whole", "TRẦN THỊ MẪU", None), ("last", "MẪU", "TRẦN THỊ"), ("first", "THỊ MẪU", "TRẦN")],
)
async def test_splits_names_as_the_hospital_wants(
    server: GnuHealth, split: str, name: str, lastname: str | None
) -> None:
    async with GnuHealthPeer(server, name_split=split) as peer:
        who = replace(person(1), full_name="Trần Thị Mẫu")
        await peer.push(1, identity=who)
        assert [(row["name"], row["lastname"]) for row in peer.people()] == [(name, lastname)]
        match = await peer.adapter.find_patient(who)
        assert match.kind is MatchKind.ONE and match.person is not None
        assert match.person.full_name == "TRẦN THỊ MẪU"


async def test_a_birth_year_alone_is_an_estimate_and_reads_as_one(peer: GnuHealthPeer) -> None:
    who = replace(person(1), birth_date=PartialDate(1948))
    await peer.push(1, identity=who)
    [made] = peer.people()
    assert (made["dob"], made["est_dob"]) == (date(1948, 1, 1), True)
    match = await peer.adapter.find_patient(who)
    assert match.person is not None and match.person.birth_date == PartialDate(1948)


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("O'Brien", "O'BRIEN"),
        ('A "B"; DROP TABLE party_party;--', 'A "B"; DROP TABLE PARTY_PARTY;--'),
        ("%_\\", "%_\\"),
        ('{"__class__":"date"}', '{"__CLASS__":"DATE"}'),
        ("Hô\u202eMẫu\x00\r\nCK1;id=x", "HÔMẪUCK1;ID=X"),
        ("\ud800", "\ufffd"),
    ],
)
async def test_a_name_stays_a_name(peer: GnuHealthPeer, name: str, kept: str) -> None:
    await peer.push(1, identity=replace(person(1), full_name=name, address=name))
    [made], [visit] = peer.people(), peer.visits()
    assert (made["name"], made["lastname"], made["ref"]) == (kept, None, person(1).personal_id)
    [address] = peer.server.rows("SELECT street FROM party_address WHERE party = %s", made["id"])
    assert address["street"].upper() == kept
    assert visit["comments"] == "CK1;id=0198c0de-0000-7000-8000-000000000001"


async def test_finds_by_number_then_old_number_then_card(peer: GnuHealthPeer) -> None:
    by_number, by_old, by_card = person(1), person(2), person(3)
    first = party(peer, by_number)
    old = {"code": "099000108", "alternative_id_type": "other"}
    second = party(peer, by_old, ref="ABC123XYZ", alternative_identification=True, alternative_ids=[["create", [old]]])
    third = party(peer, by_card, ref="NOBODY1")
    insurer = peer.server.insurer
    peer.server.call("gnuhealth.insurance.create", [{"party": third, "number": CARD.number, "company": insurer}])
    find = peer.adapter.find_patient
    match = await find(replace(by_number, old_id="099000108"), CARD.number)
    assert (match.kind, match.ref, match.matched_by) == (
        MatchKind.ONE,
        PatientRef(str(first), by_number.personal_id),
        MatchedBy.PERSONAL_ID,
    )
    match = await find(replace(by_old, old_id="099000108"), CARD.number)
    assert (match.kind, match.ref, match.matched_by) == (
        MatchKind.ONE,
        PatientRef(str(second), "ABC123XYZ"),
        MatchedBy.OLD_ID,
    )
    match = await find(by_card, CARD.number)
    assert (match.kind, match.ref, match.matched_by) == (
        MatchKind.ONE,
        PatientRef(str(third), "NOBODY1"),
        MatchedBy.CARD,
    )
    assert await find(by_card, "DN4999900000009") == PatientMatch(MatchKind.NONE)
    receipt = await peer.push(3, identity=by_card, **WITH_CARD)
    assert receipt.patient_code == "NOBODY1" and len(peer.people()) == 3


async def test_two_under_one_number_are_many_and_another_person_is_a_mismatch(peer: GnuHealthPeer) -> None:
    for serial in (1, 2):
        ids = [["create", [{"code": "099000108", "alternative_id_type": "other"}]]]
        party(peer, person(serial), alternative_identification=True, alternative_ids=ids)
    twice = replace(person(3), old_id="099000108")
    assert await peer.adapter.find_patient(twice) == PatientMatch(MatchKind.MANY, matched_by=MatchedBy.OLD_ID)
    other = replace(person(1), full_name="Sơn Thị Lệch", birth_date=PartialDate(1980), sex=Sex.FEMALE)
    match = await peer.adapter.find_patient(other)
    assert (match.kind, match.differences, match.person) == (MatchKind.MISMATCH, ("name", "birth_year", "sex"), None)
    for who, reason in ((twice, "gnuhealth.patient_many"), (other, "gnuhealth.patient_mismatch")):
        with pytest.raises(HospitalRejected) as refused:
            await peer.push(3, identity=who)
        assert refused.value.reason == reason
    assert peer.visits() == [] and len(peer.people()) == 2


async def test_who_was_no_patient_becomes_one(peer: GnuHealthPeer) -> None:
    worker = party(peer, person(1), is_patient=False)
    assert peer.people()[0]["patient"] is None
    match = await peer.adapter.find_patient(person(1))
    receipts = await asyncio.gather(*[peer.push(serial, identity=person(1), patient=match) for serial in (1, 2)])
    [made] = peer.people()
    assert made["id"] == worker and made["patient"] is not None
    assert len({receipt.visit_id for receipt in receipts}) == 2


@pytest.mark.parametrize("ref", [PatientRef("999999999", None), PatientRef("x", None), PatientRef(None, "0")])
async def test_a_patient_who_is_gone_is_left_to_staff(peer: GnuHealthPeer, ref: PatientRef) -> None:
    with pytest.raises(HospitalRejected) as refused:
        await peer.push(1, patient=PatientMatch(MatchKind.ONE, ref))
    assert refused.value.reason == "gnuhealth.patient_gone"
    assert peer.visits() == [] and peer.people() == []


async def test_a_number_that_an_archived_person_holds_is_left_to_staff(peer: GnuHealthPeer) -> None:
    party(peer, person(1), active=False)
    with pytest.raises(HospitalRejected) as refused:
        await peer.push(1)
    assert refused.value.reason == "gnuhealth.user_error" and refused.value.text
    assert peer.visits() == []


async def test_a_person_without_any_number_is_made_once(peer: GnuHealthPeer) -> None:
    baby = Identity(None, None, "Mai Thị Bé", PartialDate(2025, 12, 1), Sex.FEMALE)
    await peer.refuse_next()
    with pytest.raises(HospitalRejected):
        await peer.push(1, identity=baby)
    receipt = await peer.push(1, identity=baby)
    assert len(peer.people()) == len(peer.visits()) == 1
    await peer.push(2, identity=replace(baby, full_name="Mai Thị Khác"))
    assert await peer.adapter.find_visits(baby, None, TODAY) == ((peer.encounter(1).checkin_id, receipt),)
    with pytest.raises(HospitalUnavailable) as unable:
        await peer.adapter.find_visits(Identity(), None, TODAY)
    assert unable.value.reason == "gnuhealth.no_person"


async def test_a_confirmed_card_is_entered_and_later_brought_up_to_date(peer: GnuHealthPeer) -> None:
    await peer.push(1, **WITH_CARD)
    [card], [visit], [made] = peer.cards(), peer.visits(), peer.people()
    assert (card["number"], card["party"], card["company"]) == (CARD.number, made["id"], peer.server.insurer)
    assert (card["member_since"], card["member_exp"], card["category"]) == (CARD.valid_from, CARD.valid_to, "4")
    assert card["insurance_type"] == "state" and "99001" in card["notes"]
    assert visit["insurance"] == made["current_insurance"] == card["id"]
    renewed = replace(CARD, valid_from=None, valid_to=date(2027, 12, 31))
    await peer.push(2, identity=person(1), coverage=renewed, eligibility=EligibilityClass.INSURED_NEW_CARD)
    assert peer.proxy.calls.count("model.gnuhealth.patient.write") == 1
    [again] = peer.cards()
    assert (again["id"], again["member_since"], again["member_exp"]) == (card["id"], CARD.valid_from, renewed.valid_to)


@pytest.mark.parametrize(
    "changes",
    [
        WITH_CARD | {"service": SELF_PAY},
        WITH_CARD | {"eligibility": EligibilityClass.CANNOT_SAY},
        {"eligibility": EligibilityClass.INSURED},
    ],
)
async def test_an_unconfirmed_card_stays_out(peer: GnuHealthPeer, changes: dict[str, Any]) -> None:
    await peer.push(1, **changes)
    assert peer.cards() == [] and [row["insurance"] for row in peer.visits()] == [None]


async def test_the_card_of_somebody_else_is_left_to_staff(peer: GnuHealthPeer) -> None:
    other = party(peer, person(2))
    insurer = peer.server.insurer
    peer.server.call("gnuhealth.insurance.create", [{"party": other, "number": CARD.number, "company": insurer}])
    match = await peer.adapter.find_patient(person(1))
    assert match.kind is MatchKind.NONE
    party(peer, person(1))
    with pytest.raises(HospitalRejected) as refused:
        await peer.push(1, **WITH_CARD)
    assert refused.value.reason == "gnuhealth.card_of_another"
    assert peer.visits() == []
    receipt = await peer.push(1)
    with pytest.raises(HospitalRejected) as refused:
        await peer.adapter.amend(receipt, peer.encounter(1, **WITH_CARD))
    assert refused.value.reason == "gnuhealth.card_of_another"


async def test_a_repeated_push_finds_the_visit(peer: GnuHealthPeer) -> None:
    first = await peer.push(1)
    assert await peer.push(1) == first
    assert peer.proxy.calls.count(CREATE) == 1
    assert await peer.push(2, identity=person(1)) != first
    same = await asyncio.gather(*[peer.push(3) for _ in range(4)])
    assert len(set(same)) == 1 and await peer.registered(peer.encounter(3).checkin_id) == 1


@pytest.mark.parametrize(
    ("method", "changes"),
    [
        ("model.party.party.create", {}),
        ("model.gnuhealth.insurance.create", WITH_CARD),
        ("model.gnuhealth.patient.write", WITH_CARD),
        ("model.gnuhealth.patient.search_read", {}),
        ("common.db.login", {}),
        ("model.res.user.get_preferences", {}),
    ],
)
async def test_an_answer_lost_before_the_visit_means_that_there_is_none(
    peer: GnuHealthPeer, method: str, changes: dict[str, Any]
) -> None:
    peer.proxy.lose_answer_of(method)
    with pytest.raises(HospitalUnavailable) as unable:
        await peer.push(1, **changes)
    assert unable.value.reason == "gnuhealth.connection_lost"
    assert peer.visits() == [] and CREATE not in peer.proxy.calls
    await peer.push(1, **changes)
    assert (len(peer.people()), len(peer.visits()), len(peer.cards())) == (1, 1, len(changes) // 2)


async def test_each_check_in_is_one_visit_over_a_line_that_loses_one_call_in_seven(peer: GnuHealthPeer) -> None:
    chance = random.Random(8)
    faults = ("before", "after", "cut", "html", "broken", "away", "busy")
    met: list[str] = []

    def fate() -> str:
        met.append(chance.choice(faults) if chance.random() < 1 / 7 else "")
        return met[-1]

    peer.proxy.fate = fate

    async def arrive(serial: int) -> None:
        """As the outbox does it: look first after an unknown outcome, repeat freely after the other kind."""
        encounter, lost = peer.encounter(serial, identity=person(serial % 3), **WITH_CARD), False
        encounter = replace(encounter, coverage=replace(CARD, number=f"DN49999000000{serial % 3:02d}"))
        for _ in range(60):
            try:
                visits = await peer.adapter.find_visits(encounter.identity, None, TODAY) if lost else ()
                if encounter.checkin_id not in dict(visits):
                    await peer.adapter.push(encounter)
                return
            except HospitalUnavailable:
                continue
            except HospitalOutcomeUnknown:
                lost = True
        raise AssertionError("it never came through")

    for first in range(0, 12, 4):
        await asyncio.gather(*[arrive(serial) for serial in range(first, first + 4)])
    marks = [row["comments"] for row in peer.visits()]
    assert sorted(marks) == sorted(f"CK1;id={peer.encounter(serial).checkin_id}" for serial in range(12))
    assert (len(peer.people()), len(peer.cards()), len(peer.server.rows("SELECT id FROM gnuhealth_patient"))) == (
        3,
        3,
        3,
    )
    assert any(met)


async def test_a_visit_that_somebody_withdrew_is_not_registered_again(peer: GnuHealthPeer) -> None:
    await peer.lose_next_answer()
    with pytest.raises(HospitalOutcomeUnknown):
        await peer.push(1)
    [visit] = peer.visits()
    peer.server.call("gnuhealth.appointment.write", [visit["id"]], {"state": "center_cancelled"})
    assert await peer.adapter.find_visits(person(1), None, TODAY) == ()
    with pytest.raises(HospitalRejected) as refused:
        await peer.push(1)
    assert refused.value.reason == "gnuhealth.visit_cancelled"
    assert len(peer.visits()) == 1


async def test_lists_visits_of_the_desk_without_an_id_and_only_those_of_the_day(peer: GnuHealthPeer) -> None:
    known = party(peer, person(1))
    midnight = datetime(2026, 1, 4, 17, tzinfo=UTC)
    desk = appointment(peer, known, midnight, state="done")
    appointment(peer, known, midnight - timedelta(seconds=1), state="checked_in")
    appointment(peer, known, midnight + timedelta(days=1), state="checked_in")
    for state in ("confirmed", "user_cancelled", "no_show"):
        appointment(peer, known, midnight, state=state)
    ours = await peer.push(1)
    found = await peer.adapter.find_visits(person(1), None, TODAY)
    assert [(checkin_id, receipt.visit_id) for checkin_id, receipt in found] == [
        ("", str(desk)),
        (peer.encounter(1).checkin_id, ours.visit_id),
    ]
    assert found[0][1] == Receipt(str(desk), person(1).personal_id, "APPT 7", raw_status="done")
    by_ref = await peer.adapter.find_visits(replace(person(1), personal_id=None), PatientRef(str(known), None), TODAY)
    assert by_ref == found


async def test_keeps_the_appointment_that_the_person_has(peer: GnuHealthPeer) -> None:
    known = party(peer, person(1))
    at_ten = datetime(2026, 1, 5, 3, tzinfo=UTC)
    [specialty] = peer.server.call("gnuhealth.specialty.search", [["code", "=", "CARDIO"]], 0, 1, None)
    booked = appointment(peer, known, at_ten, speciality=specialty, comments="Tái khám\r\n")
    appointment(peer, known, at_ten + timedelta(days=1))
    [offered] = await peer.adapter.appointments(person(1), TODAY)
    assert (offered.id, offered.day, offered.service_id) == (str(booked), TODAY, "CARDIO.BHYT")
    receipt = await peer.push(1, follows=offered.id, **WITH_CARD)
    assert receipt == Receipt(offered.id, person(1).personal_id, "APPT 7", raw_status="checked_in")
    kept = peer.visits()[0]
    assert (kept["id"], kept["state"], kept["visit_type"]) == (booked, "checked_in", "followup")
    assert kept["comments"] == "Tái khám\nCK1;id=0198c0de-0000-7000-8000-000000000001"
    assert (kept["appointment_date"], kept["checked_in_date"]) == (
        at_ten.replace(tzinfo=None),
        ARRIVAL.replace(tzinfo=None, microsecond=0),
    )
    assert kept["insurance"] == peer.cards()[0]["id"]
    assert len(peer.visits()) == 2
    assert await peer.adapter.appointments(person(1), TODAY) == ()
    assert (await peer.push(1, follows=offered.id)).visit_id == offered.id


async def test_an_appointment_of_somebody_else_or_used_up_is_not_kept(peer: GnuHealthPeer) -> None:
    other = appointment(peer, party(peer, person(2)), ARRIVAL)
    used = appointment(peer, party(peer, person(1)), ARRIVAL, state="no_show")
    for serial, follows in ((1, other), (3, used)):
        receipt = await peer.push(serial, identity=person(1), follows=str(follows))
        assert receipt.visit_id not in (str(other), str(used))
    assert [row["state"] for row in peer.visits()] == ["confirmed", "no_show", "checked_in", "checked_in"]


async def test_an_appointment_changed_meanwhile_is_looked_at_again(peer: GnuHealthPeer) -> None:
    booked = appointment(peer, party(peer, person(1)), ARRIVAL)

    async def somebody_writes(method: str) -> None:
        if method == "model.gnuhealth.appointment.write":
            peer.proxy.before = None
            values = {"state": "user_cancelled"}
            await asyncio.to_thread(peer.server.call, "gnuhealth.appointment.write", [booked], values)

    peer.proxy.before = somebody_writes
    with pytest.raises(HospitalUnavailable) as unable:
        await peer.push(1, follows=str(booked))
    assert unable.value.reason == "gnuhealth.concurrency"
    assert [row["state"] for row in peer.visits()] == ["user_cancelled"]
    assert (await peer.push(1, follows=str(booked))).visit_id != str(booked)


async def test_amends_by_receipt_or_by_check_in(peer: GnuHealthPeer) -> None:
    receipt = await peer.push(1, eligibility=EligibilityClass.CANNOT_SAY)
    assert await peer.adapter.amend(receipt, peer.encounter(1)) == receipt
    assert peer.visits()[0]["insurance"] is None
    assert await peer.adapter.amend(Receipt(), peer.encounter(1, **WITH_CARD)) == receipt
    [card] = peer.cards()
    assert peer.visits()[0]["insurance"] == peer.people()[0]["current_insurance"] == card["id"]
    await peer.adapter.cancel(receipt, "test")
    for gone in (receipt, Receipt(), Receipt("V1"), Receipt("999999999")):
        with pytest.raises(HospitalRejected) as refused:
            await peer.adapter.amend(gone, peer.encounter(1, **WITH_CARD))
        assert refused.value.reason == "gnuhealth.no_visit"


async def test_cancels_only_what_is_ours_and_not_over(peer: GnuHealthPeer) -> None:
    receipt = await peer.push(1)
    await peer.adapter.cancel(receipt, "test")
    await peer.adapter.cancel(receipt, "test")
    assert [row["state"] for row in peer.visits()] == ["user_cancelled"]
    over = await peer.push(2)
    peer.server.call("gnuhealth.appointment.write", [int(over.visit_id or 0)], {"state": "done"})
    desk = appointment(peer, party(peer, person(3)), ARRIVAL, state="checked_in")
    cases = [
        (over, "visit_done"),
        (Receipt(str(desk)), "no_visit"),
        (Receipt(), "no_visit"),
        (Receipt("V1"), "no_visit"),
    ]
    for visit, reason in cases:
        with pytest.raises(HospitalRejected) as refused:
            await peer.adapter.cancel(visit, "test")
        assert refused.value.reason == f"gnuhealth.{reason}"


async def test_a_change_whose_answer_is_lost_is_unknown(peer: GnuHealthPeer) -> None:
    receipt = await peer.push(1)
    await peer.lose_next_answer()
    with pytest.raises(HospitalOutcomeUnknown) as unknown:
        await peer.adapter.cancel(receipt, "test")
    assert unknown.value.evidence == "gnuhealth.connection_lost"
    await peer.adapter.cancel(receipt, "test")


async def test_counts_the_insured_visits_of_a_day(peer: GnuHealthPeer) -> None:
    for serial in range(3):
        card = replace(CARD, number=f"DN49999000000{serial:02d}")
        await peer.push(serial, **(WITH_CARD | {"coverage": card}))
    await peer.push(5)
    gone = await peer.push(6, **(WITH_CARD | {"coverage": replace(CARD, number="DN4999900000077")}))
    await peer.adapter.cancel(gone, "test")
    tomorrow = ARRIVAL + timedelta(days=1)
    await peer.push(7, happened_at=tomorrow, **(WITH_CARD | {"coverage": replace(CARD, number="DN4999900000078")}))
    count = await peer.adapter.visit_count(TODAY)
    assert count is not None and (count.day, count.bhyt_visits, dict(count.by_class)) == (TODAY, 3, {})


async def test_suggests_the_same_name_and_birth_date(peer: GnuHealthPeer) -> None:
    who = replace(person(1), full_name="Trần Thị Mẫu")
    first = party(peer, who)
    party(peer, replace(who, personal_id=None, full_name="Trần Thị Khác"))
    party(peer, replace(who, personal_id=None, birth_date=PartialDate(1990, 9, 3)))
    guess = {"__class__": "date", "year": 1990, "month": 1, "day": 1}
    second = party(peer, replace(who, personal_id=None), ref="OLD1", dob=guess, est_dob=True)
    asked = Identity(None, None, "TRAN THI MAU", PartialDate(1990, 9, 2))
    found = await peer.adapter.suggest(asked)
    assert {candidate.ref for candidate in found} == {
        PatientRef(str(first), who.personal_id),
        PatientRef(str(second), "OLD1"),
    }
    assert {str(candidate.person.birth_date) for candidate in found} == {"1990-09-02", "1990"}
    year_only = await peer.adapter.suggest(replace(asked, birth_date=PartialDate(1990)))
    assert [candidate.ref.code for candidate in year_only] == ["OLD1"]
    month = await peer.adapter.suggest(replace(asked, birth_date=PartialDate(1990, 9)))
    assert len(month) == 3
    assert await peer.adapter.suggest(Identity(full_name="Trần Thị Mẫu")) == ()
    for _ in range(12):
        party(peer, replace(who, personal_id=None), ref=None)
    assert len(await peer.adapter.suggest(asked)) == 10


async def test_the_menu_is_what_the_institution_offers(peer: GnuHealthPeer, server: GnuHealth) -> None:
    menu = await peer.adapter.services(TODAY)
    assert [row.id for row in menu] == [
        *("CARDIO.BHYT", "GASTRO.BHYT", "PEDIATRICS.BHYT"),
        *("CARDIO.DV", "GASTRO.DV", "PEDIATRICS.DV"),
    ]
    assert [row.name for row in menu[:3]] == ["Cardiology", "Gastroenterology", "Pediatrics"]
    insured_only = adapter_for(peer.proxy.url, self_pay=False)
    assert [row.id for row in await insured_only.services(TODAY)] == [row.id for row in menu[:3]]
    await insured_only.close()
    with pytest.raises(HospitalRejected) as refused:
        await peer.push(1, service=replace(INSURED, code="ANATOMY"))
    assert refused.value.reason == "gnuhealth.service_unknown"
    assert peer.people() == []


async def test_a_forgotten_session_costs_one_login(peer: GnuHealthPeer) -> None:
    await peer.push(1)
    for _ in range(2):
        before = peer.proxy.calls.count("common.db.login")
        peer.server.forget_sessions()
        await asyncio.gather(*[peer.adapter.services(TODAY) for _ in range(4)])
        assert peer.proxy.calls.count("common.db.login") == before + 1
    forgotten = False

    async def forget(method: str) -> None:
        nonlocal forgotten
        if method == CREATE and not forgotten:
            forgotten = True
            await asyncio.to_thread(peer.server.forget_sessions)

    peer.proxy.before = forget
    await peer.push(2)
    assert await peer.registered(peer.encounter(2).checkin_id) == 1


async def test_a_wrong_password_is_told_and_not_tried_on_and_on(peer: GnuHealthPeer) -> None:
    adapter = adapter_for(peer.proxy.url, password="sai-mat-khau")
    for _ in range(3):
        with pytest.raises(HospitalUnavailable) as unable:
            await adapter.push(peer.encounter(1))
        assert unable.value.reason == "gnuhealth.login" and 0 < (unable.value.retry_after or 0) <= 60
    health = await adapter.check()
    assert health.problems == ("the server refuses the login: check user and password",)
    assert peer.proxy.calls == ["common.db.login"]
    assert_ours(unable.value, ("sai-mat-khau",))
    await adapter.close()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"database": "other"}, "the server has no such database: check database and url"),
        ({"insurer": "NP-99001"}, "no insurance company has the PUID of the setting insurer"),
        ({"institution": "99999"}, "no institution has the code of the setting institution"),
        ({"institution": EMPTY_INSTITUTION}, "the institution offers no specialty, so the menu is empty"),
        ({"user": STRANGER}, "the account may not read and write and create gnuhealth.appointment"),
    ],
)
async def test_check_says_what_is_wrong(peer: GnuHealthPeer, changes: dict[str, Any], says: str) -> None:
    adapter = adapter_for(peer.proxy.url, **changes)
    health = await adapter.check()
    assert not health.ok and says in health.problems
    await adapter.close()


async def test_check_sees_the_version_and_a_clock_that_is_off(peer: GnuHealthPeer) -> None:
    health = await peer.adapter.check()
    assert health.details["health"] == "5.0.6" and health.details["specialties"] == 3
    assert abs(health.details["skew_s"]) <= 60
    peer.adapter._clock = lambda: datetime.now(UTC) - timedelta(minutes=5)
    late = await peer.adapter.check()
    assert not late.ok and "clock" in late.problems[0]


async def test_an_unknown_institution_or_insurer_holds_visits_back(peer: GnuHealthPeer) -> None:
    adapter = adapter_for(peer.proxy.url, insurer="NP-99001")
    with pytest.raises(HospitalUnavailable) as unable:
        await adapter.push(peer.encounter(1, **WITH_CARD))
    assert unable.value.reason == "gnuhealth.insurer_unknown"
    await adapter.close()
    adapter = adapter_for(peer.proxy.url, institution="99999")
    with pytest.raises(HospitalUnavailable) as unable:
        await adapter.visit_count(TODAY)
    assert unable.value.reason == "gnuhealth.institution_unknown"
    with pytest.raises(HospitalUnavailable) as unable:
        await adapter.push(peer.encounter(1))
    assert unable.value.reason == "gnuhealth.no_specialties"
    await adapter.close()
    assert peer.visits() == []


async def test_an_account_without_rights_registers_nothing(peer: GnuHealthPeer) -> None:
    adapter = adapter_for(peer.proxy.url, user=STRANGER)
    with pytest.raises((HospitalUnavailable, HospitalRejected)):
        await adapter.push(peer.encounter(1))
    await adapter.close()
    assert peer.visits() == []
