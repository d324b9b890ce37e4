"""Scanners in keyboard mode: a burst of keys is a scan wherever the focus is, and people's typing stays theirs."""

import time
import unicodedata
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import CDPSession, Page, expect

from simulators.stack import Stack
from tests.browser.screens import UPRIGHT, name_on_card, qr, until, view

BENCH = """
<!doctype html><meta charset="utf-8"><form><input id="a"><textarea id="b"></textarea><input id="p" type="password">
<button id="ok">ok</button></form>
"""
LISTEN = """
async () => {
  const { Wedge } = await import("/static/wedge.js");
  window.scans = []; window.clicks = 0; window.submits = 0;
  document.getElementById("ok").addEventListener("click", () => window.clicks++);
  document.querySelector("form").addEventListener("submit", (event) => { event.preventDefault(); window.submits++; });
  new Wedge((bytes) => window.scans.push([...bytes]), 1500).listenTo(document);
}
"""
BURST = """
(text) => {
  for (const char of text) {
    const key = char === "\\r" ? "Enter" : char;
    const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true });
    (document.activeElement ?? document.body).dispatchEvent(event);
  }
}
"""
KEYS = {"\r": ("Enter", 13), "\t": ("Tab", 9), " ": (" ", 32)}
FAST, HUMAN = 0.004, 0.085


@pytest.fixture
def bench(stack: Stack, open_page: Callable[[str, dict[str, int]], Page]) -> Page:
    """A page of the kiosk's own origin with fields in which things can go wrong."""
    page = open_page(stack.url("kiosk") + "/static/icon.svg", UPRIGHT)
    page.goto(stack.url("kiosk") + "/healthz")
    page.set_content(BENCH)
    page.evaluate(LISTEN)
    return page


class Keyboard:
    """Key events with the times that a device gives them, which is what tells a scanner from a hand."""

    def __init__(self, page: Page) -> None:
        self.session: CDPSession = page.context.new_cdp_session(page)
        self.at = time.time()

    def types(self, text: str, every: float) -> None:
        for char in text:
            self.press(char, every)

    def press(self, char: str, every: float) -> None:
        self.at += every
        name, code = KEYS.get(char, (char, ord(char.upper()) if char.isascii() and char.isalnum() else 0))
        down: dict[str, Any] = {"key": name, "windowsVirtualKeyCode": code, "timestamp": self.at}
        if char != "\t":
            down["text"] = char
        self.session.send("Input.dispatchKeyEvent", {"type": "keyDown", **down})
        down.pop("text", None)
        self.session.send("Input.dispatchKeyEvent", {"type": "keyUp", **down})

    def alt_code(self, number: int, every: float) -> None:
        alt = {"key": "Alt", "code": "AltLeft", "windowsVirtualKeyCode": 18, "modifiers": 1}
        self.at += every
        self.session.send("Input.dispatchKeyEvent", {"type": "rawKeyDown", **alt, "timestamp": self.at})
        for digit in f"{number:04d}":
            self.at += every
            key = {"key": digit, "code": f"Numpad{digit}", "windowsVirtualKeyCode": 96 + int(digit), "modifiers": 1}
            key |= {"isKeypad": True, "timestamp": self.at}
            self.session.send("Input.dispatchKeyEvent", {"type": "rawKeyDown", **key})
            self.session.send("Input.dispatchKeyEvent", {"type": "keyUp", **key})
        self.session.send("Input.dispatchKeyEvent", {"type": "keyUp", **alt, "modifiers": 0, "timestamp": self.at})


@pytest.fixture
def keys(bench: Page) -> Iterator[Keyboard]:
    yield Keyboard(bench)


def scans(page: Page, count: int = 1) -> list[bytes]:
    until(lambda: page.evaluate("window.scans.length") >= count)
    return [bytes(scan) for scan in page.evaluate("window.scans")]


CARD = "099190000456|364000123|Tran Thi Mau|01021990|Nu|Xa Mau, Hau Giang|05072021"


@pytest.mark.parametrize("focus", ["#a", "#b", "#ok", "body"])
@pytest.mark.parametrize("end", ["\r", "\t", "\r\r", ""])
def test_a_scan_is_taken_whole_and_leaves_no_trace(bench: Page, keys: Keyboard, focus: str, end: str) -> None:
    bench.fill("#a", "Trần Thị")
    bench.fill("#b", "ghi chú")
    bench.evaluate("document.getElementById('a').setSelectionRange(2, 4)")
    if focus == "body":
        bench.evaluate("document.activeElement.blur()")
    else:
        bench.focus(focus)
    keys.types(CARD + end, FAST)
    assert scans(bench) == [(CARD + end).encode()]
    assert (bench.input_value("#a"), bench.input_value("#b")) == ("Trần Thị", "ghi chú")
    assert bench.evaluate("[window.clicks, window.submits]") == [0, 0]
    if focus != "body":
        assert bench.evaluate("document.activeElement.id") == focus[1:]


