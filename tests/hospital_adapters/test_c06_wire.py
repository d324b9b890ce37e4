"""Signature vectors of his-kiosk-c06.md section 1 and the tolerant reading of section 6."""

import json
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hospital_adapters import c06_wire as wire
from kiosk.model import PartialDate

STAMP = "1767243600000"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ((), "c0975d4197c94bf336e103054238c5226089524af5d5945c55a34ea9c77dd3d3"),
        (("KNOI",), "95ed6ae62939993f20495934c1c61bc023cfd87198c570920df3c5ea0b96833e"),
        ((None,), "29e6ee64afc32804a7575a15c8739d64efad8a40ebd6d68f867b4575eedd956b"),
        (("099190000001", "CCCD"), "17973cd3030c1ac9ed2047291438e1fba2d1eb14755e21a948399eac52ec4374"),
        (("BN000001",), "7afa4e6093d10260c5e089119da05247aa09d21f307b2bd8951c7f38fa41e554"),
        (
            ("KNOI", "2026-01-01 07:00:00", "2026-01-01 17:00:00"),
            "88ae4ccb468f42791f680dffc8b9882ae43b8c3fbfdcd53ec58417452165285e",
        ),
    ],
)
def test_signature_vectors(fields: tuple[str | None, ...], expected: str) -> None:
    assert wire.sign("sim-c06-secret", "KIOSK-TEST", STAMP, *fields) == expected


def test_query_strings_use_percent_twenty() -> None:
    query = wire.query({"TU": "2026-01-01 07:00:00", "HO_TEN": "TRẦN+A/B&C"})
    assert query == "TU=2026-01-01%2007%3A00%3A00&HO_TEN=TR%E1%BA%A6N%2BA%2FB%26C"


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        ("1990-09-02", "1990-09-02"),
        ("1990-09-02 07:12:31", "1990-09-02"),
        ("1990-09-02T00:00:00.000", "1990-09-02"),
        ("1990-09-01T17:00:00Z", "1990-09-02"),
        ("1990-09-02T00:00:00+07:00", "1990-09-02"),
        ("19900902", "1990-09-02"),
        ("199009020712", "1990-09-02"),
        ("19900902071231", "1990-09-02"),
        ("02/09/1990", "1990-09-02"),
        ("02/09/1990 07:12", "1990-09-02"),
        ("02/09/1990 07:12:31", "1990-09-02"),
        ("1948", "1948"),
        (19900902, "1990-09-02"),
        (1948, "1948"),
        (" 1990-09-02 ", "1990-09-02"),
    ],
)
def test_dates(shown: object, expected: str) -> None:
    assert wire.day(shown) == PartialDate.parse(expected)


@pytest.mark.parametrize(
    "shown",
    ["", None, "0000", "1990-13-01", "31/02/1990", "02-09-1990", "199009", "19900231", True, [], "hôm nay", "١٩٩٠"],
)
def test_no_dates(shown: object) -> None:
    assert wire.day(shown) is None


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (45000, "45000"),
        ("45000", "45000"),
        ("45000.50", "45000.50"),
        (Decimal("45000.5"), "45000.5"),
        (0, "0"),
        ("0", "0"),
    ],
)
def test_amounts(shown: object, expected: str) -> None:
    assert wire.money(shown) == Decimal(expected)


