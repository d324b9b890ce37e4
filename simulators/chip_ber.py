"""Writing BER-TLV as chips store it (ISO 7816-4 5.2.2)."""


def tlv(tag: int, *parts: bytes) -> bytes:
    """One data object: `tag` as a number (`0x5F1F`), the parts in a row, the shortest length.

    OverflowError past 65,535 bytes.
    """
    value = b"".join(parts)
    size = len(value)
    if size < 0x80:
        length = bytes((size,))
    elif size < 0x100:
        length = bytes((0x81, size))
    else:
        length = b"\x82" + size.to_bytes(2, "big")
    return tag.to_bytes(2 if tag > 0xFF else 1, "big") + length + value


def integer(number: int) -> bytes:
    """An INTEGER of 0 to 127."""
    return tlv(0x02, bytes((number,)))


def oid(dotted: str) -> bytes:
    """An OBJECT IDENTIFIER whose first arc is 0 to 2, such as `0.4.0.127.0.7.2.2.4.2.2`."""
    first, second, *arcs = (int(arc) for arc in dotted.split("."))
    return tlv(0x06, b"".join(_base128(arc) for arc in (first * 40 + second, *arcs)))


def _base128(number: int) -> bytes:
    septets = [number & 0x7F]
    while number := number >> 7:
        septets.append(number & 0x7F | 0x80)
    return bytes(reversed(septets))
