"""The C06 simulator's catalogue, patient and insurance calls, over real HTTP."""

import pytest

TODAY = "2026-01-05"
WINDOW = {"THOI_GIAN_BAT_DAU": "2026-01-05 07:00:00", "THOI_GIAN_KET_THUC": "2026-01-05 17:00:00"}
PERSON_1 = {"SO_GTTT": "099190000001", "LOAI_GTTT": "CCCD"}


def asked(number, doc_type="CCCD", name="AI ĐÓ", sex="1"):
    return {"SO_GTTT": number, "LOAI_GTTT": doc_type, "HO_TEN": name, "GIOI_TINH": sex}


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
