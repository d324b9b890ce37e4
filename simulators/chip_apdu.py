"""Command APDUs and BER-TLV objects as a card reads them: strictly, refusing what the standard does not allow.

Source: ISO 7816-4 5.1 (cases 1 to 4, short and extended), 5.2.2 (BER-TLV).
"""

from dataclasses import dataclass
from typing import Final, NamedTuple

_SHORT_LE: Final = 256
_EXTENDED_LE: Final = 65536


class Refused(Exception):
    """A command that the card answers with a status word alone."""

    def __init__(self, sw: int) -> None:
        super().__init__(f"{sw:04X}")
        self.sw = sw


@dataclass(frozen=True)
class Apdu:
    """One command. `le` is the number of bytes asked for (None: none; 00 is 256, or 65,536 in the extended form)."""

    cla: int
    ins: int
    p1: int
    p2: int
    data: bytes = b""
    le: int | None = None
    extended: bool = False

    @property
    def header(self) -> bytes:
        """CLA, INS, P1 and P2."""
        return bytes((self.cla, self.ins, self.p1, self.p2))

    @property
    def p1p2(self) -> int:
        """P1 and P2 as one number."""
        return self.p1 << 8 | self.p2

    @property
    def open_ended(self) -> bool:
        """True when Le asks for whatever there is."""
        return self.le == (_EXTENDED_LE if self.extended else _SHORT_LE)


class Object(NamedTuple):
    """A data object: its tag, its value, and all of its bytes as they came."""

    tag: int
    value: bytes
    raw: bytes


def parse_apdu(raw: bytes) -> Apdu:
    """The command in *raw*. Refused(6700) when its lengths do not add up."""
    if len(raw) < 4:
        raise Refused(0x6700)
    cla, ins, p1, p2, *_ = raw
    body = raw[4:]
    if not body:
        return Apdu(cla, ins, p1, p2)
    if len(body) == 1:
        return Apdu(cla, ins, p1, p2, le=body[0] or _SHORT_LE)
    extended = body[0] == 0
    width = 2 if extended else 1
    rest = body[1:] if extended else body
    if extended and len(rest) == width:
        return Apdu(cla, ins, p1, p2, le=int.from_bytes(rest, "big") or _EXTENDED_LE, extended=True)
    size = int.from_bytes(rest[:width], "big")
    data, tail = rest[width : width + size], rest[width + size :]
    if size == 0 or len(data) != size or len(tail) not in (0, width):
        raise Refused(0x6700)
    le = (int.from_bytes(tail, "big") or (_EXTENDED_LE if extended else _SHORT_LE)) if tail else None
    return Apdu(cla, ins, p1, p2, data=data, le=le, extended=extended)


def parse_objects(data: bytes) -> list[Object]:
    """The data objects in a row in *data*, definite lengths of up to three bytes. ValueError for anything else."""
    objects = []
    while data:
        tag_bytes = 1
        if data[0] & 0x1F == 0x1F:
            tag_bytes = 2
        tag = int.from_bytes(data[:tag_bytes], "big")
        rest = data[tag_bytes:]
        if not rest or rest[0] == 0x80 or rest[0] > 0x83:
            raise ValueError("no length")
        length_bytes = 1 + (rest[0] & 0x7F if rest[0] > 0x80 else 0)
        size = rest[0] if length_bytes == 1 else int.from_bytes(rest[1:length_bytes], "big")
        end = tag_bytes + length_bytes + size
        if len(rest) < length_bytes or len(data) < end:
            raise ValueError("cut short")
        objects.append(Object(tag, rest[length_bytes : length_bytes + size], data[:end]))
        data = data[end:]
    return objects


def wrapped(data: bytes, tag: int) -> dict[int, bytes]:
    """The objects inside the one object of *tag* that *data* is. Refused(6A80) when it is not, or names a tag twice."""
    try:
        outer = parse_objects(data)
        if len(outer) != 1 or outer[0].tag != tag:
            raise ValueError("another object was expected")
        return distinct(outer[0].value)
    except ValueError:
        raise Refused(0x6A80) from None


def distinct(data: bytes) -> dict[int, bytes]:
    """The objects in *data* by tag. ValueError when they cannot be parsed or a tag comes twice."""
    objects = parse_objects(data)
    found = {item.tag: item.value for item in objects}
    if len(found) != len(objects):
        raise ValueError("an object came twice")
    return found
