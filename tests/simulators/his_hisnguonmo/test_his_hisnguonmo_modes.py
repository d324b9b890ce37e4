"""The hisnguonmo simulator's forced modes, at the socket where they act there."""

import json

import httpx
import pytest

OWN = "api/HisServiceReq/ExamRegisterKiosk"
SHORT = httpx.Timeout(0.4)


def numbers(answer):
    return [row["NUM_ORDER"] for row in answer["Data"]["ServiceReqs"]]


@pytest.mark.parametrize(("mode", "stored"), [("hang_before", 0), ("hang_after", 1)])
def test_hang_never_answers(hisnguonmo, own_body, mode, stored):
    his = hisnguonmo()
    his.mode("ExamRegisterKiosk", mode)
    with pytest.raises(httpx.ReadTimeout):
        his.post(OWN, own_body(), timeout=SHORT)
    assert len(his.new_visits()) == stored
    assert numbers(his.register(own_body())) == [23 + stored]


@pytest.mark.parametrize(("mode", "stored"), [("reset_before", 0), ("reset_after", 1)])
def test_reset_drops_the_connection(hisnguonmo, own_body, mode, stored):
    his = hisnguonmo()
    his.mode(OWN, mode)
    with pytest.raises(httpx.ReadError):
        his.post(OWN, own_body())
    assert len(his.new_visits()) == stored


@pytest.mark.parametrize(
    ("mode", "status", "stored"),
    [
        ("http_500_before", 500, 0),
        ("http_500_after", 500, 1),
        ("http_502_html", 502, 0),
        ("http_503", 503, 0),
        ("http_401", 401, 0),
        ("html_200", 200, 1),
        ("empty_200", 200, 1),
        ("refuse", 200, 0),
        ("exception_before", 200, 0),
        ("exception_after", 200, 1),
        ("slow", 200, 1),
        ("truncated", 200, 1),
        ("trailing_comma", 200, 1),
    ],
)
def test_what_a_mode_answers_and_stores(hisnguonmo, own_body, mode, status, stored):
    his = hisnguonmo()
    his.mode("*", mode, delay_ms=1)
    assert his.post(OWN, own_body()).status_code == status
    assert len(his.new_visits()) == stored
    his.login()
    assert his.register(own_body())["Success"]


@pytest.mark.parametrize(
    ("mode", "seen"),
    [
        ("null_body", lambda answer: answer is None),
        ("null_data", lambda answer: answer["Data"] is None and answer["Success"]),
        ("array_data", lambda answer: isinstance(answer["Data"], list)),
        ("no_success", lambda answer: "Success" not in answer),
        ("success_text", lambda answer: answer["Success"] == "true"),
        ("exception_after", lambda answer: answer["Param"]["HasException"]),
        ("no_number", lambda answer: numbers(answer) == [None]),
        ("wrong_person", lambda answer: answer["Data"]["HisPatientProfile"]["HisPatient"]["FIRST_NAME"] != "MỚI"),
        ("null_fields", lambda answer: answer["Data"]["ServiceReqs"] is None),
        ("extra_fields", lambda answer: answer["Version"] == "9.9" and numbers(answer) == [23]),
        ("bom", lambda answer: numbers(answer) == [23]),
    ],
)
def test_how_a_mode_spoils_an_answer(hisnguonmo, own_body, mode, seen):
    his = hisnguonmo()
    his.mode("ExamRegisterKiosk", mode)
    assert seen(json.loads(his.post(OWN, own_body()).content))
    assert [row["mode"] for row in his.sim("calls")["calls"]][-1] == mode


def test_modes_are_checked_and_wait_for_their_call(hisnguonmo):
    his = hisnguonmo()
    for wrong in ({"endpoint": "Nowhere", "mode": "slow"}, {"endpoint": "*", "mode": "odd"}):
        assert his.http.post("/_sim/mode", json=wrong).status_code == 422
    his.mode("HisRoom", "refuse", times=2)
    assert his.find(CCCD_NUMBER__EXACT="099190000001")["Success"]
    assert his.sim("mode")["modes"] == [{"endpoint": "HisRoom", "mode": "refuse", "times": 2, "delay_ms": 0}]
    his.mode("HisRoom", None)
    assert his.sim("mode")["modes"] == []
