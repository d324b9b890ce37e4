"""The forms for files: who may send them, and files that no browser would send."""

import base64

import pytest

from province.pages.texts import Language, texts_in
from province.uploads.kinds import COUNTS, UploadKind
from province.uploads.problems import WORDS

FILE = "Mã cơ sở;Tên cơ sở;Ngày;Số lượt khám BHYT\n93002;;02/03/2026;7".encode()
CONTENT = {"kind": "visit_count", "content": base64.urlsafe_b64encode(FILE).decode()}


def check(hub, who: dict[str, str], kind: str = "visit_count", file: bytes = FILE):
    return hub.http.post("/uploads/check", data={"kind": kind}, files={"file": ("a.csv", file)}, headers=who)


def test_only_people_who_may_upload_and_only_from_the_page(hub) -> None:
    admin = hub.person("admin")
    for who, status, code in (
        (hub.person("viewer"), 403, "not_allowed"),
        (hub.read, 403, "foreign_origin"),
        (admin | {"Origin": "https://elsewhere.example"}, 403, "foreign_origin"),
        ({"Origin": admin["Origin"]}, 303, "sign_in_needed"),
    ):
        for answer in (check(hub, who), hub.http.post("/uploads", data=CONTENT, headers=who)):
            assert (answer.status_code, answer.json()["error"]) == (status, code)
    assert hub.http.get("/api/v1/uploads", headers=admin).json()["uploads"] == []


def test_a_file_counts_once_though_the_button_is_pressed_twice(hub) -> None:
    admin = hub.person("admin", name="lan")
    assert check(hub, admin).status_code == 200
    assert hub.http.get("/api/v1/uploads", headers=admin).json()["uploads"] == []
    first, again = (hub.http.post("/uploads", data=CONTENT, headers=admin) for _ in range(2))
    assert (first.status_code, first.headers["location"]) == (303, "/uploads?counted=1#told")
    assert again.headers["location"] == "/uploads?counted=0#told"
    assert [each["account"] for each in hub.http.get("/api/v1/uploads", headers=admin).json()["uploads"]] == ["lan"]


@pytest.mark.parametrize("content", ["*", "YQ", "ấ", "a" * 5])
def test_what_is_no_file_is_refused(hub, content: str) -> None:
    admin = hub.person("admin")
    answer = hub.http.post("/uploads", data=CONTENT | {"content": content}, headers=admin)
    assert (answer.status_code, answer.json()["error"]) == (422, "malformed")
    answer = hub.http.post("/uploads", data=CONTENT | {"kind": "other"}, headers=admin)
    assert (answer.status_code, answer.json()["error"]) == (422, "bad_parameters")
    assert check(hub, admin, file=b"PK\x03\x04").status_code == 422
    assert check(hub, admin, file=b"x" * 2_200_000).json()["error"] == "too_large"


def test_a_facility_is_told_of_no_other(hub) -> None:
    head = hub.person("facility", "93003")
    assert check(hub, head).status_code == 403
    hub.http.post("/uploads", data=CONTENT, headers=hub.person("admin"))
    assert hub.http.post("/uploads", data=CONTENT, headers=head).status_code == 403
    assert "93002" not in hub.http.get("/uploads", headers=head).text


def test_every_problem_has_words_in_both_languages() -> None:
    vietnamese, english = (texts_in(language) for language in Language)
    assert {code: vietnamese(f"uploads.problem.{code}") for code in WORDS} == WORDS
    names = {f"uploads.problem.{code}" for code in WORDS}
    names |= {f"uploads.{group}_{kind}" for kind in UploadKind for group in ("kind", "about")}
    names |= {f"uploads.count_{name}" for counts in COUNTS.values() for name in counts}
    assert names <= vietnamese.keys() & english.keys()
