"""The staff routes about lookups that found no answer."""

from datetime import timedelta

import pytest

from kiosk.model import local_day
from tests.kiosk.world import qr

BASE = "/api/v1/staff"


async def left_unanswered(kiosk, gateway, person: int = 1) -> str:
    gateway.mode("http_500_html", endpoint="*")
    await kiosk.register(qr(person))
    checkin_id = (await kiosk.state())["checkin_id"]
    await kiosk.answer("cancel")
    return str(checkin_id)


async def test_the_list_is_masked_and_says_whether_the_day_is_over(kiosk, gateway):
    staff = await kiosk.signed_in()
    empty = (await staff.get(f"{BASE}/pending")).json()
    assert empty["visits"] == [] and empty["closed"] is False
    checkin_id = await left_unanswered(kiosk, gateway)
    found = (await staff.get(f"{BASE}/pending")).json()
    day = local_day(kiosk.parts.checkins.clock())
    assert (found["day"], found["closes_at"]) == (str(day), f"{day + timedelta(days=1)}T00:00:00+07:00")
    (visit,) = found["visits"]
    assert visit["checkin_id"] == checkin_id and visit["ticket"]
    assert visit["identity"] == {"name": "T. T. Mẫu", "birth_year": 1990, "number": "•••••••••001", "sex": "F"}
    assert visit["last_reason"] and visit["last_at"] and visit["next_at"]
    status = (await staff.get(f"{BASE}/status")).json()
    assert status["pending"]["visits"] == 1 and status["pending"]["since"]
    earlier = (await staff.get(f"{BASE}/pending", params={"day": str(day - timedelta(days=1))})).json()
    assert (earlier["visits"], earlier["closed"]) == ([], True)
    assert (await staff.get(f"{BASE}/pending", params={"day": "today"})).status_code == 422


async def test_the_files_come_as_downloads_that_no_cache_keeps(kiosk, gateway):
    staff = await kiosk.signed_in()
    checkin_id = await left_unanswered(kiosk, gateway)
    kinds = {"csv": ("text/csv", b"\xef\xbb\xbf"), "pdf": ("application/pdf", b"%PDF-")}
    for form, (media_type, start) in kinds.items():
        made = await staff.post(f"{BASE}/check-ins/{checkin_id}/evidence", params={"format": form})
        assert made.status_code == 200 and made.headers["content-type"].startswith(media_type)
        assert made.headers["content-disposition"] == (f'attachment; filename="bang-ke-tra-cuu-{checkin_id}.{form}"')
        assert made.headers["cache-control"] == "no-store" and made.content.startswith(start)
    of_day = await staff.post(f"{BASE}/pending/evidence")
    assert of_day.status_code == 200 and checkin_id in of_day.text
    seen = (await staff.get(f"{BASE}/check-ins/{checkin_id}")).json()
    assert [entry["action"] for entry in seen["audit"]] == ["evidence_made"] * 2
    assert {entry["who"] for entry in seen["audit"]} == {"demo"}


async def test_there_is_no_file_of_nobody_and_no_other_format(kiosk):
    staff = await kiosk.signed_in()
    nobody = await staff.post(f"{BASE}/check-ins/nobody/evidence")
    assert (nobody.status_code, nobody.json()) == (404, {"error": "NO_SUCH_CHECK_IN"})
    assert (await staff.post(f"{BASE}/check-ins/nobody/evidence", params={"format": "exe"})).status_code == 422


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "pending"), ("POST", "pending/evidence"), ("POST", "check-ins/x/evidence")]
)
async def test_nobody_sees_them_who_is_not_signed_in(kiosk, method, path):
    before = await kiosk.dump()
    answer = await kiosk.client(kiosk.origin).request(method, f"{BASE}/{path}")
    assert (answer.status_code, answer.json()) == (401, {"error": "SIGN_IN"})
    assert await kiosk.dump() == before


async def test_looking_changes_nothing(kiosk, gateway):
    staff = await kiosk.signed_in()
    await left_unanswered(kiosk, gateway)
    before = await kiosk.dump()
    await staff.get(f"{BASE}/pending")
    assert await kiosk.dump() == before


async def test_the_receipt_is_on_the_ticket_and_for_staff(kiosk):
    staff = await kiosk.signed_in()
    shown = await kiosk.register(qr(1))
    code = shown["screen"]["ticket"]["lookup_receipt"]
    seen = (await staff.get(f"{BASE}/check-ins/{(await kiosk.state())['checkin_id']}")).json()
    assert code and seen["lookup_receipt"] == code


async def test_the_metrics_count_who_waits(kiosk, gateway):
    async def value(name: str) -> float:
        text = (await kiosk.bare.get("/metrics")).text
        return float(next(line.split()[1] for line in text.splitlines() if line.startswith(f"{name} ")))

    assert await value("kiosk_lookups_pending") == 0
    await left_unanswered(kiosk, gateway)
    assert await value("kiosk_lookups_pending") == 1
    assert await value("kiosk_lookups_pending_oldest_seconds") > 0
