"""The patient's screen: from the tapped card to the number, and what is left of a person afterwards."""

import re
from collections.abc import Callable

import httpx
import pytest
from playwright.sync_api import Page, expect

from kiosk.web.pages import texts
from simulators.stack import Stack
from tests.browser.screens import UPRIGHT, name_on_card, qr, to_rooms, view


def traces(page: Page) -> str:
    """Everything a browser page can keep where a script or a curious person finds it."""
    kept = page.evaluate(
        """async () => [document.documentElement.outerHTML, document.title, location.href, history.length,
             JSON.stringify(history.state), JSON.stringify({...localStorage}), JSON.stringify({...sessionStorage}),
             document.cookie, await caches.keys(), (await indexedDB.databases()).map((each) => each.name),
             performance.getEntries().map((entry) => entry.name)].flat().join("\\n")"""
    )
    return str(kept)


def assert_forgotten(page: Page, number: int) -> None:
    kept = traces(page)
    words = [name_on_card(number), qr(number).decode().split("|")[0]]
    given = name_on_card(number).split()[-1]
    if given not in str(texts()["patient"]):
        words.append(given)
    assert [word for word in words if word in kept] == []


def confirm(page: Page) -> None:
    view(page, "confirm")
    page.get_by_role("button", name="Đúng, là tôi").click()


def test_a_card_becomes_the_hospitals_number_and_nothing_of_the_person_stays(stack: Stack, patient: Page) -> None:
    expect(patient.locator(".privacy")).to_contain_text("Máy đọc số thẻ, họ tên, ngày sinh")
    stack.tap(qr(1))
    view(patient, "confirm")
    expect(patient.locator("h1")).to_have_text("Ai khám hôm nay?")
    expect(patient.locator(".person")).to_contain_text("Trần Thị Mẫu")
    expect(patient.locator(".person")).to_contain_text("1990")
    assert qr(1).decode().split("|")[0] not in traces(patient)
    confirm(patient)
    view(patient, "choose_service")
    expect(patient.locator(".answer")).to_contain_text("Tìm thấy thẻ BHYT còn hạn")
    expect(patient.locator(".answer")).to_contain_text("tạm thời")
    patient.get_by_role("button", name="Khám Nội - phòng 101").click()
    view(patient, "done")
    number = patient.locator(".ticket-number").inner_text()
    rows = httpx.get(stack.url("his") + "/_sim/registrations").json()["registrations"]
    assert number in [str(row["STT_LK"]) for row in rows]
    expect(patient.locator("#clears")).to_have_text(re.compile(r"Màn hình tự xoá sau \d+ giây"))
    patient.get_by_role("button", name="Xong").click()
    view(patient, "idle")
    assert_forgotten(patient, 1)
    assert patient.evaluate("history.length") <= 2


def test_the_same_person_again_gets_the_same_number_and_may_ask_for_another(stack: Stack, patient: Page) -> None:
    stack.tap(qr(3))
    confirm(patient)
    to_rooms(patient)
    patient.get_by_role("button", name="Khám Ngoại").click()
    view(patient, "done")
    number = patient.locator(".ticket-number").inner_text()
    patient.get_by_role("button", name="Xong").click()
    view(patient, "idle")
    stack.tap(qr(3))
    expect(patient.locator("h1")).to_have_text("Ông/Bà đã lấy số hôm nay")
    expect(patient.locator(".ticket-number")).to_have_text(number)
    patient.get_by_role("button", name="Lấy thêm số khám khác").click()
    confirm(patient)
    to_rooms(patient)
    patient.get_by_role("button", name="Thôi, không lấy số").click()
    view(patient, "idle")
    assert_forgotten(patient, 3)


def test_nothing_is_kept_of_a_person_who_says_no_or_walks_away(stack: Stack, patient: Page) -> None:
    stack.tap(qr(4))
    view(patient, "confirm")
    patient.get_by_role("button", name="Không phải").click()
    view(patient, "idle")
    assert_forgotten(patient, 4)
    stack.tap(qr(4))
    view(patient, "confirm")
    view(patient, "idle")  # after confirm_seconds
    assert_forgotten(patient, 4)


@pytest.mark.parametrize(
    ("number", "words"),
    [(13, "Chưa tìm thấy thẻ BHYT còn hạn"), (24, "Cổng bảo hiểm chưa trả lời")],
)
def test_without_a_good_answer_the_words_are_kind_and_there_is_a_number(
    stack: Stack, patient: Page, number: int, words: str
) -> None:
    stack.tap(qr(number))
    confirm(patient)
    to_rooms(patient)
    expect(patient.locator(".answer h2")).to_have_text(words)
    patient.locator(".tile").first.click()
    view(patient, "done")
    expect(patient.locator(".answer h2")).to_have_text(words)
    expect(patient.locator(".ticket-number")).to_have_text(re.compile(r"\d+"))
    patient.get_by_role("button", name="Xong").click()
    view(patient, "idle")


def test_who_needs_staff_gets_the_kiosks_number_for_the_desk(stack: Stack, patient: Page) -> None:
    stack.tap(qr(14))
    confirm(patient)
    view(patient, "needs_staff")
    expect(patient.locator("h1")).to_have_text("Mời Ông/Bà đến quầy tiếp đón")
    expect(patient.locator(".ticket-number")).to_have_text(re.compile(r"K-?\d+"))
    view(patient, "idle")  # after staff_seconds
    assert_forgotten(patient, 14)


