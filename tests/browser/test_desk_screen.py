"""The counter screen: a clerk with a typing scanner and a keyboard serves people from any PC (issue 8, 6)."""

import json
from collections.abc import Callable, Iterator

import httpx
import pytest
from playwright.sync_api import Page, expect

from simulators.stack import Stack
from tests.browser.axe import barriers
from tests.browser.screens import DESK, PEOPLE, name_on_card, qr
from tests.browser.typing_scanner import alt_mode, ascii_mode, be_patient, play

HALF = {"width": 680, "height": 900}
OpenPage = Callable[[str, dict[str, int]], Page]


def shows(page: Page, name: str) -> None:
    expect(page.locator("#person")).to_have_attribute("data-view", name)


def scan(page: Page, number: int) -> None:
    play(page, alt_mode(qr(number).decode() + "\r"))


@pytest.fixture
def desk(stack: Stack, open_page: OpenPage) -> Iterator[Page]:
    """The counter, signed in, in half a screen; afterwards nobody stands there."""
    page = open_page(stack.url("kiosk") + "/desk", HALF)
    page.get_by_label("Tên đăng nhập").fill("demo")
    page.get_by_label("Mật khẩu").fill("demo")
    page.get_by_role("button", name="Đăng nhập").click()
    be_patient(page)
    shows(page, "idle")
    yield page
    if page.locator("#person").count() and page.locator("#person").get_attribute("data-view") != "idle":
        page.keyboard.press("Escape")
        shows(page, "idle")


def to_rooms(page: Page) -> None:
    """Wait for the rooms; who is registered at another place brings no papers."""
    shows(page, "choose_service")
    expect(page.locator(".rooms, .slips").first).to_be_visible()
    if page.locator(".slips").count():
        assert barriers(page) == []
        page.keyboard.press("3")
    expect(page.locator(".rooms")).to_be_visible()


def checkin(page: Page, stack: Stack, number: str) -> dict[str, object]:
    """What staff see of the check-in with this ticket."""
    answer = page.request.get(stack.url("kiosk") + "/api/v1/staff/check-ins")
    (found,) = [each for each in answer.json()["check_ins"] if each["ticket"]["number"] == number]
    return dict(found)


def test_scan_answer_room_done_in_two_keys(stack: Stack, desk: Page) -> None:
    scan(desk, 1)
    shows(desk, "confirm")
    expect(desk.locator(".name")).to_have_text(name_on_card(1))
    assert name_on_card(1).upper() not in desk.url.upper()
    desk.keyboard.press("Enter")
    shows(desk, "choose_service")
    expect(desk.locator(".answer")).to_contain_text("Có BHYT")
    desk.keyboard.press("1")
    shows(desk, "done")
    number = desk.locator(".ticket").inner_text()
    seen = checkin(desk, stack, number)
    assert (seen["lane"], seen["station"], seen["holder_check"]) == ("desk", "desk-1", "staff")
    assert barriers(desk) == []
    scan(desk, 1)  # the same person again: the same number
    expect(desk.locator("h2")).to_have_text("Người này đã lấy số hôm nay")
    expect(desk.locator(".ticket")).to_have_text(number)
    desk.keyboard.press("Escape")
    shows(desk, "idle")
    assert name_on_card(1) not in desk.content() and number not in desk.locator("#person").inner_text()


def test_a_room_is_found_by_typing_and_the_next_card_chooses_no_room(stack: Stack, desk: Page) -> None:
    scan(desk, 3)
    shows(desk, "confirm")
    desk.keyboard.press("Enter")
    to_rooms(desk)
    rooms = desk.locator(".rooms li")
    everything = rooms.count()
    play(desk, ascii_mode(qr(4).decode() + "\r"))  # too early: its digits are no rooms
    expect(desk.locator("#message")).to_contain_text("Người trước chưa xong")
    shows(desk, "choose_service")
    expect(rooms).to_have_count(everything)
    last = rooms.last.locator("span").first.evaluate("element => element.firstChild.textContent")
    desk.get_by_role("searchbox").press_sequentially(last[:12], delay=200)
    expect(rooms.first.locator("kbd")).to_have_text("Enter")
    assert barriers(desk) == []
    desk.keyboard.press("Enter")
    shows(desk, "done")


def test_a_number_is_typed_with_name_and_birth_date_when_the_hospital_does_not_know_it(
    stack: Stack, desk: Page
) -> None:
    person = PEOPLE[29]
    number = desk.get_by_label("Hoặc gõ số")
    number.press_sequentially("12345", delay=60)
    desk.keyboard.press("Enter")
    expect(desk.locator("#message")).to_have_class("failed")
    number.fill(str(person.citizen_id))
    desk.keyboard.press("Enter")
    name = desk.get_by_label("Họ và tên")
    expect(name).to_be_focused()
    name.fill(person.name.title())
    desk.get_by_label("Ngày sinh").fill(person.born)
    desk.keyboard.press("Enter")
    to_rooms(desk)
    desk.keyboard.press("1")
    shows(desk, "done")
    seen = checkin(desk, stack, desk.locator(".ticket").inner_text())
    assert (seen["method"], seen["lane"]) == ("MANUAL_ID", "desk")


