"""The body of the registration field by field, receipts, patients and the menu, without a network."""

import unicodedata
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from hospital_adapters import c06_body as body_of
from hospital_adapters import c06_mapping as mapping
from hospital_adapters import c06_menu as menu
from hospital_adapters import c06_settings
from hospital_adapters.c06_settings import C06Settings
from kiosk.errors import HospitalOutcomeUnknown, HospitalRejected
from kiosk.hospital_model import MatchKind, PatientMatch, PatientRef, Service
from kiosk.model import Coverage, EligibilityClass, Identity, KeyKind, PartialDate, Sex
from tests.hospital_adapters.c06_peer import PEOPLE, visit

ROOM = Service("501", "NOI01", "Khám Nội - phòng 101", "11", "Khoa Nội", "1", True, Decimal(45000))
CARD = Coverage("DN4999900000001", KeyKind.BHYT_15, "99001", date(2026, 1, 1), date(2026, 12, 31))
FOUND = PatientMatch(MatchKind.ONE, PatientRef("101", "BN000001"))
KNOWN = replace(visit(PEOPLE[1], service=ROOM, patient=FOUND), coverage=CARD, eligibility=EligibilityClass.INSURED)


def settings(**keys: Any) -> C06Settings:
    return c06_settings.load({"url": "https://his.example", "merchant": "M", "secret_file": "s"} | keys)


def test_the_whole_body() -> None:
    person = replace(
        PEOPLE[1],
        full_name=unicodedata.normalize("NFD", "Trần Thị  Mẫu "),
        address="Ấp Thử 1, xã Mẫu",
        issued_on=date(2021, 7, 5),
    )
    body = body_of.registration(
        replace(KNOWN, identity=person), "99001", settings(province_code="92", commune_code="31459")
    )
    assert body == {
        "THONG_TIN_BN": {
            "ID_BN": "101",
            "MA_BN": "BN000001",
            "HO_TEN": "TRẦN THỊ MẪU",
            "HO_BN": "TRẦN THỊ",
            "TEN_BN": "MẪU",
            "MATINH_CUTRU": "92",
            "MAHUYEN_CU_TRU": "",
            "MAXA_CU_TRU": "31459",
            "MA_DANTOC": "99",
            "MA_QUOCTICH": "VN",
            "MA_NGHE_NGHIEP": "00000",
            "DIA_CHI": "Ấp Thử 1, xã Mẫu",
            "NGAY_SINH": "1990-09-02",
            "GIOI_TINH": 2,
            "NHOM_MAU": None,
            "NOI_LAM_VIEC": None,
            "DIA_CHI_LAM_VIEC": None,
            "DIEN_THOAI": None,
            "SO_GTTT": "099190000001",
            "NGAY_CAP_GTTT": "2021-07-05",
            "NOI_CAP_GTTT": None,
            "MA_THE_BHYT": "DN4999900000001",
            "MA_DKBD": "99001",
            "GT_THE_TU": "2026-01-01",
            "GT_THE_DEN": "2026-12-31",
            "MA_DOITUONG_KCB": None,
            "NGAY_VAO": "2026-01-05 07:12:31",
            "NGAY_VAO_NOI_TRU": None,
            "LY_DO_VNT": None,
            "MA_LY_DO_VNT": None,
            "MA_LOAI_KCB": "01",
            "MA_CSKCB": "99001",
            "ANH_BN_CCCD": None,
        },
        "THONG_TIN_DICH_VU": {
            "ID_KHOA": "11",
            "ID_DICH_VU": "501",
            "TEN_DICH_VU": "Khám Nội - phòng 101",
            "DON_GIA_DICH_VU": 45000,
            "ID_KHUNG_THOI_GIAN": None,
            "ID_LOAI_KHAM": "1",
            "DU_PHONG": "CK1;id=01JGZ5T3Q8W4",
        },
        "ID_LOAI_KHAM": "1",
        "DU_PHONG": "CK1;id=01JGZ5T3Q8W4",
        "SO_GIAY_CHUYEN_TUYEN": None,
        "MA_BENH_CHUYEN_TUYEN": None,
        "DON_VI_CHUYEN_TUYEN": None,
    }


@pytest.mark.parametrize("patient", [None, PatientMatch(MatchKind.NONE)])
def test_a_new_person_has_no_id_and_an_empty_code(patient: PatientMatch | None) -> None:
    block = body_of.registration(replace(KNOWN, patient=patient), "99001", settings())["THONG_TIN_BN"]
    assert (block["ID_BN"], block["MA_BN"]) == (None, "")


