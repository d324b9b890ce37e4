"""The C06 simulator's calls, people and switches, over real HTTP."""

import time
from datetime import date, datetime, timedelta, timezone

import pytest
from click.testing import CliRunner

from simulators.cli import main
from simulators.his_c06 import Settings
from simulators.his_c06_wire import camel, sign

TODAY = date(2026, 1, 5)
WINDOW = {"THOI_GIAN_BAT_DAU": "2026-01-05 07:00:00", "THOI_GIAN_KET_THUC": "2026-01-05 17:00:00"}
PERSON_1 = {"SO_GTTT": "099190000001", "LOAI_GTTT": "CCCD"}


def asked(number, doc_type="CCCD", name="AI ĐÓ", sex="1"):
    return {"SO_GTTT": number, "LOAI_GTTT": doc_type, "HO_TEN": name, "GIOI_TINH": sex}


VECTORS = [
    ([], "c0975d4197c94bf336e103054238c5226089524af5d5945c55a34ea9c77dd3d3"),
    (["KNOI"], "95ed6ae62939993f20495934c1c61bc023cfd87198c570920df3c5ea0b96833e"),
    ([None], "29e6ee64afc32804a7575a15c8739d64efad8a40ebd6d68f867b4575eedd956b"),
    (["099190000001", "CCCD"], "17973cd3030c1ac9ed2047291438e1fba2d1eb14755e21a948399eac52ec4374"),
    (["BN000001"], "7afa4e6093d10260c5e089119da05247aa09d21f307b2bd8951c7f38fa41e554"),
    (
        ["KNOI", "2026-01-01 07:00:00", "2026-01-01 17:00:00"],
        "88ae4ccb468f42791f680dffc8b9882ae43b8c3fbfdcd53ec58417452165285e",
    ),
]


@pytest.mark.parametrize(("values", "expected"), VECTORS)
def test_signature_vectors(values, expected):
    assert sign("sim-c06-secret", "KIOSK-TEST", "1767243600000", values) == expected


@pytest.mark.parametrize(
    ("path", "vector"),
    [
        ("loai-kham", 0),
        ("dichvu?MA_KHOA=KNOI", 1),
        ("dichvu?ID_KHOA=11", 2),
        ("benhnhan?SO_GTTT=099190000001&LOAI_GTTT=CCCD", 3),
        (
            "khoa/dichvu-cotontai?MA_KHOA=KNOI&THOI_GIAN_BAT_DAU=2026-01-01%2007%3A00%3A00"
            "&THOI_GIAN_KET_THUC=2026-01-01%2017%3A00%3A00",
            5,
        ),
    ],
)
def test_vectors_open_the_calls(his_c06, path, vector):
    his = his_c06()
    his.sim("clock", {"now": "2026-01-01T12:00:00+07:00"})
    headers = {"x-merchant-id": "KIOSK-TEST", "x-timestamp": "1767243600000", "x-sign": VECTORS[vector][1]}
    assert his.http.get(path, headers=headers).json()["code"] == "000"


def test_registration_signs_the_patient_code(his_c06, c06_body):
    his = his_c06()
    his.sim("clock", {"now": "2026-01-01T12:00:00+07:00"})
    headers = {"x-merchant-id": "KIOSK-TEST", "x-timestamp": "1767243600000", "x-sign": VECTORS[4][1]}
    assert his.http.post("dangky-kcb", json=c06_body(), headers=headers).json()["code"] == "000"


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        ({"x-sign": ""}, "missing_header"),
        ({"x-merchant-id": "ANOTHER"}, "unknown_merchant"),
        ({"x-timestamp": "20260101120000"}, "bad_timestamp"),
        ({"x-sign": "0" * 64}, "mismatch"),
    ],
)
def test_bad_headers_are_refused(his_c06, change, verdict):
    his = his_c06()
    answer = his.http.get("loai-kham", headers=his.headers([]) | change)
    assert (answer.status_code, answer.json()["code"], answer.json()["data"]) == (200, "999", None)
    assert his.sim("calls")["calls"][-1]["sign"] == verdict


def test_upper_case_signature_and_extra_signed_field_are_refused(his_c06):
    his = his_c06()
    good = his.headers([])
    assert his.http.get("loai-kham", headers=good | {"x-sign": good["x-sign"].upper()}).json()["code"] == "999"
    assert his.http.get("khoa?ID_LOAI_KHAM=1", headers=his.headers(["1"])).json()["code"] == "999"


@pytest.mark.parametrize(("off_s", "code"), [(-290, "000"), (290, "000"), (-310, "999"), (310, "999")])
def test_skew(his_c06, off_s, code):
    his = his_c06()
    stamp = int((time.time() + off_s) * 1000)
    assert his.http.get("loai-kham", headers=his.headers([], stamp)).json()["code"] == code


