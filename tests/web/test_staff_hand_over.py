"""The staff routes of what a clerk types into the hospital system."""

import re

import numpy
import pytest
import zxingcpp

from kiosk.web.staff_hand_over import qr_svg
from tests.kiosk.world import PEOPLE, qr

BASE = "/api/v1/staff/hand-over"
PAGE = {"page": "0000-abcd"}
COMMUNE = {
    "hospital": {"adapter": "handover", "fields": ["personal_id", "full_name", "card"]},
    "service": [{"id": "KHAM", "code": "K01", "name": "Khám bệnh", "department": "Phòng khám"}],
}


@pytest.fixture
async def commune(serve):
    """A daemon whose hospital system can only be typed into."""
    async with serve(**COMMUNE) as running:
        yield running


async def arrive(kiosk, person: int = 1) -> str:
    assert (await kiosk.identify(qr(person)))["screen"]["view"] == "done"
    checkin_id = (await kiosk.state())["checkin_id"]
    await kiosk.answer("cancel")
    return str(checkin_id)


async def test_the_list_is_masked_and_the_content_comes_by_post_only(commune):
    staff = await commune.signed_in()
    assert (await staff.get(BASE)).json() == {"expected": True, "waiting": [], "done": []}
    checkin_id = await arrive(commune)
    answer = await staff.get(BASE)
    name, number = PEOPLE[1].name, PEOPLE[1].citizen_id
    (item,) = answer.json()["waiting"]
    assert (item["checkin_id"], item["ticket"]["number"], item["taken"]) == (checkin_id, "K-001", None)
    assert item["needs_staff"]["reason"] == "hand_over"
    assert name.casefold() not in answer.text.casefold() and number not in answer.text
    for path in (f"{BASE}/{checkin_id}", f"{BASE}/{checkin_id}/open"):
        assert (await staff.get(path)).status_code in (404, 405)

    opened = await staff.post(f"{BASE}/{checkin_id}/open", json=PAGE)
    assert opened.headers["cache-control"] == "no-store"
    shown = opened.json()
    assert (shown["kind"], shown["told"], shown["unchecked"]) == ("visit", "insured", False)
    assert shown["fields"][0] == {"name": "personal_id", "value": number, "typed": True, "svg": None}
    assert shown["row"].split("\t")[:2] == [number, shown["name"]]
    assert shown["svg"].startswith("<svg xmlns=")
    assert name.casefold() not in shown["svg"].casefold()
    (item,) = (await staff.get(BASE)).json()["waiting"]
    assert (item["taken"]["who"], item["taken"]["page"]) == ("demo", PAGE["page"])
    other = await staff.post(f"{BASE}/{checkin_id}/open", json={"page": "11111111"})
    assert (other.status_code, other.json()) == (409, {"error": "BEING_ENTERED"})
    assert (await staff.post(f"{BASE}/{checkin_id}/release", json=PAGE)).status_code == 200
    assert (await staff.get(BASE)).json()["waiting"][0]["taken"] is None


async def test_a_confirmation_takes_the_number_and_can_be_undone(commune):
    staff = await commune.signed_in()
    checkin_id = await arrive(commune)
    shown = (await staff.post(f"{BASE}/{checkin_id}/open", json=PAGE)).json()
    said = {"told": shown["told"], "digest": shown["digest"]}
    changed = await staff.post(f"{BASE}/{checkin_id}/confirm", json=said | {"digest": "0" * 16})
    assert (changed.status_code, changed.json()) == (409, {"error": "CHANGED"})
    done = await staff.post(f"{BASE}/{checkin_id}/confirm", json=said | {"number": "  A  57 "})
    assert done.json() == {"checkin_id": checkin_id, "number": "A 57"}
    found = (await staff.get(BASE)).json()
    assert found["waiting"] == [] and [item["number"] for item in found["done"]] == ["A 57"]
    again = await staff.post(f"{BASE}/{checkin_id}/confirm", json=said)
    assert (again.status_code, again.json()) == (409, {"error": "NOTHING_TO_ENTER"})
    assert (await staff.post(f"{BASE}/{checkin_id}/again", json={})).status_code == 200
    assert [item["ticket"]["number"] for item in (await staff.get(BASE)).json()["waiting"]] == ["K-001"]


async def test_nobody_sees_it_without_signing_in(commune):
    checkin_id = await arrive(commune)
    stranger = commune.client(commune.origin)
    assert (await stranger.get(BASE)).status_code == 401
    said = {"told": "insured", "digest": "0" * 16}
    for action, body in (("open", PAGE), ("release", PAGE), ("confirm", said), ("again", {})):
        assert (await stranger.post(f"{BASE}/{checkin_id}/{action}", json=body)).status_code == 401
    staff = await commune.signed_in()
    assert (await staff.get(BASE)).json()["waiting"][0]["taken"] is None


async def test_wrong_bodies_are_refused(commune):
    staff = await commune.signed_in()
    checkin_id = await arrive(commune)
    assert (await staff.post(f"{BASE}/{checkin_id}/open", json={"page": "<b>"})).status_code == 422
    for said in ({"told": "sure", "digest": ""}, {"told": "insured", "digest": "", "number": "1" * 41}, {}):
        assert (await staff.post(f"{BASE}/{checkin_id}/confirm", json=said)).status_code == 422
    assert (await staff.post(f"{BASE}/nobody/open", json=PAGE)).status_code == 404


async def test_a_hospital_with_an_interface_needs_no_such_list(kiosk):
    staff = await kiosk.signed_in()
    checkin_id = await kiosk.register(qr(1))
    assert checkin_id
    assert (await staff.get(BASE)).json() == {"expected": False, "waiting": [], "done": []}


def drawn(svg: str) -> numpy.ndarray:
    """The picture of a code, from the strokes of its only path."""
    size = int(re.search(r'viewBox="0 0 (\d+) \1"', svg)[1])
    picture = numpy.full((size, size), 255, numpy.uint8)
    x = y = 0.0
    for command, numbers in re.findall(r"([MmhH])([-0-9. ]+)", re.search(r' d="([^"]+)"', svg)[1]):
        values = [float(number) for number in numbers.split()]
        match command:
            case "M":
                x, y = values
            case "m":
                x, y = x + values[0], y + values[1]
            case "h":
                picture[int(y), int(x) : int(x + values[0])] = 0
                x += values[0]
    return numpy.kron(picture, numpy.ones((6, 6), numpy.uint8))


@pytest.mark.parametrize("text", ["099190000001\tTraanf Thij Maaux\r", "Trần Thị Mẫu\t|;ể", "A" * 1500])
def test_the_code_holds_exactly_the_keys(text):
    assert zxingcpp.read_barcodes(drawn(qr_svg(text)))[0].bytes.decode() == text


def test_no_code_for_nothing_or_too_much():
    assert qr_svg("") is None
    assert qr_svg("A" * 5000) is None