def test_meeting_staff_is_one_touch_away(stack: Stack, patient: Page) -> None:
    stack.tap(qr(5))
    view(patient, "confirm")
    patient.get_by_role("button", name="Gặp nhân viên").click()
    view(patient, "needs_staff")
    patient.get_by_role("button", name="Xong").click()
    view(patient, "idle")


@pytest.mark.parametrize(
    ("scan", "words"),
    [
        (b"https://example.com/x\r", "Đây là mã của một trang web"),
        ("093190000456|364000123|Trần Thị\r".encode(), "Máy mới đọc được một phần mã"),
        (b"4939312345\r", "Máy mới có số thẻ BHYT"),
        (b"hello\r", "Đây không phải mã trên thẻ"),
    ],
    ids=["address", "cut off", "insurance number", "text"],
)
def test_a_code_that_cannot_serve_gets_advice(stack: Stack, patient: Page, scan: bytes, words: str) -> None:
    stack.tap(scan)
    expect(patient.locator("h1")).to_have_text(words)
    stack.tap(qr(6))  # no need to wait
    view(patient, "confirm")
    patient.get_by_role("button", name="Không phải").click()
    view(patient, "idle")


def test_while_the_gateway_is_slow_the_screen_keeps_talking(
    stack: Stack, patient: Page, misbehave: Callable[..., None]
) -> None:
    misbehave("gateway", endpoint="lookup", mode="slow", delay_ms=7000, times=1)
    stack.tap(qr(9))
    confirm(patient)
    view(patient, "checking")
    expect(patient.locator("#progress")).to_have_text("Máy đang hỏi cổng bảo hiểm y tế.")
    expect(patient.locator("#progress")).to_have_text("Cổng bảo hiểm đang tìm thẻ của Ông/Bà.", timeout=5500)
    expect(patient.locator("#status")).to_have_text("Cổng bảo hiểm đang tìm thẻ của Ông/Bà.")
    view(patient, "choose_service")
    patient.get_by_role("button", name="Thôi, không lấy số").click()
    view(patient, "idle")


def test_a_name_with_markup_is_nobodys_and_would_be_shown_as_it_is_written(stack: Stack, patient: Page) -> None:
    name = "<img src=x onerror=alert(1)>Mẫu"
    stack.tap(f"099190000077||{name}|02091990|Nữ|<b>Ấp</b>|01072021\r".encode())
    view(patient, "unreadable")
    expect(patient.locator("h1")).to_have_text("Họ tên trong mã chưa đủ dấu")
    view(patient, "idle")
    shown = patient.evaluate(
        """async (name) => {
          const { VIEWS } = await import("/static/patient/views.js");
          const main = document.createElement("main");
          main.append(...VIEWS.confirm({ screen: { name, birth_year: 1990, number: "1" } }, () => {}).filter(Boolean));
          const line = main.querySelector(".name");
          return [line.textContent, line.childElementCount];
        }""",
        name,
    )
    assert shown == [name, 0]


def test_keys_do_what_touches_do(stack: Stack, patient: Page) -> None:
    stack.tap(qr(11))
    view(patient, "confirm")
    expect(patient.locator("h1")).to_be_focused()
    expect(patient.locator("#screen")).not_to_have_attribute("inert", "")
    patient.keyboard.press("Tab")
    expect(patient.get_by_role("button", name="Đúng, là tôi")).to_be_focused()
    patient.keyboard.press("Tab")
    patient.keyboard.press("Enter")
    view(patient, "idle")


def test_a_double_tap_does_not_choose_on_the_next_view(stack: Stack, patient: Page) -> None:
    stack.tap(qr(12))
    view(patient, "confirm")
    button = patient.get_by_role("button", name="Đúng, là tôi")
    expect(patient.locator("#screen")).not_to_have_attribute("inert", "")
    button.dblclick(no_wait_after=True)
    view(patient, "choose_service")
    patient.get_by_role("button", name="Thôi, không lấy số").click()
    view(patient, "idle")


def test_when_the_daemon_dies_the_person_vanishes_at_once_and_the_screen_comes_back(
    stack: Stack, patient: Page
) -> None:
    stack.tap(qr(28))
    view(patient, "confirm")
    stack.kill_kiosk()
    expect(patient.locator("body")).to_have_attribute("data-view", "connecting", timeout=2000)
    assert_forgotten(patient, 28)
    expect(patient.locator("h1")).to_have_text("Máy đang kết nối lại…", timeout=5000)
    stack.start_kiosk()
    expect(patient.locator("body")).to_have_attribute("data-view", "idle", timeout=30_000)
    stack.tap(qr(29))
    confirm(patient)  # with the new daemon's cookie
    view(patient, "choose_service")
    patient.get_by_role("button", name="Thôi, không lấy số").click()
    view(patient, "idle")


def test_the_unplugged_reader_is_told(stack: Stack, patient: Page) -> None:
    assert stack.scanner is not None
    stack.scanner.unplug()
    expect(patient.locator("h1")).to_have_text("Máy đọc thẻ đang mất kết nối")
    stack.scanner.plug()
    expect(patient.locator("h1")).to_contain_text("Mời đưa mã")


def test_a_second_page_of_the_same_screen_shows_the_same(
    stack: Stack, patient: Page, open_page: Callable[[str, dict[str, int]], Page]
) -> None:
    other = open_page(stack.url("kiosk") + "/", UPRIGHT)
    stack.tap(qr(18))
    for page in (patient, other):
        view(page, "confirm")
    other.get_by_role("button", name="Không phải").click()
    for page in (patient, other):
        view(page, "idle")
