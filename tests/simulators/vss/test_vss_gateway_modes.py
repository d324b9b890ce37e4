"""Forced modes of the simulated gateway, seen from the wire (insurance-gateway.md 8.4)."""

import json
import threading
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from simulators.serve import RunningServer
from simulators.vss_gateway import Settings, create_app
from simulators.vss_modes import MODES
from simulators.vss_people import PEOPLE

FIRST, THIRD, EXPIRED = PEOPLE[0], PEOPLE[2], PEOPLE[12]


def eventually(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture(params=["lookup", "token"])
def ask(request: Any, gateway: Any) -> Callable[..., httpx.Response]:
    """One call of each endpoint after setting a mode on it."""
    gateway.login()

    def forced(mode: str, **more: Any) -> httpx.Response:
        assert gateway.mode(mode, request.param, **more).status_code == 200
        response: httpx.Response = gateway.login() if request.param == "token" else gateway.post(gateway.fields(FIRST))
        assert gateway.calls()[-1]["mode"] == mode
        assert gateway.calls()[-1]["status"] == response.status_code
        return response

    return forced


@pytest.mark.parametrize(("mode", "status"), [("http_500_html", 500), ("http_502_html", 502), ("maintenance", 503)])
def test_html_pages_instead_of_json(ask: Any, mode: str, status: int) -> None:
    response = ask(mode)
    assert response.status_code == status
    assert response.headers["Content-Type"].startswith("text/html")
    assert response.text.startswith("<!DOCTYPE html>")
    assert response.headers.get("Retry-After") == ("600" if mode == "maintenance" else None)


@pytest.mark.parametrize(("mode", "body"), [("http_200_empty", b""), ("null_json", b"null"), ("array_json", b"[]")])
def test_answers_without_content(ask: Any, mode: str, body: bytes) -> None:
    response = ask(mode)
    assert (response.status_code, response.content) == (200, body)


def test_truncated_json(ask: Any) -> None:
    response = ask("bad_json")
    assert response.content.startswith(b'{"maKetQua": ')
    with pytest.raises(ValueError, match=r"Expecting|Unterminated|codec"):
        json.loads(response.content)


def test_byte_order_mark_before_good_json(ask: Any) -> None:
    response = ask("bom_json")
    assert response.content[:3] == b"\xef\xbb\xbf"
    assert json.loads(response.content[3:])["maKetQua"] in ("000", "200")


def test_result_code_missing_or_a_number(ask: Any) -> None:
    answer = ask("no_code").json()
    assert "maKetQua" not in answer
    assert answer.get("hoTen", "Trần Thị Mẫu") == "Trần Thị Mẫu"
    assert ask("code_int").json()["maKetQua"] in (0, 200)


def test_any_code_can_be_forced(ask: Any) -> None:
    assert ask("code:403").json()["maKetQua"] == "403"
    assert ask("code:XYZ").json()["maKetQua"] == "XYZ"
    assert ask("code:010").json().get("APIKey") is None


def test_slow_then_normal(ask: Any) -> None:
    began = time.monotonic()
    assert ask("slow", delay_ms=300).json()["maKetQua"] in ("000", "200")
    assert time.monotonic() - began >= 0.3


def test_delay_goes_before_any_mode(ask: Any) -> None:
    began = time.monotonic()
    assert ask("http_500_html", delay_ms=300).status_code == 500
    assert time.monotonic() - began >= 0.3


def test_reset_closes_the_socket(ask: Any, gateway: Any) -> None:
    with pytest.raises(httpx.ReadError, match="reset"):
        ask("reset", times=1)
    assert (gateway.calls()[-1]["mode"], gateway.calls()[-1]["status"]) == ("reset", None)
    assert gateway.http.get("/_sim/health").status_code == 200


def test_hang_never_answers_and_ends_with_the_client(gateway: Any) -> None:
    gateway.login()
    gateway.mode("hang", times=1)
    with pytest.raises(httpx.ReadTimeout):
        gateway.http.post(
            "/api/egw/KQNhanLichSuKCB2024", params=gateway.query(), json=gateway.fields(FIRST), timeout=0.3
        )
    assert [(call["mode"], call["status"]) for call in gateway.calls("lookup")] == [("hang", None)]
    assert gateway.code(FIRST) == "000"


@pytest.mark.parametrize(("mode", "delay_ms"), [("hang", 0), ("hang", 60_000), ("slow", 60_000)])
def test_simulator_reset_ends_held_calls(gateway: Any, mode: str, delay_ms: int) -> None:
    gateway.login()
    gateway.mode(mode, delay_ms=delay_ms)
    outcome: list[Any] = []

    def call() -> None:
        try:
            outcome.append(gateway.post(gateway.fields(FIRST)).json()["maKetQua"])
        except httpx.TransportError as error:
            outcome.append(type(error))

    held = threading.Thread(target=call)
    held.start()
    eventually(lambda: len(gateway.calls("lookup")) == 1)
    assert gateway.http.post("/_sim/reset").status_code == 204
    held.join(5)
    assert outcome == (["000"] if mode == "slow" else [httpx.ReadError])
    assert gateway.code(FIRST) == "000"


def test_hang_does_not_hold_the_server_up(gateway: Any) -> None:
    server = RunningServer(create_app(Settings())).start()
    with httpx.Client(base_url=server.url) as client:
        client.post("/_sim/mode", json={"endpoint": "*", "mode": "hang"})
        errors: list[Exception] = []

        def call() -> None:
            try:
                client.post("/api/token/take", data={}, timeout=30)
            except httpx.TransportError as error:
                errors.append(error)

        held = threading.Thread(target=call)
        held.start()
        eventually(lambda: len(client.get("/_sim/calls").json()) == 1)
        began = time.monotonic()
        server.stop()
        assert time.monotonic() - began < 1.5
        held.join(5)
        assert len(errors) == 1


def test_expired_token_asks_for_a_new_login(gateway: Any) -> None:
    gateway.login()
    gateway.mode("expired_token", times=1)
    answers = [gateway.post(gateway.fields(FIRST)).json()["maKetQua"] for _ in range(2)]
    assert answers == ["401", "401"], "the token presented is gone for good"
    gateway.login()
    assert gateway.code(FIRST) == "000"


@pytest.mark.parametrize("shape", ["http_json", "body", "http_empty"])
@pytest.mark.parametrize("mode", ["expired_token", "ip_changed", "always_401"])
def test_forced_401_comes_in_the_shape_of_the_settings(gateways: Any, shape: str, mode: str) -> None:
    gateway = gateways(refusal_shape=shape)
    gateway.login()
    gateway.mode(mode)
    response = gateway.post(gateway.fields(FIRST))
    assert response.status_code == (200 if shape == "body" else 401)
    assert (response.content == b"") == (shape == "http_empty")


def test_changed_address_is_mended_by_a_new_login(gateway: Any) -> None:
    gateway.login()
    gateway.mode("ip_changed")
    assert [gateway.code(FIRST) for _ in range(2)] == ["401", "401"]
    gateway.login()
    assert [gateway.code(FIRST) for _ in range(2)] == ["000", "000"]


def test_always_401_is_not_mended_by_a_login(gateway: Any) -> None:
    gateway.mode("always_401")
    for _ in range(2):
        assert gateway.login().json()["maKetQua"] == "200"
        assert gateway.code(FIRST) == "401"
    gateway.mode("always_401", "token")
    assert gateway.login().json() == {"maKetQua": "401", "APIKey": None}


@pytest.mark.parametrize(("mode", "code"), [("officer_054", "054"), ("officer_055", "055"), ("code:130", "130")])
def test_forced_codes_without_data(gateway: Any, mode: str, code: str) -> None:
    gateway.mode(mode)
    answer = gateway.lookup(FIRST)
    assert {name: value for name, value in answer.items() if value is not None} == {
        "maKetQua": code,
        "ghiChu": answer["ghiChu"],
    }


def test_forced_codes_with_data_carry_the_person_asked_for(gateway: Any) -> None:
    gateway.mode("code:110")
    answer = gateway.lookup(FIRST)
    assert (answer["maKetQua"], answer["hoTen"]) == ("110", "Trần Thị Mẫu")
    gateway.mode("code:004")
    assert gateway.lookup(FIRST, maThe="099000009999")["hoTen"] is None
    assert gateway.lookup(FIRST, maThe="1")["maKetQua"] == "004"


def test_wrong_person_is_always_somebody_else(gateway: Any) -> None:
    gateway.mode("wrong_person")
    answers = [gateway.lookup(person) for person in (FIRST, THIRD)]
    assert [(answer["maKetQua"], answer["hoTen"]) for answer in answers] == [
        ("000", "Phạm Văn Thí Dụ"),
        ("000", "Trần Thị Mẫu"),
    ]


def test_null_fields(gateway: Any) -> None:
    gateway.mode("null_fields")
    answer = gateway.lookup(FIRST)
    assert answer.pop("maKetQua") == "000"
    assert len(answer) == 21
    assert set(answer.values()) == {None}


def test_iso_dates(gateway: Any) -> None:
    gateway.mode("string_dates_iso")
    answer = gateway.lookup(FIRST)
    assert {name: answer[name] for name in ("maKetQua", "ngaySinh", "gtTheTu", "gtTheDenMoi", "ngayDu5Nam")} == {
        "maKetQua": "000",
        "ngaySinh": "1990-09-02",
        "gtTheTu": "2026-04-16",
        "gtTheDenMoi": "2027-04-16",
        "ngayDu5Nam": "2027-08-29",
    }
    assert gateway.lookup(PEOPLE[4])["ngaySinh"] == "1948"
    assert gateway.lookup(PEOPLE[7])["gtTheTu"] == ""
    assert gateway.lookup(PEOPLE[13])["gtTheTu"] is None


def test_shapes_deform_the_true_answer(gateway: Any) -> None:
    gateway.mode("code_int")
    assert gateway.lookup(EXPIRED)["maKetQua"] == 10
    assert gateway.post({}).json()["maKetQua"] == 205


def test_mode_lasts_for_its_number_of_calls(gateway: Any) -> None:
    gateway.mode("code:101", times=2)
    assert [gateway.code(FIRST) for _ in range(3)] == ["101", "101", "000"]
    gateway.mode("code:101")
    assert {gateway.code(FIRST) for _ in range(5)} == {"101"}
    gateway.mode("normal")
    assert gateway.code(FIRST) == "000"


def test_star_counts_over_both_endpoints(gateway: Any) -> None:
    gateway.login()
    gateway.mode("http_500_html", "*", times=2)
    statuses = [gateway.login().status_code]
    statuses += [gateway.post(gateway.fields(FIRST)).status_code for _ in range(2)]
    assert [*statuses, gateway.login().status_code] == [500, 500, 200, 200]


def test_mode_of_one_endpoint_leaves_the_other_alone(gateway: Any) -> None:
    gateway.mode("http_500_html", "token")
    assert gateway.login().status_code == 500
    gateway.mode("http_502_html", "lookup")
    gateway.mode("normal", "token")
    assert gateway.login().status_code == 200
    assert gateway.post(gateway.fields(FIRST)).status_code == 502


def test_lookup_modes_under_star_leave_the_login_alone(gateway: Any) -> None:
    gateway.mode("officer_054", "*")
    assert gateway.login().json()["maKetQua"] == "200"
    assert gateway.code(FIRST) == "054"


def test_forced_answers_leave_no_trace_in_the_history(gateway: Any) -> None:
    gateway.mode("code:000", times=1)
    gateway.lookup(FIRST)
    assert gateway.lookup(FIRST)["dsLichSuKT2018"] == []


@pytest.mark.parametrize(
    "body",
    [
        {"endpoint": "lookup", "mode": "sulk"},
        {"endpoint": "lookup", "mode": "code:12"},
        {"endpoint": "lookup", "mode": "restricted"},
        {"endpoint": "history", "mode": "hang"},
        {"endpoint": "token", "mode": "wrong_person"},
        {"endpoint": "lookup", "mode": "slow"},
        {"endpoint": "lookup", "mode": "hang", "times": 0},
        {"endpoint": "lookup", "mode": "hang", "delay_ms": -1},
        {"endpoint": "lookup", "mode": "hang", "time": 1},
        {"mode": "hang"},
        {},
    ],
)
def test_wrong_mode_requests_are_refused(gateway: Any, body: dict[str, Any]) -> None:
    assert gateway.http.post("/_sim/mode", json=body).status_code == 422
    assert gateway.code(FIRST) == "000"


def test_every_mode_of_the_reference_exists() -> None:
    assert set(MODES) == {
        *("normal", "slow", "hang", "reset", "http_500_html", "http_502_html", "http_200_empty", "bad_json"),
        *("bom_json", "null_json", "array_json", "no_code", "code_int", "expired_token", "ip_changed", "always_401"),
        *("officer_054", "officer_055", "maintenance", "wrong_person", "null_fields", "string_dates_iso"),
    }
