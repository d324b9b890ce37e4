"""Answers of a gateway that means no good: no crash, no memory, nobody insured by them (faults-threats-speed.md F8)."""

import asyncio
import gzip
import json
import tracemalloc
import zlib
from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.insurance.card_choice import decide
from kiosk.insurance.vss_answer import Answer, parse_answer
from kiosk.insurance.vss_codes import Reason
from kiosk.insurance.vss_gateway import VssGateway
from kiosk.insurance.vss_settings import LOGIN_PATH
from kiosk.model import EligibilityClass as Class
from kiosk.model import KeyKind, LookupKey, PartialDate, Sex

Open = Callable[..., VssGateway]
KeyOf = Callable[..., LookupKey]
Serve = Callable[..., Awaitable[Any]]

MEGABYTE = 1024 * 1024
LOGIN = json.dumps({"maKetQua": "200", "APIKey": {"access_token": "a", "id_token": "b"}}).encode()
KEY = LookupKey("099190000001", KeyKind.PERSONAL_12, "Trần Thị Mẫu", PartialDate(1990, 9, 2), Sex.FEMALE)
GOOD: dict[str, Any] = {
    "maKetQua": "000",
    "maThe": "DN4999900000001",
    "hoTen": "TRẦN THỊ MẪU",
    "ngaySinh": "02/09/1990",
    "gioiTinh": "Nữ",
    "gtTheTu": "01/01/2026",
    "gtTheDen": "31/12/2026",
    "maSoBHXH": "9900000001",
}
DAY = date(2026, 11, 2)
ENTITIES = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]><a>&x;</a>'


def http(body: bytes, *headers: str) -> bytes:
    return "\r\n".join(("HTTP/1.1 200 OK", f"Content-Length: {len(body)}", *headers, "", "")).encode() + body


def bomb(megabytes: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    block = b" " * MEGABYTE
    return b"".join(packer.compress(block) for _ in range(megabytes)) + packer.flush()


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (http(bomb(200), "Content-Encoding: gzip"), Reason.ANSWER_TOO_LARGE),
        (http(gzip.compress(json.dumps(GOOD).encode())[:-9], "Content-Encoding: gzip"), Reason.BAD_ANSWER),
        (http(b"any", "Content-Encoding: br"), Reason.BAD_ANSWER),
        (http(b"any", "Content-Encoding: gzip, gzip"), Reason.BAD_ANSWER),
        (http(b"[" * MEGABYTE), Reason.BAD_ANSWER),
        (http(b'{"a":' * 200_000), Reason.BAD_ANSWER),
        (http(b'{"maKetQua":' + b"9" * 100_000 + b"}"), Reason.BAD_ANSWER),
        (http(b'{"maKetQua":NaN}'), Reason.NO_CODE),
        (http(b'{"maKetQua":["000"]}'), Reason.NO_CODE),
        (http(b'{"maKetQua":true}'), Reason.NO_CODE),
        (http(b'{"maKetQua":"050",' + json.dumps(GOOD).encode()[1:]), Reason.BAD_ANSWER),
        (http(b"[" * 100), Reason.BAD_ANSWER),
        (http(ENTITIES, "Content-Type: application/json"), Reason.BAD_ANSWER),
        (http(b"<html>login</html>"), Reason.BAD_ANSWER),
        (http(b"\xff\xfe\xfd"), Reason.BAD_ANSWER),
        (http(b"null"), Reason.BAD_ANSWER),
    ],
    ids=range(16),
)
async def test_nonsense_says_nothing_about_anybody(
    serve_raw: Serve, open_gateway: Open, key_of: KeyOf, today: date, answer: bytes, reason: Reason
) -> None:
    async def behave(path: str, writer: asyncio.StreamWriter) -> None:
        writer.write(http(LOGIN) if path == LOGIN_PATH else answer)
        await writer.drain()

    server = await serve_raw(behave)
    gateway = open_gateway(server.url)
    tracemalloc.start()
    try:
        found = await gateway.lookup(key_of(1), today)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (found.status, found.reason, found.coverage) == (Class.CANNOT_SAY, reason, None)
    assert peak < 30 * MEGABYTE


