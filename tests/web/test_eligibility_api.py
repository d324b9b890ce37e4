"""Questions of hospital and cashier: who may ask, what they are told, and what a later answer changes."""

import asyncio
from dataclasses import replace
from typing import Any

import httpx
import pytest

from kiosk import records
from kiosk.errors import StoreError
from kiosk.web.eligibility import PATH
from tests.kiosk.world import PEOPLE, qr, until

KEY = "a-key-of-the-hospital-system-1"
PERSON = {"number": "099190000001", "full_name": "Trần Thị Mẫu", "birth_date": "1990-09-02"}


@pytest.fixture
async def asked(serve, tmp_path):
    (tmp_path / "his-key").write_text(KEY + "\n", "utf-8")
    async with serve(eligibility={"key_file": "his-key"}) as kiosk:
        kiosk.his = kiosk.client({"Authorization": f"Bearer {KEY}"})
        yield kiosk


async def ask(kiosk, **body: Any) -> httpx.Response:
    return await kiosk.his.post(PATH, json=body)


async def visit_of(kiosk, person: int, *, insured: bool = True) -> dict[str, Any]:
    """A registered visit, as staff see it."""
    staff = await kiosk.signed_in()
    menu = await kiosk.parts.checkins.menu()
    await kiosk.register(qr(person), next(each.id for each in menu if each.insured is insured))
    checkin_id = (await kiosk.state())["checkin_id"]

    async def registered() -> dict[str, Any] | None:
        found = (await staff.get(f"/api/v1/staff/check-ins/{checkin_id}")).json()
        return found if found["hospital"]["state"] == "accepted" else None

    return await until(registered, "the registration")


async def staff_view(kiosk, checkin_id: str) -> dict[str, Any]:
    staff = await kiosk.signed_in()
    return (await staff.get(f"/api/v1/staff/check-ins/{checkin_id}")).json()  # type: ignore[no-any-return]


async def test_a_visit_by_our_id_and_by_the_hospitals(asked, gateway):
    visit = await visit_of(asked, 1)
    by_ours = (await ask(asked, checkin_id=visit["checkin_id"], moment="closing")).json()
    assert (by_ours["class"], by_ours["result_code"], by_ours["origin"]) == ("insured", "000", "remembered")
    assert by_ours["coverage"]["number"] == PEOPLE[1].card
    assert by_ours["evidence_id"]
    assert by_ours["receipt"] == visit["lookup_receipt"]
    by_theirs = (await ask(asked, visit_id=visit["hospital"]["receipt"]["visit_id"])).json()
    assert by_theirs["checkin_id"] == visit["checkin_id"]
    assert len(gateway.lookups()) == 1  # within a minute the same answer serves


async def test_a_person_without_a_visit(asked, gateway):
    answer = (await ask(asked, **PERSON, moment="treatment")).json()
    assert (answer["checkin_id"], answer["class"], answer["origin"]) == (None, "insured", "live")
    assert answer["receipt"]
    assert len(gateway.lookups()) == 1
    staff = await asked.signed_in()
    assert (await staff.get("/api/v1/staff/check-ins")).json()["check_ins"] == []
    assert "TRẦN" not in str(await asked.parts.store.read(lambda c: c.exec_driver_sql("SELECT body FROM event").all()))


@pytest.mark.parametrize(
    ("first", "later", "told", "reason"),
    [
        ("normal", "code:010", "not_insured", "later_not_insured"),
        ("normal", "code:060", "needs_staff", "later_needs_staff"),
        ("normal", "reset", "cannot_say", None),
        ("normal", "code:000", "insured", None),
        ("code:010", "normal", "insured", "later_insured"),
        ("code:010", "code:050", "needs_staff", None),
    ],
)
async def test_a_later_answer_changes_no_visit(asked, gateway, hospital, first, later, told, reason):
    gateway.mode(first)
    visit = await visit_of(asked, 1, insured=first == "normal")
    before = await staff_view(asked, visit["checkin_id"])
    gateway.mode(later)
    asked.parts.gateway._shared._tasks.clear()  # a minute passes
    answer = (await ask(asked, checkin_id=visit["checkin_id"], moment="closing")).json()
    after = await staff_view(asked, visit["checkin_id"])
    assert after["eligibility"] == before["eligibility"]
    assert (after["bhyt"], len(hospital.visits())) == (first == "normal", 1)
    assert (after["needs_staff"] or {}).get("reason") == reason
    assert answer["class"] == told


