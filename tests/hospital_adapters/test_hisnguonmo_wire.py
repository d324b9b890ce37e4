"""Parsers of the hisnguonmo adapter: any bytes and any JSON are read whole or not at all, and never raise."""

import base64
import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hospital_adapters import hisnguonmo_lookup as lookup
from hospital_adapters import hisnguonmo_mapping as mapping
from hospital_adapters import hisnguonmo_menu as menus
from hospital_adapters import hisnguonmo_settings
from hospital_adapters import hisnguonmo_wire as wire
from kiosk.errors import HospitalOutcomeUnknown, HospitalRejected
from kiosk.hospital_model import Encounter, MatchKind, PatientMatch, PatientRef, Receipt, Service
from kiosk.model import Coverage, Identity, KeyKind, PartialDate, Sex

SETTINGS = hisnguonmo_settings.load(
    {"url": "https://his.example", "user": "kiosk", "password_file": "x", "request_room": "KIOSK01"}
)
PERSON = Identity("099190000001", None, "Trần Thị Mẫu", PartialDate(1990, 9, 2), Sex.FEMALE)
ROOM = Service("P101/KB01/01", "KB01", "Khám Nội", "KNOI", "Khoa Nội", "01", True)
ENTRY = menus.Entry(ROOM, 101, "P101", 5001, "KB01", 1, "01")
VISIT = Encounter("01JGZ5T3Q8W4", "99001", datetime(2026, 1, 5, 1, 2, 3, tzinfo=UTC), PERSON, ROOM)
TODAY = date(2026, 1, 5)

KEYS = (
    "ID PATIENT_CODE ServiceReqs SereServs SERVICE_REQ_CODE SERVICE_REQ_ID NUM_ORDER INTRUCTION_TIME InDate DOB "
    "HisPatientProfile HisPatient HisTreatment TREATMENT_CODE VIR_PATIENT_NAME GENDER_ID PRICE AMOUNT ROOM_ID "
    "ROOM_CODE SERVICE_ID SERVICE_CODE PATIENT_TYPE_ID PATIENT_TYPE_CODE AppointmentTime AppointmentExamRoomIds"
)
NAMES = st.sampled_from(KEYS.split())
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.just(20260105070000)
JSON: st.SearchStrategy[Any] = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=6), max_leaves=25
)
ROWS = st.dictionaries(NAMES, JSON, max_size=8)


@given(st.dictionaries(st.text(), st.text() | st.none() | st.integers()))
def test_a_question_arrives_as_it_was_asked(data: dict[str, Any]) -> None:
    [param] = parse_qs(wire.query(data), strict_parsing=True)["param"]
    assert json.loads(base64.b64decode(param, validate=True)) == {"CommonParam": {}, "ApiData": data}


@given(st.binary())
def test_any_bytes_are_an_envelope_or_none(body: bytes) -> None:
    assert wire.parse(body) is None or json.loads(body)["Success"] in (True, False)


@given(JSON)
def test_any_json_is_an_envelope_or_none(value: Any) -> None:
    wire.parse(json.dumps(value).encode())


@pytest.mark.parametrize(
    "body", [b"", b"null", b"[]", b"{}", b'{"Success":1}', b'{"Success":"true"}', b"[" * 100_000, b"\xff\xfe\x00"]
)
def test_what_is_no_envelope(body: bytes) -> None:
    assert wire.parse(body) is None


def test_the_parts_of_an_envelope() -> None:
    param = {"Messages": ["Phòng đã đủ", 5], "BugCodes": ["X"], "HasException": True}
    found = wire.parse(json.dumps({"Success": False, "Data": None, "Param": param}).encode())
    assert found == wire.Envelope(None, False, ("Phòng đã đủ",), True)


@given(st.datetimes(min_value=datetime(1900, 1, 2), max_value=datetime(9998, 1, 1)))
def test_a_moment_comes_back_to_the_second(moment: datetime) -> None:
    aware = moment.replace(microsecond=0, tzinfo=UTC)
    assert wire.read_time(wire.time_number(aware)) == aware
    assert wire.read_time(str(wire.time_number(aware))) == aware


def test_times_are_vietnams() -> None:
    assert wire.time_number(datetime(2026, 1, 4, 17, 30, tzinfo=UTC)) == 20260105003000
    assert wire.time_number(date(2026, 1, 5)) == 20260105000000


@given(SCALARS)
def test_any_value_is_a_time_or_none(value: Any) -> None:
    found = wire.read_time(value)
    assert found is None or wire.time_number(found) == int(value)


@pytest.mark.parametrize(
    "value", [20260230000000, 2026010507, "2026-01-05", True, 20260105070000.0, "２０２６０１０５０００００００", -1]
)
def test_what_is_no_time(value: Any) -> None:
    assert wire.read_time(value) is None


