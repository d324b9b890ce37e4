"""The pipe between the kiosk and its PC/SC child: frames, their kinds, and what the child tells of the readers.

Framed as in `kiosk.readers.pipe`, with at most ``MAX_BODY`` bytes of body. The kiosk asks one thing at a time and gets
one reply; ``READERS`` comes unasked whenever something changed. Kinds::

    kiosk to child   OPEN      reader's name (UTF-8)   take the card exclusively, as it is
                     ACTIVATE  reader's name (UTF-8)   the same if need be, and switch the chip off and on
                     TRANSMIT  command APDU
                     CLOSE     -                       let go of the card, without power
    child to kiosk   DONE      ATR, answer or nothing
                     LOST      four bytes: the PC/SC code that says why
                     READERS   JSON, see `Readers`

Source: architecture.md 4; codes and states: PC/SC workgroup part 5, ``winscard.h``.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from enum import IntEnum

from kiosk.readers.pipe import PipeError, Unpacker, pack

MAX_BODY = 70_000
"""Bytes; the longest answer of a card is 65,538 (ISO 7816-4 5.1)."""

_MAX_READERS = 64
_MAX_NAME = 256
_MAX_ATR = 33


class Kind(IntEnum):
    """What a frame is."""

    OPEN = 1
    ACTIVATE = 2
    TRANSMIT = 3
    CLOSE = 4
    DONE = 16
    LOST = 17
    READERS = 18


@dataclass(frozen=True, slots=True)
class Frame:
    """One message."""

    kind: Kind
    body: bytes = b""

    def encode(self) -> bytes:
        """The bytes on the pipe. PipeError when the body is too long."""
        return pack(self.kind, self.body, MAX_BODY)


class Unframer:
    """Collects bytes from the pipe and gives whole frames."""

    def __init__(self) -> None:
        """Start empty."""
        self._unpacker = Unpacker(MAX_BODY)

    def feed(self, data: bytes) -> list[Frame]:
        """Take in *data*, in pieces of any size; the frames it completed, oldest first. PipeError for nonsense."""
        return [Frame(_kind(kind), body) for kind, body in self._unpacker.feed(data)]


@dataclass(frozen=True, slots=True)
class Slot:
    """One PC/SC reader. *present*: a card lies there; *atr* in hex, "" while it is mute; *count* of card events."""

    name: str
    present: bool
    atr: str
    count: int


@dataclass(frozen=True, slots=True)
class Readers:
    """All readers; *code* is 0, or the PC/SC code that says why none can be listed (pcscd is not running)."""

    code: int
    slots: tuple[Slot, ...]

    def encode(self) -> bytes:
        """JSON for a READERS frame; more readers and longer names than the other side would take are left out."""
        slots = [asdict(slot) for slot in self.slots if len(slot.name) <= _MAX_NAME][:_MAX_READERS]
        return json.dumps({"code": self.code, "slots": slots}).encode()

    @classmethod
    def decode(cls, body: bytes) -> Readers:
        """Read the JSON of a READERS frame. PipeError when it is anything else."""
        try:
            document = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise PipeError("readers that are no JSON") from error
        match document:
            case {"code": int(code), "slots": list(slots)} if len(slots) <= _MAX_READERS:
                return cls(code, tuple(_slot(slot) for slot in slots))
        raise PipeError("readers without their fields")


def _slot(slot: object) -> Slot:
    match slot:
        case {"name": str(name), "present": bool(present), "atr": str(atr), "count": int(count)}:
            if len(name) <= _MAX_NAME and len(atr) <= 2 * _MAX_ATR:
                return Slot(name, present, atr, count)
    raise PipeError("a reader without its fields")


def _kind(byte: int) -> Kind:
    try:
        return Kind(byte)
    except ValueError as error:
        raise PipeError("a kind that no frame has") from error