@pytest.mark.parametrize(
    ("insured_room", "status", "card", "sent"),
    [
        (True, EligibilityClass.INSURED, CARD, True),
        (True, EligibilityClass.INSURED_NEW_CARD, CARD, True),
        (True, EligibilityClass.CANNOT_SAY, CARD, False),
        (True, EligibilityClass.NEEDS_STAFF, CARD, False),
        (True, EligibilityClass.NOT_INSURED, CARD, False),
        (True, EligibilityClass.MISCONFIGURED, CARD, False),
        (False, EligibilityClass.INSURED, CARD, False),
        (True, EligibilityClass.INSURED, None, False),
    ],
)
def test_the_card_goes_only_with_an_insured_visit_and_a_confirmed_card(
    insured_room: bool, status: EligibilityClass, card: Coverage | None, sent: bool
) -> None:
    encounter = replace(KNOWN, service=replace(ROOM, insured=insured_room), eligibility=status, coverage=card)
    block = body_of.registration(encounter, "99001", settings())["THONG_TIN_BN"]
    fields = {name: block[name] for name in ("MA_THE_BHYT", "MA_DKBD", "GT_THE_TU", "GT_THE_DEN")}
    assert all(fields.values()) if sent else not any(fields.values())


@pytest.mark.parametrize(
    ("name", "where", "parts"),
    [
        ("Trần Thị Mẫu", "last", ("TRẦN THỊ", "MẪU")),
        ("Trần Thị Mẫu", "first", ("TRẦN", "THỊ MẪU")),
        ("Mẫu", "last", ("", "MẪU")),
        ("Mẫu", "first", ("", "MẪU")),
        ("Trần Mẫu", "last", ("TRẦN", "MẪU")),
    ],
)
def test_name_split(name: str, where: str, parts: tuple[str, str]) -> None:
    encounter = replace(KNOWN, identity=replace(PEOPLE[1], full_name=name))
    block = body_of.registration(encounter, "99001", settings(name_split=where))["THONG_TIN_BN"]
    assert (block["HO_BN"], block["TEN_BN"]) == parts


@pytest.mark.parametrize(
    ("birth", "form", "written"),
    [
        (PartialDate(1948), "yyyy", "1948"),
        (PartialDate(1948), "yyyy-01-01", "1948-01-01"),
        (PartialDate(1948, 3), "yyyy", "1948"),
        (PartialDate(1948, 3), "yyyy-01-01", "1948-03-01"),
        (PartialDate(1948, 3, 4), "yyyy", "1948-03-04"),
    ],
)
def test_birth_dates(birth: PartialDate, form: str, written: str) -> None:
    encounter = replace(KNOWN, identity=replace(PEOPLE[1], birth_date=birth))
    body = body_of.registration(encounter, "99001", settings(birth_year_only=form))
    assert body["THONG_TIN_BN"]["NGAY_SINH"] == written


