"""Login and tokens of the simulated gateway (insurance-gateway.md 1.3, 1.5, 8.1)."""

import base64
import re
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from simulators.vss_gateway import TOKEN_PATH
from simulators.vss_people import PEOPLE

FIRST = PEOPLE[0]


def test_login_answers_as_the_real_gateway_does(gateway: Any) -> None:
    before = datetime.now(UTC)
    answer = gateway.login().json()
    assert answer["maKetQua"] == "200"
    key = answer["APIKey"]
    assert set(key) == {"access_token", "id_token", "token_type", "username", "expires_in"}
    assert (key["token_type"], key["username"]) == ("Bearer", "99001_BV")
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", key["id_token"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z", key["expires_in"])
    expires = datetime.fromisoformat(key["expires_in"][:26] + "+00:00")
    assert timedelta(seconds=600) <= expires - before < timedelta(seconds=610)
    signature, account, filetime = base64.b64decode(key["access_token"]).decode().split(":")
    assert (len(base64.b64decode(signature)), account) == (32, "99001_BV")
    issued = datetime(1601, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(filetime) // 10)
    assert expires - issued == timedelta(seconds=600)


@pytest.mark.parametrize("password", ["94209BF88616D22E93DE4FF94784049E", "94209bf88616d22e93de4ff94784049e"])
def test_password_hash_in_either_case_form_or_json(gateway: Any, password: str) -> None:
    body = {"username": "99001_BV", "password": password}
    assert gateway.http.post(TOKEN_PATH, data=body).json()["maKetQua"] == "200"
    assert gateway.http.post(TOKEN_PATH, json=body).json()["maKetQua"] == "200"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"password": "sim-secret"}, "401"),
        ({"password": "0" * 32}, "401"),
        ({"password": ""}, "401"),
        ({"username": "99001_bv"}, "401"),
        ({"username": "99009_BV"}, "401"),
        ({"username": ""}, "401"),
        ({"username": "99004_BV"}, "403"),
        ({"username": "99004_BV", "password": "0"}, "401"),
        ({"username": "99002_BV"}, "200"),
        ({"username": "99003_BV"}, "200"),
    ],
)
def test_login_codes(gateway: Any, changes: dict[str, str], code: str) -> None:
    response = gateway.login(**changes)
    assert response.status_code == 200
    assert response.json()["maKetQua"] == code
    assert (response.json()["APIKey"] is None) == (code != "200")


@pytest.mark.parametrize("content", [b"", b"username=99001_BV", b'{"username": 1}'])
@pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded", "text/plain"])
def test_login_without_account_or_password(gateway: Any, content: bytes, kind: str) -> None:
    response = gateway.http.post(TOKEN_PATH, content=content, headers={"Content-Type": kind})
    assert response.json() == {"maKetQua": "401", "APIKey": None}


@pytest.mark.parametrize("shape", ["http_json", "body", "http_empty"])
def test_refused_token_in_each_shape(gateways: Any, shape: str) -> None:
    gateway = gateways(refusal_shape=shape)
    gateway.login()
    response = gateway.post(gateway.fields(FIRST), token="wrong")
    assert response.status_code == (200 if shape == "body" else 401)
    if shape == "http_empty":
        assert response.content == b""
    else:
        assert response.json() == {"maKetQua": "401", "ghiChu": "Token không hợp lệ"}
    codes = [(call["status"], call["result_code"]) for call in gateway.calls("lookup")]
    assert codes == [(response.status_code, None if shape == "http_empty" else "401")]


@pytest.mark.parametrize(
    "change",
    [
        {"token": ""},
        {"token": "x"},
        {"id_token": ""},
        {"id_token": "00000000-0000-4000-8000-000000000000"},
        {"username": "99002_BV"},
        {"username": ""},
        {"password": "0" * 32},
        {"password": ""},
    ],
)
def test_each_query_parameter_must_be_right(gateway: Any, change: dict[str, str]) -> None:
    assert gateway.post(gateway.fields(FIRST), **change).status_code == 401
    assert gateway.code(FIRST) == "000"


