"""The C06 simulator's forced modes, at the socket where they act there, and its introspection."""

import json
import threading
import time

import httpx
import pytest

from simulators.his_c06 import Settings, create_app
from simulators.his_c06_modes import AFTER, BEFORE
from simulators.serve import serve_in_thread

PERSON_1 = {"SO_GTTT": "099190000001", "LOAI_GTTT": "CCCD"}
SHORT = httpx.Timeout(0.4)


def eventually(probe, seconds=5.0):
    """The first true result of `probe` before the deadline."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := probe():
            return found
        threading.Event().wait(0.01)
    raise AssertionError("did not happen in time")


@pytest.mark.parametrize(("mode", "stored"), [("hang_before", 0), ("hang_after", 1)])
def test_hang_never_answers(his_c06, c06_body, mode, stored):
    his = his_c06()
    his.mode("dangky-kcb", mode)
    with pytest.raises(httpx.ReadTimeout):
        his.post(c06_body(), timeout=SHORT)
    assert len(his.new_visits()) == stored
    assert his.register(c06_body())["data"]["THONG_TIN_TIEP_NHAN"]["STT_LK"] == stored + 1
    assert [(call["mode"], call["http"]) for call in his.sim("calls")["calls"]] == [(mode, None), (None, 200)]


@pytest.mark.parametrize(("mode", "stored"), [("reset_before", 0), ("reset_after", 1)])
def test_reset_drops_the_connection(his_c06, c06_body, mode, stored):
    his = his_c06()
    his.mode("/dangky-kcb", mode)
    with pytest.raises(httpx.ReadError):
        his.post(c06_body())
    assert len(his.new_visits()) == stored


@pytest.mark.parametrize("mode", ["hang_before", "hang_after"])
def test_hang_and_reset_of_a_query(his_c06, mode):
    his = his_c06()
    his.mode("benhnhan", mode)
    with pytest.raises(httpx.ReadTimeout):
        his.http.get("benhnhan", params=PERSON_1, headers=his.headers(list(PERSON_1.values())), timeout=SHORT)
    his.mode("benhnhan", "reset_before")
    with pytest.raises(httpx.ReadError):
        his.get("benhnhan", **PERSON_1)
    assert his.get("benhnhan", **PERSON_1)["code"] == "000"


def test_reset_ends_a_hang(his_c06, c06_body):
    his = his_c06()
    his.mode("dangky-kcb", "hang_after", times=None)
    ended = []

    def ask():
        try:
            his.post(c06_body())
        except httpx.TransportError as error:
            ended.append(error)

    waiting = threading.Thread(target=ask)
    waiting.start()
    with httpx.Client(base_url=his.http.base_url) as other:
        eventually(lambda: other.get("/_sim/registrations").json()["count"] == 2)
        other.post("/_sim/reset")
    waiting.join(5)
    assert len(ended) == 1
    assert not isinstance(ended[0], httpx.TimeoutException)
    assert his.register(c06_body())["code"] == "000"


def test_a_hang_does_not_hold_up_the_shutdown(c06_body):
    with serve_in_thread(create_app(Settings())) as server, httpx.Client(base_url=server.url, timeout=10) as http:
        http.post("/_sim/mode", json={"endpoint": "*", "mode": "hang_before"})
        ended = []

        def ask():
            try:
                http.post("/dangky-kcb", json=c06_body())
            except httpx.TransportError as error:
                ended.append(error)

        waiting = threading.Thread(target=ask)
        waiting.start()
        with httpx.Client(base_url=server.url) as other:
            eventually(lambda: other.get("/_sim/calls").json()["count"])
        began = time.monotonic()
        server.stop()
        waiting.join(5)
        assert time.monotonic() - began < 1.5
        assert len(ended) == 1


def test_slow_answers_late(his_c06):
    his = his_c06()
    his.mode("loai-kham", "slow", delay_ms=300)
    began = time.monotonic()
    assert his.get("loai-kham")["code"] == "000"
    assert time.monotonic() - began >= 0.3


@pytest.mark.parametrize(
    ("mode", "status", "kind", "stored"),
    [
        ("http_500_before", 500, "application/json", 0),
        ("http_500_after", 500, "application/json", 1),
        ("http_502_html", 502, "text/html", 0),
        ("http_503", 503, "text/html", 0),
        ("html_200", 200, "text/html", 1),
        ("empty_200", 200, "application/json", 1),
    ],
)
def test_plain_http_answers(his_c06, c06_body, mode, status, kind, stored):
    his = his_c06()
    his.mode("dangky-kcb", mode)
    answer = his.post(c06_body())
    assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (status, kind)
    assert answer.headers.get("retry-after") == ("5" if mode == "http_503" else None)
    assert b'"code"' not in answer.content
    assert len(his.new_visits()) == stored


@pytest.mark.parametrize(
    ("mode", "code"), [("c999", "999"), ("c404", "404"), ("unknown_code", "123"), ("bad_signature", "999")]
)
def test_refusals_store_nothing(his_c06, c06_body, mode, code):
    his = his_c06()
    his.mode("dangky-kcb", mode)
    refused = his.register(c06_body())
    assert (refused["code"], refused["data"]) == (code, None)
    assert his.new_visits() == []
    assert his.sim("calls")["calls"][-1]["sign"] == "ok"


@pytest.mark.parametrize("mode", ["truncated", "trailing_comma", "bom"])
def test_broken_json(his_c06, c06_body, mode):
    his = his_c06()
    his.mode("*", mode)
    answer = his.post(c06_body())
    assert answer.status_code == 200
    assert int(answer.headers["content-length"]) == len(answer.content)
    with pytest.raises(ValueError, match=r"."):
        json.loads(answer.content.decode())
    assert len(his.new_visits()) == 1


def test_distorted_envelopes(his_c06, c06_body):
    his = his_c06()

    def forced(mode):
        his.mode("dangky-kcb", mode)
        return his.register(c06_body())

    assert forced("null_data")["data"] is None
    assert forced("array_data")["data"][0]["THONG_TIN_BN"]["MA_BN"] == "BN000001"
    assert "code" not in forced("no_code")
    assert forced("code_int")["code"] == 0
    assert "STT_LK" not in forced("no_stt")["data"]["THONG_TIN_TIEP_NHAN"]
    extra = forced("extra_fields")
    assert extra["data"]["THONG_TIN_BN"]["TRUONG_LA"] == "x"
    assert extra["data"]["THONG_TIN_BN"]["MA_BN"] == "BN000001"
    bare = forced("null_fields")["data"]
    assert (bare["THONG_TIN_BN"]["MA_BN"], bare["THONG_TIN_BN"]["HO_TEN"]) == ("BN000001", None)
    assert (bool(bare["THONG_TIN_TIEP_NHAN"]["MA_LK"]), bare["THONG_TIN_TIEP_NHAN"]["STT_LK"]) == (True, None)
    assert len(his.new_visits()) == 7


def test_wrong_person(his_c06, c06_body):
    his = his_c06()
    his.mode("*", "wrong_person", times=4)
    patient = his.get("benhnhan", **PERSON_1)["data"]
    assert (patient["MA_BN"], patient["HO_TEN"], patient["NGAY_SINH"]) == ("BN000002", "PHẠM VĂN THÍ DỤ", "1975-03-15")
    cover = his.get("bhyt", **PERSON_1, HO_TEN="TRẦN THỊ MẪU", GIOI_TINH="2")["data"]
    assert (cover["HO_TEN"], cover["GIOI_TINH"]) == ("PHẠM VĂN THÍ DỤ", 1)
    assert his.register(c06_body())["data"]["THONG_TIN_BN"]["MA_BN"] == "BN000002"
    second = his.get("benhnhan", SO_GTTT="099075000003", LOAI_GTTT="CCCD")["data"]
    assert second["MA_BN"] == "BN000001"
    assert his.new_visits()[0]["MA_BN"] == "BN000001"
    assert his.get("benhnhan", **PERSON_1)["data"]["MA_BN"] == "BN000001"


def test_duplicate_gives_a_number_twice(his_c06, c06_body, c06_newcomer):
    his = his_c06()
    his.register(c06_body())
    his.mode("dangky-kcb", "duplicate")
    assert his.register(c06_body(**c06_newcomer))["data"]["THONG_TIN_TIEP_NHAN"]["STT_LK"] == 1
    assert [(row["MA_BN"], row["number"]) for row in his.new_visits()] == [("BN000001", 1), ("BN000101", 1)]


def test_null_fields_keep_what_a_query_must_have(his_c06):
    his = his_c06()
    his.mode("*", "null_fields", times=None)
    patient = his.get("benhnhan", **PERSON_1)["data"]
    assert {key for key, value in patient.items() if value is not None} == {"MA_BN"}
    cover = his.get("bhyt", **PERSON_1, HO_TEN="A", GIOI_TINH="2")["data"]
    assert (cover["PHAN_TUYEN"], cover["TIEP_NHAN_BHYT"], cover["MA_THE_BHYT"]) == (1, None, None)
    service = his.get("dichvu")["data"][0]
    assert (service["ID_DICH_VU"], service["TEN_DICH_VU"], service["DON_GIA_DICH_VU"]) == (
        "501",
        "Khám Nội - phòng 101",
        None,
    )


@pytest.mark.parametrize("mode", sorted((BEFORE | AFTER) - {"hang_before", "hang_after", "slow"}))
@pytest.mark.parametrize("endpoint", ["dichvu", "benhnhan"])
def test_every_mode_ends_on_every_kind_of_call_and_counts_down(his_c06, endpoint, mode):
    his = his_c06()
    his.mode(endpoint, mode)
    fields = PERSON_1 if endpoint == "benhnhan" else {}
    if mode.startswith("reset"):
        with pytest.raises(httpx.ReadError):
            his.raw(endpoint, **fields)
    else:
        assert his.raw(endpoint, **fields).status_code in (200, 500, 502, 503)
    assert his.sim("mode") == {"modes": []}
    assert his.get(endpoint, **fields)["code"] == "000"


def test_modes_are_counted_replaced_and_taken_away(his_c06):
    his = his_c06()
    his.mode("*", "c404", times=None)
    his.mode("khoa", "c999", times=2)
    assert [his.get("khoa")["code"] for _ in range(3)] == ["999", "999", "404"]
    his.mode("*", None)
    assert his.get("khoa")["code"] == "000"


@pytest.mark.parametrize(
    "wanted",
    [
        {"endpoint": "nowhere", "mode": "slow"},
        {"endpoint": "khoa", "mode": "sometimes"},
        {"endpoint": "khoa", "mode": "slow", "times": 0},
        {"endpoint": "khoa", "mode": "slow", "typo": 1},
    ],
)
def test_wrong_modes_are_refused(his_c06, wanted):
    assert his_c06().http.post("/_sim/mode", json=wanted).status_code == 422


def test_calls_tell_attempts_and_no_names(his_c06, c06_body):
    his = his_c06()
    his.get("benhnhan", **PERSON_1, THAM_SO_LA="1")
    body = c06_body() | {"TRUONG_LA": 1}
    his.register(body)
    his.register(body)
    his.secret = "wrong"
    his.register(c06_body())
    calls = his.sim("calls")["calls"]
    assert [(call["endpoint"], call["attempt"], call["sign"], call["code"]) for call in calls] == [
        ("benhnhan", 1, "ok", "000"),
        ("dangky-kcb", 1, "ok", "000"),
        ("dangky-kcb", 2, "ok", "000"),
        ("dangky-kcb", 1, "mismatch", "999"),
    ]
    assert [call["unknown_keys"] for call in calls] == [["THAM_SO_LA"], ["TRUONG_LA"], ["TRUONG_LA"], []]
    assert {call["number"] for call in calls} == {"*********001"}
    text = "".join(his.http.get(f"/_sim/{view}").text for view in ("calls", "registrations", "patients", ""))
    assert not [secret for secret in ("TRẦN", "099190000001", "sim-c06-secret", "Ấp Thử") if secret in text]


def test_patients_are_listed(his_c06):
    listed = his_c06().sim("patients")
    assert listed["count"] == 12
    assert listed["patients"][7] == {
        "ID_BN": "108",
        "MA_BN": "BN000008",
        "SO_GTTT": "******108",
        "LOAI_GTTT": "CMND",
    }


def test_page_shows_rows_newest_first(his_c06, c06_body):
    his = his_c06()
    made = his.register(c06_body())["data"]["THONG_TIN_TIEP_NHAN"]["MA_LK"]
    page = his.http.get("/_sim/")
    assert page.headers["content-type"].startswith("text/html")
    assert 'http-equiv="refresh"' in page.text
    rows = page.text.partition("<tbody>")[2]
    assert rows.index(made) < rows.index("BN000003")
    for shown in ("Khám Nội - phòng 102", "<td>1</td>", "2026-01-05 07:12:31", "*********001"):
        assert shown in rows


def test_config_changes_and_refuses(his_c06):
    his = his_c06()
    assert his.sim("config", {"SIM_DUP": "same", "stt": "text"})["SIM_DUP"] == "same"
    assert his.sim("config")["SIM_STT"] == "text"
    assert "SIM_SECRET" not in his.sim("config")
    for wrong in ({"SIM_DUP": "x"}, {"SIM_TYPO": "1"}):
        assert his.http.post("/_sim/config", json=wrong).status_code == 422
    assert his.sim("config")["SIM_DUP"] == "same"


def test_clock_moves_days_and_the_skew_window(his_c06, c06_body):
    his = his_c06()
    his.sim("clock", {"today": "2026-03-01"})
    assert his.register(c06_body(service="501"))["data"]["THONG_TIN_TIEP_NHAN"]["MA_LK"] == "SIM20260301000001"
    his.sim("clock", {"today": "2026-03-02"})
    booked = his.sim("registrations")["registrations"][-1]
    assert (booked["MA_BN"], booked["MA_LK"], booked["number"]) == ("BN000003", "SIM20260302000002", 22)
    assert his.register(c06_body(service="501"))["data"]["THONG_TIN_TIEP_NHAN"]["STT_LK"] == 23
    assert his.sim("clock", {"now": "2026-01-01T12:00:00+07:00"})["today"] == "2026-01-01"
    assert his.get("loai-kham")["code"] == "999"
    assert his.http.post("/_sim/clock", json={"now": "2026-01-01T12:00:00"}).status_code == 422
    his.sim("config", {"SIM_TODAY": "2026-04-01"})
    assert his.sim("health")["today"] == "2026-04-01"


def test_reset_goes_back_to_the_start(his_c06, c06_body, c06_newcomer):
    his = his_c06()
    his.register(c06_body(**c06_newcomer))
    his.sim("config", {"SIM_DUP": "same"})
    his.mode("*", "c999", times=None)
    his.sim("clock", {"today": "2026-03-01"})
    his.sim("reset", {})
    assert (his.sim("config")["SIM_DUP"], his.sim("calls")["count"], his.new_visits()) == ("accept", 0, [])
    assert his.sim("patients")["count"] == 12
    made = his.register(c06_body(**c06_newcomer))["data"]
    assert (made["THONG_TIN_BN"]["MA_BN"], made["THONG_TIN_TIEP_NHAN"]["STT_LK"]) == ("BN000101", 1)