@pytest.mark.parametrize(
    ("sex", "coding", "code"),
    [
        (Sex.MALE, "standard", 1),
        (Sex.FEMALE, "standard", 2),
        (None, "standard", 3),
        (Sex.MALE, "reversed", 2),
        (Sex.FEMALE, "reversed", 1),
        (None, "reversed", 3),
    ],
)
def test_sex_codes(sex: Sex | None, coding: str, code: int) -> None:
    encounter = replace(KNOWN, identity=replace(PEOPLE[1], sex=sex))
    assert body_of.registration(encounter, "99001", settings(sex=coding))["THONG_TIN_BN"]["GIOI_TINH"] == code


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"identity": replace(PEOPLE[1], full_name=None)}, "c06.incomplete_identity"),
        ({"identity": replace(PEOPLE[1], full_name=" \x00")}, "c06.incomplete_identity"),
        ({"identity": replace(PEOPLE[1], birth_date=None)}, "c06.incomplete_identity"),
        ({"patient": PatientMatch(MatchKind.MANY)}, "c06.patient_many"),
        ({"patient": PatientMatch(MatchKind.MISMATCH, FOUND.ref)}, "c06.patient_mismatch"),
        ({"checkin_id": "x" * 58}, "c06.checkin_id"),
        ({"checkin_id": "mã"}, "c06.checkin_id"),
        ({"checkin_id": ""}, "c06.checkin_id"),
    ],
)
def test_what_cannot_be_registered(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(HospitalRejected) as caught:
        body_of.registration(replace(KNOWN, **change), "99001", settings())
    assert caught.value.reason == reason


def test_du_phong_comes_back() -> None:
    longest = "x" * 57
    assert len(body_of.du_phong(longest)) == 64
    assert body_of.checkin_id(body_of.du_phong(longest)) == longest
    assert [body_of.checkin_id(mark) for mark in (None, "", "ghi chú", 5)] == [""] * 4


SENT = body_of.patient_block(body_of.registration(KNOWN, "99001", settings()))


@pytest.mark.parametrize("nothing", [None, "", 0, "0", "00", "  ", False])
def test_no_queue_number(nothing: object) -> None:
    receipt = mapping.receipt_of({"THONG_TIN_TIEP_NHAN": {"STT_LK": nothing, "MA_LK": "L1"}}, SENT, KNOWN)
    assert (receipt.number, receipt.visit_id) == (None, "L1")


@pytest.mark.parametrize(("given", "shown"), [("A024", "A024"), (7, "7"), ("007", "007"), ("0A", "0A")])
def test_queue_numbers(given: object, shown: str) -> None:
    assert mapping.receipt_of({"THONG_TIN_TIEP_NHAN": {"STT_LK": given}}, SENT, KNOWN).number == shown


def test_second_choices_of_a_receipt() -> None:
    data = {
        "THONG_TIN_BENH_NHAN": {"MA_BN": "BN000001"},
        "THONG_TIN_TIEP_NHAN": {"ID_LK": 9, "MA_LK": "", "TRANG_THAI_LK": 1},
        "THONG_TIN_DANG_KY": {"ID_DANG_KY": "7001", "DON_GIA_DANG_KY": "45000"},
    }
    receipt = mapping.receipt_of(data, SENT, KNOWN)
    assert (receipt.visit_id, receipt.patient_code, receipt.registration_id) == ("9", "BN000001", "7001")
    assert (receipt.amount, receipt.raw_status) == (Decimal(45000), "1")


@pytest.mark.parametrize(
    "echo",
    [
        {"MA_BN": "BN000002"},
        {"ID_BN": "102"},
        {"SO_GTTT": "099075000003"},
        {"MA_BN": "BN000001", "HO_TEN": "PHẠM VĂN THÍ DỤ"},
    ],
)
def test_somebody_else_in_the_answer(echo: dict[str, str]) -> None:
    with pytest.raises(HospitalOutcomeUnknown, match=r"^c06\.wrong_person$"):
        mapping.receipt_of({"THONG_TIN_BN": echo}, SENT, KNOWN)


@pytest.mark.parametrize("echo", [{}, {"MA_BN": None}, {"HO_TEN": "tran thi mau"}, {"MA_BN": "BN000001", "ID_BN": 101}])
def test_the_same_person_in_the_answer(echo: dict[str, Any]) -> None:
    mapping.receipt_of({"THONG_TIN_BN": echo}, SENT, KNOWN)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        ([], MatchKind.NONE),
        ([{"MA_BN": "B1"}], MatchKind.ONE),
        ([{"MA_BN": "B1"}, {"MA_BN": "B2"}], MatchKind.MANY),
        ({"ID_BN": 5}, MatchKind.ONE),
        ({"MA_BN": "B1", "HO_BN": "Trần Thị", "TEN_BN": "Mẫu"}, MatchKind.ONE),
        ({"MA_BN": "B1", "HO_BN": "Trần", "TEN_BN": "Mẫu"}, MatchKind.MISMATCH),
        ({"MA_BN": "B1", "MA_DINH_DANH": "099075000003"}, MatchKind.MISMATCH),
        ({"MA_BN": "B1", "MA_DINH_DANH": "099 075-000003"}, MatchKind.MISMATCH),
        ({"MA_BN": "B1", "MA_DINH_DANH": "099 190-000001"}, MatchKind.ONE),
        ({"MA_BN": "B1", "MA_DINH_DANH": "DD1"}, MatchKind.ONE),
        ({"MA_BN": "B1", "NGAY_SINH": "1990"}, MatchKind.ONE),
        ({"MA_BN": "B1", "GIOI_TINH": 3}, MatchKind.ONE),
        ({"MA_BN": "B1", "GIOI_TINH": "0"}, MatchKind.ONE),
        ({"MA_BN": "B1", "GIOI_TINH": "1"}, MatchKind.MISMATCH),
    ],
)
def test_matches(data: Any, kind: MatchKind) -> None:
    match = mapping.match_of(data, PEOPLE[1], "099190000001", settings())
    assert match is not None and match.kind is kind


@pytest.mark.parametrize("name", ["Ðỗ Văn Hết", "ðo\u0302\u0303 văn  hết", "DO VAN HET"])
def test_a_name_with_a_converted_d_is_the_same(name: str) -> None:
    visitor = visit(PEOPLE[5], service=ROOM)
    sent = body_of.patient_block(body_of.registration(visitor, "99001", settings()))
    mapping.receipt_of({"THONG_TIN_BN": {"HO_TEN": name}}, sent, visitor)
    match = mapping.match_of({"MA_BN": "B1", "HO_TEN": name}, PEOPLE[5], "099077000013", settings())
    assert match is not None and match.kind is MatchKind.ONE


