"""What keys mean on the keyboard a scanner pretends to be: the US layout, whatever layout this machine has.

Key codes are those of Linux input events (input-event-codes.h). Source: identity-documents.md 1.5.
"""

from __future__ import annotations

from typing import Final

PRESSED, HELD = 1, 2

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
_CAPS_LOCK: Final = 58
_MOST_DIGITS: Final = 7


class Keys:
    """Turns key events into the bytes that were scanned; codes typed with Alt up to 255 are bytes themselves."""

    def __init__(self) -> None:
        """No key is down."""
        self._shifts: set[int] = set()
        self._caps = False
        self._alt: str | None = None

    def take(self, code: int, value: int) -> bytes:
        """The bytes that this event adds: key *code* was pressed (1), held (2) or released (0)."""
        if code in _SHIFTS:
            (self._shifts.discard if value == 0 else self._shifts.add)(code)
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
        if number <= 0xFF:
            return bytes([number]) if number else b""
        try:
            return chr(number).encode("utf-8")
        except (ValueError, OverflowError):  # no such character, or half of one
            return b""

    def _character(self, code: int) -> str:
        char = (_SHIFTED if self._shifts else _PLAIN).get(code)
        if char is not None:
            return char.swapcase() if self._caps and char.isalpha() else char
        return _KEYPAD.get(code) or _KEYPAD_SIGNS.get(code) or _ENDS.get(code, "")