@given(st.dates(min_value=date(1900, 1, 1)), st.sampled_from(["day", "month", "year"]))
def test_a_birth_date_comes_back_as_sure_as_it_was(day: date, known: str) -> None:
    born = {
        "day": PartialDate(day.year, day.month, day.day),
        "month": PartialDate(day.year, day.month),
        "year": PartialDate(day.year),
    }[known]
    expected = born if known == "day" else PartialDate(day.year)
    assert wire.read_birth(*wire.birth_number(born)) == expected


@given(st.lists(st.text("ABCĐẤƠỲ", min_size=1), min_size=1, max_size=5))
def test_a_name_is_cut_before_its_last_word(parts: list[str]) -> None:
    assert wire.split_name(" ".join(parts)) == (" ".join(parts[:-1]), parts[-1])


@given(JSON | ROWS)
def test_any_look_up_is_read_whole_or_not(data: Any) -> None:
    shown = lookup.read(data, PERSON, None, TODAY, SETTINGS)
    if shown is None:
        return
    assert shown.match.kind in (MatchKind.ONE, MatchKind.MISMATCH)
    assert shown.match.ref is not None and shown.match.ref.code
    assert len(shown.requests) == len(data.get("ServiceReqs") or [])
    assert all(request.code for request in shown.requests)


@pytest.mark.parametrize(
    "requests", [{}, "x", 5, [None], [{}], [{"SERVICE_REQ_CODE": None}], [{"SERVICE_REQ_CODE": "1"}, {}]]
)
def test_a_request_that_cannot_be_read_spoils_the_look_up(requests: Any) -> None:
    row = {"PATIENT_CODE": "0000000001", "ServiceReqs": requests}
    assert lookup.read(row, PERSON, None, TODAY, SETTINGS) is None


@pytest.mark.parametrize(
    ("began", "requests", "hidden"),
    [
        (20260105070000, None, True),
        (20260105070000, [], False),
        (20260104235959, None, False),
        (None, None, False),
    ],
)
def test_a_visit_of_today_without_requests_is_hidden(began: int | None, requests: Any, hidden: bool) -> None:
    row = {"PATIENT_CODE": "0000000001", "TreatmentCode": "000000000009", "InDate": began, "ServiceReqs": requests}
    shown = lookup.read(row, PERSON, None, TODAY, SETTINGS)
    assert shown is not None
    assert shown.hidden == (Receipt(visit_id="000000000009", patient_code="0000000001") if hidden else None)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"VIR_PATIENT_NAME": "TRAN THI MAU"}, ()),
        ({"VIR_PATIENT_NAME": "TRẦN THỊ KHÁC"}, ("name",)),
        ({"DOB": 19910902000000}, ("birth_year",)),
        ({"DOB": 19900101000000, "IS_HAS_NOT_DAY_DOB": 1}, ()),
        ({"GENDER_ID": 2}, ("sex",)),
        ({"GENDER_ID": 3}, ()),
        ({"CCCD_NUMBER": "099190000002"}, ("personal_id",)),
        ({}, ()),
    ],
)
def test_in_what_a_row_differs(fields: dict[str, Any], words: tuple[str, ...]) -> None:
    shown = lookup.read({"ID": 7001, "PATIENT_CODE": "0000000001"} | fields, PERSON, None, TODAY, SETTINGS)
    assert shown is not None and shown.match.differences == words
    assert shown.match.ref == PatientRef("7001", "0000000001")


@given(ROWS)
def test_any_answer_is_a_receipt_or_somebody_elses(data: dict[str, Any]) -> None:
    try:
        receipt = mapping.receipt_of(data, VISIT, SETTINGS)
    except HospitalOutcomeUnknown as other:
        assert other.evidence == "hisnguonmo.wrong_person"
    else:
        assert all(line.number for line in receipt.tickets)


@given(JSON, JSON, JSON, JSON)
def test_any_catalogues_are_a_menu(rooms: Any, services: Any, prices: Any, types: Any) -> None:
    for entry in menus.build(rooms, services, prices, types, SETTINGS).services:
        assert entry.id and entry.name


@pytest.mark.parametrize(
    ("value", "amount"),
    [
        (45000, Decimal(45000)),
        (45000.5, Decimal("45000.5")),
        ("45000", Decimal(45000)),
        (-1, None),
        ("x", None),
        (float("nan"), None),
        (float("inf"), None),
        (True, None),
        (None, None),
        ([], None),
    ],
)
def test_amounts(value: Any, amount: Decimal | None) -> None:
    assert menus.money(value) == amount


def test_without_any_prices_both_kinds_are_offered() -> None:
    row = {"ROOM_ID": 1, "ROOM_CODE": "P1", "SERVICE_ID": 2, "SERVICE_CODE": "K1"}
    types = [{"ID": 1, "PATIENT_TYPE_CODE": "01"}, {"ID": 42, "PATIENT_TYPE_CODE": "02"}]
    built = menus.build([], [row, {"ROOM_ID": None} | row | {"SERVICE_CODE": ""}], [], types, SETTINGS)
    assert [(row.id, row.insured, row.price) for row in built.services] == [
        ("P1/K1/01", True, None),
        ("P1/K1/02", False, None),
    ]