def test_skew_is_a_switch_and_a_simulated_day_does_not_move_it(his_c06):
    his = his_c06(skew_s=2, today=TODAY)
    assert his.get("loai-kham")["code"] == "000"
    assert his.http.get("loai-kham", headers=his.headers([], int(time.time() * 1000) - 9000)).json()["code"] == "999"


@pytest.mark.parametrize(("form", "status"), [("body999", 200), ("http401", 401), ("http403_html", 403)])
def test_sign_error_forms(his_c06, form, status):
    his = his_c06(sign_error=form)
    his.secret = "wrong"
    answer = his.http.get("loai-kham", headers=his.headers([]))
    assert answer.status_code == status
    assert ("html" in answer.headers["content-type"]) == (form == "http403_html")


def test_signed_fields_of_the_two_open_calls_are_switches(his_c06, c06_body):
    his = his_c06(sign_bhyt="HO_TEN", sign_dangky_kcb=("SO_GTTT", "ID_DICH_VU"))
    fields = asked("099190000001", name="TRAN")
    assert his.http.get("bhyt", params=fields, headers=his.headers(["TRAN"])).json()["code"] == "000"
    headers = his.headers(["099190000001", "502"])
    assert his.http.post("dangky-kcb", json=c06_body(), headers=headers).json()["code"] == "000"
    assert his.register(c06_body())["code"] == "999"


def test_exam_types_departments_and_services(his_c06):
    his = his_c06()
    types = his.get("loai-kham")
    assert [(row["ID_LOAI_KHAM"], row["DON_GIA_LOAI_KHAM"]) for row in types["data"]] == [
        ("1", 45000),
        ("2", 150000),
        ("0", 100000),
    ]
    assert (types["page"], types["pageSize"], types["count"]) == (1, 50, 1)
    assert [row["MA_KHOA"] for row in his.get("khoa")["data"]] == ["KNOI", "KNGO", "KNHI", "KSAN", "KTMH"]
    assert [row["MA_KHOA"] for row in his.get("khoa", ID_LOAI_KHAM="0")["data"]] == ["KNGO", "KSAN", "KTMH"]
    assert [row["MA_KHOA"] for row in his.get("khoa", ID_LOAI_KHAM="2")["data"]] == ["KNOI", "KNHI"]
    services = {row["ID_DICH_VU"]: row for row in his.get("dichvu")["data"]}
    assert sorted(services) == [str(number) for number in range(501, 513)]
    assert services["507"]["ID_LOAI_KHAM"] == "001"
    assert services["504"]["DON_GIA_THU_THEM"] == 105000
    assert services["511"]["DON_GIA_DICH_VU"] == "45000"
    assert services["512"]["DON_GIA_BHYT"] is None
    assert [row["ID_DICH_VU"] for row in his.get("dichvu", MA_KHOA="KNHI")["data"]] == ["507", "508"]
    assert [row["ID_DICH_VU"] for row in his.get("dichvu", ID_KHOA="13")["data"]] == ["507", "508"]
    assert his.get("dichvu", MA_KHOA="KXXX")["code"] == "999"


def test_offered_services(his_c06):
    his = his_c06()
    offered = his.get("khoa/dichvu-cotontai", MA_KHOA="KSAN", **WINDOW)["data"]
    assert offered == [{"ID_DICH_VU": "509", "CO_TON_TAI": True}, {"ID_DICH_VU": "510", "CO_TON_TAI": False}]
    only_511 = his.get("khoa/dichvu-cotontai", MA_KHOA="KTMH", **WINDOW)["data"]
    assert [row["ID_DICH_VU"] for row in only_511] == ["511"]


@pytest.mark.parametrize(
    "change",
    [
        {"MA_KHOA": ""},
        {"THOI_GIAN_BAT_DAU": "2026-01-05"},
        {"THOI_GIAN_BAT_DAU": "2026-01-05T07:00:00"},
        {"THOI_GIAN_KET_THUC": "2026-13-05 07:00:00"},
        {"THOI_GIAN_KET_THUC": "2026-01-04 07:00:00"},
    ],
)
def test_bad_windows_are_refused(his_c06, change):
    refused = his_c06().get("khoa/dichvu-cotontai", **({"MA_KHOA": "KNOI"} | WINDOW | change))
    assert (refused["code"], refused["data"]) == ("999", None)


