"""Months over HTTP: who may confirm, close, object and answer, and what each is told."""

import json
from datetime import datetime, timedelta, timezone
from io import BytesIO

import pytest
from openpyxl import load_workbook

from kiosk.events import new_event_id, parse_signature, verify_batch

VN = timezone(timedelta(hours=7))
AT = datetime(2026, 3, 10, 8, tzinfo=VN)
MONTH = "/api/v1/months/2026-03"


def seen(station, number: int = 3) -> None:
    batch = []
    for _ in range(number):
        checkin_id = new_event_id()
        batch += [station.visit(AT, checkin_id=checkin_id), station.lookup(AT, checkin_id=checkin_id)]
    station.send(*batch)


def send(hub, who: dict[str, str], path: str, **body: object):
    return hub.http.post(path, json=body, headers=who)


def test_a_month_from_its_confirmation_to_an_answered_objection(hub) -> None:
    seen(hub.station("93002"))
    head, admin = hub.person("facility", "93002", name="truong-tram"), hub.person("admin", name="so-y-te")
    assert send(hub, head, f"{MONTH}/confirmations", facility="93002").status_code == 201
    state = hub.http.get(MONTH, headers=head).json()
    assert [(each["facility"], each["confirmed_by"]) for each in state["confirmations"]] == [("93002", "truong-tram")]
    refused = send(hub, admin, f"{MONTH}/closing")
    assert (refused.status_code, refused.json()["error"]) == (409, "not_confirmed")
    closed = send(hub, admin, f"{MONTH}/closing", reason="theo kế hoạch")
    assert closed.status_code == 201 and "93002" not in closed.json()["unconfirmed"]
    told = send(hub, head, f"{MONTH}/objections", facility="93002", figure="r1_pct", reason="OTHER", text="thiếu")
    path = f"/api/v1/objections/{told.json()['number']}/answers"
    assert send(hub, head, path, verdict="refused", text="không").status_code == 403
    assert send(hub, admin, path, verdict="refused", text="số liệu đúng").status_code == 201
    (objection,) = hub.http.get(MONTH, headers=head).json()["objections"]
    assert (objection["made_by"], objection["answers"][0]["text"]) == ("truong-tram", "số liệu đúng")
    assert hub.get("/api/v1/months").json()["months"][0]["month"] == "2026-03"


def test_the_signed_document_comes_with_its_signature(hub) -> None:
    seen(hub.station())
    admin = hub.person("admin")
    assert hub.get(f"{MONTH}/document").json()["error"] == "month_open"
    closed = send(hub, admin, f"{MONTH}/closing", reason="chốt").json()
    found = hub.get(f"{MONTH}/document")
    signature = parse_signature(found.headers["Signature"])
    keys = hub.get("/api/v1/months/keys").json()["keys"]
    public = bytes.fromhex(next(each["public_key"] for each in keys if each["key_id"] == signature.key_id))
    assert verify_batch(public, signature.signature, found.content)
    assert json.loads(found.content)["month"] == closed["month"]


def test_a_facility_speaks_for_itself_only_and_sees_nothing_of_others(hub) -> None:
    seen(hub.station("93002"))
    other = hub.person("facility", "93003")
    for step, body in (
        ("confirmations", {}),
        ("objections", {"figure": "r1_pct", "reason": "OTHER"}),
    ):
        answer = send(hub, other, f"{MONTH}/{step}", facility="93002", **body)
        assert (answer.status_code, answer.json()["error"]) == (403, "not_allowed")
    assert send(hub, other, f"{MONTH}/closing", reason="x").status_code == 403
    send(hub, hub.person("facility", "93002"), f"{MONTH}/confirmations", facility="93002")
    assert hub.http.get(MONTH, headers=other).json()["confirmations"] == []
    for path in ("document", "parallel-run"):
        assert hub.http.get(f"{MONTH}/{path}", headers=other).status_code == 403


@pytest.mark.parametrize("role", ["viewer", "analyst"])
def test_who_only_looks_changes_nothing(hub, role: str) -> None:
    seen(hub.station("93002"))
    who = hub.person(role)
    assert send(hub, who, f"{MONTH}/confirmations", facility="93002").status_code == 403
    assert send(hub, who, f"{MONTH}/closing", reason="x").status_code == 403
    assert send(hub, hub.read, f"{MONTH}/confirmations", facility="93002").status_code == 403
    assert hub.get(MONTH).json()["confirmations"] == []


def test_the_insurers_figures_are_entered_and_compared(hub) -> None:
    seen(hub.station("93002"))
    analyst = hub.person("analyst")
    figures = {"figures": {"93002": {"visits": 4, "lookups": 3}}}
    assert hub.http.put(f"{MONTH}/insurer", json=figures, headers=hub.person("viewer")).status_code == 403
    assert hub.http.put(f"{MONTH}/insurer", json=figures, headers=analyst).json() == {"changed": 1}
    (row,) = hub.get(f"{MONTH}/parallel-run").json()["rows"]
    assert (row["visits_difference"], row["visits_causes"]) == (1, {"UNEXPLAINED": 1})
    lines = hub.get(f"{MONTH}/parallel-run", format="csv").content.decode("utf-8-sig").splitlines()
    assert lines[0].startswith("Mã cơ sở,Tên cơ sở,") and "Chưa rõ nguyên nhân" in lines[1]
    sheet = load_workbook(BytesIO(hub.get(f"{MONTH}/parallel-run", format="xlsx").content))["Số liệu"]
    assert next(cell.value for cell in sheet[2]) == "93002"


@pytest.mark.parametrize(
    ("figures", "status", "code"),
    [
        ({"00000": {"visits": 1, "lookups": 1}}, 404, "unknown_facility"),
        ({"93002": {"visits": -1, "lookups": 1}}, 422, "bad_figure"),
        ({"93002": {"visits": "1", "lookups": 1}}, 422, "bad_parameters"),
        ({"93002\0": {"visits": 1, "lookups": 1}}, 404, "unknown_facility"),
    ],
)
def test_figures_that_cannot_be_are_refused(hub, figures: dict, status: int, code: str) -> None:  # type: ignore[type-arg]
    answer = hub.http.put(f"{MONTH}/insurer", json={"figures": figures}, headers=hub.person("analyst"))
    assert (answer.status_code, answer.json()["error"]) == (status, code)


@pytest.mark.parametrize("month", ["2026-13", "2026", "26-03", "2026-3", "đầu"])
def test_what_is_no_month_is_refused(hub, month: str) -> None:
    assert hub.get(f"/api/v1/months/{month}").json()["error"] == "bad_month"
