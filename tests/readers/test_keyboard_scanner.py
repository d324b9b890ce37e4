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

from kiosk.readers.keyboard_scanner import KeyboardScanner, grab
from kiosk.readers.keys import Keys

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
    return b"".join(keys.take(code, value) for code, value in events)


@given(st.text(alphabet=[chr(code) for code in range(32, 127)]))
def test_every_printable_character(text):
    assert taken(typed(text)) == text.encode()


@given(st.binary(max_size=40).map(lambda raw: raw.replace(b"\0", b"")))
def test_alt_codes_are_bytes(raw):
    assert taken([event for byte in raw for event in alt_code(byte)]) == raw


def test_alt_codes_beyond_a_byte_are_characters():
    assert taken([event for char in "Trần" for event in alt_code(ord(char))]).decode() == "Trần"
    assert taken(alt_code(0xD800)) == b""


def test_caps_lock_and_shift():
    assert taken(stroke(58) + typed("aB1|") + stroke(58) + typed("aB")) == b"Ab1|aB"


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
        assert self.writer is not None
        for code, value in typed(text):
            os.write(
                self.writer,
                RECORD.pack(0, 0, 4, 4, code) + RECORD.pack(0, 0, 1, code, value) + RECORD.pack(0, 0, 0, 0, 0),
            )


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


def test_a_missing_device_is_waited_for(desk):
    until(lambda: desk.states == [False])
    desk.plug_in()
    until(lambda: desk.states == [False, True])


def test_a_path_that_is_no_input_device_is_an_os_error(tmp_path):
    with pytest.raises(OSError):
        grab(str(tmp_path / "nothing"))
