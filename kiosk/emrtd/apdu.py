"""Commands and responses of ISO 7816-4, and the channel that carries them.

A channel has one method, ``send``. ``PlainChannel`` is the lowest; secure messaging is one more channel over it. So
reading a file is the same code with and without protection.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from kiosk.emrtd.errors import ChipLost, DataError, status_name

Transmit = Callable[[bytes], bytes]
"""One command APDU in, data field and SW1 SW2 out; raises ChipLost when the card is gone, and nothing else."""

SHORT_LE: Final = 256
EXTENDED_LE: Final = 65_536

_NAMES: Final = {
    0x22: "MANAGE SECURITY ENVIRONMENT",
    0x82: "EXTERNAL AUTHENTICATE",
    0x84: "GET CHALLENGE",
    0x86: "GENERAL AUTHENTICATE",
    0x88: "INTERNAL AUTHENTICATE",
    0xA4: "SELECT",
    0xB0: "READ BINARY",
    0xB1: "READ BINARY",
    0xC0: "GET RESPONSE",
}


@dataclass(frozen=True, slots=True)
class Command:
    """A command. ``le``: bytes expected, 1 to 65,536; None: no answer data expected (ISO 7816-4 5.1)."""

    ins: int
    p1: int = 0
    p2: int = 0
    data: bytes = b""
    le: int | None = None
    cla: int = 0

    @property
    def name(self) -> str:
        """The instruction's name in the standard, for messages."""
        return _NAMES.get(self.ins, f"INS {self.ins:02X}")

    @property
    def header(self) -> bytes:
        """CLA INS P1 P2."""
        return bytes((self.cla, self.ins, self.p1, self.p2))

    @property
    def extended(self) -> bool:
        """Whether the lengths need the extended form."""
        return len(self.data) > 255 or (self.le is not None and self.le > SHORT_LE)

    def encode(self) -> bytes:
        """The bytes on the line: short lengths where they suffice, else extended ones for both (ISO 7816-4 5.1)."""
        out = bytearray(self.header)
        if self.extended:
            if self.data:
                out += b"\x00" + len(self.data).to_bytes(2, "big") + self.data
            if self.le is not None:
                out += (b"" if self.data else b"\x00") + (self.le % EXTENDED_LE).to_bytes(2, "big")
        else:
            if self.data:
                out += bytes((len(self.data),)) + self.data
            if self.le is not None:
                out.append(self.le % SHORT_LE)
        return bytes(out)


@dataclass(frozen=True, slots=True)
class Response:
    """What the chip answered: the data field and the status word."""

    data: bytes
    sw: int

    @property
    def ok(self) -> bool:
        """True for 9000."""
        return self.sw == 0x9000

    @classmethod
    def decode(cls, raw: bytes) -> Response:
        """Split the bytes of an answer; DataError when there is not even a status word."""
        if len(raw) < 2:
            raise DataError("an answer without a status word")
        return cls(raw[:-2], int.from_bytes(raw[-2:], "big"))

    def __str__(self) -> str:
        """Length and status word: what may be logged."""
        return f"{len(self.data)} bytes, {self.sw:04X} {status_name(self.sw)}"


class Channel(Protocol):
    """Anything that carries commands to the chip and brings back answers."""

    def send(self, command: Command) -> Response:
        """Carry one command. ChipLost when the card is gone; a status word of refusal is an answer, not an error."""
        ...


class PlainChannel:
    """Commands as they are; collects answers that the chip hands out in parts (61xx) and corrects Le once (6Cxx).

    Source: ISO 7816-4 5.1.5 (T=0 status words, which dual-interface chips also send through contact readers).
    """

    def __init__(self, transmit: Transmit) -> None:
        """*transmit* carries bytes."""
        self._transmit = transmit

    def send(self, command: Command) -> Response:
        """One command and its whole answer."""
        response = self._exchange(command)
        if response.sw >> 8 == 0x6C and command.le is not None:
            exact = Command(
                command.ins, command.p1, command.p2, command.data, (response.sw & 0xFF) or SHORT_LE, command.cla
            )
            response = self._exchange(exact)
        data = response.data
        while response.sw >> 8 == 0x61 and len(data) <= EXTENDED_LE:
            response = self._exchange(Command(0xC0, le=(response.sw & 0xFF) or SHORT_LE, cla=command.cla & 0x03))
            if not response.data:  # or a chip that promises more for ever would hold us for ever
                break
            data += response.data
        return Response(data, response.sw)

    def _exchange(self, command: Command) -> Response:
        raw = self._transmit(command.encode())
        if len(raw) < 2:  # a reader that answers nothing has lost the card
            raise ChipLost("no status word")
        return Response.decode(raw)
