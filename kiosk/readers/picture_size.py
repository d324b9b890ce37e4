"""How large a picture file says it is, read from its first bytes: pictures of a few bytes may unpack to gigabytes.

PNG (ISO/IEC 15948, 11.2.2), JPEG (ITU-T T.81, B.2.2), WebP (RFC 9649), BMP. Pure.
"""

from __future__ import annotations

from typing import Final

_NOT_FRAMES: Final = frozenset({0xC4, 0xC8, 0xCC})  # markers between those of frames: tables and an extension


def picture_size(data: bytes) -> tuple[int, int] | None:
    """Width and height in pixels, None for what is no such picture or too short to say. Never raises."""
    if data[:8] == b"\x89PNG\r\n\x1a\n" and data[12:16] == b"IHDR":
        size = _number(data[16:20]), _number(data[20:24])
    elif data[:2] == b"\xff\xd8":
        size = _jpeg(data)
    elif data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        size = _webp(data)
    elif data[:2] == b"BM" and len(data) >= 26:
        size = (
            abs(int.from_bytes(data[18:22], "little", signed=True)),
            abs(int.from_bytes(data[22:26], "little", signed=True)),
        )
    else:
        return None
    return size if all(size) else None


def _number(big_endian: bytes) -> int:
    return int.from_bytes(big_endian, "big")


def _little(data: bytes) -> int:
    return int.from_bytes(data, "little")


def _jpeg(data: bytes) -> tuple[int, int]:
    """From the header of the frame, behind any number of other segments."""
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:  # a fill byte
            at += 1
        elif 0xC0 <= marker <= 0xCF and marker not in _NOT_FRAMES:
            return _number(data[at + 7 : at + 9]), _number(data[at + 5 : at + 7])
        else:
            at += 2 + max(2, _number(data[at + 2 : at + 4]))
    return 0, 0


def _webp(data: bytes) -> tuple[int, int]:
    if len(data) < 30:
        return 0, 0
    kind = data[12:16]
    if kind == b"VP8 ":
        return _little(data[26:28]) & 0x3FFF, _little(data[28:30]) & 0x3FFF
    if kind == b"VP8L":
        bits = _little(data[21:25])
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8X":
        return _little(data[24:27]) + 1, _little(data[27:30]) + 1
    return 0, 0
