"""Scanners in keyboard mode: a burst of keys is a scan wherever the focus is, and people's typing stays theirs."""

import unicodedata
from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from simulators.stack import Stack
from tests.browser.screens import until
from tests.browser.typing_scanner import Event, Keyboard, alt_code, alt_mode, ascii_mode, combining_mode, open_bench

CARD = "099190000456|364000123|Tran Thi Mau"
ACCENTS = "099190000456|Lý Hòa Mẫu|Đồng"
FAST, SLOW_SCANNER, HUMAN = 0.004, 0.033, 1 / 12


@pytest.fixture
def bench(stack: Stack, open_page: Callable[[str, dict[str, int]], Page]) -> Page:
    return open_bench(stack, open_page)


@pytest.fixture
def keys(bench: Page) -> Keyboard:
    return Keyboard(bench)


def scans(page: Page, count: int = 1) -> list[bytes]:
    page.evaluate("window.fallSilent()")
    until(lambda: page.evaluate("window.scans.length") >= count)
    return [bytes(scan) for scan in page.evaluate("window.scans")]


def key(name: str, **more: object) -> list[Event]:
    return [{"type": kind, "key": name, "code": "", **more} for kind in ("keydown", "keyup")]


@pytest.mark.parametrize("focus", ["#a", "#b", "#ok", "#s", "body"])
def test_a_scan_is_taken_whole_and_leaves_no_trace(bench: Page, keys: Keyboard, focus: str) -> None:
    bench.fill("#a", "Trần Thị")
    bench.fill("#b", "ghi chú")
    for done, end in enumerate(("\r", "\t", "\r\r", ""), start=1):
        bench.evaluate("document.activeElement.blur()") if focus == "body" else bench.focus(focus)
        bench.evaluate("document.activeElement.setSelectionRange?.(2, 4)")
        keys.at += 1
        keys.types(CARD + end, FAST)
        assert scans(bench, done)[-1] == (CARD + end).encode()
        if focus in ("#a", "#b"):
            selected = bench.evaluate("[document.activeElement.selectionStart, document.activeElement.selectionEnd]")
            assert selected == [2, 4]
        if focus != "body":
            assert bench.evaluate("document.activeElement.id") == focus[1:]
    assert (bench.input_value("#a"), bench.input_value("#b"), bench.input_value("#s")) == ("Trần Thị", "ghi chú", "Nam")
    assert bench.evaluate("[window.clicks, window.submits]") == [0, 0]


def test_listeners_of_a_field_see_that_it_was_given_back(bench: Page, keys: Keyboard) -> None:
    bench.evaluate("document.getElementById('a').addEventListener('input', (e) => (window.seen = e.target.value))")
    bench.focus("#a")
    keys.types(CARD, FAST)
    assert scans(bench) == [CARD.encode()]
    assert bench.evaluate("window.seen") == ""


def test_a_slow_scanner_is_told_from_a_hand(bench: Page, keys: Keyboard) -> None:
    bench.focus("#a")
    keys.types(CARD + "\r", SLOW_SCANNER)
    assert scans(bench) == [(CARD + "\r").encode()]
    assert bench.input_value("#a") == ""


def test_a_person_typing_fast_loses_nothing(bench: Page, keys: Keyboard) -> None:
    bench.focus("#a")
    keys.types("Nguyen Van Thu 099190000456", HUMAN)
    assert bench.input_value("#a") == "Nguyen Van Thu 099190000456"
    bench.focus("#p")
    keys.types("mat-khau-rat-dai", FAST)  # passwords are nobody's scan
    assert bench.input_value("#p") == "mat-khau-rat-dai"
    keys.types("\r", HUMAN)
    until(lambda: bench.evaluate("window.submits") == 1)
    assert scans(bench, 0) == []


