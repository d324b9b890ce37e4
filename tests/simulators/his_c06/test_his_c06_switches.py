"""The C06 simulator's switches and profiles, over real HTTP."""

from datetime import date, datetime, timedelta, timezone

import pytest
from click.testing import CliRunner

from simulators.cli import main
from simulators.his_c06 import Settings
from simulators.his_c06_wire import camel

TODAY = "2026-01-05"
WINDOW = {"THOI_GIAN_BAT_DAU": "2026-01-05 07:00:00", "THOI_GIAN_KET_THUC": "2026-01-05 17:00:00"}
LATER = ({}, {"first_visit": 4000})
PERSON_1 = {"SO_GTTT": "099190000001", "LOAI_GTTT": "CCCD"}


def asked(number, doc_type="CCCD", name="AI ĐÓ", sex="1"):
    return {"SO_GTTT": number, "LOAI_GTTT": doc_type, "HO_TEN": name, "GIOI_TINH": sex}


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


def test_dedup_needs_no_document_number(his_c06, c06_body):
    his = his_c06(dedup="du_phong")
    first, again = (his.register(c06_body(du_phong="CK1;id=A", SO_GTTT=None)) for _ in range(2))
    assert first == again
    assert first["code"] == "000"


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


def test_patients_by_card(his_c06):
    his = his_c06()
    card = {"SO_GTTT": "", "LOAI_GTTT": "CCCD", "MA_THE_BHYT": "DN4999900000001"}
    assert his.get("benhnhan", **card)["code"] == "999"
    his.sim("config", {"SIM_BY_CARD": "1"})
    assert his.get("benhnhan", **card)["data"]["MA_BN"] == "BN000001"
    assert his.get("benhnhan", **(card | {"SO_GTTT": "099200000555"}))["data"]["MA_BN"] == "BN000001"
    assert his.get("benhnhan", **(card | {"SO_GTTT": "099075000003"}))["data"]["MA_BN"] == "BN000002"
    assert his.get("benhnhan", **(card | {"MA_THE_BHYT": "DN4999900000077"}))["code"] == "404"


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
        date(2026, 1, 5),
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


def test_a_later_start_on_the_same_day_gives_other_visits(his_c06, c06_body):
    ids = [his_c06(**first).register(c06_body())["data"]["THONG_TIN_TIEP_NHAN"]["MA_LK"] for first in LATER]
    assert [each[-6:] for each in ids] == ["000001", "004000"]