def test_slots_object_and_list(his_c06, c06_body):
    his = his_c06(today=TODAY)
    body = c06_body()
    body["THONG_TIN_DICH_VU"]["ID_KHUNG_THOI_GIAN"] = "K502-2"
    assert his.register(body)["code"] == "000"
    slots = his.get("dichvu-lichkham", MA_DICH_VU="NOI02", **WINDOW)["data"]["KHUNG_THOI_GIAN"]
    assert [(row["ID"], row["THOI_GIAN_TU"], row["SL_TOI_DA"], row["SL_HIEN_TAI"]) for row in slots] == [
        ("K502-1", "07:00", 20, 0),
        ("K502-2", "09:00", 20, 1),
        ("K502-3", "13:00", 20, 0),
    ]
    assert {row["NGAY"] for row in slots} == {"2026-01-05"}
    his.sim("config", {"SIM_SLOTS": "list"})
    groups = his.get("dichvu-lichkham", MA_DICH_VU="NOI02", **WINDOW)["data"]
    assert [[row["ID"] for row in group["KHUNG_THOI_GIAN"]] for group in groups] == [["K502-1", "K502-2"], ["K502-3"]]
    full = his.get("dichvu-lichkham", MA_DICH_VU="TMH01", **WINDOW)["data"][0]["KHUNG_THOI_GIAN"][0]
    assert full["SL_HIEN_TAI"] == full["SL_TOI_DA"]


def test_a_full_slot_refuses_and_a_walk_in_does_not(his_c06, c06_body):
    his = his_c06()
    body = c06_body(service="511", department="15")
    body["THONG_TIN_DICH_VU"]["ID_KHUNG_THOI_GIAN"] = "K511-1"
    assert his.register(body)["code"] == "999"
    assert his.register(c06_body(service="511", department="15"))["code"] == "000"


@pytest.mark.parametrize(
    ("number", "code", "name", "birth", "sex"),
    [
        ("099190000001", "BN000001", "TRẦN THỊ MẪU", "1990-09-02", 2),
        ("099075000003", "BN000002", "PHẠM VĂN THÍ DỤ", "1975-03-15", 1),
        ("099150000004", "BN000003", "VÕ THỊ MÔ PHỎNG", "1950-10-20", 2),
        ("099048000005", "BN000004", "HUỲNH VĂN NĂM", "1948-01-01", 1),
        ("099077000013", "BN000005", "ĐỖ VĂN HẾT", "1977-01-13", 1),
        ("099199000014", "BN000006", "HỒ THỊ KHÔNG", "1999-02-14", 2),
        ("099080000030", "BN000007", "SƠN VĂN KHÁC", "1980-10-30", 1),
        ("099201000110", "BN000010", None, None, None),
    ],
)
def test_known_patients(his_c06, number, code, name, birth, sex):
    found = his_c06().get("benhnhan", SO_GTTT=number, LOAI_GTTT="CCCD")
    row = found["data"]
    assert (found["code"], row["MA_BN"], row["HO_TEN"], row["NGAY_SINH"], row["GIOI_TINH"]) == (
        "000",
        code,
        name,
        birth,
        sex,
    )
    assert "SO_GTTT" not in row


def test_patients_8_9_and_unknown_ones(his_c06):
    his = his_c06()
    assert his.get("benhnhan", SO_GTTT="099188000108", LOAI_GTTT="CCCD")["code"] == "404"
    assert his.get("benhnhan", SO_GTTT="099000108", LOAI_GTTT="CMND")["data"]["MA_BN"] == "BN000008"
    two = his.get("benhnhan", SO_GTTT="099186000109", LOAI_GTTT="CCCD")["data"]
    assert [row["MA_BN"] for row in two] == ["BN000009", "BN000019"]
    unknown = his.raw("benhnhan", SO_GTTT="099999999999", LOAI_GTTT="CCCD")
    assert (unknown.status_code, unknown.json()) == (200, {"code": "404", "message": "Không tìm thấy", "data": None})
    his.sim("config", {"SIM_HTTP_404": True})
    assert his.raw("benhnhan", SO_GTTT="099999999999", LOAI_GTTT="CCCD").status_code == 404


@pytest.mark.parametrize(
    ("number", "doc_type"), [("", "CCCD"), ("099190000001", ""), ("099190000001", "PASSPORT"), ("09919", "CCCD")]
)
def test_wrong_document_keys_are_refused(his_c06, number, doc_type):
    assert his_c06().get("benhnhan", SO_GTTT=number, LOAI_GTTT=doc_type)["code"] == "999"


@pytest.mark.parametrize(
    ("number", "code", "accepted", "result", "route"),
    [
        ("099190000001", "000", 1, "000", 1),
        ("099075000003", "000", 1, "000", 2),
        ("099150000004", "000", 1, "000", 3),
        ("099048000005", "000", 1, "000", 1),
        ("099077000013", "000", 0, "010", 1),
        ("099199000014", "404", None, None, None),
        ("099080000030", "000", 1, None, 1),
        ("099188000108", "999", None, None, None),
        ("099186000109", "000", 1, "000", 1),
        ("099201000110", "000", 1, "000", 1),
        ("099195000006", "000", 1, "000", 2),
        ("099166000016", "000", 0, "110", 1),
        ("099174000024", "999", None, None, None),
        ("099999999999", "404", None, None, None),
    ],
)
def test_insurance_answers(his_c06, number, code, accepted, result, route):
    answer = his_c06().get("bhyt", **asked(number))
    data = answer["data"] or {}
    assert answer["code"] == code
    assert (data.get("TIEP_NHAN_BHYT"), data.get("MA_KQ"), data.get("PHAN_TUYEN")) == (accepted, result, route)


