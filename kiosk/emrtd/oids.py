"""The two kinds of references in SecurityInfos, as commands carry them: object identifiers and small numbers."""

from __future__ import annotations

from asn1crypto.core import ObjectIdentifier

from kiosk.emrtd.errors import DataError

_LONGEST = 32  # bytes; every identifier in an eMRTD is shorter, and a hostile one must not cost time


def dotted(content: bytes) -> str:
    """``1.2.840...`` for the *content* octets of an OBJECT IDENTIFIER. DataError when they are none."""
    if not 1 <= len(content) <= _LONGEST or content[-1] & 0x80:
        raise DataError("a malformed object identifier")
    return str(ObjectIdentifier(contents=content).dotted)


def content(text: str) -> bytes:
    """The content octets of the OBJECT IDENTIFIER that *text* (dotted) names; *text* is one of ours."""
    return bytes(ObjectIdentifier(text).contents)


def unsigned(number: int) -> bytes:
    """A number from zero on in the fewest octets, at least one (BSI TR-03110-3 D.2.1.1)."""
    return number.to_bytes(max(1, (number.bit_length() + 7) // 8), "big")
