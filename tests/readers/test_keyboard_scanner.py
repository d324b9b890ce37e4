"""Key events to scans: every printable character, Alt codes, half scans, and a device that goes and comes back."""

import errno
import os
import struct
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.errors import ConfigError
from kiosk.readers.keyboard_scanner import KeyboardScanner, grab
from kiosk.readers.keys import Keys, scan_bytes

CARD = "099190000456|364000123|Tran Thi Mau|01021990|Nu|Xa Mau, Hau Giang|05072021"
RECORD = struct.Struct("llHHi")  # struct input_event
SHIFT, ALT, ENTER, TAB = 42, 56, 28, 15
ROWS = {
    2: ("1234567890-=", "!@#$%^&*()_+"),
    16: ("qwertyuiop[]", "QWERTYUIOP{}"),
    30: ("asdfghjkl;'`", 'ASDFGHJKL:"~'),
    43: ("\\zxcvbnm,./", "|ZXCVBNM<>?"),
}
KEYPAD = (82, 79, 80, 81, 75, 76, 77, 71, 72, 73)


def stroke(code: int) -> list[tuple[int, int]]:
    return [(code, 1), (code, 0)]


def typed(text: str) -> list[tuple[int, int]]:
    """The key events with which a US keyboard types *text*."""
    events = []
    for char in text:
        if char in "\r\t ":
            events += stroke({"\r": ENTER, "\t": TAB, " ": 57}[char])
            continue
        for first, (plain, shifted) in ROWS.items():
            if char in plain:
                events += stroke(first + plain.index(char))
            elif char in shifted:
                events += [(SHIFT, 1), *stroke(first + shifted.index(char)), (SHIFT, 0)]
    return events


def alt_code(number: int) -> list[tuple[int, int]]:
    return [(ALT, 1), *(event for digit in f"{number:04d}" for event in stroke(KEYPAD[int(digit)])), (ALT, 0)]


def taken(events: list[tuple[int, int]]) -> bytes:
    keys = Keys()
    return scan_bytes(b"".join(keys.take(code, value) for code, value in events))


def alt_typed(text: str, charset: str = "unicode") -> list[tuple[int, int]]:
    """*text* with every letter that has no key as Alt codes."""
    events = []
    for char in text:
        codes = [ord(char)] if charset == "unicode" else [*char.encode(charset)]
        events += typed(char) if char.isascii() else [event for code in codes for event in alt_code(code)]
    return events


@given(st.text(alphabet=[chr(code) for code in range(32, 127)]))
def test_every_printable_character(text):
    assert taken(typed(text)) == text.encode()


@given(st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc", "Co"])))
def test_alt_codes_are_the_bytes_of_a_text(text):
    assert taken([event for byte in text.encode() for event in alt_code(byte)]) == text.encode()


def test_alt_codes_of_code_page_1258_are_bytes():
    text = "Tr\u00e2\u0300n Thi\u0323"
    assert taken(alt_typed(text, "cp1258")) == text.encode("cp1258")


@given(st.text(alphabet="aĐ|0 ãàìýÝưấ"))
def test_alt_codes_of_characters(text):
    assert taken(alt_typed("ẫ" + text)).decode() == "ẫ" + text


def test_alt_codes_that_could_be_bytes_or_characters_are_marked_as_lost():
    assert taken(alt_typed("Lý Hà")).decode() == "L\ufffd Hà"
    assert (
        taken(alt_typed("ẫ") + alt_code(0xD800) + alt_code(0xF741) + alt_code(9999999)).decode() == "ẫ" + 3 * "\ufffd"
    )
    assert taken([*alt_code(0), (ALT, 1), (ALT, 0)]) == b""


def test_caps_lock_and_shift():
    assert taken(stroke(58) + typed("aB1|") + stroke(58) + typed("aB")) == b"Ab1|aB"


def test_line_ends_may_be_typed_with_ctrl():
    assert taken([*typed("09j"), (29, 1), *typed("jM"), (29, 0), *typed("j")]) == b"09j\n\rj"


def test_held_keys_and_releases_add_nothing():
    assert taken([(30, 1), (30, 2), (30, 2), (30, 0), (31, 0), (SHIFT, 2), (30, 1), (SHIFT, 0), (30, 1)]) == b"aAa"


@given(st.lists(st.tuples(st.integers(0, 767), st.integers(-1, 3)), max_size=60))
def test_no_events_raise(events):
    assert isinstance(taken(events), bytes)


@dataclass
class Event:
    type: int
    code: int
    value: int


class PipeDevice:
    """The records of a device, from a pipe: its end is the unplugging."""

    def __init__(self, fd: int) -> None:
        self.fd = fd

    def fileno(self) -> int:
        return self.fd

    def read(self) -> Iterator[Event]:
        raw = os.read(self.fd, RECORD.size * 64)
        if not raw:
            raise OSError(errno.ENODEV, "gone")
        return iter([Event(*RECORD.unpack_from(raw, at)[2:]) for at in range(0, len(raw), RECORD.size)])

    def close(self) -> None:
        os.close(self.fd)


class Desk:
    """A scanner that can be plugged in, out and in again."""

    def __init__(self) -> None:
        self.scans: list[bytes] = []
        self.states: list[bool] = []
        self.plugged: int | None = None
        self.writer: int | None = None
        self.lock = threading.Lock()
        self.scanner = KeyboardScanner(
            "/dev/input/by-id/usb-Mau-event-kbd",
            self.scans.append,
            lambda state: self.states.append(state.attached),
            reopen_every=0.02,
            opener=self.open,
        )

    def open(self, path: str) -> PipeDevice:
        with self.lock:
            if self.plugged is None:
                raise FileNotFoundError(errno.ENOENT, path)
            fd, self.plugged = self.plugged, None
            return PipeDevice(fd)

    def plug_in(self) -> None:
        with self.lock:
            self.plugged, self.writer = os.pipe()

    def unplug(self) -> None:
        assert self.writer is not None
        os.close(self.writer)
        self.writer = None

    def send(self, text: str) -> None:
        for code, value in typed(text):
            self.record((4, 4, code), (1, code, value), (0, 0, 0))

    def record(self, *records: tuple[int, int, int]) -> None:
        assert self.writer is not None
        os.write(self.writer, b"".join(RECORD.pack(0, 0, *record) for record in records))


def until(condition) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.005)


