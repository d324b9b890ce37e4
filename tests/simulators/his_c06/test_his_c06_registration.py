"""The C06 simulator's `/dangky-kcb`: what it stores and what it refuses, over real HTTP."""

import pytest

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


def test_registration_of_a_known_patient(his_c06, c06_body):
    his = his_c06(today="2026-01-05")
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