@pytest.mark.parametrize(("end", "pause"), [("\r", HUMAN), ("", HUMAN), ("", 0.04)])
def test_a_scan_in_the_middle_of_what_a_person_types(bench: Page, keys: Keyboard, end: str, pause: float) -> None:
    bench.focus("#a")
    keys.types("Tran ", HUMAN)
    keys.at += pause - FAST
    keys.types(CARD + end, FAST)
    keys.types("Thi", HUMAN)
    assert scans(bench) == [(CARD + end).encode()]
    assert bench.input_value("#a") == "Tran Thi"


def test_a_hand_right_behind_the_scanners_enter_keeps_its_keys(bench: Page, keys: Keyboard) -> None:
    bench.focus("#a")
    keys.types(CARD + "\r", FAST)
    keys.types("Thi", 0.06)
    assert scans(bench) == [(CARD + "\r").encode()]
    assert bench.input_value("#a") == "Thi"


def test_scans_back_to_back_are_each_their_own(bench: Page, keys: Keyboard) -> None:
    for number in range(3):
        keys.at += 0.1
        keys.types(f"09919000045{number}\r", FAST)
    assert scans(bench, 3) == [b"099190000450\r", b"099190000451\r", b"099190000452\r"]


def test_a_late_enter_of_the_scanner_presses_nothing_but_a_persons_does(bench: Page, keys: Keyboard) -> None:
    bench.focus("#ok")
    keys.types(CARD + "\r", FAST)
    keys.types("\r", 0.2)
    scans(bench)
    assert bench.evaluate("[window.clicks, window.submits]") == [0, 0]
    keys.types("\r", 1)
    until(lambda: bench.evaluate("window.submits") == 1)
    assert len(scans(bench)) == 1


def test_lines_and_tabs_inside_a_scan_stay(bench: Page, keys: Keyboard) -> None:
    zone = "IDVNM1900004566099190000456<<5\r9002014F3002017VNM<<<<<<<<<<<4\rTRAN<<THI<MAU<<<<<<<<<<<<<<<<<\r"
    keys.types(zone, FAST)
    keys.at += 1
    keys.types("099190000456\t364000123", FAST)
    keys.at += 1
    ctrl = [*ascii_mode("099190000457"), *key("j", ctrlKey=True)]
    bench.evaluate(
        """(events) => { const wedge = new Wedge((bytes) => window.scans.push([...bytes]), 1);
          for (const { type, ...init } of events) wedge.down(new KeyboardEvent(type, init)); }""",
        [event for event in ctrl if event["type"] == "keydown"],
    )
    assert sorted(scans(bench, 3)) == [b"099190000456\t364000123", b"099190000457\n", zone.encode()]


def test_a_held_key_and_a_short_burst_are_no_scan(bench: Page, keys: Keyboard) -> None:
    bench.focus("#a")
    for _ in range(30):
        keys.plays([{"type": "keydown", "key": "x", "code": "KeyX", "repeat": True}], 0.03)
    keys.at += 1
    keys.types("1234567", FAST)
    keys.at += 1
    keys.types("\r", FAST)
    until(lambda: bench.evaluate("window.submits") == 1)
    assert bench.input_value("#a") == "x" * 30 + "1234567"
    assert scans(bench, 0) == []


def test_endless_keys_are_no_scan_and_what_follows_is_one(bench: Page, keys: Keyboard) -> None:
    bench.evaluate(
        """(text) => { const wedge = new Wedge((bytes) => window.scans.push([...bytes]), 60000);
          const type = (chars, at) => [...chars].forEach((key, index) => wedge.down(
            { key, timeStamp: at + index, getModifierState() {}, preventDefault() {}, stopImmediatePropagation() {} }));
          type("9".repeat(5000), 0);
          type(text, 9000);
          type("!", 20000); }""",
        CARD,
    )
    assert scans(bench) == [CARD.encode()]


def test_characters_of_a_vietnamese_layout_stay_as_they_come(bench: Page, keys: Keyboard) -> None:
    keys.plays(ascii_mode("093190000456|x", "vn"), FAST)
    (scan,) = scans(bench)
    assert scan.decode() == "đ\u0323êă\u0323đđđđô\u0300\u0309|x" != unicodedata.normalize("NFC", scan.decode())