def test_insurance_details(his_c06):
    his = his_c06(today=TODAY, facility="93002")
    data = his.get("bhyt", **asked("099190000001"), NGAY_SINH="1990")["data"]
    assert (data["GT_THE_TU"], data["GT_THE_DEN"]) == ("2025-06-19", "2026-06-19")
    assert (data["GIOI_TINH"], data["MA_THE_BHYT"], data["MA_DKBD"]) == (0, "DN4999900000001", "93002")
    assert his.get("bhyt", **asked("099075000003"))["data"]["MA_DKBD"] == "99002"
    assert his.get("bhyt", **asked("099048000005"))["data"]["NGAY_SINH"] == "1948"
    assert his.get("bhyt", **asked("099080000030"))["data"]["HO_TEN"] == "SƠN VĂN LỆCH"
    assert his.get("bhyt", **asked("099190000001", sex="9"))["code"] == "999"
    assert his.get("bhyt", **asked("099190000001"), NGAY_SINH="02/09/1990")["code"] == "999"
    assert his.get("bhyt", **PERSON_1)["code"] == "999"


def test_registration_of_a_known_patient(his_c06, c06_body):
    his = his_c06(today=TODAY)
    body = c06_body(service="501", du_phong="CK1;id=01JGZ5T3Q8W4")
    body["THONG_TIN_DICH_VU"] |= {"DON_GIA_DICH_VU": 45000, "ID_LOAI_KHAM": "1"}
    data = his.register(body)["data"]
    assert data["THONG_TIN_BN"]["MA_BN"] == "BN000001"
    assert data["THONG_TIN_BN"]["GIOI_TINH"] == 2
    assert "DIEN_THOAI" not in data["THONG_TIN_BN"]
    visit = data["THONG_TIN_TIEP_NHAN"]
    assert (visit["MA_LK"], visit["NGAY_VAO"], visit["TRANG_THAI_LK"], visit["STT_LK"]) == (
        "SIM20260105000001",
        "2026-01-05 07:12:31",
        1,
        23,
    )
    assert data["THONG_TIN_DANG_KY"]["MA_DANG_KY"] == "DK00007001"
    assert data["THONG_TIN_DANG_KY"]["CHI_TIET_DANG_KY"][0]["TEN_DICH_VU"] == "Khám Nội - phòng 101"
    (row,) = his.new_visits()
    assert (row["MA_LK"], row["MA_BN"], row["SO_GTTT"], row["DU_PHONG"], row["NGAY_VAO"], row["count"]) == (
        "SIM20260105000001",
        "BN000001",
        "*********001",
        "CK1;id=01JGZ5T3Q8W4",
        "2026-01-05 07:12:31",
        1,
    )


def test_numbers_count_per_service(his_c06, c06_body):
    his = his_c06()
    numbers = [
        his.register(c06_body(service=service))["data"]["THONG_TIN_TIEP_NHAN"]["STT_LK"]
        for service in ("501", "502", "502", "501")
    ]
    assert numbers == [23, 1, 2, 24]


def test_person_3_is_already_there(his_c06):
    (row,) = his_c06().sim("registrations")["registrations"]
    assert (row["MA_BN"], row["SO_GTTT"], row["ID_DICH_VU"], row["STT_LK"], row["seeded"]) == (
        "BN000003",
        "*********004",
        "501",
        22,
        True,
    )


def test_a_new_patient_gets_a_code_and_is_found_afterwards(his_c06, c06_body, c06_newcomer):
    his = his_c06()
    made = his.register(c06_body(**c06_newcomer))["data"]
    assert (made["THONG_TIN_BN"]["MA_BN"], made["THONG_TIN_BN"]["ID_BN"]) == ("BN000101", "201")
    found = his.get("benhnhan", SO_GTTT="099200000555", LOAI_GTTT="CCCD")["data"]
    assert (found["MA_BN"], found["HO_TEN"], found["NGAY_SINH"], found["GIOI_TINH"]) == (
        "BN000101",
        "CAO VĂN MỚI",
        "2000-01-02",
        1,
    )
    again = his.register(c06_body(service="501", **c06_newcomer))["data"]
    assert again["THONG_TIN_BN"]["MA_BN"] == "BN000101"
    another = his.register(c06_body(**(c06_newcomer | {"SO_GTTT": "099200000556"})))["data"]
    assert another["THONG_TIN_BN"]["MA_BN"] == "BN000102"


