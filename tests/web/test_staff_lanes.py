"""Emergencies and guardians over HTTP."""

from datetime import timedelta

import sqlalchemy as sa

from kiosk import retention, subject
from kiosk.tables import checkin, event
from tests.kiosk.world import until

CHECK_INS = "/api/v1/staff/check-ins"
CHILD = {"number": "099219000031", "full_name": "Lê Bé Có Số", "birth_date": "05/05/2019", "sex": "M"}
MOTHER = {"full_name": "Cao Thị Thử", "relation": "mother", "number": "099190000901"}


async def act(staff, path: str, status: int = 200, **body: object) -> dict:
    answer = await staff.post(path, json=body)
    assert answer.status_code == status, answer.text
    return answer.json()  # type: ignore[no-any-return]


async def test_an_emergency_is_taken_in_by_one_touch_and_named_later(kiosk):
    staff = await kiosk.signed_in()
    item = await act(staff, CHECK_INS, 201, kind="emergency")
    assert item["ticket"]["number"].startswith("K-") and item["lane"] == "emergency" and item["nameless"]
    assert (item["needs_staff"]["reason"], item["identity"]["name"]) == ("emergency", None)
    one = f"{CHECK_INS}/{item['checkin_id']}"
    first = await act(staff, f"{one}/override", 409, decision="insured", service_id="502")
    assert first["error"] == "IDENTIFY_FIRST"
    found = await staff.post(f"{CHECK_INS}/search", json={"number_tail": item["ticket"]["number"]})
    assert [each["checkin_id"] for each in found.json()["check_ins"]] == [item["checkin_id"]]

    named = await act(staff, f"{one}/identify", number="099075000003")
    assert not named["nameless"] and named["lane"] == "emergency"
    assert named["eligibility"]["class"] == "insured"
    again = await act(staff, f"{one}/identify", 409, number="099075000003")
    assert again["error"] == "IDENTIFIED"
    done = await act(staff, f"{one}/override", decision="insured", service_id="502", reason="")
    assert done["hospital"]["state"] in ("waiting", "accepted")
    actions = [entry["action"] for entry in done["audit"]]
    assert actions[:2] == ["emergency", "identified"] and "registered" in actions

    body = await event_of(kiosk, item["checkin_id"])
    assert (body["lane"], body["not_by_chip"]) == ("emergency", "EMERGENCY")


async def event_of(kiosk, checkin_id: str) -> dict:
    store = kiosk.daemon.parts.store
    query = sa.select(event.c.body).where(event.c.checkin_id == checkin_id, event.c.kind == "visit")
    return await until(lambda: store.read(lambda c: c.execute(query).scalar()), "the visit event")  # type: ignore[no-any-return]


async def test_two_emergencies_are_two_and_one_person_has_one_of_them(kiosk):
    staff = await kiosk.signed_in()
    one, two = [await act(staff, CHECK_INS, 201, kind="emergency") for _ in range(2)]
    assert one["ticket"]["number"] != two["ticket"]["number"]
    await act(staff, f"{CHECK_INS}/{one['checkin_id']}/identify", number="099075000003")
    refused = await act(staff, f"{CHECK_INS}/{two['checkin_id']}/identify", 409, number="099075000003")
    assert refused["error"] == "ALREADY_TODAY"


async def test_a_guardian_is_kept_with_the_childs_visit_and_asked_about_never(kiosk, gateway):
    staff = await kiosk.signed_in()
    item = await act(staff, CHECK_INS, 201, **CHILD, kind="guardian", guardian=MOTHER)
    assert (item["lane"], item["not_by_chip"], item["holder_check"]) == ("guardian", "CHILD", "staff")
    assert item["guardian"] == {"name": "C. T. Thử", "relation": "mother"}
    assert MOTHER["number"] not in str(item) and "Cao Thị" not in str(item)
    shown = await act(staff, f"{CHECK_INS}/{item['checkin_id']}/reveal")
    assert shown["identity"]["guardian"] == MOTHER
    assert MOTHER["number"] not in str(gateway.lookups())

    store, key = kiosk.daemon.parts.store, kiosk.daemon.parts.journal.facility_key
    kept = sa.select(checkin.c.guardian, checkin.c.key_number).where(checkin.c.checkin_id == item["checkin_id"])
    mothers = [MOTHER["number"]]
    assert (await store.read(lambda c: subject.find(c, key, mothers))).guardian_of == [item["checkin_id"]]
    exported = await store.read(lambda c: subject.export(c, key, mothers))
    assert exported["guardian_of"] == [{"checkin_id": item["checkin_id"], "guardian": MOTHER}]
    assert (await store.run(lambda c: subject.erase(c, key, mothers))).guardian_of == [item["checkin_id"]]
    assert tuple(await store.read(lambda c: c.execute(kept).one())) == (None, CHILD["number"])
    await store.run(lambda c: retention.forget(c, [item["checkin_id"]]))
    again = await staff.get(f"{CHECK_INS}/{item['checkin_id']}")
    assert again.json()["nameless"] is False
    refused = await act(staff, f"{CHECK_INS}/{item['checkin_id']}/identify", 409, number="099075000003")
    assert refused["error"] == "IDENTIFIED"


async def test_an_emergency_that_stayed_without_a_name_is_purged_like_any_other(kiosk):
    staff = await kiosk.signed_in()
    item = await act(staff, CHECK_INS, 201, kind="emergency")
    await act(staff, f"{CHECK_INS}/{item['checkin_id']}/note", text="ông Cao Văn Canary")
    await act(staff, f"{CHECK_INS}/{item['checkin_id']}/cancel", reason="nhầm")
    store = kiosk.daemon.parts.store
    later = kiosk.daemon.parts.checkins.clock().date() + timedelta(days=40)
    assert await store.run(lambda c: retention.purge(c, later, keep_days=30)) >= 1
    assert await store.run(lambda c: retention.purge(c, later, keep_days=30)) == 0
    noted = await staff.get(f"{CHECK_INS}/{item['checkin_id']}")
    assert "Canary" not in noted.text and noted.json()["nameless"] is False


async def test_a_guardian_who_cannot_be_one_is_refused(kiosk):
    staff = await kiosk.signed_in()
    for wrong in (
        {"full_name": " "},
        {"relation": "friend"},
        {"number": "12"},
        {"number": CHILD["number"]},
    ):
        body = CHILD | {"kind": "guardian", "guardian": MOTHER | wrong}
        assert (await act(staff, CHECK_INS, 422, **body))["error"] == "BAD_GUARDIAN"
    missing = await act(staff, CHECK_INS, 422, **CHILD, kind="guardian")
    assert missing["error"] == "BAD_GUARDIAN"