async def test_a_later_answer_with_another_card_is_told_to_staff(asked, gateway):
    visit = await visit_of(asked, 1)
    store, checkin_id = asked.parts.store, visit["checkin_id"]
    checkin = await store.read(lambda c: records.get(c, checkin_id))
    card = replace(checkin.coverage, number="DN4990199009999")
    before = replace(checkin.eligibility, coverage=card)
    await store.run(lambda c: records.update(c, checkin_id, eligibility=before))
    asked.parts.gateway._shared._tasks.clear()
    answer = (await ask(asked, checkin_id=checkin_id)).json()
    assert answer["coverage"]["number"] == PEOPLE[1].card
    assert (await staff_view(asked, checkin_id))["needs_staff"]["reason"] == "later_other_card"


async def test_a_store_that_fails_is_told_with_a_time_to_come_again(asked, monkeypatch):
    async def broken(*_: Any) -> Any:
        raise StoreError("broken")

    monkeypatch.setattr(asked.parts.store, "read", broken)
    answer = await ask(asked, checkin_id="x")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")


async def test_a_visit_without_answer_is_on_the_list_and_completed_by_the_question(asked, gateway):
    gateway.mode("http_500_html")
    staff = await asked.signed_in()
    await asked.identify(qr(1))
    checkin_id = (await asked.state())["checkin_id"]
    await asked.answer("service", service_id="502")
    await asked.view("done")
    listed = (await asked.his.get(PATH + "/pending")).json()["visits"]
    assert [one["checkin_id"] for one in listed] == [checkin_id]
    assert listed[0]["last_reason"] == "http_error"
    gateway.mode("normal")
    answer = (await ask(asked, checkin_id=checkin_id, moment="closing")).json()
    assert answer["class"] == "insured"
    assert (await asked.his.get(PATH + "/pending")).json()["visits"] == []
    found = (await staff.get(f"/api/v1/staff/check-ins/{checkin_id}")).json()
    assert found["eligibility"]["class"] == "insured"
    assert found["lookup_receipt"] == answer["receipt"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 422, "BAD_REQUEST"),
        ({"checkin_id": "x", "visit_id": "y"}, 422, "BAD_REQUEST"),
        ({"number": "099190000001"}, 422, "BAD_REQUEST"),
        ({"checkin_id": "x", "sex": "F"}, 422, "BAD_REQUEST"),
        ({"checkin_id": "x", "moment": "never"}, 422, "BAD_REQUEST"),
        ({"checkin_id": "x", "more": 1}, 422, "BAD_REQUEST"),
        ({"checkin_id": "x"}, 404, "NO_SUCH_VISIT"),
        ({"visit_id": "x"}, 404, "NO_SUCH_VISIT"),
        ({**PERSON, "number": "123"}, 422, "BAD_NUMBER"),
        ({**PERSON, "full_name": "   "}, 422, "BAD_NAME"),
        ({**PERSON, "birth_date": "soon"}, 422, "BAD_DATE"),
    ],
)
async def test_questions_that_cannot_be_asked(asked, gateway, body, status, code):
    answer = await ask(asked, **body)
    assert (answer.status_code, answer.json()["error"]) == (status, code)
    assert gateway.lookups() == []


async def test_only_the_key_opens_it_and_guessing_is_slowed_down(asked):
    body = {"checkin_id": "x"}
    for headers in ({}, {"Authorization": "Bearer nonsense"}, {"Authorization": f"Basic {KEY}"}):
        answer = await asked.client({**headers, "X-Screen-Token": asked.token}).post(PATH, json=body)
        assert (answer.status_code, answer.json()["error"]) == (401, "KEY_NEEDED")
    foreign = asked.client({"Authorization": f"Bearer {KEY}", "Origin": "http://elsewhere.example"})
    assert (await foreign.post(PATH, json=body)).status_code == 403
    clerk = await asked.signed_in()
    assert (await clerk.post(PATH, json=body)).status_code == 401
    guesser = asked.client({"Authorization": "Bearer guess"})
    codes = [(await guesser.post(PATH, json=body)).status_code for _ in range(12)]
    assert codes[-1] == 429
    assert (await ask(asked, **body)).status_code == 404  # whoever has the key is let in all the same


async def test_without_a_key_there_is_no_such_route(kiosk):
    headers = {"Authorization": "Bearer x", "X-Screen-Token": kiosk.token}
    assert (await kiosk.client(headers).post(PATH, json={})).status_code in (404, 405)


async def test_many_at_once_are_told_to_wait(asked, gateway):
    gateway.mode("slow", delay_ms=300)
    people = [{**PERSON, "full_name": f"Trần Thị Mẫu {n}"} for n in range(14)]
    answers = await asyncio.gather(*(ask(asked, **person) for person in people))
    codes = [answer.status_code for answer in answers]
    assert set(codes) == {200, 429}
    assert codes.count(200) >= 8