def test_the_last_place_of_503(his_c06, c06_body, c06_newcomer):
    his = his_c06()
    assert his.register(c06_body(service="503"))["code"] == "000"
    refused = his.register(c06_body(service="503", **c06_newcomer))
    assert refused == {"code": "999", "message": "Phòng khám đã đủ số lượng", "data": None}
    assert len(his.new_visits()) == 1
    assert his.get("benhnhan", SO_GTTT="099200000555", LOAI_GTTT="CCCD")["code"] == "404"


REQUIRED = [
    "ID_BN",
    "MA_BN",
    "HO_TEN",
    "HO_BN",
    "TEN_BN",
    "MATINH_CUTRU",
    "MAHUYEN_CU_TRU",
    "MAXA_CU_TRU",
    "MA_DANTOC",
    "MA_QUOCTICH",
    "MA_NGHE_NGHIEP",
    "DIA_CHI",
    "NGAY_SINH",
    "GIOI_TINH",
]


@pytest.mark.parametrize("name", REQUIRED)
def test_each_required_patient_field(his_c06, c06_body, name):
    his = his_c06()
    body = c06_body()
    del body["THONG_TIN_BN"][name]
    refused = his.register(body)
    assert refused["code"] == "999"
    # Without MA_BN the signature, made over an empty code here, still holds: it is the body that is refused.
    assert name in refused["message"]
    assert his.new_visits() == []


@pytest.mark.parametrize(
    "change",
    [
        {"MA_BN": "BN999999"},
        {"ID_BN": "102"},
        {"ID_BN": 101},
        {"SO_GTTT": "099075000003"},
        {"SO_GTTT": "CCCD099190000001"},
        {"HO_TEN": ""},
        {"HO_TEN": "TRẦN THỊ KHÁC"},
        {"HO_TEN": "TRÂ\u0300N THỊ MẪU"},
        {"NGAY_SINH": "02/09/1990"},
        {"NGAY_SINH": "1990-02-30"},
        {"GIOI_TINH": "2"},
        {"GIOI_TINH": 4},
        {"GIOI_TINH": True},
        {"NGAY_VAO": "2026-01-05T07:12:31"},
        {"NGAY_VAO": "202601050712"},
        {"NGAY_CAP_GTTT": "05/07/2021"},
        {"GT_THE_TU": "2026-12-31", "GT_THE_DEN": "2026-01-01"},
        {"MA_THE_BHYT": "XX"},
        {"MA_CSKCB": "99002"},
        {"MA_DOITUONG_KCB": "1.1"},
        {"MA_LOAI_KCB": "1"},
        {"MAXA_CU_TRU": "xã"},
        {"ANH_BN_CCCD": "không phải"},
    ],
)
def test_wrong_patient_blocks_are_refused(his_c06, c06_body, change):
    his = his_c06()
    refused = his.register(c06_body(**change))
    assert (refused["code"], refused["data"]) == ("999", None)
    assert his.new_visits() == []


@pytest.mark.parametrize(
    "change",
    [
        {"ID_DICH_VU": None},
        {"ID_DICH_VU": "999"},
        {"ID_KHOA": "12"},
        {"ID_KHOA": "14", "ID_DICH_VU": "510"},
        {"DON_GIA_DICH_VU": 1000},
        {"DON_GIA_DICH_VU": "45000"},
        {"ID_KHUNG_THOI_GIAN": "K501-1"},
        {"ID_LOAI_KHAM": "7"},
        {"DU_PHONG": "x" * 65},
        {"DU_PHONG": "số"},
        {"DU_PHONG": "id=099190000001"},
    ],
)
def test_wrong_service_blocks_are_refused(his_c06, c06_body, change):
    his = his_c06()
    body = c06_body()
    body["THONG_TIN_DICH_VU"] |= change
    assert his.register(body)["code"] == "999"
    assert his.new_visits() == []


def test_wrong_frames_are_refused(his_c06, c06_body):
    his = his_c06()
    both = c06_body() | {"THONG_TIN_BENH_NHAN": {"MA_BN": "BN000001"}}
    assert his.register(both)["code"] == "999"
    assert his.register({"THONG_TIN_DICH_VU": {}})["code"] == "999"
    differing = c06_body(du_phong="CK1;id=1")
    differing["DU_PHONG"] = "CK1;id=2"
    assert his.register(differing)["code"] == "999"
    for content in (b"{", b"[]", b"\xff", b'{"a":NaN}'):
        headers = his.headers([""]) | {"Content-Type": "application/json"}
        assert his.http.post("dangky-kcb", content=content, headers=headers).json()["code"] == "999"
    assert his.http.post("dangky-kcb", content=b"{}", headers=his.headers([""])).status_code == 415


def test_decimal_patient_type_and_year_of_birth_pass(his_c06, c06_body):
    his = his_c06()
    data = his.register(c06_body(MA_DOITUONG_KCB=1.1, NGAY_SINH="1990"))["data"]
    assert (data["THONG_TIN_BN"]["MA_DOITUONG_KCB"], data["THONG_TIN_BN"]["NGAY_SINH"]) == (1.1, "1990")


