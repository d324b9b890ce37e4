"""The simulated gateway's lookups: each person, each rule of comparison (insurance-gateway.md 8.2, 8.3)."""

import json
from datetime import date
from typing import Any

import pytest

from simulators.vss_gateway import LOOKUP_PATH
from simulators.vss_people import PEOPLE, Person

BY_NUMBER = {person.number: person for person in PEOPLE}
MAI_VAN_SAI = BY_NUMBER[15]

# The reference's table: person, code by citizen number, code by card number (None: has no such number).
CODES = [
    (1, "000", "000"),
    (2, None, "000"),
    (3, "000", "000"),
    (4, "000", "000"),
    (5, "000", "000"),
    (6, "000", "000"),
    (7, "001", "001"),
    (8, "002", "002"),
    (9, "003", "003"),
    (10, "003", "003"),
    (11, "004", "004"),
    (12, "004", "004"),
    (13, "010", "010"),
    (14, "050", None),
    (15, "000", "000"),
    (16, "110", "110"),
    (17, "120", "120"),
    (18, "000", "121"),
    (19, "000", "122"),
    (20, "000", "123"),
    (21, "124", "124"),
    (22, None, "130"),
    (23, "100", "000"),
    (24, "101", "101"),
    (25, "500", "500"),
    (26, "777", "777"),
    (27, "000", "000"),
    (28, "000", "000"),
    (29, "000", "000"),
    (30, "000", "000"),
    (31, "000", "000"),
]
FIELDS = {
    *("maKetQua", "ghiChu", "maThe", "hoTen", "ngaySinh", "gioiTinh", "diaChi", "maDKBD", "cqBHXH", "gtTheTu"),
    *("gtTheDen", "maKV", "ngayDu5Nam", "maSoBHXH", "maTheCu", "maTheMoi", "gtTheTuMoi", "gtTheDenMoi", "maDKBDMoi"),
    *("tenDKBDMoi", "dsLichSuKCB2018", "dsLichSuKT2018"),
}


def test_every_person_answers_the_code_of_the_table(gateway: Any) -> None:
    got = [
        (
            person.number,
            gateway.code(person) if person.citizen_id else None,
            gateway.code(person, maThe=person.card) if person.card else None,
        )
        for person in PEOPLE
    ]
    assert got == CODES


def test_first_failure_of_person_23_comes_back_only_after_a_reset(gateway: Any) -> None:
    person = BY_NUMBER[23]
    assert [gateway.code(person) for _ in range(3)] == ["100", "000", "000"]
    gateway.http.post("/_sim/reset")
    assert gateway.code(person) == "100"


def test_bhxh_number_counts_as_card_for_those_who_moved(gateway: Any) -> None:
    assert gateway.code(BY_NUMBER[18], maThe="9900000018") == "121"
    assert gateway.code(BY_NUMBER[1], maThe="9900000001") == "000"


