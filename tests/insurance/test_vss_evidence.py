"""What stays of a lookup: each call, the untouched answer, and the holder as the register has them."""

import asyncio
import json
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from kiosk.insurance.vss_codes import Reason
from kiosk.insurance.vss_gateway import VssGateway
from kiosk.insurance.vss_settings import LOGIN_PATH
from kiosk.model import EligibilityClass as Class
from kiosk.model import Holder, KeyKind, LookupKey, PartialDate, Sex
from simulators.vss_people import PEOPLE

Open = Callable[..., VssGateway]
KeyOf = Callable[..., LookupKey]
Serve = Callable[..., Awaitable[Any]]

LOGIN = json.dumps({"maKetQua": "200", "APIKey": {"access_token": "a", "id_token": "b"}}).encode()
ANSWER = '{ "maKetQua":"000", "maThe":"DN4999900000001","hoTen":"TRẦN THỊ MẪU",\n"ngaySinh":"02/09/1990"  }\n'.encode()


def http(body: bytes) -> bytes:
    return f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body


async def test_the_answer_is_kept_byte_by_byte(
    serve_raw: Serve, open_gateway: Open, key_of: KeyOf, today: date
) -> None:
    async def behave(path: str, writer: asyncio.StreamWriter) -> None:
        writer.write(http(LOGIN if path == LOGIN_PATH else ANSWER))
        await writer.drain()

    server = await serve_raw(behave)
    found = await open_gateway(server.url).lookup(key_of(1), today)
    assert found.answer == ANSWER
    assert "MẪU" not in repr(found)


async def test_each_call_of_a_repeated_question_is_kept(
    simulator: Any, open_gateway: Open, key_of: KeyOf, today: date
) -> None:
    found = await open_gateway(simulator.url).lookup(key_of(23), today)
    first, second = found.trail
    assert (first.reason, first.result_code, first.http_status) == (Reason.GATEWAY_DATA_ERROR, "100", 200)
    assert (second.reason, second.result_code, second.http_status) == (Reason.VALID, "000", 200)
    assert first.asked_at < second.asked_at
    assert [uuid.UUID(call.request_id).version for call in found.trail] == [7, 7]
    assert {call.key_kind for call in found.trail} == {found.key_kind} == {KeyKind.PERSONAL_12}
    assert found.answer is not None
    assert json.loads(found.answer)["maKetQua"] == "000"


async def test_a_refused_token_is_a_call_too(simulator: Any, open_gateway: Open, key_of: KeyOf, today: date) -> None:
    simulator.mode("expired_token", times=1)
    found = await open_gateway(simulator.url).lookup(key_of(1), today)
    assert [(call.reason, call.result_code, call.http_status) for call in found.trail] == [
        (Reason.ACCOUNT_REFUSED, "401", 401),
        (Reason.VALID, "000", 200),
    ]


@pytest.mark.parametrize(
    ("mode", "endpoint", "reason", "status"),
    [
        ("hang", "lookup", Reason.NET_TIMEOUT, None),
        ("reset", "lookup", Reason.NET_BROKEN, None),
        ("http_500_html", "lookup", Reason.HTTP_ERROR, 500),
        ("bad_json", "lookup", Reason.BAD_ANSWER, 200),
        ("reset", "token", Reason.NET_BROKEN, None),
        ("always_401", "token", Reason.ACCOUNT_REFUSED, None),
    ],
)
async def test_a_call_without_an_answer_is_kept_without_one(
    simulator: Any, open_gateway: Open, key_of: KeyOf, today: date, mode: str, endpoint: str, reason: str, status: int
) -> None:
    simulator.mode(mode, endpoint=endpoint)
    found = await open_gateway(simulator.url).lookup(key_of(1), today)
    assert [(call.reason, call.http_status) for call in found.trail] == [(reason, status)]
    assert (found.answer, found.held) == (None, None)


async def test_what_never_left_is_no_call(simulator: Any, open_gateway: Open, key_of: KeyOf, today: date) -> None:
    gateway = open_gateway(simulator.url, breaker_failures=1)
    simulator.mode("reset")
    await gateway.lookup(key_of(1), today)
    found = await gateway.lookup(key_of(3), today)
    assert (found.reason, found.trail, found.attempts) == (Reason.BREAKER_OPEN, (), 0)


PERSON_1 = Holder("Trần Thị Mẫu", PartialDate(1990, 9, 2), Sex.FEMALE, PEOPLE[0].address)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, Reason.VALID),
        ({"full_name": "Trương Thế Mạnh"}, Reason.NAME_SPELLING),
        ({"birth_date": PartialDate(1990, 9, 3)}, Reason.BIRTH_REFUSED),
    ],
)
async def test_staff_can_compare_the_holder_with_the_person(
    simulator: Any, open_gateway: Open, key_of: KeyOf, today: date, changes: dict[str, Any], reason: Reason
) -> None:
    found = await open_gateway(simulator.url).lookup(replace(key_of(1), **changes), today)
    assert found.held is not None
    shown = replace(found.held, full_name=(found.held.full_name or "").title())
    assert (found.reason, shown) == (reason, PERSON_1)


@pytest.mark.parametrize(
    "content",
    [
        {"maThe": "DN4999900000001", "hoTen": "LÊ VĂN KHÁC", "ngaySinh": "01/01/1970", "diaChi": "Xã Khác"},
        {"maThe": "DN499099190000002", "hoTen": "TRẦN THỊ MẪU", "ngaySinh": "02/09/1990", "diaChi": "Xã Khác"},
    ],
)
async def test_nothing_is_kept_of_another_person(
    serve_raw: Serve, open_gateway: Open, key_of: KeyOf, today: date, content: dict[str, str]
) -> None:
    async def behave(path: str, writer: asyncio.StreamWriter) -> None:
        writer.write(http(LOGIN if path == LOGIN_PATH else json.dumps({"maKetQua": "000"} | content).encode()))
        await writer.drain()

    server = await serve_raw(behave)
    found = await open_gateway(server.url).lookup(key_of(1), today)
    assert (found.status, found.reason) == (Class.NEEDS_STAFF, Reason.WRONG_PERSON)
    assert (found.held, found.coverage) == (None, None)