def test_patient_8_by_the_old_number_keeps_the_new_one_on_the_visit(his_c06, c06_body):
    his = his_c06()
    name = {"HO_TEN": "LƯU THỊ SỐ CŨ", "HO_BN": "LƯU THỊ SỐ", "TEN_BN": "CŨ"}
    body = c06_body(ID_BN="108", MA_BN="BN000008", SO_GTTT="099188000108", **name)
    assert his.register(body)["data"]["THONG_TIN_BN"]["MA_BN"] == "BN000008"
    assert his.new_visits()[0]["SO_GTTT"] == "*********108"


def test_ambiguous_number_without_code_is_refused(his_c06, c06_body):
    assert his_c06().register(c06_body(ID_BN=None, MA_BN="", SO_GTTT="099186000109"))["code"] == "999"


def test_district_switch(his_c06, c06_body):
    his = his_c06(require_district=True)
    assert his.register(c06_body())["code"] == "999"
    assert his.register(c06_body(MAHUYEN_CU_TRU="935"))["code"] == "000"


@pytest.mark.parametrize(("dup", "numbers"), [("accept", [1, 2]), ("reject", [1, None]), ("same", [1, 1])])
def test_duplicates(his_c06, c06_body, dup, numbers):
    his = his_c06(dup=dup)
    answers = [his.register(c06_body()) for _ in range(2)]
    got = [answer["data"] and answer["data"]["THONG_TIN_TIEP_NHAN"]["STT_LK"] for answer in answers]
    assert got == numbers
    assert [row["count"] for row in his.new_visits()] == {"accept": [1, 1], "reject": [1], "same": [2]}[dup]
    if dup == "same":
        assert answers[0] == answers[1]


def test_person_3_again_under_same(his_c06, c06_body):
    his = his_c06(dup="same")
    name = {"HO_TEN": "VÕ THỊ MÔ PHỎNG", "HO_BN": "VÕ THỊ MÔ", "TEN_BN": "PHỎNG"}
    answer = his.register(c06_body(service="501", ID_BN="103", MA_BN="BN000003", SO_GTTT="099150000004", **name))
    assert answer["data"]["THONG_TIN_TIEP_NHAN"]["STT_LK"] == 22


def test_dedup_by_du_phong(his_c06, c06_body, c06_newcomer):
    his = his_c06(dedup="du_phong", dup="reject")
    first, again = (his.register(c06_body(service="503", du_phong="CK1;id=A")) for _ in range(2))
    assert first == again
    assert his.register(c06_body(service="502", du_phong="CK1;id=A"))["code"] == "999"
    assert his.register(c06_body(service="502", du_phong="CK1;id=A", **c06_newcomer))["code"] == "999"
    assert [row["count"] for row in his.new_visits()] == [2]


def test_history(his_c06, c06_body):
    his = his_c06(today=TODAY)
    assert his.raw("lichsu-dangky", SO_GTTT="099190000001", NGAY="2026-01-05").status_code == 404
    his.sim("config", {"SIM_HISTORY": "on"})
    assert his.get("lichsu-dangky", SO_GTTT="099190000001", NGAY="2026-01-05")["data"] == []
    made = his.register(c06_body(du_phong="CK1;id=A"))["data"]
    (visit,) = his.get("lichsu-dangky", SO_GTTT="099190000001", NGAY="2026-01-05")["data"]
    assert (visit["DU_PHONG"], visit["ID_DICH_VU"], visit["ID_KHOA"]) == ("CK1;id=A", "502", "11")
    assert visit["THONG_TIN_TIEP_NHAN"] == made["THONG_TIN_TIEP_NHAN"]
    assert his.get("lichsu-dangky", SO_GTTT="099190000001", NGAY="2026-01-04")["data"] == []
    (booked,) = his.get("lichsu-dangky", SO_GTTT="099150000004", NGAY="2026-01-05")["data"]
    assert booked["THONG_TIN_TIEP_NHAN"]["STT_LK"] == 22
    assert his.get("lichsu-dangky", SO_GTTT="099150000004", NGAY="05/01/2026")["code"] == "999"


def test_number_switch(his_c06, c06_body):
    his = his_c06(stt="text")
    assert his.register(c06_body(service="501"))["data"]["THONG_TIN_TIEP_NHAN"]["STT_LK"] == "A023"
    his.sim("config", {"SIM_STT": "null"})
    assert his.register(c06_body(service="501"))["data"]["THONG_TIN_TIEP_NHAN"]["STT_LK"] is None
    assert his.new_visits()[-1]["number"] == 24


