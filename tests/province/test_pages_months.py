"""The forms of a month's page: who may send them, and what each person sees of others."""

from datetime import date, datetime, timedelta, timezone

import pytest

from province.months.differences import CAUSE_TEXTS
from province.months.objections import FIGURES, REASON_TEXTS, Verdict
from province.pages.month_list import month_lines
from province.pages.month_view import MAIN_FIELDS, Standing
from province.pages.texts import Language, texts_in
from province.web.pages_months import FORMS

VN = timezone(timedelta(hours=7))
PAGE = "/months/2026-03"


def post(hub, path: str, who: dict[str, str], **fields: str):
    return hub.http.post(f"{PAGE}/{path}", data=fields, headers=who)


@pytest.mark.parametrize("path", ["confirmations", "objections", "answers", "closing"])
def test_forms_are_only_for_people_of_this_hub_and_from_its_own_pages(hub, path: str) -> None:
    admin = hub.person("admin")
    fields = {"facility": "93002", "figure": "r1_pct", "reason": "OTHER", "number": "1", "sure": "yes"}
    stranger = post(hub, path, {"Origin": admin["Origin"]}, **fields)
    assert (stranger.status_code, stranger.headers["location"]) == (303, "/login")
    assert post(hub, path, hub.read, **fields).json()["error"] == "foreign_origin"
    assert (
        post(hub, path, admin | {"Origin": "https://elsewhere.example"}, **fields).json()["error"] == "foreign_origin"
    )
    assert post(hub, path, hub.person("analyst"), **fields).json()["error"] == "not_allowed"
    assert post(hub, path, hub.person("facility", "93003"), **fields).json()["error"] == "not_allowed"
    assert hub.http.get("/api/v1/months/2026-03", headers=admin).json()["objections"] == []


def test_a_head_sees_the_own_facility_only(hub) -> None:
    head, other, admin = hub.person("facility", "93002"), hub.person("facility", "93003"), hub.person("admin")
    assert post(hub, "confirmations", other, facility="93003").status_code == 303
    sent = post(hub, "objections", other, facility="93003", figure="r1_pct", reason="OTHER", text="nhầm số của trạm")
    assert sent.headers["location"] == f"{PAGE}?done=object#told"
    seen = hub.http.get(PAGE, headers=head).text
    assert "93002" in seen and "93003" not in seen and "nhầm số" not in seen
    assert "nhầm số của trạm" in hub.http.get(PAGE, headers=admin).text
    listed = hub.http.get("/months", headers=head)
    assert listed.status_code == 200 and "03/2026" in listed.text


@pytest.mark.parametrize(
    ("path", "fields", "status", "key"),
    [
        ("confirmations", {"facility": "99999"}, 404, "unknown_facility"),
        ("objections", {"facility": "93002", "figure": "r9", "reason": "OTHER"}, 422, "unknown_word"),
        ("objections", {"facility": "93002", "figure": "r1_pct", "reason": "OTHER", "text": "a\0"}, 422, "bad_text"),
        ("answers", {"number": "7", "verdict": "accepted", "text": "x"}, 404, "unknown_objection"),
        ("closing", {"reason": "x"}, 422, "not_sure"),
        ("closing", {"sure": "yes"}, 409, "not_confirmed"),
    ],
)
def test_a_refusal_is_the_page_with_words(hub, path: str, fields: dict[str, str], status: int, key: str) -> None:
    answer = post(hub, path, hub.person("admin"), **fields)
    assert answer.status_code == status and answer.headers["content-type"].startswith("text/html")
    assert texts_in(Language.VIETNAMESE)(f"months.refused_{key}") in answer.text


def test_an_answer_is_taken_on_the_page_of_its_own_month_only(hub) -> None:
    admin = hub.person("admin")
    post(hub, "objections", admin, facility="93002", figure="r1_pct", reason="OTHER")
    fields = {"number": "1", "verdict": "refused", "text": "đúng rồi"}
    elsewhere = hub.http.post("/months/2026-02/answers", data=fields, headers=admin)
    assert elsewhere.status_code == 404
    assert post(hub, "answers", admin, **fields).status_code == 303
    for month in ("26-3", "2026-13", "9999-12", "0001-01"):
        assert hub.http.get(f"/months/{month}", headers=admin).json()["error"] == "bad_month"


def test_the_list_goes_back_to_the_first_month_with_figures(hub) -> None:
    station = hub.station()
    station.send(station.visit(datetime(2026, 3, 2, 8, tzinfo=VN)), station.visit(datetime(2026, 5, 2, 8, tzinfo=VN)))
    now = datetime(2026, 5, 20, 8, tzinfo=VN)
    with hub.store.read() as connection:
        lines = month_lines(connection, now)
        own = month_lines(connection, now, "93003")
    assert [(line.name, line.over, line.row["visits_bhyt"]) for line in lines] == [
        ("2026-05", False, 1),
        ("2026-04", True, 0),
        ("2026-03", True, 1),
    ]
    assert [line.month for line in own] == [date(2026, 5, 1)]


def test_everything_that_can_be_said_has_words_in_both_languages() -> None:
    vietnamese = texts_in(Language.VIETNAMESE)
    for texts in (vietnamese, texts_in(Language.ENGLISH)):
        for group, names in (
            ("figure_", FIGURES),
            ("verdict_", Verdict),
            ("done_", FORMS),
            ("field_", MAIN_FIELDS),
            ("standing_", Standing),
            ("reason_", REASON_TEXTS),
            ("difference.", CAUSE_TEXTS),
        ):
            assert all(texts(f"months.{group}{name}") for name in names)
    assert {reason: vietnamese(f"months.reason_{reason}") for reason in REASON_TEXTS} == REASON_TEXTS
    assert {cause: vietnamese(f"months.difference.{cause}") for cause in CAUSE_TEXTS} == CAUSE_TEXTS