def test_good_answer_has_every_field_and_the_card_twice(gateway: Any) -> None:
    answer = gateway.lookup(BY_NUMBER[1])
    assert set(answer) == FIELDS
    assert answer.pop("ghiChu").startswith("Thông tin thẻ BHYT chính xác! (Họ tên: Trần Thị Mẫu")
    assert answer == {
        "maKetQua": "000",
        "maThe": "DN4999900000001",
        "hoTen": "Trần Thị Mẫu",
        "ngaySinh": "02/09/1990",
        "gioiTinh": "Nữ",
        "diaChi": "Ấp Thử 1, Xã Mẫu, Thành phố Mô Phỏng",
        "maDKBD": "99001",
        "cqBHXH": "BHXH cơ sở Mô Phỏng",
        "gtTheTu": "16/04/2026",
        "gtTheDen": "16/04/2027",
        "maKV": "",
        "ngayDu5Nam": "29/08/2027",
        "maSoBHXH": "9900000001",
        "maTheCu": "",
        "maTheMoi": "DN4999900000001",
        "gtTheTuMoi": "16/04/2026",
        "gtTheDenMoi": "16/04/2027",
        "maDKBDMoi": "99001",
        "tenDKBDMoi": "Cơ sở y tế Mô Phỏng 99001",
        "dsLichSuKCB2018": None,
        "dsLichSuKT2018": [],
    }


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (2, {"ngaySinh": "02/11/2023", "gioiTinh": "Nam", "maThe": "TE1999900000002"}),
        (3, {"maKV": "K3", "maDKBD": "99002"}),
        (4, {"ngayDu5Nam": "28/09/2025"}),
        (5, {"ngaySinh": "1948"}),
        (7, {"gtTheTu": "20/06/2025", "gtTheDen": "16/03/2028"}),
        (8, {"gtTheTu": "", "gtTheDen": "", "hoTen": "Ngô Thị An"}),
        (9, {"gtTheDen": "23/10/2026", "maTheMoi": "GD4999900000009", "gtTheTuMoi": "24/10/2026"}),
        (10, {"gtTheDen": "31/10/2026", "gtTheTuMoi": "07/11/2026"}),
        (11, {"maDKBD": "99002", "maDKBDMoi": "99001", "gtTheDen": "07/11/2026", "gtTheTuMoi": "08/11/2026"}),
        (12, {"maThe": "GD4999900000012", "maTheMoi": "HT3999900000012", "gtTheTuMoi": "01/11/2026"}),
        (13, {"gtTheDen": "28/09/2026", "hoTen": "Đỗ Văn Hết", "maTheMoi": None}),
        (16, {"hoTen": "Cao Thị Thu Hồi", "maTheMoi": None}),
        (18, {"maDKBDMoi": "99050"}),
        (26, {"hoTen": "La Thị Lạ", "gtTheDen": "23/10/2027"}),
        (27, {"maThe": "DN499099301000027", "maSoBHXH": "099301000027"}),
        (29, {"maThe": "CN3999900000029"}),
        (30, {"gioiTinh": "Nữ"}),
    ],
)
def test_answers_carry_what_the_table_says(gateway: Any, number: int, expected: dict[str, Any]) -> None:
    answer = gateway.lookup(BY_NUMBER[number])
    assert {name: answer[name] for name in expected} == expected


@pytest.mark.parametrize("number", [14, 22, 23, 24, 25])
def test_codes_without_data_have_only_code_and_text(gateway: Any, number: int) -> None:
    answer = gateway.lookup(BY_NUMBER[number])
    assert set(answer) == FIELDS
    assert {name for name, value in answer.items() if value is not None} == {"maKetQua", "ghiChu"}


@pytest.mark.parametrize(
    ("key", "code"),
    [
        ("DN4999900000015", "000"),
        ("ZZ4999900000015", "051"),
        ("GD4999900000015", "051"),
        ("dn4999900000015", "051"),
        ("DN4999900009999", "051"),
        ("DN4889900000015", "052"),
        ("DN2889900000015", "052"),
        ("DN2999900000015", "053"),
        ("DN499099065000015", "000"),
        ("DN499099065009999", "051"),
        ("DN299099065000015", "053"),
        ("9900000015", "000"),
        ("9900009999", "050"),
        ("099065009999", "050"),
        (" 099065000015 ", "000"),
    ],
)
def test_card_number_is_compared_part_by_part(gateway: Any, key: str, code: str) -> None:
    assert gateway.code(MAI_VAN_SAI, maThe=key) == code


def test_both_cards_of_a_renewed_person_are_known(gateway: Any) -> None:
    assert gateway.code(BY_NUMBER[12], maThe="GD4999900000012") == "004"
    assert gateway.code(BY_NUMBER[12], maThe="HT3999900000012") == "004"


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("Mai Văn Sai", "000"),
        ("MAI VAN SAI", "000"),
        ("  mai   văn\tsai ", "000"),
        ("MAI VĂN SÀI", "000"),
        ("MAI VĂN SÁNG", "061"),
        ("MAI VŨ SAI", "061"),
        ("MAI SAI", "060"),
        ("MAI VĂN TÀI", "060"),
        ("MAI VĂN SAI SAI", "060"),
    ],
)
def test_names_are_compared_without_diacritics(gateway: Any, name: str, code: str) -> None:
    answer = gateway.lookup(MAI_VAN_SAI, hoTen=name)
    assert answer["maKetQua"] == code
    assert answer["hoTen"] == "Mai Văn Sai", "060 and 061 carry the holder's data"