def test_token_goes_before_parameters(gateway: Any) -> None:
    assert gateway.post({}, token="x").json()["maKetQua"] == "401"
    assert gateway.post({}).json()["maKetQua"] == "205"


def test_account_of_another_facility_has_its_own_token(gateway: Any) -> None:
    gateway.login()
    own = dict(gateway.key)
    gateway.login(username="99002_BV")
    other = gateway.key
    assert gateway.post(gateway.fields(FIRST), **_pair(own), username="99002_BV").status_code == 401
    assert gateway.post(gateway.fields(FIRST), **_pair(other), username="99002_BV").json()["maKetQua"] == "000"
    checks = gateway.post(gateway.fields(FIRST), **_pair(own)).json()["dsLichSuKT2018"]
    assert [check["userKT"] for check in checks] == ["99002_BV"]


def _pair(key: dict[str, str]) -> dict[str, str]:
    return {"token": key["access_token"], "id_token": key["id_token"]}


def test_several_tokens_live_side_by_side_until_all_expire(gateway: Any) -> None:
    keys = []
    for _ in range(3):
        gateway.login()
        keys.append(_pair(gateway.key))
    assert [gateway.post(gateway.fields(FIRST), **key).status_code for key in keys] == [200] * 3
    mixed = {"token": keys[0]["token"], "id_token": keys[1]["id_token"]}
    assert gateway.post(gateway.fields(FIRST), **mixed).status_code == 401
    assert gateway.http.post("/_sim/expire-tokens").json() == {"expired": 3}
    assert [gateway.post(gateway.fields(FIRST), **key).status_code for key in keys] == [401] * 3
    gateway.login()
    assert gateway.code(FIRST) == "000"


def test_token_expires_after_its_life(gateways: Any) -> None:
    gateway = gateways(token_ttl_s=1)
    began = time.monotonic()
    gateway.login()
    statuses = set()
    while (status := gateway.post(gateway.fields(FIRST)).status_code) != 401:
        statuses.add(status)
        assert time.monotonic() - began < 10
    assert time.monotonic() - began >= 1
    assert statuses == {200}


def test_token_is_bound_to_the_address_that_took_it(gateways: Any) -> None:
    gateway = gateways()
    gateway.login()
    assert _from_elsewhere(gateway).status_code == 401
    assert gateway.code(FIRST) == "000"


def test_binding_can_be_switched_off(gateways: Any) -> None:
    gateway = gateways(bind_ip=False)
    gateway.login()
    assert _from_elsewhere(gateway).json()["maKetQua"] == "000"


def _from_elsewhere(gateway: Any) -> httpx.Response:
    with httpx.Client(transport=httpx.HTTPTransport(local_address="127.0.0.2")) as other:
        url = gateway.http.base_url.join("/api/egw/KQNhanLichSuKCB2024")
        return other.post(url, params=gateway.query(), json=gateway.fields(FIRST))


@pytest.mark.parametrize(("trusted", "status"), [(True, 401), (False, 200)])
def test_forwarded_address_counts_only_when_trusted(gateways: Any, trusted: bool, status: int) -> None:
    gateway = gateways(trust_forwarded_for=trusted)
    gateway.http.headers["X-Forwarded-For"] = "203.0.113.1, 127.0.0.1"
    gateway.login()
    assert gateway.code(FIRST) == "000"
    gateway.http.headers["X-Forwarded-For"] = "203.0.113.2"
    assert gateway.post(gateway.fields(FIRST)).status_code == status


def test_parallel_logins_are_each_counted(gateway: Any) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = {response.json()["APIKey"]["id_token"] for response in pool.map(lambda _: gateway.login(), range(8))}
    assert len(keys) == 8
    assert len(gateway.calls("token")) == 8