@pytest.mark.parametrize(
    "shown", [None, "", True, "45.000", "45,000", "-1", "1e5", "NaN", Decimal("Infinity"), {}, "١٢"]
)
def test_no_amounts(shown: object) -> None:
    assert wire.money(shown) is None


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (23, "23"),
        (Decimal("23.0"), "23"),
        (Decimal("1E+3"), "1000"),
        ("  A024 ", "A024"),
        ("a\x00b\ud800c", "a b c"),
        ("Â\u0323", "Ậ"),
        ("", None),
        ("   ", None),
        (None, None),
        (True, None),
        ([1], None),
        (Decimal("1E+99"), None),
        ("x" * 1001, None),
    ],
)
def test_texts(shown: object, expected: str | None) -> None:
    assert wire.text(shown) == expected


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"code":"000"}', "000"),
        (b'{"code":0}', "000"),
        (b'{"Code":"7"}', "007"),
        (b'{"CODE":999}', "999"),
        (b'\xef\xbb\xbf{"code":"404"}', "404"),
        (b'{"code":null,"CODE":"000"}', "000"),
        (b'{"code":"OK"}', "OK"),
        (b'{"code":true}', None),
        (b'{"code":""}', None),
        (b"{}", None),
    ],
)
def test_codes(body: bytes, code: str | None) -> None:
    envelope = wire.parse(body)
    assert envelope is not None and envelope.code == code


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b"<html>",
        b'{"code":"000",}',
        b'{"code":"000"',
        b'{"code":NaN}',
        b'{"code":"\xff"}',
        b'{"a":' + b"[" * 200_000,
        b'{"code":' + b"9" * 5000 + b"}",
        b'{"a":1e9999999999999999999999}',
    ],
)
def test_what_is_no_answer(body: bytes) -> None:
    assert wire.parse(body) is None


def test_mangled_keys_are_read() -> None:
    envelope = wire.parse(b'{"Code":"000","count":"3","data":[{"mA_THE_BHYT":"a","teN_KQ":{"phaN_TUYEN":1}}]}')
    assert envelope is not None and envelope.pages == 3
    assert envelope.data == [{"MA_THE_BHYT": "a", "TEN_KQ": {"PHAN_TUYEN": 1}}]


def test_dates_written() -> None:
    assert (wire.iso(date(2026, 1, 5)), wire.iso(None)) == ("2026-01-05", None)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.decimals(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_parse_never_raises(body: bytes) -> None:
    wire.parse(body)


@pytest.mark.parametrize(
    ("shown", "expected"),
    [(1, True), ("1", True), (True, True), ("TRUE", True), (0, False), ("0", False), (False, False), ("false", False)],
)
def test_truths(shown: object, expected: bool) -> None:
    assert wire.truth(shown) is expected


@pytest.mark.parametrize("shown", [None, "", 2, "có", [], "10"])
def test_no_truths(shown: object) -> None:
    assert wire.truth(shown) is None


@pytest.mark.parametrize(
    ("shown", "expected"), [(0, 0), ("20", 20), (Decimal("3.0"), 3), (-1, None), ("2.5", None), ("9" * 10, None)]
)
def test_counts(shown: object, expected: int | None) -> None:
    assert wire.count(shown) == expected


def test_other_names_of_fields_are_read() -> None:
    envelope = wire.parse(b'{"data":{"madt":1.1,"matinH_CU_TRU":"92"}}')
    assert envelope is not None and envelope.data == {"MA_DOITUONG_KCB": Decimal("1.1"), "MATINH_CUTRU": "92"}


KEYS = st.text(st.sampled_from("MATINH_CUmadtX"), min_size=1, max_size=8)
TREES = st.recursive(
    st.none() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
)


@given(st.dictionaries(KEYS, TREES, max_size=4))
def test_key_case_never_matters(data: dict[str, object]) -> None:
    """Lower, upper or mixed: what is read has capital keys, and reading it again changes nothing."""
    envelope = wire.parse(json.dumps({"code": "000", "data": data}).encode())
    assert envelope is not None
    shown = json.dumps({"CODE": 0, "DATA": envelope.data}, default=str)
    assert wire.parse(shown.encode()) == wire.parse(shown.replace('"DATA"', '"dAtA"').encode())
    assert envelope.data.keys() <= {wire._ALIASES.get(key.upper(), key.upper()) for key in data}


@given(JSON)
def test_readers_never_raise_and_give_clean_text(value: object) -> None:
    wire.day(value)
    wire.money(value)
    wire.truth(value)
    wire.count(value)
    shown = wire.text(value)
    assert shown is None or shown.encode().decode().strip() == shown != ""
