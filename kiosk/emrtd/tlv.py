"""BER-TLV as eMRTDs use it (ISO 7816-4 5.2.2): definite lengths, tags of up to three bytes."""

from __future__ import annotations

from collections.abc import Iterator

from kiosk.emrtd.errors import DataError


def read_tag(data: bytes, at: int) -> tuple[int, int]:
    """The tag at offset *at* as one number (``5F1F`` is 0x5F1F) and the offset behind it. DataError if cut off."""
    if at >= len(data):
        raise DataError("a tag is cut off")
    tag = data[at]
    at += 1
    if tag & 0x1F == 0x1F:
        for _ in range(2):
            if at >= len(data):
                raise DataError("a tag is cut off")
            tag = tag << 8 | data[at]
            at += 1
            if not data[at - 1] & 0x80:
                return tag, at
        raise DataError("a tag of more than three bytes")
    return tag, at


def read_length(data: bytes, at: int) -> tuple[int, int]:
    """The length at offset *at* and the offset behind it; 1 to 4 bytes, definite. DataError otherwise."""
    if at >= len(data):
        raise DataError("a length is cut off")
    first = data[at]
    at += 1
    if first < 0x80:
        return first, at
    count = first & 0x7F
    if not 1 <= count <= 3 or at + count > len(data):
        raise DataError("a length is cut off, indefinite or too large")
    return int.from_bytes(data[at : at + count], "big"), at + count


def total_length(head: bytes) -> int:
    """Bytes of the whole TLV whose first bytes are *head* (6 are always enough). DataError if they are not a TLV."""
    _, at = read_tag(head, 0)
    length, at = read_length(head, at)
    return at + length


def parse_one(data: bytes, at: int = 0) -> tuple[int, bytes, int]:
    """Tag, value and the offset behind the TLV at *at*. DataError if it does not fit in *data*."""
    tag, at = read_tag(data, at)
    length, at = read_length(data, at)
    if at + length > len(data):
        raise DataError("a value is cut off")
    return tag, data[at : at + length], at + length


def iterate(data: bytes) -> Iterator[tuple[int, bytes]]:
    """All TLVs of *data*, in order; DataError at the first that does not fit."""
    at = 0
    while at < len(data):
        tag, value, at = parse_one(data, at)
        yield tag, value


def expect(data: bytes, tag: int) -> bytes:
    """The value of *data*, which must start with a TLV of this *tag*; what follows it is padding of the file."""
    found, value, _ = parse_one(data)
    if found != tag:
        raise DataError(f"tag {found:X} where {tag:X} was expected")
    return value


def find(data: bytes, tag: int) -> bytes | None:
    """The value of the first TLV of this *tag* among those of *data*, or None."""
    return next((value for found, value in iterate(data) if found == tag), None)


def encode(tag: int, value: bytes) -> bytes:
    """One TLV, with the shortest length."""
    size = len(value)
    if size < 0x80:
        length = bytes((size,))
    else:
        width = (size.bit_length() + 7) // 8
        length = bytes((0x80 | width,)) + size.to_bytes(width, "big")
    return tag.to_bytes(max(1, (tag.bit_length() + 7) // 8), "big") + length + value
