"""The tolerant reader of the gateway's answer (insurance-gateway.md 2.5, 8.4)."""

import json
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.insurance.card_choice import decide
from kiosk.insurance.vss_answer import Answer, Card, parse_answer
from kiosk.insurance.vss_codes import Reason
from kiosk.model import KeyKind, LookupKey, PartialDate, Sex

GOOD: dict[str, Any] = {
    "maKetQua": "000",
    "ghiChu": "Thẻ còn giá trị sử dụng! CANARY",
    "maThe": "DN4999900000001",
    "hoTen": "Trần Thị Mẫu",
    "ngaySinh": "02/09/1990",
    "gioiTinh": "Nữ",
    "diaChi": "Xã Mô Phỏng",
    "maDKBD": "99001",
    "cqBHXH": "CANARY",
    "gtTheTu": "01/01/2026",
    "gtTheDen": "31/12/2026",
    "maKV": "K2",
    "ngayDu5Nam": "01/06/2025",
    "maSoBHXH": "9900000001",
    "maTheCu": "",
    "maTheMoi": "DN4999900000001",
    "gtTheTuMoi": "01/01/2026",
    "gtTheDenMoi": "",
    "maDKBDMoi": "99002",
    "tenDKBDMoi": "CANARY",
    "dsLichSuKCB2018": [{"TEMP2": "CANARY"}],
    "dsLichSuKT2018": [{"thongBao": "CANARY"}],
}
KEY = LookupKey("099190000001", KeyKind.PERSONAL_12, "Trần Thị Mẫu", PartialDate(1990, 9, 2), Sex.FEMALE)


def read(status: int = 200, **changes: Any) -> Answer:
    found = parse_answer(status, json.dumps(GOOD | changes).encode())
    assert isinstance(found, Answer)
    return found


def test_a_good_answer() -> None:
    assert read() == Answer(
        code="000",
        card=Card("DN4999900000001", date(2026, 1, 1), date(2026, 12, 31), "99001"),
        new_card=Card("DN4999900000001", date(2026, 1, 1), None, "99002"),
        numbers=frozenset({"DN4999900000001", "9900000001"}),
        name="Trần Thị Mẫu",
        birth_date=PartialDate(1990, 9, 2),
        sex=Sex.FEMALE,
        address="Xã Mô Phỏng",
        five_years_on=date(2025, 6, 1),
        living_area="K2",
    )


def test_nothing_else_is_kept_and_repr_shows_no_person() -> None:
    found = read()
    kept = str([getattr(found, name) for name in found.__slots__])
    assert "CANARY" not in kept
    assert not [word for word in ("CANARY", "Mẫu", "990000000", "1990", "Phỏng") if word in repr(found)]


@pytest.mark.parametrize("empty", [None, "", "  "])
def test_null_empty_and_absent_are_the_same(empty: str | None) -> None:
    absent = parse_answer(200, b'{"maKetQua":"000"}')
    assert parse_answer(200, json.dumps(dict.fromkeys(GOOD, empty) | {"maKetQua": "000"}).encode()) == absent
    assert absent == Answer("000")


@pytest.mark.parametrize(
    ("value", "code"),
    [("000", "000"), (0, "000"), (4, "004"), (500, "500"), ("4", "004"), (" 010 ", "010"), ("A1", "A1")],
)
def test_result_code_forms(value: object, code: str) -> None:
    assert read(maKetQua=value).code == code


@pytest.mark.parametrize("value", [None, "", True, 0.0, -1, 12345, [], {}, "0" * 11, "<b>", "mã"])
def test_unusable_result_codes(value: object) -> None:
    body = json.dumps(GOOD | {"maKetQua": value}).encode()
    assert parse_answer(200, body) is Reason.NO_CODE
    assert parse_answer(502, body) is Reason.HTTP_ERROR


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'"000"',
        b"1",
        b"<html></html>",
        b'{"maKetQua":"000"',
        b"\xff\xfe\xfd",
        b"[" * 100_000,
        b'{"maKetQua":' + b"1" * 5000 + b"}",
    ],
)
def test_what_is_no_answer(body: bytes) -> None:
    assert parse_answer(200, body) is Reason.BAD_ANSWER
    assert parse_answer(503, body) is Reason.HTTP_ERROR
    assert parse_answer(401, body) == Answer("401")


def test_byte_order_mark_and_http_status() -> None:
    body = json.dumps(GOOD).encode()
    assert parse_answer(200, b"\xef\xbb\xbf" + body) == parse_answer(500, body) == read()
    assert read(maKetQua="401").code == "401"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("ngaySinh", "1990-09-02"),
        ("ngaySinh", "02091990"),
        ("ngaySinh", "31/02/1990"),
        ("ngaySinh", 1990),
        ("gtTheTu", "2026-01-01"),
        ("gtTheDen", "2026"),
        ("gtTheTuMoi", "01/2026"),
        ("gtTheDenMoi", ["31/12/2026"]),
    ],
)
def test_dates_that_cannot_be_read_safely(field: str, value: object) -> None:
    assert read(**{field: value}).bad_dates


@pytest.mark.parametrize(("text", "birth"), [("1948", PartialDate(1948)), ("3/1948", PartialDate(1948, 3))])
def test_partial_birth_dates(text: str, birth: PartialDate) -> None:
    found = read(ngaySinh=text)
    assert (found.birth_date, found.bad_dates) == (birth, False)


def test_values_of_no_use_are_left_out() -> None:
    found = read(maThe="99", maTheMoi=7, maDKBD="x" * 99, maKV="K9", gioiTinh="Chưa xác định", ngayDu5Nam="?")
    assert (found.card, found.new_card, found.living_area, found.sex, found.five_years_on) == (None,) * 5
    assert not found.bad_dates


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
plausible = st.sampled_from(["000", "003", "010", "02/09/1990", "1990", "DN4999900000001", "Trần Thị Mẫu", "Nữ", 0])


@given(st.dictionaries(st.sampled_from(sorted(GOOD)), values | plausible))
def test_no_content_makes_it_raise(content: dict[str, Any]) -> None:
    found = parse_answer(200, json.dumps(content).encode())
    if isinstance(found, Answer):
        decide(found, KEY, date(2026, 11, 2))
    else:
        assert found is Reason.NO_CODE


@given(values)
def test_no_json_makes_it_raise(value: Any) -> None:
    parse_answer(200, json.dumps(value).encode())


@given(st.integers(100, 599), st.binary(max_size=200))
def test_no_bytes_make_it_raise(status: int, body: bytes) -> None:
    parse_answer(status, body)