def card(**changes: Any) -> Coverage:
    start = {"valid_from": date(2026, 1, 1), "valid_to": date(2026, 12, 31), "registered_facility": "99001"}
    return Coverage("DN4999900000001", KeyKind.BHYT_15, **(start | changes))


def visit(**changes: Any) -> Encounter:
    return Encounter(VISIT.checkin_id, "99001", VISIT.happened_at, **({"identity": PERSON, "service": ROOM} | changes))


def test_a_new_person_in_the_own_call() -> None:
    address = "Ấp 2, Xã Vĩnh Tường, Thành phố Cần Thơ"
    body = mapping.own_registration(
        visit(identity=Identity("099190000001", "099000001", "Trần Thị Mẫu", PartialDate(1990), Sex.FEMALE, address)),
        ENTRY,
        None,
        9002,
        SETTINGS,
    )
    person = body.pop("CardSDO")
    assert body == {
        "PatientTypeId": 1,
        "ServiceId": 5001,
        "RoomId": 101,
        "RequestRoomId": 9002,
        "IsPriority": False,
        "IsNotRequireFee": False,
    }
    assert {key: value for key, value in person.items() if value is not None} == {
        "LastName": "TRẦN THỊ",
        "FirstName": "MẪU",
        "Dob": 19900101000000,
        "IsHasNotDayDob": 1,
        "GenderId": 1,
        "CccdNumber": "099190000001",
        "CmndNumber": "099000001",
        "Address": "Ấp 2",
        "CommuneName": "Xã Vĩnh Tường",
        "ProvinceName": "Thành phố Cần Thơ",
        "ProvinceCode": "92",
    }


def test_an_address_that_is_not_understood_goes_as_it_stands() -> None:
    person = mapping.own_registration(
        visit(identity=Identity("099190000001", None, "A B", PartialDate(1990), Sex.MALE, "Ấp Thử 1, Xã Mẫu")),
        ENTRY,
        None,
        9002,
        SETTINGS,
    )["CardSDO"]
    assert person["Address"] == "Ấp Thử 1, Xã Mẫu" and "CommuneName" not in person


@pytest.mark.parametrize(("facility", "route"), [("99001", "DT"), ("99002", None), (None, None)])
def test_the_route_is_said_only_of_people_registered_here(facility: str | None, route: str | None) -> None:
    settings = SETTINGS.model_copy(update={"right_route_code": "DT"})
    body = mapping.own_registration(
        visit(coverage=card(registered_facility=facility)), ENTRY, PatientRef("7001", "0000000001"), 9002, settings
    )
    assert body.get("RightRouteCode") == route
    assert body["CardSDO"]["HeinOrgCode"] == facility


@pytest.mark.parametrize(
    ("since", "code", "said"),
    [
        (VISIT.happened_at.date(), "1", "1"),
        (VISIT.happened_at.date() + timedelta(days=1), "1", None),
        (VISIT.happened_at.date(), "", None),
        (None, "1", None),
    ],
)
def test_five_years_without_a_gap(since: date | None, code: str, said: str | None) -> None:
    settings = SETTINGS.model_copy(update={"five_years_code": code})
    ref, encounter = PatientRef("7001", "0000000001"), visit(coverage=card(five_years_on=since))
    person = mapping.own_registration(encounter, ENTRY, ref, 9002, settings)["CardSDO"]
    assert person.get("Join5Year") == said
    partners = mapping.partner_registration(encounter, ENTRY, ref, settings)
    assert partners["IsJoin5Year"] is (since == VISIT.happened_at.date())


def test_the_partners_call_is_all_codes() -> None:
    body = mapping.partner_registration(visit(coverage=card()), ENTRY, PatientRef("7001", "0000000001"), SETTINGS)
    assert {key: value for key, value in body.items() if value not in (None, False)} == {
        "PatientCode": "0000000001",
        "PatientTypeCode": "01",
        "ServiceCode": "KB01",
        "RoomCode": "P101",
        "RequestRoomCode": "KIOSK01",
        "HeinCardNumber": "DN4999900000001",
        "HeinCardFromTime": "01/01/2026 00:00:00",
        "HeinCardToTime": "31/12/2026 00:00:00",
        "HeinOrgCode": "99001",
    }


@pytest.mark.parametrize("ref", [None, PatientRef("7001", None)])
def test_the_partners_call_makes_no_patient(ref: PatientRef | None) -> None:
    with pytest.raises(HospitalRejected, match=r"^hisnguonmo\.new_patient$"):
        mapping.partner_registration(visit(patient=PatientMatch(MatchKind.NONE)), ENTRY, ref, SETTINGS)


def test_a_known_person_without_the_key_of_the_own_call() -> None:
    with pytest.raises(HospitalRejected, match=r"^hisnguonmo\.no_patient_id$"):
        mapping.own_registration(VISIT, ENTRY, PatientRef(None, "0000000001"), 9002, SETTINGS)