def test_d_with_stroke_counts_as_d(gateway: Any) -> None:
    assert gateway.code(BY_NUMBER[6], hoTen="DANG THI XA") == "000"


@pytest.mark.parametrize(
    ("number", "sent", "code"),
    [
        (15, "15/05/1965", "000"),
        (15, "05/1965", "000"),
        (15, "1965", "000"),
        (15, "16/05/1965", "070"),
        (15, "06/1965", "070"),
        (15, "1966", "070"),
        (5, "1948", "000"),
        (5, "01/01/1948", "000"),
        (5, "07/1948", "000"),
        (5, "01/01/1949", "070"),
    ],
)
def test_birth_dates_are_compared_as_far_as_both_are_known(gateway: Any, number: int, sent: str, code: str) -> None:
    answer = gateway.lookup(BY_NUMBER[number], ngaySinh=sent)
    assert answer["maKetQua"] == code
    assert answer["maThe"] == BY_NUMBER[number].card, "070 carries the holder's data"


@pytest.mark.parametrize("field", ["maThe", "hoTen", "ngaySinh", "hoTenCb", "cccdCb"])
@pytest.mark.parametrize("value", [None, "", "   "])
def test_each_field_is_required(gateway: Any, field: str, value: str | None) -> None:
    assert gateway.code(MAI_VAN_SAI, **{field: value}) == "205"


@pytest.mark.parametrize("misspelt", ["hotenCb", "hoTenCB", "HoTenCb"])
def test_field_names_are_exact(gateway: Any, misspelt: str) -> None:
    assert gateway.code(MAI_VAN_SAI, hoTenCb=None, **{misspelt: "NGUYỄN CÁN BỘ THỬ"}) == "205"


@pytest.mark.parametrize("length", [0, 1, 9, 11, 13, 14, 16, 18, 20])
def test_lengths_that_no_number_has_are_refused(gateway: Any, length: int) -> None:
    assert gateway.code(MAI_VAN_SAI, maThe="9" * length) == "205"


@pytest.mark.parametrize(
    "sent",
    ["15051965", "1965-05-15", "15-05-1965", "5/5/1965", "31/02/1965", "13/1965", "65", "15/05/65", "00/05/1965"],
)
def test_birth_dates_in_other_forms_are_refused(gateway: Any, sent: str) -> None:
    assert gateway.code(MAI_VAN_SAI, ngaySinh=sent) == "205"


def test_eight_bare_digits_pass_when_set(gateways: Any) -> None:
    gateway = gateways(eight_digit_dates=True)
    assert gateway.code(MAI_VAN_SAI, ngaySinh="15051965") == "000"
    assert gateway.code(MAI_VAN_SAI, ngaySinh="16051965") == "070"
    assert gateway.code(MAI_VAN_SAI, ngaySinh="15131965") == "205"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"cccdCb": "099085000002"}, "054"),
        ({"cccdCb": "099085000002", "hoTenCb": "AI ĐÓ"}, "054"),
        ({"hoTenCb": "AI ĐÓ"}, "055"),
        ({"hoTenCb": "nguyen can bo thu"}, "000"),
        ({"cccdCb": "099085000002", "maThe": "123"}, "205"),
        ({"hoTenCb": "AI ĐÓ", "maThe": "099065009999"}, "055"),
        ({"maThe": "099065009999", "hoTen": "AI ĐÓ"}, "050"),
        ({"hoTen": "AI ĐÓ", "ngaySinh": "1901"}, "060"),
    ],
)
def test_officer_is_checked_after_the_form_and_before_the_card(
    gateway: Any, changes: dict[str, str], code: str
) -> None:
    assert gateway.code(MAI_VAN_SAI, **changes) == code