async def test_fifty_megabytes_are_not_read(serve_raw: Serve, open_gateway: Open, key_of: KeyOf, today: date) -> None:
    sent = 0

    async def behave(path: str, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        if path == LOGIN_PATH:
            writer.write(http(LOGIN))
            return
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 52428800\r\n\r\n")
        for _ in range(50):
            writer.write(b" " * MEGABYTE)
            await writer.drain()
            sent += 1

    server = await serve_raw(behave)
    found = await open_gateway(server.url).lookup(key_of(1), today)
    assert (found.status, found.reason) == (Class.CANNOT_SAY, Reason.ANSWER_TOO_LARGE)
    assert sent < 20


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"gtTheTu": "2026-01-01"}, Reason.BAD_DATES),
        ({"gtTheDen": 20261231}, Reason.BAD_DATES),
        ({"ngaySinh": ["02/09/1990"]}, Reason.BAD_DATES),
        ({"gtTheTu": "31/02/2026"}, Reason.BAD_DATES),
        ({"hoTen": {"a": "Trần Thị Mẫu"}}, Reason.HOLDER_MISSING),
        ({"hoTen": "\ud800"}, Reason.HOLDER_MISSING),
        ({"maThe": 4999900000001}, Reason.NO_CARD_DATA),
        ({"maSoBHXH": "9900000002", "maThe": "DN4999900000002", "hoTen": "Lê Khác"}, Reason.NAME_DIFFERS),
        ({"hoTen": "Lê Khác", "ngaySinh": "01/01/1970"}, Reason.WRONG_PERSON),
        ({"gioiTinh": "Nam"}, Reason.SEX_DIFFERS),
        ({"maThe": "DN499099190000002"}, Reason.WRONG_PERSON),
    ],
)
def test_wrong_types_and_persons_go_to_staff(changes: dict[str, Any], reason: Reason) -> None:
    found = parse_answer(200, json.dumps(GOOD | changes).encode())
    assert isinstance(found, Answer)
    decision = decide(found, KEY, DAY)
    assert (decision.status, decision.reason, decision.coverage) == (Class.NEEDS_STAFF, reason, None)


def test_what_people_see_of_an_answer_is_clean_and_short() -> None:
    address = "Ấp \u202e\x00 \u2066 1\n" + "x" * 5000
    found = parse_answer(200, json.dumps(GOOD | {"diaChi": address}).encode())
    assert isinstance(found, Answer)
    assert found.address is not None
    assert found.address.startswith("Ấp 1 x")
    assert len(found.address) <= 500


@pytest.mark.parametrize("zone", ["+99999999999999999999", "+9999", "nowhere", "-0000"])
async def test_a_date_that_no_calendar_has_stops_neither_check_nor_lookup(
    serve_raw: Serve, open_gateway: Open, key_of: KeyOf, today: date, zone: str
) -> None:
    async def behave(path: str, writer: asyncio.StreamWriter) -> None:
        body = LOGIN if path == LOGIN_PATH else json.dumps(GOOD).encode()
        writer.write(http(body, f"Date: Mon, 02 Nov 2020 00:00:00 {zone}"))
        await writer.drain()

    server = await serve_raw(behave)
    gateway = open_gateway(server.url)
    assert (await gateway.check()).ok
    assert (await gateway.lookup(key_of(1), today)).status is Class.INSURED


_VALUE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=30)
    | st.sampled_from(list(GOOD.values())),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from([*GOOD, "maTheMoi", "gtTheTuMoi", "gtTheDenMoi"]), _VALUE, max_size=6))
def test_insured_only_by_a_whole_answer_about_this_person(changes: dict[str, Any]) -> None:
    found = parse_answer(200, json.dumps(GOOD | changes).encode())
    if not isinstance(found, Answer):
        return
    decision = decide(found, KEY, DAY)
    if decision.status.insured:
        assert found.name is not None
        assert found.birth_date is not None
        assert decision.coverage is not None
        start, end = decision.coverage.valid_from, decision.coverage.valid_to
        assert start is not None and start <= DAY and (end is None or end >= DAY)
        assert "000" in str(changes.get("maKetQua", "000")) or found.code in ("000", "003", "004")