def test_a_person_typing_fast_loses_nothing(bench: Page, keys: Keyboard) -> None:
    bench.focus("#a")
    keys.types("Nguyen Van Thu 099190000456", HUMAN)
    assert bench.input_value("#a") == "Nguyen Van Thu 099190000456"
    bench.focus("#p")
    keys.types("mat-khau-rat-dai", FAST)  # passwords are nobody's scan
    assert bench.input_value("#p") == "mat-khau-rat-dai"
    keys.types("\r", HUMAN)
    until(lambda: bench.evaluate("window.submits") == 1)
    assert bench.evaluate("window.scans") == []


def test_a_scan_between_what_a_person_types(bench: Page, keys: Keyboard) -> None:
    bench.focus("#a")
    keys.types("Tran ", HUMAN)
    keys.at += 0.2
    keys.types(CARD + "\r", FAST)
    keys.types("Thi", HUMAN)
    assert scans(bench) == [(CARD + "\r").encode()]
    assert bench.input_value("#a") == "Tran Thi"


def test_two_scans_are_two(bench: Page, keys: Keyboard) -> None:
    keys.types(CARD + "\r", FAST)
    scans(bench)
    keys.types("099190000457\r", FAST)
    assert scans(bench, 2) == [(CARD + "\r").encode(), b"099190000457\r"]


def test_a_held_key_and_a_short_burst_are_no_scan(bench: Page, keys: Keyboard) -> None:
    bench.focus("#a")
    for _ in range(30):
        keys.at += 0.03
        key = {"key": "x", "text": "x", "windowsVirtualKeyCode": 88, "autoRepeat": True, "timestamp": keys.at}
        keys.session.send("Input.dispatchKeyEvent", {"type": "keyDown", **key})
    keys.at += 1
    keys.types("12345", FAST)
    assert bench.input_value("#a") == "x" * 30 + "12345"
    assert bench.evaluate("window.scans") == []


def test_characters_of_a_vietnamese_layout_stay_as_they_come(bench: Page, keys: Keyboard) -> None:
    typed = "đ\u0323êă\u0323đđđđô\u0300\u0309|"
    keys.types(typed + "x\r", FAST)
    (scan,) = scans(bench)
    assert scan.decode() == typed + "x\r" != unicodedata.normalize("NFC", typed) + "x\r"


def test_alt_codes_are_bytes(bench: Page, keys: Keyboard) -> None:
    bench.focus("#a")
    keys.types("099190|", FAST)
    for byte in "Trần".encode():
        keys.alt_code(byte, FAST)
    keys.types("|\r", FAST)
    assert scans(bench) == ["099190|Trần|\r".encode()]
    assert bench.input_value("#a") == ""


def test_alt_codes_beyond_a_byte_are_characters(bench: Page, keys: Keyboard) -> None:
    keys.types("099190|", FAST)
    for char in "Trầ":
        keys.alt_code(ord(char), FAST)
    keys.types("n\r", FAST)
    assert scans(bench) == ["099190|Trần\r".encode()]


def test_the_patients_screen_takes_a_typed_scan(patient: Page) -> None:
    patient.evaluate(BURST, qr(10).decode() + "\r")
    view(patient, "confirm")
    expect(patient.locator("main")).to_contain_text(name_on_card(10))
    patient.get_by_role("button", name="Không phải", exact=True).click()


def test_a_scanner_that_drops_accents_names_nobody(patient: Page) -> None:
    ascii_only = qr(10).decode().encode("ascii", "ignore").decode()
    patient.evaluate(BURST, ascii_only + "\r")
    view(patient, "unreadable")


def test_a_scan_fills_the_clerks_form(staff: Page) -> None:
    staff.evaluate(BURST, qr(10).decode() + "\r")
    expect(staff.get_by_label("Họ và tên")).to_have_value(name_on_card(10))
    expect(staff.get_by_label("Số giấy tờ")).to_have_value(qr(10).decode().split("|")[0])
    expect(staff.locator("#message")).to_contain_text("Đã điền theo mã vừa quét")


def test_a_scan_without_accents_leaves_the_name_to_the_clerk(staff: Page) -> None:
    ascii_only = "099190000456|364000123|Trn Th Mu|01021990|N|X Mu, Hu Giang|05072021"
    staff.evaluate(BURST, ascii_only + "\r")
    expect(staff.get_by_label("Số giấy tờ")).to_have_value("099190000456")
    expect(staff.get_by_label("Họ và tên")).to_have_value("")
    expect(staff.get_by_label("Ngày sinh")).to_have_value("01/02/1990")
    expect(staff.locator("#message")).to_contain_text("làm mất dấu")


def test_a_scan_into_the_search_searches_by_the_number(staff: Page) -> None:
    staff.locator("input[type=search]").focus()
    with staff.expect_request(lambda request: request.url.endswith("/check-ins/search")) as search:
        staff.evaluate(BURST, qr(10).decode() + "\r")
    assert search.value.post_data_json == {"number_tail": qr(10).decode().split("|")[0]}


def test_other_codes_are_told_to_the_clerk(staff: Page) -> None:
    staff.evaluate(BURST, "https://example.invalid/x?id=1\r")
    expect(staff.locator("#message")).to_contain_text("trang web")