@pytest.mark.parametrize("data", [None, {}, "BN1", ["BN1"], {"HO_TEN": "TRẦN THỊ MẪU"}])
def test_no_patient(data: Any) -> None:
    assert mapping.match_of(data, Identity("099190000001"), "099190000001", settings()) is None


TYPES = [{"ID_LOAI_KHAM": "000"}, {"ID_LOAI_KHAM": "01"}, "x"]
HALLS = [{"ID_KHOA": "11", "MA_KHOA": "KNOI", "TEN_KHOA": "Khoa Nội"}, {"ID_KHOA": "12", "MA_KHOA": "11"}]


def built(row: dict[str, Any], **keys: Any) -> Service:
    [service] = menu.build(TYPES, HALLS, [{"ID_DICH_VU": "5", "MA_DICH_VU": "D5"} | row], settings(**keys)).services
    return service


@pytest.mark.parametrize(
    ("written", "exam_type", "insured"),
    [
        ("0", "000", False),
        ("000", "000", False),
        ("1", "01", True),
        (1, "01", True),
        ("9", "01", True),
        (None, "01", True),
    ],
)
def test_exam_types_match_exactly_then_without_zeros(written: object, exam_type: str, insured: bool) -> None:
    service = built({"ID_LOAI_KHAM": written})
    assert (service.exam_type, service.insured) == (exam_type, insured)


def test_unknown_exam_types_are_counted() -> None:
    rows = [{"ID_DICH_VU": number, "ID_LOAI_KHAM": kind} for number, kind in enumerate(("9", None, "1", "0"))]
    assert menu.build(TYPES, HALLS, rows, settings()).unknown_types == 2


def test_a_room_may_be_listed_for_insured_and_others_but_not_twice() -> None:
    rows = [{"ID_DICH_VU": "5", "TEN_DICH_VU": kind, "ID_LOAI_KHAM": kind} for kind in ("1", "0", "01", "000")]
    found = menu.build(TYPES, HALLS, rows, settings()).services
    assert [(row.id, row.insured, row.name) for row in found] == [("5", True, "1"), ("5", False, "0")]


@pytest.mark.parametrize(
    ("row", "keys", "ids"),
    [
        ({"MA_KHOA": "KNOI"}, {}, ("5", "11", "Khoa Nội")),
        ({"MA_KHOA": "KNOI"}, {"ids_are": "code"}, ("D5", "KNOI", "Khoa Nội")),
        ({"MA_KHOA": "12"}, {}, ("5", "12", "")),
        ({"MA_KHOA": "11"}, {}, ("5", "12", "")),
        ({"ID_KHOA": "11"}, {}, ("5", "11", "Khoa Nội")),
        ({"MA_KHOA": "KXXX"}, {}, ("5", "KXXX", "")),
        ({}, {}, ("5", "", "")),
    ],
)
def test_ids_and_departments(row: dict[str, Any], keys: dict[str, Any], ids: tuple[str, str, str]) -> None:
    service = built(row, **keys)
    assert (service.id, service.department_id, service.department) == ids


def test_rows_without_any_id_are_left_out() -> None:
    assert (
        menu.build(TYPES, HALLS, [{"TEN_DICH_VU": "x"}, None, {"MA_DICH_VU": "D1"}], settings()).services[0].id == "D1"
    )


@pytest.mark.parametrize(
    ("lines", "tickets"),
    [
        ([{"TEN_PHONG_KHAM": "Phòng 7"}], [("24", "Phòng 7", "Khoa Nội")]),
        ([{"STT_LK": "0"}, {"STT_LK": None}, "x"], [("24", ROOM.name, "Khoa Nội")]),
        (
            [{"STT_LK": 24, "TEN_DICH_VU": "Khám Nội"}, {"STT_LK": "B3", "TEN_DICH_VU": "Khám Mắt"}],
            [("24", ROOM.name, "Khoa Nội"), ("B3", "Khám Mắt", None)],
        ),
        ("x", [("24", ROOM.name, "Khoa Nội")]),
    ],
)
def test_several_numbers(lines: Any, tickets: list[tuple[str, str | None, str | None]]) -> None:
    data = {"THONG_TIN_TIEP_NHAN": {"STT_LK": 24, "MA_LK": "L1"}, "THONG_TIN_DANG_KY": {"CHI_TIET_DANG_KY": lines}}
    receipt = mapping.receipt_of(data, SENT, KNOWN)
    assert [(one.number, one.room, one.department) for one in receipt.tickets] == tickets
    assert receipt.barcode == "L1"


def test_an_own_old_number_in_the_answer_is_the_same_person() -> None:
    visitor = visit(PEOPLE[8], service=ROOM)
    sent = body_of.patient_block(body_of.registration(visitor, "99001", settings()))
    assert mapping.receipt_of({"THONG_TIN_BN": {"SO_GTTT": "099000108"}}, sent, visitor).visit_id is None
