"""The hisnguonmo adapter against its simulator: contract, look-ups, registration, lost answers, one by one."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from hospital_adapters import hisnguonmo_settings
from hospital_adapters.hisnguonmo import HisnguonmoAdapter
from kiosk.errors import HospitalOutcomeUnknown, HospitalRejected, HospitalUnavailable
from kiosk.hospital_model import Appointment, MatchedBy, MatchKind, PatientMatch, PatientRef, Service, TicketLine
from kiosk.model import Identity, PartialDate, Sex
from simulators.his_hisnguonmo import Settings as SimSettings
from tests.contracts.hospital import RemoteAdapterContract, assert_ours
from tests.hospital_adapters.c06_peer import PEOPLE, closed_port
from tests.hospital_adapters.hisnguonmo_peer import (
    FEE,
    HASTY,
    HEART,
    INSURED,
    PASSWORD,
    SURGERY,
    HisnguonmoPeer,
    PartnerPeer,
    adapter_for,
    today,
)

BODY_LOST = ("truncated", "trailing_comma", "html_200", "empty_200", "null_body", "null_data", "array_data")


@pytest.fixture
async def peer() -> AsyncIterator[HisnguonmoPeer]:
    async with HisnguonmoPeer() as running:
        yield running


@pytest.fixture
async def partner() -> AsyncIterator[PartnerPeer]:
    async with PartnerPeer() as running:
        yield running


class TestContract(RemoteAdapterContract):
    pass


class TestContractOfPartners(RemoteAdapterContract):
    @pytest.fixture
    async def peer(self) -> AsyncIterator[PartnerPeer]:
        async with PartnerPeer() as running:
            yield running


@pytest.mark.parametrize("empty_lists", [True, False])
async def test_no_visit_may_be_told_by_null_or_an_empty_list(empty_lists: bool) -> None:
    async with HisnguonmoPeer(SimSettings(empty_lists=empty_lists)) as peer:
        assert await peer.adapter.find_visits(PEOPLE[1], None, today()) == ()
        assert (await peer.adapter.push(await peer.known(1))).number == "23"


async def test_the_menu_is_room_by_service_by_patient_type(peer: HisnguonmoPeer) -> None:
    menu = {row.id: row for row in await peer.adapter.services(today())}
    assert sorted(menu) == [
        "P101/KB01/01",
        "P101/KB01/02",
        "P101/KB05/02",
        "P102/KB01/01",
        "P102/KB01/02",
        "P103/KB02/01",
        "P103/KB02/02",
        "P201/KB03/01",
        "P201/KB03/02",
        "P301/KB04/01",
        "P301/KB04/02",
    ]
    heart = menu["P103/KB02/02"]
    assert (heart.name, heart.department, heart.exam_type) == (
        "Khám Tim mạch - Phòng khám Tim mạch 103",
        "Khoa Nội",
        "02",
    )
    assert (heart.insured, heart.price, heart.insurance_price) == (False, Decimal(60000), None)
    assert menu["P103/KB02/01"].insurance_price == Decimal(45000)


async def test_the_menu_is_read_again_after_a_while() -> None:
    now = [0.0]
    async with HisnguonmoPeer() as peer:
        given = {"url": peer.url, "user": "kiosk", "password_file": "x", "request_room": "KIOSK01", "menu_seconds": 60}
        adapter = HisnguonmoAdapter(hisnguonmo_settings.load(given), PASSWORD, monotonic=lambda: now[0])
        for seconds, reads in ((0.0, 1), (59.0, 1), (61.0, 2)):
            now[0] = seconds
            assert len(await adapter.services(today())) == 11
            assert len(await peer.calls("HisRoom")) == reads
        await adapter.close()


@pytest.mark.parametrize(
    ("number", "kind", "code", "by"),
    [
        (1, MatchKind.ONE, "0000000001", MatchedBy.PERSONAL_ID),
        (4, MatchKind.ONE, "0000000004", MatchedBy.PERSONAL_ID),
        (7, MatchKind.MISMATCH, "0000000007", MatchedBy.PERSONAL_ID),
        (8, MatchKind.ONE, "0000000008", MatchedBy.OLD_ID),
        (9, MatchKind.ONE, "0000000019", MatchedBy.PERSONAL_ID),
        (10, MatchKind.ONE, "0000000010", MatchedBy.PERSONAL_ID),
    ],
)
async def test_known_people(peer: HisnguonmoPeer, number: int, kind: MatchKind, code: str, by: MatchedBy) -> None:
    match = await peer.adapter.find_patient(PEOPLE[number])
    assert (match.kind, match.matched_by) == (kind, by)
    assert match.ref == PatientRef(str(7000 + int(code)), code)
    assert match.differences == (("name",) if number == 7 else ())


async def test_what_the_system_knows_of_a_person(peer: HisnguonmoPeer) -> None:
    by_number = replace(PEOPLE[4], full_name=None, birth_date=None, sex=None)
    person = (await peer.adapter.find_patient(by_number)).person
    assert person == Identity(
        "099048000005", None, "HUỲNH VĂN NĂM", PartialDate(1948), Sex.MALE, address="Ấp Thử 1, xã Mẫu"
    )


async def test_a_person_found_by_the_insurance_card_only(peer: HisnguonmoPeer) -> None:
    without = replace(PEOPLE[1], personal_id=None)
    assert (await peer.adapter.find_patient(without)).kind is MatchKind.NONE
    match = await peer.adapter.find_patient(without, "DN4999900000001")
    assert match.matched_by is MatchedBy.CARD and match.ref == PatientRef("7001", "0000000001")


async def test_appointments_of_today(peer: HisnguonmoPeer) -> None:
    assert await peer.adapter.appointments(PEOPLE[2], today()) == (
        Appointment("000000000777", today(), "P102/KB01/01"),
    )
    assert await peer.adapter.appointments(PEOPLE[2], today() + timedelta(days=1)) == ()
    assert await peer.adapter.appointments(PEOPLE[1], today()) == ()


async def test_a_known_insured_person(peer: HisnguonmoPeer) -> None:
    receipt = await peer.adapter.push(await peer.known(1, follows="000000000777", priority=True))
    assert receipt.tickets == (TicketLine("23", "Phòng khám Nội 101", "Khoa Nội"),)
    assert (receipt.patient_code, receipt.amount) == ("0000000001", Decimal(45000))
    [visit] = await peer.visits()
    assert visit["TREATMENT_CODE"] == receipt.visit_id
    [request] = visit["requests"]
    assert request["SERVICE_REQ_CODE"] == receipt.registration_id == receipt.barcode
    assert visit["HEIN_CARD_NUMBER"].endswith("001") and visit["priority"]
    assert (visit["call"], visit["request_room"]) == ("ExamRegisterKiosk", "KIOSK01")
    assert (await peer.sim("patients"))["count"] == 12


@pytest.mark.parametrize("mode", ["own", "partner"])
async def test_every_field_is_one_that_the_system_has(mode: str) -> None:
    settings = {"right_route_code": "DT", "five_years_code": "1"}
    async with HisnguonmoPeer(mode=mode, **settings) as peer:
        encounter = await peer.known(1)
        assert encounter.coverage is not None
        card = replace(encounter.coverage, five_years_on=date(2020, 1, 1), living_area="K1")
        person = replace(encounter.identity, issued_on=date(2021, 5, 1), address="Ấp 2, Xã Vĩnh Tường, TP Cần Thơ")
        await peer.adapter.push(replace(encounter, coverage=card, identity=person))
        [call] = await peer.calls("ExamRegisterKiosk" if mode == "own" else "RegisterKiosk")
        assert (call["success"], call["unknown_keys"]) == (True, [])


async def test_a_service_that_brings_another_gives_two_tickets(peer: HisnguonmoPeer) -> None:
    receipt = await peer.adapter.push(await peer.known(1, HEART))
    assert receipt.tickets == (
        TicketLine("5", "Phòng khám Tim mạch 103", "Khoa Nội"),
        TicketLine("10", "Phòng điện tim 110", "Khoa Nội"),
    )
    assert receipt.amount == Decimal("77800")


async def test_a_new_person_becomes_one_patient(peer: HisnguonmoPeer) -> None:
    encounter = peer.encounter(1)
    receipt = await peer.adapter.push(encounter)
    match = await peer.adapter.find_patient(encounter.identity)
    assert match.kind is MatchKind.ONE and match.ref == PatientRef("7101", receipt.patient_code)
    again = replace(encounter, checkin_id="another", service=SURGERY)
    assert (await peer.adapter.push(again)).patient_code == receipt.patient_code
    assert (await peer.sim("patients"))["count"] == 13


async def test_the_same_room_and_service_twice_a_day_is_one_visit(peer: HisnguonmoPeer) -> None:
    receipt = await peer.adapter.push(peer.encounter(1))
    again = await peer.adapter.push(replace(peer.encounter(1), checkin_id="another"))
    assert (again.visit_id, again.number) == (receipt.visit_id, receipt.number)
    assert len(await peer.visits()) == 1
    other = await peer.adapter.push(replace(peer.encounter(1), service=SURGERY))
    assert other.visit_id != receipt.visit_id and len(await peer.visits()) == 2


async def test_who_was_registered_at_the_desk_gets_that_number(peer: HisnguonmoPeer) -> None:
    receipt = await peer.adapter.push(await peer.known(3))
    assert (receipt.number, receipt.patient_code) == ("22", "0000000003")
    assert await peer.visits() == []
    [(checkin_id, found)] = await peer.adapter.find_visits(PEOPLE[3], None, today())
    assert (checkin_id, found.number) == ("", "22")


async def test_a_number_that_stands_at_somebody_else_is_not_registered(peer: HisnguonmoPeer) -> None:
    with pytest.raises(HospitalRejected, match=r"^hisnguonmo\.patient_differs$"):
        await peer.adapter.push(await peer.known(7))
    assert await peer.visits() == []


@pytest.mark.parametrize("missing", ["full_name", "birth_date", "sex"])
async def test_a_new_person_needs_name_birth_and_sex(peer: HisnguonmoPeer, missing: str) -> None:
    encounter = peer.encounter(1)
    with pytest.raises(HospitalRejected, match=r"^hisnguonmo\.incomplete_identity$"):
        await peer.adapter.push(replace(encounter, identity=replace(encounter.identity, **{missing: None})))
    known = await peer.known(1)
    assert (await peer.adapter.push(replace(known, identity=replace(known.identity, **{missing: None})))).number


async def test_a_full_room_is_a_refusal_in_the_systems_words(peer: HisnguonmoPeer) -> None:
    assert (await peer.adapter.push(peer.encounter(1, SURGERY))).number == "20"
    with pytest.raises(HospitalRejected) as caught:
        await peer.adapter.push(peer.encounter(2, SURGERY))
    assert (caught.value.reason, "đủ số lượt" in caught.value.text) == ("hisnguonmo.refused", True)
    assert (await peer.adapter.find_patient(peer.encounter(2).identity)).kind is MatchKind.NONE


async def test_insured_without_a_card_is_refused_by_the_system(peer: HisnguonmoPeer) -> None:
    with pytest.raises(HospitalRejected, match=r"^hisnguonmo\.refused") as caught:
        await peer.adapter.push(replace(await peer.known(1), coverage=None))
    assert "HeinCardNumber" in caught.value.text


async def test_a_service_that_is_no_longer_listed(peer: HisnguonmoPeer) -> None:
    gone = replace(INSURED, id="P999/KB01/01")
    with pytest.raises(HospitalRejected, match=r"^hisnguonmo\.no_such_service$"):
        await peer.adapter.push(peer.encounter(1, gone))


@pytest.mark.parametrize(
    ("mode", "error", "reason", "stored"),
    [
        ("reset_before", HospitalOutcomeUnknown, "hisnguonmo.connection_lost", 0),
        ("reset_after", HospitalOutcomeUnknown, "hisnguonmo.connection_lost", 1),
        ("http_500_before", HospitalOutcomeUnknown, "hisnguonmo.http_500", 0),
        ("http_500_after", HospitalOutcomeUnknown, "hisnguonmo.http_500", 1),
        ("http_502_html", HospitalOutcomeUnknown, "hisnguonmo.http_502", 0),
        ("http_503", HospitalOutcomeUnknown, "hisnguonmo.http_503", 0),
        ("exception_before", HospitalOutcomeUnknown, "hisnguonmo.exception", 0),
        ("exception_after", HospitalOutcomeUnknown, "hisnguonmo.exception", 1),
        ("refuse", HospitalRejected, "hisnguonmo.refused", 0),
        ("wrong_person", HospitalOutcomeUnknown, "hisnguonmo.wrong_person", 1),
        ("no_success", HospitalOutcomeUnknown, "hisnguonmo.malformed", 1),
        ("success_text", HospitalOutcomeUnknown, "hisnguonmo.malformed", 1),
        *((mode, HospitalOutcomeUnknown, "hisnguonmo.malformed", 1) for mode in BODY_LOST),
    ],
)
async def test_how_a_registration_can_end(
    peer: HisnguonmoPeer, mode: str, error: type[Exception], reason: str, stored: int
) -> None:
    encounter = peer.encounter(1)
    await peer.mode("ExamRegisterKiosk", mode)
    with pytest.raises(error) as caught:
        await peer.adapter.push(encounter)
    assert str(caught.value) == reason
    assert_ours(caught.value, peer.secrets)
    assert len(await peer.visits()) == stored
    found = dict(await peer.adapter.find_visits(encounter.identity, None, today()))
    assert list(found) == [encounter.checkin_id] * stored
    receipt = await peer.adapter.push(encounter)
    assert receipt.number == "23" and len(await peer.visits()) == 1


@pytest.mark.parametrize(("mode", "stored"), [("hang_before", 0), ("hang_after", 1)])
async def test_an_answer_that_never_comes(mode: str, stored: int) -> None:
    async with HisnguonmoPeer(timeouts=HASTY) as peer:
        await peer.mode("ExamRegisterKiosk", mode)
        with pytest.raises(HospitalOutcomeUnknown, match=r"^hisnguonmo\.read_timeout$"):
            await peer.adapter.push(peer.encounter(1))
        assert len(await peer.visits()) == stored
        assert (await peer.adapter.push(peer.encounter(1))).number == "23"
        assert len(await peer.visits()) == 1


@pytest.mark.parametrize(("mode", "number"), [("bom", "23"), ("extra_fields", "23"), ("no_number", None)])
async def test_oddities_that_do_no_harm(peer: HisnguonmoPeer, mode: str, number: str | None) -> None:
    await peer.mode("ExamRegisterKiosk", mode)
    receipt = await peer.adapter.push(peer.encounter(1))
    assert receipt.visit_id and receipt.number == number


async def test_a_restarted_kiosk_cannot_tell_whose_visit_it_is(peer: HisnguonmoPeer) -> None:
    await peer.mode("ExamRegisterKiosk", "reset_after")
    with pytest.raises(HospitalOutcomeUnknown):
        await peer.adapter.push(peer.encounter(1))
    restarted = adapter_for(peer.url)
    [(checkin_id, receipt)] = await restarted.find_visits(peer.encounter(1).identity, None, today())
    assert (checkin_id, receipt.number) == ("", "23")
    assert (await restarted.push(peer.encounter(1))).number == "23"
    assert len(await peer.visits()) == 1
    await restarted.close()


async def test_where_the_system_cannot_show_a_visit_one_may_be_there(peer: HisnguonmoPeer) -> None:
    encounter = peer.encounter(1)
    receipt = await peer.adapter.push(encounter)
    yesterday = today() - timedelta(days=1)
    [(checkin_id, perhaps)] = await peer.adapter.find_visits(encounter.identity, None, yesterday)
    assert (checkin_id, perhaps.raw_status) == ("", "hisnguonmo.not_shown")
    nameless = replace(encounter.identity, personal_id=None)
    assert [checkin for checkin, _ in await peer.adapter.find_visits(nameless, None, today())] == [""]
    await peer.sim("end", treatment=receipt.visit_id)
    [(checkin_id, ended)] = await peer.adapter.find_visits(encounter.identity, None, today())
    assert (checkin_id, ended.visit_id, ended.number) == ("", receipt.visit_id, None)


async def test_a_known_person_who_is_gone_is_left_to_staff(peer: HisnguonmoPeer) -> None:
    encounter = await peer.known(1)
    await peer.mode("GetInformationForKiosk", "null_data", times=None)
    with pytest.raises(HospitalRejected, match=r"^hisnguonmo\.patient_gone$"):
        await peer.adapter.push(encounter)
    assert encounter.patient is not None
    [(checkin_id, perhaps)] = await peer.adapter.find_visits(PEOPLE[1], encounter.patient.ref, today())
    assert (checkin_id, perhaps.raw_status) == ("", "hisnguonmo.patient_gone")
    assert await peer.visits() == []


async def test_a_patient_row_without_its_key_is_not_made_twice(peer: HisnguonmoPeer) -> None:
    encounter = await peer.known(1)
    assert encounter.patient is not None
    keyless = replace(encounter.patient, ref=PatientRef(None, "0000000001"))
    assert (await peer.adapter.push(replace(encounter, patient=keyless))).patient_code == "0000000001"
    assert (await peer.sim("patients"))["count"] == 12


async def test_somebody_elses_visit_is_not_ours(peer: HisnguonmoPeer) -> None:
    await peer.adapter.push(await peer.known(1))
    await peer.mode("GetInformationForKiosk", "wrong_person")
    [(checkin_id, perhaps)] = await peer.adapter.find_visits(PEOPLE[1], None, today())
    assert (checkin_id, perhaps.raw_status) == ("", "hisnguonmo.wrong_person")


@pytest.mark.parametrize(
    ("hours", "room", "ours"),
    [(0, FEE, True), (1, FEE, False), (0, SURGERY, False)],
    ids=["like ours", "older", "room"],
)
async def test_a_visit_is_ours_by_person_room_service_and_time(
    peer: HisnguonmoPeer, hours: int, room: Service, ours: bool
) -> None:
    """Ours was lost on its way; what stands there was made at the desk."""
    await peer.mode("ExamRegisterKiosk", "reset_before")
    with pytest.raises(HospitalOutcomeUnknown):
        await peer.adapter.push(peer.encounter(1))
    earlier = (datetime.now(UTC) - timedelta(hours=hours)).isoformat()
    await peer.sim("clock", now=earlier, today=today().isoformat())
    await register_at_the_desk(peer, 1, room)
    await peer.sim("clock", now=None)
    [(checkin_id, _)] = await peer.adapter.find_visits(peer.encounter(1).identity, None, today())
    assert checkin_id == (peer.encounter(1).checkin_id if ours else "")


async def test_a_visit_made_after_a_refusal_is_not_ours(peer: HisnguonmoPeer) -> None:
    await peer.refuse_next()
    with pytest.raises(HospitalRejected):
        await peer.adapter.push(peer.encounter(1))
    await register_at_the_desk(peer, 1, FEE)
    [(checkin_id, _)] = await peer.adapter.find_visits(peer.encounter(1).identity, None, today())
    assert checkin_id == ""


async def register_at_the_desk(peer: HisnguonmoPeer, serial: int, room: Service) -> None:
    desk = adapter_for(peer.url)
    await desk.push(peer.encounter(serial, room))
    await desk.close()


@pytest.mark.parametrize("mode", ["truncated", "no_success", "array_data", "http_500_before", "exception_before"])
async def test_a_look_up_that_failed_registers_nothing(peer: HisnguonmoPeer, mode: str) -> None:
    encounter = await peer.known(1)
    await peer.mode("GetInformationForKiosk", mode, times=2)
    with pytest.raises(HospitalUnavailable) as caught:
        await peer.adapter.push(encounter)
    assert_ours(caught.value, peer.secrets)
    assert await peer.visits() == []


async def test_a_look_up_is_asked_twice_when_no_answer_came(peer: HisnguonmoPeer) -> None:
    await peer.mode("GetInformationForKiosk", "reset_before")
    assert (await peer.adapter.find_patient(PEOPLE[1])).kind is MatchKind.ONE
    await peer.mode("GetInformationForKiosk", "reset_before", times=None)
    with pytest.raises(HospitalUnavailable, match=r"^hisnguonmo\.connection_lost$"):
        await peer.adapter.find_patient(PEOPLE[1])


async def test_connection_refused_is_unavailable() -> None:
    adapter = adapter_for(f"http://127.0.0.1:{closed_port()}")
    for call in (adapter.find_patient(PEOPLE[1]), adapter.services(today())):
        with pytest.raises(HospitalUnavailable, match=r"^hisnguonmo\.unreachable$"):
            await call
    assert (await adapter.check()).problems == ("the HIS cannot be reached",)
    await adapter.close()


async def test_partners_register_known_people_only(partner: PartnerPeer) -> None:
    receipt = await partner.adapter.push(await partner.known(1, HEART))
    assert [line.number for line in receipt.tickets] == ["5", "10"]
    [visit] = await partner.visits()
    assert (visit["call"], visit["PATIENT_CODE"], visit["request_room"]) == ("RegisterKiosk", "0000000001", "KIOSK01")
    with pytest.raises(HospitalRejected, match=r"^hisnguonmo\.new_patient$"):
        await partner.adapter.push(partner.encounter(7))
    assert len(await partner.visits()) == 1


async def test_partners_are_told_of_a_wrong_code_by_an_exception_inside() -> None:
    async with PartnerPeer(request_room="NOWHERE") as peer:
        with pytest.raises(HospitalOutcomeUnknown, match=r"^hisnguonmo\.exception$"):
            await peer.adapter.push(await peer.known(1))
        assert await peer.visits() == []


async def test_no_match_where_nobody_is_known(peer: HisnguonmoPeer) -> None:
    assert await peer.adapter.find_patient(Identity()) == PatientMatch(MatchKind.NONE)
    assert await peer.adapter.find_visits(peer.encounter(1).identity, None, today()) == ()