def test_a_scan_without_accents_leaves_the_name_to_the_clerk(desk: Page) -> None:
    play(desk, ascii_mode(qr(14).decode() + "\r"))
    shows(desk, "unreadable")
    expect(desk.get_by_label("Hoặc gõ số")).to_have_value(str(PEOPLE[14].citizen_id))
    expect(desk.get_by_label("Họ và tên")).to_be_focused()
    expect(desk.get_by_label("Ngày sinh")).not_to_have_value("")
    assert barriers(desk) == []


def test_who_needs_staff_has_a_number_and_the_clerk_goes_on_there(stack: Stack, desk: Page) -> None:
    scan(desk, 30)  # the insurer's sex differs from the card's
    shows(desk, "confirm")
    desk.keyboard.press("Enter")
    shows(desk, "needs_staff")
    number = desk.locator(".ticket").inner_text()
    expect(desk.locator("#why")).to_contain_text("Giới tính")
    assert barriers(desk) == []
    desk.get_by_role("button", name="Mở chi tiết").click()
    expect(desk.locator("#facts .ticket")).to_have_text(number)
    assert desk.url.endswith("/staff")


def test_the_page_fits_half_a_screen_and_says_so_when_its_line_is_gone(stack: Stack, desk: Page) -> None:
    for width in (480, 680, 1280):
        desk.set_viewport_size({"width": width, "height": 800})
        assert desk.evaluate("document.documentElement.scrollWidth <= innerWidth")
    scan(desk, 15)
    shows(desk, "confirm")
    desk.context.set_offline(True)
    desk.keyboard.press("Enter")
    shows(desk, "lost")
    assert name_on_card(15) not in desk.content()
    desk.context.set_offline(False)
    shows(desk, "confirm")  # nothing was lost
    desk.keyboard.press("Escape")
    shows(desk, "idle")


def test_a_clerk_who_leaves_for_a_moment_locks_the_desk_and_comes_back(stack: Stack, desk: Page) -> None:
    scan(desk, 17)
    shows(desk, "confirm")
    desk.get_by_role("button", name="Khoá màn hình").click()
    expect(desk.locator("form[name=unlock]")).to_be_visible()
    assert name_on_card(17) not in desk.content()
    assert barriers(desk) == []
    desk.locator("form[name=unlock] input").fill("demo")
    desk.keyboard.press("Enter")
    shows(desk, "confirm")
    expect(desk.locator(".name")).to_have_text(name_on_card(17))


def test_nobody_drives_a_desk_without_signing_in(stack: Stack, open_page: OpenPage) -> None:
    page = open_page(stack.url("kiosk") + "/desk", DESK)
    expect(page.get_by_label("Mật khẩu")).to_be_visible()
    base = stack.url("kiosk") + "/api/v1/stations"
    headers = {"Origin": stack.url("kiosk")}
    for method, path, body in (
        ("GET", "", None),
        ("GET", "/desk-1", None),
        ("GET", "/desk-1/stream", None),
        ("POST", "/desk-1/scan", qr(10)),
        ("POST", "/desk-1/answer", json.dumps({"checkin_id": None, "answer": "cancel"}).encode()),
        ("POST", "/desk-1/entry", json.dumps({"number": "099190000011"}).encode()),
    ):
        answer = httpx.request(
            method, base + path, content=body, headers=headers | {"Content-Type": "application/json"}
        )
        assert (answer.status_code, answer.json()["error"]) == (401, "SIGN_IN"), (method, path)


_PORT = """
() => {
  const port = {
    open: async () => {},
    readable: new ReadableStream({ start: (line) => (window.line = line) }),
  };
  Object.defineProperty(navigator, "serial", { value: { getPorts: async () => [], requestPort: async () => port } });
}
"""


def test_a_serial_scanner_speaks_to_the_page(stack: Stack, open_page: OpenPage) -> None:
    page = open_page("about:blank", HALF)
    page.add_init_script(f"({_PORT})()")  # the browser's own dialogue cannot be answered by a program
    page.goto(stack.url("kiosk") + "/desk")
    page.get_by_label("Tên đăng nhập").fill("demo")
    page.get_by_label("Mật khẩu").fill("demo")
    page.get_by_role("button", name="Đăng nhập").click()
    shows(page, "idle")
    page.get_by_role("button", name="Nối máy quét").click()
    expect(page.locator("#message")).to_have_text("Đã nối máy quét.")
    raw = list(qr(16))
    for part in (raw[:20], raw[20:]):
        page.evaluate("part => window.line.enqueue(new Uint8Array(part))", part)
    shows(page, "confirm")
    expect(page.locator(".name")).to_have_text(name_on_card(16))
    page.keyboard.press("Escape")
    shows(page, "idle")
    page.evaluate("window.line.close()")
    expect(page.locator("#message")).to_contain_text("rút ra")
