"""What staff see of the rules, and the differences they accept field by field."""

from datetime import UTC, datetime

from kiosk.insurance.benefits import small_bill_threshold
from kiosk.model import local_day
from tests.kiosk.world import card, qr

BELOW = int(small_bill_threshold(local_day(datetime.now(UTC))) or 0)
PROFILE = {"since": "2025-01-01", "level": "basic", "score": 60.0}


async def shown(kiosk, person: int) -> dict:
    """The check-in of *person*, who stands before the choice of a service, as staff see it."""
    staff = await kiosk.signed_in()
    await kiosk.identify(qr(person))
    checkin_id = (await kiosk.state())["checkin_id"]
    answer = await staff.get(f"/api/v1/staff/check-ins/{checkin_id}")
    await kiosk.answer("cancel")
    return answer.json()  # type: ignore[no-any-return]


async def test_level_route_and_notices_of_an_insured_person(serve):
    async with serve(route=[PROFILE]) as kiosk:
        rules = (await shown(kiosk, 3))["rules"]
    assert rules["benefit"] == {"percent": 100, "may_rise": [], "small_bill": BELOW}
    assert (rules["route"]["code"], rules["route"]["rate"], rules["route"]["certainty"]) == ("1.13", 50, "hint")
    assert rules["route"]["words"].startswith("tự đến khám ngoại trú")
    assert [notice["code"] for notice in rules["notices"]] == ["five_years_on", "registered_elsewhere"]


async def test_what_may_raise_a_level_comes_with_its_condition(serve):
    async with serve() as kiosk:
        rules = (await shown(kiosk, 4))["rules"]
    assert rules["benefit"] == {"percent": 95, "may_rise": ["small_bill", "five_years"], "small_bill": BELOW}
    assert rules["route"] is None
    assert rules["notices"] == [{"code": "five_years_reached", "value": None}]


async def test_whoever_is_not_insured_has_no_level_and_no_route(serve):
    async with serve(route=[PROFILE]) as kiosk:
        assert (await shown(kiosk, 13))["rules"] == {"notices": [], "route": None, "benefit": None}


async def test_differences_are_revealed_on_demand_and_accepted_by_name(kiosk):
    staff = await kiosk.signed_in()
    await kiosk.identify(card("099065000015", "Mai Văn Sang", "15051965"))
    (row,) = (await staff.get("/api/v1/staff/check-ins", params={"status": "needs_staff"})).json()["check_ins"]
    path = f"/api/v1/staff/check-ins/{row['checkin_id']}"
    assert "Mai Văn Sai" not in (await staff.get(path)).text
    found = (await staff.post(f"{path}/differences", json={})).json()["differences"]
    assert {
        "id": "gateway.full_name",
        "field": "full_name",
        "source": "gateway",
        "ours": "Mai Văn Sang",
        "theirs": "Mai Văn Sai",
        "acceptable": True,
    } in found
    done = await staff.post(f"{path}/accept-fields", json={"fields": ["gateway.full_name"]})
    assert done.status_code == 200
    assert (done.json()["eligibility"]["class"], done.json()["identity"]["name"]) == ("insured", "M. V. Sai")
    assert [entry["action"] for entry in done.json()["audit"]] == ["differences_seen", "fields_accepted", "rechecked"]
    again = await staff.post(f"{path}/accept-fields", json={"fields": ["gateway.full_name"]})
    assert (again.status_code, again.json()) == (409, {"error": "NOT_DIFFERENT"})


async def test_what_cannot_be_accepted_is_refused(kiosk):
    staff = await kiosk.signed_in()
    path = "/api/v1/staff/check-ins/01234567-89ab-7def-8123-456789abcdef"
    assert (await staff.post(f"{path}/differences", json={})).status_code == 404
    assert (await staff.post(f"{path}/accept-fields", json={"fields": ["gateway.sex"]})).status_code == 404
    for body in ({}, {"fields": []}, {"fields": ["x" * 41]}, {"fields": ["a"] * 9}, {"fields": "sex"}, {"other": 1}):
        assert (await staff.post(f"{path}/accept-fields", json=body)).status_code == 422
    nobody = kiosk.client(kiosk.origin)
    for route in ("differences", "accept-fields"):
        assert (await nobody.post(f"{path}/{route}", json={"fields": ["gateway.sex"]})).status_code == 401


async def test_the_list_names_what_differs_and_shows_no_values(kiosk):
    staff = await kiosk.signed_in()
    await kiosk.identify(card("099065000015", "Mai Văn Sang", "15051965"))
    answer = await staff.get("/api/v1/staff/check-ins", params={"status": "needs_staff"})
    (row,) = answer.json()["check_ins"]
    assert row["differences"] == ["gateway.full_name", "gateway.address"]
    assert "Văn Sai" not in answer.text and "Ấp Thử" not in answer.text
