"""What keys mean on the keyboard a scanner pretends to be: the US layout, whatever layout this machine has.

Key codes are those of Linux input events (input-event-codes.h). Source: identity-documents.md 1.5.
"""

from __future__ import annotations

from typing import Final

PRESSED, HELD = 1, 2
DIGIT_KEYS: Final = frozenset(range(2, 12))
"""The codes of 1 to 0 above the letters, which every keyboard has."""

_ROWS: Final = (
    (2, "1234567890-=", "!@#$%^&*()_+"),
    (16, "qwertyuiop[]", "QWERTYUIOP{}"),
    (30, "asdfghjkl;'`", 'ASDFGHJKL:"~'),
    (43, "\\zxcvbnm,./", "|ZXCVBNM<>?"),
)
_PLAIN: Final = {first + at: char for first, row, _ in _ROWS for at, char in enumerate(row)} | {57: " "}
_SHIFTED: Final = {first + at: char for first, _, row in _ROWS for at, char in enumerate(row)} | {57: " "}
_KEYPAD: Final = dict(zip((82, 79, 80, 81, 75, 76, 77, 71, 72, 73), "0123456789", strict=True))
_KEYPAD_SIGNS: Final = {55: "*", 74: "-", 78: "+", 83: ".", 98: "/"}
_ENDS: Final = {28: "\r", 96: "\r", 15: "\t"}
_SHIFTS: Final = frozenset({42, 54})
_ALTS: Final = frozenset({56, 100})
_CTRLS: Final = frozenset({29, 97})
_CONTROL: Final = 0x1F
_CAPS_LOCK: Final = 58
_MOST_DIGITS: Final = 7
_LOST: Final = "\ufffd"
_BYTES: Final = 0xF700  # where codes from 128 to 255 wait in the private use area until their scan is whole
_PRIVATE: Final = range(0xE000, 0xF900)
_TONES: Final = frozenset({0xCC, 0xD2, 0xDE, 0xEC, 0xF2})
"""Of code page 1258, which sets them behind their letter."""

_UNCLEAR: Final = frozenset("ÃÐÕÝãðõýþ")
"""Other letters in code page 1258 than in Unicode."""


class Keys:
    """Turns key events into UTF-8; what was typed as Alt codes is settled by `scan_bytes` once the scan is whole."""

    def __init__(self) -> None:
        """No key is down."""
        self._shifts: set[int] = set()
        self._ctrls: set[int] = set()
        self._caps = False
        self._alt: str | None = None

    def take(self, code: int, value: int) -> bytes:
        """The bytes that this event adds: key *code* was pressed (1), held (2) or released (0)."""
        if code in _SHIFTS | _CTRLS:
            down = self._shifts if code in _SHIFTS else self._ctrls
            (down.discard if value == 0 else down.add)(code)
        elif code in _ALTS:
            return self._alt_moved(value)
        elif value == PRESSED and code == _CAPS_LOCK:
            self._caps = not self._caps
        elif value == PRESSED and self._alt is not None:
            self._alt = (self._alt + _KEYPAD.get(code, ""))[:_MOST_DIGITS]
        elif value == PRESSED:
            return self._character(code).encode("ascii")
        return b""

    def _alt_moved(self, value: int) -> bytes:
        if value:
            self._alt = self._alt or ""
            return b""
        digits, self._alt = self._alt or "", None
        number = int(digits or 0)
        if number in _PRIVATE:
            return _LOST.encode()
        try:
            return chr(number + _BYTES if 0x80 <= number <= 0xFF else number).encode() if number else b""
        except (ValueError, OverflowError):  # no such character, or half of one
            return _LOST.encode()

    def lost(self) -> bytes:
        """What stands for events that were lost: U+FFFD, so that no name around it is believed."""
        self._shifts.clear()
        self._ctrls.clear()
        self._alt = None
        return _LOST.encode()

    def _character(self, code: int) -> str:
        char = (_SHIFTED if self._shifts else _PLAIN).get(code)
        if char is not None and self._ctrls:
            return chr(ord(char) & _CONTROL)  # some scanners type line ends as Ctrl+J and Ctrl+M
        if char is not None:
            return char.swapcase() if self._caps and char.isalpha() else char
        return _KEYPAD.get(code) or _KEYPAD_SIGNS.get(code) or _ENDS.get(code, "")


def scan_bytes(frame: bytes) -> bytes:
    """A whole scan from what `Keys` made of its events.

    Alt codes up to 255 are bytes, of a charset that is found out later; if any is above they are all characters. What
    could be either becomes U+FFFD.
    """
    text = frame.decode("utf-8", errors="replace")
    codes = {char: ord(char) - _BYTES for char in set(text) if 0x80 <= ord(char) - _BYTES <= 0xFF}
    if not codes:
        return frame
    letters = {ord(char): chr(code) for char, code in codes.items()}
    if any(char not in codes and not char.isascii() and char != _LOST for char in text):
        return text.translate(letters).encode()
    raw = b"".join(bytes([codes[char]]) if char in codes else char.encode() for char in text)
    if _TONES & set(codes.values()) or _is_utf8(raw):
        return raw
    return text.translate({at: _LOST if letter in _UNCLEAR else letter for at, letter in letters.items()}).encode()


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True