@pytest.fixture
def desk() -> Iterator[Desk]:
    desk = Desk()
    desk.scanner.start()
    yield desk
    desk.scanner.stop()
    if desk.writer is not None:
        os.close(desk.writer)
    if desk.plugged is not None:
        os.close(desk.plugged)


@pytest.mark.parametrize("end", ["\r", "\t", ""])
def test_a_scan_comes_whole(desk, end):
    desk.plug_in()
    desk.send(CARD + end)
    until(lambda: desk.scans)
    assert [scan.strip() for scan in desk.scans] == [CARD.encode()]
    assert desk.states[-1] is True


def test_half_a_scan_does_not_stick_to_the_next_device(desk):
    desk.plug_in()
    desk.send(CARD + "\r" + CARD[:30])
    until(lambda: desk.scans)
    desk.unplug()
    until(lambda: desk.states[-1] is False)
    desk.plug_in()
    desk.send(CARD + "\r")
    until(lambda: len(desk.scans) >= 2 and desk.scans[-1] == CARD.encode())
    assert CARD.encode() * 2 not in desk.scans
    assert desk.scanner.state.attached


def test_alt_codes_are_settled_when_their_scan_is_whole(desk):
    desk.plug_in()
    for code, value in alt_typed("099190000456|Hà Tấn") + typed("\r"):
        desk.record((1, code, value), (0, 0, 0))
    until(lambda: desk.scans)
    assert desk.scans == ["099190000456|Hà Tấn".encode()]


def test_where_the_kernel_lost_keys_the_scan_says_so(desk):
    desk.plug_in()
    desk.send("099190000456|Tr")
    desk.record((1, SHIFT, 1), (0, 3, 0), (1, 30, 1), (0, 0, 0))  # "a" belongs to what was lost, as does the shift
    desk.send("n\r")
    until(lambda: desk.scans)
    assert desk.scans == ["099190000456|Tr\ufffdn".encode()]


def test_releases_and_held_keys_of_a_person_are_no_scan(desk):
    desk.plug_in()
    desk.record((1, 30, 0), (1, 30, 2), (1, SHIFT, 1), (1, SHIFT, 0), (0, 0, 0))
    desk.send(CARD + "\r")
    until(lambda: desk.scans)
    assert desk.scans == [CARD.encode()]


def test_a_missing_device_is_waited_for(desk):
    until(lambda: desk.states == [False])
    desk.plug_in()
    until(lambda: desk.states == [False, True])


def test_without_the_library_the_settings_are_refused_in_plain_words(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r'keyboard.device: expected the extra "hid"'):
        KeyboardScanner("/dev/input/by-id/usb-Mau-event-kbd", print)


class Opened:
    """An evdev device with some keys; notes what is done to it."""

    def __init__(self, keys: list[int], refusal: OSError | None = None) -> None:
        self.keys, self.refusal, self.done = keys, refusal, []

    def capabilities(self) -> dict[int, list[int]]:
        return {0: [0, 1], 1: self.keys}

    def grab(self) -> None:
        self.done.append("grab")
        if self.refusal:
            raise self.refusal

    def close(self) -> None:
        self.done.append("close")


@pytest.mark.parametrize(
    ("device", "done"),
    [
        (Opened([272, 273]), ["close"]),  # a mouse
        (Opened([116]), ["close"]),  # a power button
        (Opened(list(range(1, 128)), OSError(errno.EBUSY, "busy")), ["grab", "close"]),
    ],
)
def test_what_is_no_keyboard_or_taken_is_let_go(monkeypatch, device, done):
    monkeypatch.setattr("evdev.InputDevice", lambda path: device)
    with pytest.raises(OSError):
        grab("/dev/input/by-id/usb-Mau-event-kbd")
    assert device.done == done


def test_a_keyboard_is_grabbed(monkeypatch):
    device = Opened(list(range(1, 128)))
    monkeypatch.setattr("evdev.InputDevice", lambda path: device)
    assert grab("/dev/input/by-id/usb-Mau-event-kbd") is device
    assert device.done == ["grab"]


def test_a_path_that_is_no_input_device_is_an_os_error(tmp_path):
    with pytest.raises(OSError):
        grab(str(tmp_path / "nothing"))