def test_number_after_payment(his_c06, c06_body):
    his = his_c06(stt="after_payment", history="on", today=TODAY)
    made = his.register(c06_body())["data"]
    assert made["THONG_TIN_TIEP_NHAN"]["STT_LK"] is None
    assert his.sim("mark-paid", {"key": made["THONG_TIN_TIEP_NHAN"]["MA_LK"]})["STT_LK"] == 1
    (visit,) = his.get("lichsu-dangky", SO_GTTT="099190000001", NGAY="2026-01-05")["data"]
    assert visit["THONG_TIN_TIEP_NHAN"]["STT_LK"] == 1
    assert his.http.post("/_sim/mark-paid", json={"key": "SIM0"}).status_code == 404


def test_sex_reversed(his_c06, c06_body, c06_newcomer):
    his = his_c06(sex="reversed")
    assert his.get("benhnhan", **PERSON_1)["data"]["GIOI_TINH"] == 1
    assert his.get("bhyt", **asked("099075000003"))["data"]["GIOI_TINH"] == 2
    assert his.register(c06_body(**(c06_newcomer | {"GIOI_TINH": 2})))["code"] == "000"
    his.sim("config", {"SIM_SEX": "standard"})
    assert his.get("benhnhan", SO_GTTT="099200000555", LOAI_GTTT="CCCD")["data"]["GIOI_TINH"] == 1


@pytest.mark.parametrize(
    ("form", "birth", "entered", "day"),
    [
        ("iso", "1990-09-02", "2026-01-05 07:12:31", "2026-01-05"),
        ("compact", "19900902", "202601050712", "20260105"),
        ("slash", "02/09/1990", "05/01/2026 07:12:31", "05/01/2026"),
    ],
)
def test_date_forms(his_c06, c06_body, form, birth, entered, day):
    his = his_c06(dates=form, today=TODAY)
    assert his.get("benhnhan", **PERSON_1)["data"]["NGAY_SINH"] == birth
    assert his.get("bhyt", **asked("099048000005"))["data"]["NGAY_SINH"] == "1948"
    assert his.get("dichvu-lichkham", MA_DICH_VU="NOI01", **WINDOW)["data"]["KHUNG_THOI_GIAN"][0]["NGAY"] == day
    data = his.register(c06_body())["data"]
    assert data["THONG_TIN_TIEP_NHAN"]["NGAY_VAO"] == entered
    assert data["THONG_TIN_DANG_KY"]["NGAY_DANG_KY"] == day


@pytest.mark.parametrize(
    ("key", "mangled"),
    [
        ("MA_THE_BHYT", "mA_THE_BHYT"),
        ("PHAN_TUYEN", "phaN_TUYEN"),
        ("TEN_KQ", "teN_KQ"),
        ("TIEP_NHAN_BHYT", "tieP_NHAN_BHYT"),
        ("MA_DOITUONG_KCB", "madt"),
        ("NGAY", "ngay"),
        ("ID", "id"),
        ("pageSize", "pageSize"),
    ],
)
def test_camel_keys(key, mangled):
    assert camel(key) == mangled


@pytest.mark.parametrize("profile", ["doc", "field"])
@pytest.mark.parametrize("keys", ["upper", "camel"])
def test_all_eight_calls_in_both_profiles_and_key_cases(his_c06, c06_body, profile, keys):
    his = his_c06(profile=profile, keys=keys)
    body = c06_body()
    if profile == "field":
        body = {
            "BN_UU_TIEN": 1,
            "ID_LOAI_KHAM": "1",
            "THONG_TIN_BENH_NHAN": body["THONG_TIN_BN"],
            "THONG_TIN_DICH_VU": {"ID_KHOA": "11", "ID_PHONG_KHAM": "P502", "MA_DICH_VU": "NOI02"},
        }
    answers = [
        his.get("loai-kham"),
        his.get("khoa"),
        his.get("dichvu"),
        his.get("khoa/dichvu-cotontai", MA_KHOA="KNOI", **WINDOW),
        his.get("dichvu-lichkham", MA_DICH_VU="NOI02", **WINDOW),
        his.get("benhnhan", **PERSON_1),
        his.get("bhyt", **asked("099190000001")),
        his.register(body),
    ]
    assert [answer["code"] for answer in answers] == ["000"] * 8
    patient, visit = answers[5]["data"], answers[7]["data"]
    number = {key.upper(): value for key, value in visit.items()}["THONG_TIN_TIEP_NHAN"]
    assert {key.upper(): value for key, value in number.items()}["STT_LK"] == 1
    assert ("MA_BN" in patient) == (keys == "upper")
    assert ("mA_BN" in patient) == (keys == "camel")


