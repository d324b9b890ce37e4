"""The relay as a process: who may ask, what they get, and that each key speaks for its own station only."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import httpx
import pytest
from fastapi import HTTPException
from starlette.requests import Request

from kiosk.insurance.relay_wire import Reply
from kiosk.model import VIETNAM
from kiosk.relay_config import fingerprint
from kiosk.web.relay import StationKeys
from tests.kiosk.relay_process import RelayProcess
from tests.kiosk.world import PEOPLE, Gateway

LOOKUP = "/api/v1/relay/lookup"
CLAIM = "/api/v1/relay/register/claim"
FIND = "/api/v1/relay/register/find"
TODAY = datetime.now(VIETNAM).date()


@pytest.fixture(scope="module")
def relay(tmp_path_factory: pytest.TempPathFactory, gateway_server: Gateway) -> Iterator[RelayProcess]:
    process = RelayProcess(tmp_path_factory.mktemp("relay"), gateway_server.url, ("kiosk-1", "kiosk-2")).start()
    yield process
    assert process.stop() == 0
    assert "099" not in process.log()


@pytest.fixture
def one(relay: RelayProcess, gateway: Gateway) -> Iterator[httpx.Client]:
    with relay.client("kiosk-1") as client:
        yield client


def question(number: int, **changes: Any) -> dict[str, Any]:
    who = PEOPLE[number]
    asked = {
        "number": who.citizen_id,
        "kind": "PERSONAL_12",
        "full_name": who.name.title(),
        "birth_date": who.birth_date(TODAY),
        "sex": who.card_sex,
        "visit_day": str(TODAY),
        "moment": "arrival",
        "seconds": 5,
    }
    return asked | changes


def passage(checkin_id: str, station: str = "kiosk-1", **changes: Any) -> dict[str, Any]:
    told = {
        "checkin_id": checkin_id,
        "station": station,
        "day": str(TODAY),
        "numbers": ["099190000001"],
        "person": {"full_name": "Trần Thị Mẫu", "birth_date": "1990-09-02", "sex": "F"},
    }
    return told | changes


def test_a_lookup_comes_back_with_card_evidence_and_the_untouched_answer(one: httpx.Client) -> None:
    answer = Reply.model_validate_json(one.post(LOOKUP, json=question(1)).content).eligibility
    assert answer.status == "insured"
    assert answer.coverage is not None
    assert [call.http_status for call in answer.trail] == [200]
    assert answer.answer is not None
    assert b'"maKetQua":"000"' in answer.answer.replace(b" ", b"")


def test_the_second_station_gets_the_first_ones_answer_marked_as_shared(
    relay: RelayProcess, gateway: Gateway, one: httpx.Client
) -> None:
    with relay.client("kiosk-2") as two:
        answers = [
            Reply.model_validate_json(client.post(LOOKUP, json=question(3)).content).eligibility
            for client in (one, two, one)
        ]
    assert [answer.shared for answer in answers] == [False, True, False]
    assert len({answer.trail[-1].request_id for answer in answers}) == 1
    assert len(gateway.lookups()) == 1


@pytest.mark.parametrize("brought", ["Bearer wrong", "Basic a2V5", ""])
@pytest.mark.parametrize("path", [LOOKUP, CLAIM, FIND, "/api/v1/relay/check"])
def test_without_a_stations_key_nothing_is_answered(relay: RelayProcess, path: str, brought: str) -> None:
    with relay.client() as stranger:
        answer = stranger.post(path, json={}, headers={"Authorization": brought})
        asked_key = stranger.get("/api/v1/relay/facility-key", headers={"Authorization": brought})
    assert answer.status_code in (401, 403, 429)
    assert asked_key.status_code in (401, 429)
    assert "facility_key" not in asked_key.text


def request_with(authorization: str) -> Request:
    return Request({"type": "http", "headers": [(b"authorization", authorization.encode())]})


def test_ten_wrong_keys_are_told_401_then_whoever_guesses_is_slowed_down_and_right_keys_are_not() -> None:
    keys = StationKeys({"kiosk-1": fingerprint("right"), "kiosk-2": fingerprint("other")})
    codes = []
    for _ in range(12):
        with pytest.raises(HTTPException) as refused:
            keys.station(request_with("Bearer wrong"))
        codes.append(refused.value.status_code)
    assert codes == [401] * 10 + [429] * 2
    assert keys.station(request_with("Bearer right")) == "kiosk-1"
    assert keys.station(request_with("bearer other")) == "kiosk-2"


def test_right_keys_work_while_a_wrong_one_is_being_tried(relay: RelayProcess, one: httpx.Client) -> None:
    with relay.client() as stranger:
        codes = {
            stranger.post(LOOKUP, json={}, headers={"Authorization": "Bearer guess"}).status_code for _ in range(15)
        }
    assert 429 in codes
    assert one.post("/api/v1/relay/check", json={}).json()["ok"] is True


@pytest.mark.parametrize("path", [CLAIM, FIND, "/api/v1/relay/register/accepted"])
def test_a_key_cannot_speak_for_another_station(one: httpx.Client, path: str) -> None:
    answer = one.post(path, json=passage("c-other", "kiosk-2"))
    assert (answer.status_code, answer.json()) == (403, {"error": "KEY_OF_ANOTHER_STATION"})
    ended = one.post("/api/v1/relay/register/ended", json={"checkin_id": "c-other", "station": "kiosk-2"})
    assert ended.status_code == 403


def test_the_first_claim_has_the_visit_and_its_ticket_is_shown_elsewhere(
    relay: RelayProcess, one: httpx.Client
) -> None:
    with relay.client("kiosk-2") as two:
        assert one.post(CLAIM, json=passage("c-1")).json() == {"first": True, "elsewhere": None}
        late = two.post(CLAIM, json=passage("c-2", "kiosk-2")).json()
        assert (late["first"], late["elsewhere"]["station"], late["elsewhere"]["ticket"]) == (False, "kiosk-1", None)
        ticket = {"number": "0017", "issued_by": "his", "service": "Khám Nội"}
        one.post("/api/v1/relay/register/accepted", json=passage("c-1", ticket=ticket)).raise_for_status()
        found = two.post(FIND, json=passage("c-3", "kiosk-2")).json()["elsewhere"]
    assert (found["taken"], found["ticket"]["number"], found["ticket"]["service"]) == (True, "0017", "Khám Nội")


def test_the_facility_key_goes_to_stations_over_tls(relay: RelayProcess, one: httpx.Client) -> None:
    with relay.client("kiosk-2") as two:
        keys = {client.get("/api/v1/relay/facility-key").json()["facility_key"] for client in (one, two)}
    assert len(keys) == 1
    assert len(bytes.fromhex(keys.pop())) == 32


def test_the_facility_key_never_goes_in_the_clear(tmp_path_factory: pytest.TempPathFactory, gateway: Gateway) -> None:
    plain = RelayProcess(tmp_path_factory.mktemp("plain"), gateway.url, ("kiosk-1",), tls=False).start()
    try:
        with plain.client("kiosk-1") as client:
            answer = client.get("/api/v1/relay/facility-key")
    finally:
        plain.stop()
    assert (answer.status_code, answer.json()) == (403, {"error": "TLS_NEEDED"})


@pytest.mark.parametrize(
    "body",
    [
        {},
        question(1, birth_date="1990-02-31"),
        question(1, seconds=1000),
        question(1, other_numbers=["1"] * 9),
        question(1, moment="never"),
        question(1, unknown=1),
    ],
)
def test_a_malformed_question_is_refused_and_not_repeated(gateway: Gateway, one: httpx.Client, body: Any) -> None:
    answer = one.post(LOOKUP, json=body)
    assert answer.status_code == 422
    assert "TR" not in answer.text.replace("BAD_REQUEST", "")
    assert gateway.lookups() == []


def test_bodies_are_capped_and_foreign_names_and_pages_refused(one: httpx.Client) -> None:
    assert one.post(LOOKUP, json=question(1, full_name="A" * 70_000)).status_code == 413
    assert one.post(LOOKUP, json=question(1), headers={"Host": "evil.example"}).status_code == 421
    assert one.post(LOOKUP, json=question(1), headers={"Origin": "https://evil.example"}).status_code == 403


def test_a_gateway_that_hangs_is_told_within_the_stations_time(gateway: Gateway, one: httpx.Client) -> None:
    gateway.mode("hang")
    answer = Reply.model_validate_json(one.post(LOOKUP, json=question(4, seconds=0.3)).content).eligibility
    assert (answer.status, answer.reason) == ("cannot_say", "net_timeout")
    assert answer.latency_ms < 2000


def test_what_it_counts_names_nobody(one: httpx.Client) -> None:
    one.post(LOOKUP, json=question(1))
    text = one.get("/metrics").text
    assert 'kiosk_relay_lookups_total{status="insured"}' in text
    assert "kiosk_relay_visits_today 1.0" in text
    assert "099" not in text


def kioskctl(relay: RelayProcess, *words: str) -> Any:
    command = [sys.executable, "-m", "kiosk", *words, "--config", str(relay.config_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_officers_sign_on_at_the_relay_and_answer_for_what_all_stations_ask(
    relay: RelayProcess, gateway: Gateway, one: httpx.Client
) -> None:
    (officer,) = kioskctl(relay, "officers", "list")["officers"]
    assert (officer["name"], officer["answering"]) == ("N. C. B. THỬ", True)
    assert "099085000001" not in str(officer)
    gateway.mode("officer_054", times=1)
    refused = Reply.model_validate_json(one.post(LOOKUP, json=question(5)).content).eligibility
    silent = Reply.model_validate_json(one.post(LOOKUP, json=question(6)).content).eligibility
    assert (refused.reason, silent.reason) == ("officer_unknown", "no_officer")
    assert kioskctl(relay, "officers", "list")["refused"] == "054"
    kioskctl(relay, "officers", "sign-on", officer["id"])
    answered = Reply.model_validate_json(one.post(LOOKUP, json=question(6)).content).eligibility
    assert answered.status == "insured"
    assert kioskctl(relay, "officers", "sign-off")["refused"] is None


def test_the_relay_is_checked_from_its_own_machine(relay: RelayProcess, gateway: Gateway) -> None:
    assert kioskctl(relay, "check", "gateway")["ok"] is True
