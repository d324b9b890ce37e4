"""Frames of a PN532 on a serial line, as the chip reads and writes them.

Source: identity-documents.md 8.3; NXP UM0701-02 6.2.1 (frame structure), 7.1 (error frame).
"""

from enum import Enum
from typing import Final, NamedTuple

ACK: Final = bytes.fromhex("0000FF00FF00")
ERROR: Final = bytes.fromhex("0000FF01FF7F8100")
HOST: Final = 0xD4
CHIP: Final = 0xD5
MAX_DATA: Final = 265
"""Most bytes from frame identifier to the last data byte."""

_START: Final = b"\x00\xff"
_WAKE_UP: Final = 0x55


class Kind(Enum):
    """What came over the line."""

    WAKE_UP = "a byte that wakes the chip"
    ACK = "the host has what it wants, or gives up"
    NACK = "the host wants the last answer again"
    DATA = "a command"
    DAMAGED = "a frame whose length or sum is wrong"


class Received(NamedTuple):
    """One thing that came; `data` of a command starts with the frame identifier."""

    kind: Kind
    data: bytes = b""


def encode(data: bytes) -> bytes:
    """The frame around *data*, frame identifier first: a normal one up to 255 bytes, else an extended one."""
    size = len(data)
    if size <= 0xFF:
        header = bytes((size, -size & 0xFF))
    else:
        length = size.to_bytes(2, "big")
        header = b"\xff\xff" + length + bytes((-sum(length) & 0xFF,))
    return b"\x00" + _START + header + data + bytes((-sum(data) & 0xFF, 0x00))


def take(buffer: bytearray) -> Received | None:
    """Take the next thing out of *buffer*; None when more bytes are needed. Noise in front of a frame is dropped."""
    start = buffer.find(_START)
    awake = buffer.find(_WAKE_UP, 0, start if start >= 0 else len(buffer))
    if awake >= 0:
        del buffer[: awake + 1]
        return Received(Kind.WAKE_UP)
    if start < 0:
        del buffer[: -1 if buffer.endswith(_START[:1]) else len(buffer)]
        return None
    del buffer[:start]
    body = bytes(buffer[2:])
    if len(body) < 2:
        return None
    match body[0], body[1]:
        case 0x00, 0xFF:
            del buffer[:4]
            return Received(Kind.ACK)
        case 0xFF, 0x00:
            del buffer[:4]
            return Received(Kind.NACK)
        case 0xFF, 0xFF:
            if len(body) < 5:
                return None
            return _data(buffer, 7, int.from_bytes(body[2:4], "big"), sum(body[2:5]))
    return _data(buffer, 4, body[0], sum(body[:2]))


def _data(buffer: bytearray, header: int, size: int, length_sum: int) -> Received | None:
    if length_sum & 0xFF or not 1 <= size <= MAX_DATA:
        del buffer[:2]
        return Received(Kind.DAMAGED)
    end = header + size + 1
    if len(buffer) < end:
        return None
    data = bytes(buffer[header:end])
    del buffer[:end]
    return Received(Kind.DAMAGED) if sum(data) & 0xFF else Received(Kind.DATA, data[:-1])