def test_field_profile(his_c06, c06_newcomer):
    his = his_c06(profile="field")
    found = his.get("benhnhan", **PERSON_1)
    assert (found["page"], found["data"]["SO_GTTT"]) == (0, "099190000001")
    service = {"ID_KHOA": "11", "ID_PHONG_KHAM": "P501", "MA_DICH_VU": "NOI01", "ID_LOAI_KHAM": "1"}
    whole = {"BN_UU_TIEN": 0, "THONG_TIN_BENH_NHAN": found["data"], "THONG_TIN_DICH_VU": service}
    made = his.register(whole)["data"]
    assert made["THONG_TIN_BENH_NHAN"]["MA_BN"] == "BN000001"
    line = made["THONG_TIN_DANG_KY"]["CHI_TIET_DANG_KY"][0]
    assert (line["ID_PHONG_KHAM"], line["TEN_PHONG_KHAM"], "ID_DICH_VU" in line) == ("P501", "Phòng 101", False)
    voucher = {"SO_PHIEU": made["THONG_TIN_THANH_TOAN"]["SO_PHIEU"], "MA_HO_SO": made["THONG_TIN_TIEP_NHAN"]["MA_LK"]}
    assert his.get("CheckStatusPayment", **voucher)["data"]["TRANG_THAI"] == "Chưa thanh toán"
    his.sim("mark-paid", {"key": voucher["SO_PHIEU"]})
    assert his.get("CheckStatusPayment", **voucher)["data"]["TRANG_THAI"] == "Đã thanh toán"
    bare = his.get("benhnhan", SO_GTTT="099201000110", LOAI_GTTT="CCCD")["data"]
    assert his.register(whole | {"THONG_TIN_BENH_NHAN": bare})["data"]["THONG_TIN_BENH_NHAN"]["MA_BN"] == "BN000010"
    address = {"MATINH_CUTRU": "92", "MAHUYEN_CU_TRU": "", "MAXA_CU_TRU": "31459", "DIA_CHI": ""}
    codes = {"MA_DANTOC": "01", "MA_QUOCTICH": "VN", "MA_NGHE_NGHIEP": "00000"}
    new = {key: value for key, value in c06_newcomer.items() if key != "ID_BN"} | address | codes
    assert his.register(whole | {"THONG_TIN_BENH_NHAN": new})["data"]["THONG_TIN_BENH_NHAN"]["MA_BN"] == "BN000101"
    assert his.register(whole | {"THONG_TIN_DICH_VU": service | {"ID_PHONG_KHAM": "P502"}})["code"] == "999"
    assert his.register(whole | {"BN_UU_TIEN": 2})["code"] == "999"


def test_field_catalogues(his_c06):
    his = his_c06(profile="field")
    tree = his.get("dich-vu-tree")["data"]
    insured = next(row for row in tree if row["ID_LOAI_KHAM"] == "1")
    room = insured["KHOA"][0]["PHONG_KHAM"][0]
    assert (room["ID_PHONG_KHAM"], room["DON_GIA_PHONG_KHAM"], room["DICH_VU"][0]["MA_DICH_VU"]) == (
        "P501",
        45000,
        "NOI01",
    )
    leaves = [
        service["ID_DICH_VU"]
        for exam_type in tree
        for department in exam_type["KHOA"]
        for place in department["PHONG_KHAM"]
        for service in place["DICH_VU"]
    ]
    assert sorted(leaves) == [str(number) for number in range(501, 513)]
    for name in ("tinh-huyen-xa2", "quoc-gia", "dan-toc", "nghe-nghiep"):
        assert his.get(name)["data"]
    his.sim("config", {"SIM_PROFILE": "doc"})
    assert his.raw("dich-vu-tree").status_code == 404


def test_facility_switch_reaches_the_registration(his_c06, c06_body):
    his = his_c06(facility="93002")
    assert his.register(c06_body(MA_CSKCB="99001"))["code"] == "999"
    assert his.register(c06_body(MA_CSKCB="93002"))["code"] == "000"
    assert his.sim("health")["facility"] == "93002"


def test_settings_from_environment():
    settings = Settings.from_env(
        {"SIM_STT": "text", "SIM_TODAY": "2026-01-05", "SIM_HTTP_404": "1", "SIM_FACILITY": "93002", "SIM_DUP": ""}
        | {"SIM_SIGN_BHYT": "SO_GTTT"}
    )
    assert (settings.stt, settings.today, settings.http_404, settings.facility, settings.dup, settings.sign_bhyt) == (
        "text",
        TODAY,
        True,
        "93002",
        "accept",
        ("SO_GTTT",),
    )
    with pytest.raises(ValueError, match="stt"):
        Settings.from_env({"SIM_STT": "sometimes"})


def test_command_names_a_wrong_switch(monkeypatch):
    monkeypatch.setenv("SIM_DUP", "perhaps")
    outcome = CliRunner().invoke(main, ["his-c06", "--port", "0"])
    assert outcome.exit_code == 1
    assert "dup" in outcome.output


def test_default_day_is_today_in_vietnam(his_c06):
    his = his_c06()
    before, shown, after = _vietnam(), his.sim("health")["today"], _vietnam()
    assert shown in (before, after)


def _vietnam():
    return datetime.now(timezone(timedelta(hours=7))).date().isoformat()
