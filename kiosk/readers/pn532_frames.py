"""Frames of the PN532 on its serial line, and what it says of a target; pure.

Source: identity-documents.md 8.3; NXP UM0701-02 6.2.1 (frames), 7.3.5 (targets). A frame is
``00 00 FF LEN LCS TFI data DCS 00``; above 255 bytes LEN LCS become ``FF FF LENM LENL LCS``. LEN counts TFI and data;
lengths and LCS, and TFI, data and DCS, each sum up to 0 modulo 256.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

WAKE_UP = bytes.fromhex("55550000000000000000000000000000")
ACK = bytes.fromhex("0000FF00FF00")
NACK = bytes.fromhex("0000FFFF0000")

TO_CHIP = 0xD4
FROM_CHIP = 0xD5
MAX_DATA = 265
"""Bytes of TFI and data in one frame."""

_START = b"\x00\xff"
_ERROR = b"\x7f"
_ISO_DEP = 0x20
_ATQB = 0x50


class FrameError(Exception):
    """Bytes that cannot be what they should be."""


class Mark(Enum):
    """What comes over the line besides data."""

    ACK = "the chip has the command"
    NACK = "the chip wants the command again"
    ERROR = "the chip does not understand the command"
    DAMAGED = "a frame whose length or sum is wrong"


def frame(data: bytes) -> bytes:
    """The frame around *data*, which begins with TFI. FrameError when it is empty or longer than 265 bytes."""
    if not 1 <= len(data) <= MAX_DATA:
        raise FrameError("a length that no frame has")
    if len(data) <= 255:
        length = bytes((len(data), -len(data) & 0xFF))
    else:
        size = len(data).to_bytes(2, "big")
        length = b"\xff\xff" + size + bytes((-sum(size) & 0xFF,))
    return b"\x00" + _START + length + data + bytes((-sum(data) & 0xFF, 0x00))


class Unframer:
    """Collects bytes from the line and gives what they say; noise between frames is dropped."""

    def __init__(self) -> None:
        """Start empty."""
        self._line = bytearray()

    def feed(self, data: bytes) -> list[bytes | Mark]:
        """Take in *data*, in pieces of any size; marks, and the data of frames (TFI first), oldest first."""
        self._line += data
        found: list[bytes | Mark] = []
        while (item := self._next()) is not None:
            found.append(item)
        return found

    def reset(self) -> None:
        """Forget a partial frame."""
        self._line.clear()

    def _next(self) -> bytes | Mark | None:
        start = self._line.find(_START)
        if start < 0:
            del self._line[: -1 if self._line.endswith(_START[:1]) else len(self._line)]
            return None
        del self._line[:start]
        head = bytes(self._line[2:7])
        if len(head) < 2:
            return None
        if head[:2] in (b"\x00\xff", b"\xff\x00"):
            self._drop(4)
            return Mark.ACK if head[0] == 0 else Mark.NACK
        if head[:2] == b"\xff\xff":
            if len(head) < 5:
                return None
            return self._data(7, int.from_bytes(head[2:4], "big"), sum(head[2:5]))
        return self._data(4, head[0], sum(head[:2]))

    def _data(self, begin: int, size: int, length_sum: int) -> bytes | Mark | None:
        if length_sum & 0xFF or not 1 <= size <= MAX_DATA:
            self._drop(len(_START))
            return Mark.DAMAGED
        if len(self._line) <= begin + size:
            return None
        body = bytes(self._line[begin : begin + size + 1])
        self._drop(begin + len(body))
        if sum(body) & 0xFF:
            return Mark.DAMAGED
        return Mark.ERROR if body[:-1] == _ERROR else body[:-1]

    def _drop(self, size: int) -> None:
        del self._line[:size]


@dataclass(frozen=True, slots=True)
class Target:
    """A card in the field. *card_type*: hex of what is the same in each card of a make, "" if it speaks no APDUs."""

    number: int
    card_type: str


def target_a(data: bytes) -> Target | None:
    """The answer to InListPassiveTarget at 106 kbps type A, behind its code; None: no card. FrameError for nonsense.

    NbTg, then Tg, SENS_RES (2), SEL_RES, length of NFCID1, NFCID1, ATS with its length first. The identifier is
    random in a citizen card and is not kept.
    """
    if data[:1] == b"\x00":
        return None
    if len(data) < 6 or data[0] != 1:
        raise FrameError("a target of type A without its fields")
    ats = data[6 + data[5] :]
    speaks = bool(data[4] & _ISO_DEP) and len(ats) >= 1
    if speaks and len(ats) < ats[0]:
        raise FrameError("an ATS that is cut off")
    return Target(data[1], ats[: ats[0]].hex() if speaks else "")


def target_b(data: bytes) -> Target | None:
    """The answer to InListPassiveTarget at 106 kbps type B, behind its code; None: no card. FrameError for nonsense.

    NbTg, then Tg, ATQB (50, identifier (4), application data (4), protocol info (3)), ATTRIB answer. The identifier is
    random in a citizen card and is not kept.
    """
    if data[:1] == b"\x00":
        return None
    if len(data) < 14 or data[0] != 1 or data[2] != _ATQB:
        raise FrameError("a target of type B without its fields")
    return Target(data[1], data[7:14].hex())
