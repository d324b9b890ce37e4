"""Commands of the PN532 over a serial line: acknowledged, repeated when damaged, given up in time.

Source: identity-documents.md 8.3; NXP UM0701-02 6.2 (exchange), 7.2 (SAMConfiguration, RFConfiguration, Diagnose),
7.3 (InListPassiveTarget, InDataExchange, InRelease). No APDU is ever logged.
"""

from __future__ import annotations

import time
from collections import deque
from typing import Protocol

from kiosk.readers.pn532_frames import (
    ACK,
    FROM_CHIP,
    MAX_DATA,
    NACK,
    TO_CHIP,
    WAKE_UP,
    FrameError,
    Mark,
    Target,
    Unframer,
    frame,
    target_a,
    target_b,
)

_DIAGNOSE, _FIRMWARE, _SAM, _RF, _EXCHANGE, _LIST, _RELEASE = 0x00, 0x02, 0x14, 0x32, 0x40, 0x4A, 0x52
_IC = 0x32
_NORMAL_MODE = bytes.fromhex("011401")
_FIELD_OFF, _FIELD_ON = b"\x01\x00", b"\x01\x01"
_ONE_RETRY = bytes.fromhex("05FF0101")
"""Activation is tried twice and then given up; as delivered the chip waits for a card for ever."""

_TYPE_A, _TYPE_B = b"\x01\x00", b"\x01\x03\x00"
_CARD_PRESENT = b"\x06"
_MORE = 0x40
_STATUS = 0x3F
_CHUNK = MAX_DATA - 3
_LONGEST_ANSWER = 65_538
_ACK_S = 0.5
_COMMAND_S = 2.0
_TRIES = 3
_FIELD_PAUSE_S = 0.01
"""Without the field for at least 5.1 ms a chip has surely lost its state (EMV contactless, level 1)."""


class LineDead(Exception):
    """The chip does not answer on the line, or not as a PN532."""


class Refused(Exception):
    """The chip does not know the command, or the card does not answer; ``status`` of UM0701-02 7.1, or None."""

    def __init__(self, status: int | None = None) -> None:
        """Keep the status."""
        super().__init__("refused" if status is None else f"status {status:02X}")
        self.status = status


class Line(Protocol):
    """What of a serial port is used; `read` gives up after a short time. OSError when the device is gone."""

    @property
    def in_waiting(self) -> int:
        """Bytes that have come."""
        ...

    def read(self, size: int = 1, /) -> bytes:
        """At most *size* bytes."""
        ...

    def write(self, data: bytes, /) -> int | None:
        """Send all of *data*."""
        ...


class Pn532Chip:
    """One PN532, used by one thread at a time. Every method may raise LineDead, and OSError for a port that is gone.

    *call_timeout*: seconds that a card may take for one APDU.
    """

    def __init__(self, line: Line, call_timeout: float) -> None:
        """Nothing is sent yet."""
        self._line = line
        self._call_timeout = call_timeout
        self._unframer = Unframer()
        self._heard: deque[bytes | Mark] = deque()

    def begin(self) -> None:
        """Wake the chip and set it up; LineDead when something else is there."""
        self._line.write(ACK)  # ends what the chip may still be at for someone before us
        self._line.write(WAKE_UP)
        self._command(_SAM, _NORMAL_MODE)
        if self._command(_FIRMWARE)[:1] != bytes((_IC,)):
            raise LineDead("another chip than a PN532")
        self._command(_RF, _ONE_RETRY)

    def find(self) -> Target | None:
        """Activate the card in the field, type A first, then B; None when there is none."""
        try:
            return target_a(self._command(_LIST, _TYPE_A)) or target_b(self._command(_LIST, _TYPE_B))
        except (FrameError, Refused):
            return None  # a card at the edge of the field; the next look will tell

    def present(self) -> bool:
        """Whether the activated card is still there; its state stays as it is. Refused: the chip cannot tell."""
        return self._command(_DIAGNOSE, _CARD_PRESENT)[:1] == b"\x00"

    def exchange(self, target: Target, apdu: bytes) -> bytes:
        """Carry one command APDU, chained where it is long, and give the whole answer. Refused: the card is lost."""
        pieces = [apdu[start : start + _CHUNK] for start in range(0, len(apdu), _CHUNK)] or [b""]
        for piece in pieces[:-1]:
            self._carry(target.number | _MORE, piece)
        answer, more = self._carry(target.number, pieces[-1])
        while more and len(answer) <= _LONGEST_ANSWER:
            part, more = self._carry(target.number, b"")
            answer += part
        if len(answer) < 2:
            raise Refused
        return answer

    def release(self) -> None:
        """Let go of every card and take its power."""
        self._command(_RELEASE, b"\x00")
        self._command(_RF, _FIELD_OFF)
        time.sleep(_FIELD_PAUSE_S)
        self._command(_RF, _FIELD_ON)

    def _carry(self, target: int, data: bytes) -> tuple[bytes, bool]:
        answer = self._command(_EXCHANGE, bytes((target,)) + data, self._call_timeout)
        if not answer or answer[0] & _STATUS:
            raise Refused(answer[0] & _STATUS if answer else None)
        return answer[1:], bool(answer[0] & _MORE)

    def _command(self, code: int, data: bytes = b"", within: float = _COMMAND_S) -> bytes:
        """Send a command and give its answer behind the code. Refused: a syntax error to the chip."""
        self._forget()
        self._send(frame(bytes((TO_CHIP, code)) + data))
        head = bytes((FROM_CHIP, code + 1))
        deadline = time.monotonic() + within
        for _ in range(_TRIES):
            answer = self._hear(deadline)
            while isinstance(answer, bytes) and not answer.startswith(head):
                answer = self._hear(deadline)  # late, from a command that was given up
            match answer:
                case bytes():
                    return answer[2:]
                case Mark.ERROR:
                    raise Refused
                case None:
                    break
            self._line.write(NACK)
        self._line.write(ACK)  # the chip need not go on
        raise LineDead("no answer")

    def _send(self, data: bytes) -> None:
        for _ in range(_TRIES):
            self._line.write(data)
            if self._hear(time.monotonic() + _ACK_S) is Mark.ACK:
                return
        raise LineDead("no acknowledgement")

    def _hear(self, deadline: float) -> bytes | Mark | None:
        """The next thing the chip says; None when it says nothing until *deadline*."""
        while not self._heard:
            if time.monotonic() > deadline:
                return None
            # One byte, then what has come with it: a larger read would wait out its whole time-out.
            if first := self._line.read(1):
                self._heard += self._unframer.feed(first + self._line.read(self._line.in_waiting))
        return self._heard.popleft()

    def _forget(self) -> None:
        while self._line.in_waiting and self._line.read(self._line.in_waiting):
            pass
        self._unframer.reset()
        self._heard.clear()