@pytest.mark.parametrize("charset", ["utf-8", "unicode", "cp1258"])
@pytest.mark.parametrize("everything", [False, True])
def test_alt_codes(bench: Page, keys: Keyboard, charset: str, everything: bool) -> None:
    bench.focus("#a")
    keys.plays(alt_mode(ACCENTS + "\r", charset=charset, everything=everything), 0.016)
    (scan,) = scans(bench)
    text = scan.decode("cp1258" if charset == "cp1258" else "utf-8")
    assert unicodedata.normalize("NFC", text) == ACCENTS + "\r"
    assert bench.input_value("#a") == ""


def test_alt_codes_that_could_be_bytes_or_characters_are_marked_as_lost(bench: Page, keys: Keyboard) -> None:
    keys.plays(alt_mode("099190000456|Lý Hà\r", charset="unicode"), FAST)
    assert scans(bench) == ["099190000456|L\ufffd Hà\r".encode()]


def test_an_alt_code_that_a_person_types_is_no_scan(bench: Page, keys: Keyboard) -> None:
    bench.focus("#a")
    keys.plays(alt_code(227), HUMAN)
    keys.types("abc", HUMAN)
    assert bench.input_value("#a") == "abc"
    assert scans(bench, 0) == []


def test_tones_that_follow_their_letter_stay_behind_it(bench: Page, keys: Keyboard) -> None:
    keys.plays(combining_mode(ACCENTS), FAST)
    (scan,) = scans(bench)
    assert unicodedata.normalize("NFC", scan.decode()) == ACCENTS != scan.decode()


@pytest.mark.parametrize(
    ("meddled", "left"),
    [
        (key("Dead"), "099190000456|Tran\ufffdThi"),
        (key("Process"), "099190000456|Tran\ufffdThi"),
        (key("Backspace") + key("ầ"), "099190000456|Tra\ufffdầThi"),
        (key("F8"), "099190000456|TranThi"),
        (key("|", ctrlKey=True, altKey=True, modifierAltGraph=True), "099190000456|Tran|Thi"),
    ],
)
def test_what_meddles_with_keys_is_marked(bench: Page, meddled: list[Event], left: str) -> None:
    events = [*ascii_mode("099190000456|Tran"), *meddled, *ascii_mode("Thi")]
    bench.evaluate(
        """(events) => { for (const { type, ...init } of events)
          document.body.dispatchEvent(new KeyboardEvent(type, { ...init, bubbles: true, cancelable: true })); }""",
        events,
    )
    assert scans(bench) == [left.encode()]


def test_people_with_dead_keys_input_methods_and_shortcuts_lose_nothing(bench: Page, keys: Keyboard) -> None:
    bench.focus("#a")
    keys.types("Tr", HUMAN)
    keys.session.send("Input.imeSetComposition", {"text": "ầ", "selectionStart": 1, "selectionEnd": 1})
    keys.session.send("Input.insertText", {"text": "ần"})
    keys.types(" Thi", HUMAN)
    assert bench.input_value("#a") == "Trần Thi"
    bench.evaluate("document.execCommand('insertText', false, ' 099190000456|Nguyễn')")  # as a paste arrives: no keys
    assert bench.input_value("#a") == "Trần Thi 099190000456|Nguyễn"
    kept = bench.evaluate(
        """(names) => { const wedge = new Wedge(() => {}, 1); let stopped = 0; let at = 0;
          for (const name of names) for (const more of [{}, { ctrlKey: true }, { altKey: true }, { isComposing: true }])
            wedge.down({ key: name, timeStamp: (at += 60), getModifierState: () => false, ...more,
              preventDefault() { stopped += 1; }, stopImmediatePropagation() { stopped += 1; } });
          return stopped; }""",
        ["Dead", "a", "v", "Process", "Tab", "Enter", "Backspace", "ArrowLeft", "Alt", "Control", "F5"],
    )
    assert kept == 0
    assert scans(bench, 0) == []