def test_form_and_json_are_both_taken_and_nothing_else(gateway: Any) -> None:
    fields = gateway.fields(MAI_VAN_SAI)
    assert gateway.post(fields).json()["maKetQua"] == "000"
    form = gateway.http.post(LOOKUP_PATH, params=gateway.query(), data=fields)
    assert form.json()["maKetQua"] == "000"
    assert form.headers["Content-Type"] == "application/json; charset=utf-8"
    text = gateway.http.post(LOOKUP_PATH, params=gateway.query(), content=json.dumps(fields))
    assert text.json()["maKetQua"] == "205"


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'"x"', b"[" * 100_000])
def test_broken_json_is_a_wrong_parameter(gateway: Any, content: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    response = gateway.http.post(LOOKUP_PATH, params=gateway.query(), content=content, headers=headers)
    assert response.json()["maKetQua"] == "205"


def test_numbers_instead_of_text_and_broken_form_bytes_are_wrong_parameters(gateway: Any) -> None:
    fields = gateway.fields(BY_NUMBER[5])
    assert gateway.post(fields | {"ngaySinh": 1948}).json()["maKetQua"] == "205"
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    response = gateway.http.post(LOOKUP_PATH, params=gateway.query(), content=b"hoTen=%ff", headers=headers)
    assert response.json()["maKetQua"] == "205"


def test_unknown_fields_are_ignored(gateway: Any) -> None:
    assert gateway.code(MAI_VAN_SAI, gioiTinh="2", maCSKCB="99001") == "000"


def test_each_lookup_is_kept_and_shown_to_the_next(gateway: Any) -> None:
    person = BY_NUMBER[9]
    assert gateway.lookup(person)["dsLichSuKT2018"] == []
    (check,) = gateway.lookup(person)["dsLichSuKT2018"]
    at = check.pop("thoiGianKT")
    assert (at[:8], len(at)) == ("20261102", 12)
    text = "Thẻ cũ hết giá trị sử dụng, được cấp thẻ mới"
    assert check == {"userKT": "99001_BV", "maLoi": "003", "thongBao": text}
    gateway.lookup(person, hoTen="AI ĐÓ")
    assert len(gateway.lookup(person)["dsLichSuKT2018"]) == 2, "a question about the wrong name is not a check"


def test_open_stay_of_person_28(gateway: Any) -> None:
    answer = gateway.lookup(BY_NUMBER[28])
    (check,) = answer["dsLichSuKT2018"]
    assert (check["userKT"], check["maLoi"]) == ("99002_BV", "000")
    (visit,) = answer["dsLichSuKCB2018"]
    assert visit["ngayRa"] == "202610031000"
    assert visit["ngayRa"] < check["thoiGianKT"]


@pytest.mark.parametrize("name", ["KQNhanLichSuKCB595", "KQNhanLichSuKCB2018", "KQNhanLichSuKCB2019"])
def test_retired_functions_are_an_empty_404(gateway: Any, name: str) -> None:
    response = gateway.http.post(f"/api/egw/{name}", params=gateway.query(), json=gateway.fields(BY_NUMBER[1]))
    assert (response.status_code, response.content) == (404, b"")
    assert [call["status"] for call in gateway.calls("retired")] == [404]


@pytest.mark.parametrize("path", ["/api/egw/Lskcb2025", "/api/TraCuuCCT/TraCuuTienMCCT", "/docs", "/openapi.json"])
def test_unknown_paths_are_404(gateway: Any, path: str) -> None:
    assert gateway.http.post(path).status_code == 404


def test_every_answer_has_its_own_request_id(gateway: Any) -> None:
    paths = ["/_sim/health", "/_sim/people", "/nowhere", "/_sim/calls"]
    ids = [gateway.http.get(path).headers["X-Sim-Request-Id"] for path in paths]
    ids.append(gateway.post({}).headers["X-Sim-Request-Id"])
    assert len(set(ids)) == 5


def test_calls_tell_what_was_asked_but_not_about_whom(gateway: Any) -> None:
    for person in PEOPLE:
        gateway.code(person)
        if person.card:
            gateway.code(person, maThe=person.card)
    gateway.code(MAI_VAN_SAI, maThe="123456789")
    surrogates = json.dumps({"maThe": "\ud800" * 12})
    headers = {"Content-Type": "application/json"}
    gateway.http.post(LOOKUP_PATH, params=gateway.query(), content=surrogates, headers=headers)
    text = gateway.http.get("/_sim/calls").text
    for person in PEOPLE:
        for secret in (person.name, person.name.title(), person.citizen_id, person.bhxh_number, person.card):
            assert secret is None or secret not in text
    assert gateway.password not in text
    assert gateway.key["id_token"] not in text
    calls = gateway.calls()
    assert calls[0] | {"time": None} == {
        "endpoint": "token",
        "time": None,
        "status": 200,
        "result_code": "200",
        "query_kind": None,
        "card": None,
        "mode": None,
    }
    assert calls[1]["time"].startswith("2026-11-02T")
    assert calls[1]["time"].endswith("+07:00")
    assert [(call["query_kind"], call["card"], call["result_code"]) for call in calls[1:4]] == [
        ("PERSONAL_12", "***001", "000"),
        ("BHYT_15", "***001", "000"),
        ("BHYT_15", "***002", "000"),
    ]
    assert ("BHYT_17", "***027") in [(call["query_kind"], call["card"]) for call in calls]
    assert [(call["query_kind"], call["result_code"]) for call in calls[-2:]] == [
        (None, "205"),
        ("PERSONAL_12", "205"),
    ]


def test_people_are_listed_with_what_a_tap_needs(gateway: Any) -> None:
    people = gateway.http.get("/_sim/people").json()
    assert [person["number"] for person in people] == list(range(1, 32))
    assert people[0]["qr"].startswith("099190000001||Trần Thị Mẫu|02091990|Nữ|")
    assert people[1]["qr"] is None
    assert (people[1]["card"], people[1]["birth_date"]) == ("TE1999900000002", "2023-11-02")


def test_facility_replaces_the_default_everywhere(gateways: Any) -> None:
    gateway = gateways(facility="93002")
    assert gateway.lookup(BY_NUMBER[1])["maDKBD"] == "93002"
    assert gateway.lookup(BY_NUMBER[11])["maDKBDMoi"] == "93002"
    assert gateway.lookup(BY_NUMBER[3])["maDKBD"] == "99002", "other facilities stay"
    assert gateway.lookup(BY_NUMBER[1])["dsLichSuKT2018"][0]["userKT"] == "93002_BV"
    assert gateway.login(username="99001_BV").json()["maKetQua"] == "401"
    assert gateway.login(username="99002_BV").json()["maKetQua"] == "200"
    assert "99001" not in gateway.http.get("/_sim/people").text
    assert gateway.http.get("/_sim/health").json() == {"status": "ok", "today": "2026-11-02", "facility": "93002"}


def test_facility_that_equals_another_account_is_the_own_one(gateways: Any) -> None:
    gateway = gateways(facility="99004")
    assert gateway.login().json()["maKetQua"] == "200", "not the account without rights"
    gateway = gateways(facility="99002")
    (check,) = gateway.lookup(BY_NUMBER[28])["dsLichSuKT2018"]
    assert check["userKT"] == "99001_BV", "someone else's"


def test_validity_follows_the_real_day_without_a_setting(gateways: Any) -> None:
    gateway = gateways(today=None)
    assert gateway.lookup(BY_NUMBER[9])["maKetQua"] == "003"


def _child(person: Person) -> bool:
    return person.born.startswith("T-")


def test_children_are_the_same_age_on_every_day(gateways: Any) -> None:
    gateway = gateways(today=date(2028, 2, 29))
    gateway.today = date(2028, 2, 29)
    assert [gateway.lookup(person)["ngaySinh"] for person in PEOPLE if _child(person)] == ["28/02/2025", None]
