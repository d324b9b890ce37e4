"""DER structures, taken apart without losing a byte: signatures and hashes cover the bytes as they were read.

The shallow walk of certificates and CMS is done here on ``tlv`` (definite lengths only: ``definite`` makes them);
``asn1crypto`` reads what has rules of its own: object identifiers, times, and names that are to be compared.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, NamedTuple

from asn1crypto import core, x509

from kiosk.emrtd import oids, tlv
from kiosk.emrtd.errors import DataError

BOOLEAN: Final = 0x01
INTEGER: Final = 0x02
BIT_STRING: Final = 0x03
OCTET_STRING: Final = 0x04
NULL: Final = 0x05
OID: Final = 0x06
UTC_TIME: Final = 0x17
GENERALIZED_TIME: Final = 0x18
SEQUENCE: Final = 0x30
CONSTRUCTED: Final = 0x20
SET: Final = 0x31

MOST_ELEMENTS: Final = 10_000
"""Of one SEQUENCE or SET; the largest real ones are revocation and master lists."""


_LONGEST_NAME: Final = 2048
_INDEFINITE: Final = 0x80
_DEEPEST: Final = 8  # indefinite lengths inside each other; CMS has six until it comes to its content


class Element(NamedTuple):
    """One TLV: its tag, its value, and both with the length between, exactly as read."""

    tag: int
    value: bytes
    raw: bytes


def elements(data: bytes) -> list[Element]:
    """All TLVs of *data*, which they must fill. DataError otherwise, or when there are more than MOST_ELEMENTS."""
    found: list[Element] = []
    at = 0
    while at < len(data):
        tag, value, end = tlv.parse_one(data, at)
        found.append(Element(tag, value, data[at:end]))
        at = end
        if len(found) > MOST_ELEMENTS:
            raise DataError("too many elements")
    return found


def only(data: bytes, tag: int) -> bytes:
    """The value of the one TLV of this *tag* that *data* is. DataError otherwise, also for bytes behind it."""
    found, value, end = tlv.parse_one(data)
    if found != tag or end != len(data):
        raise DataError(f"tag {found:X} where one {tag:X} was expected")
    return value


def definite(data: bytes) -> bytes:
    """*data*, a TLV, with definite lengths in place of indefinite ones (ISO 8825-1 8.1.3.6); others byte for byte.

    Generators of CMS write BER unless told otherwise, so issuers do although ICAO 9303-10 4.6.2 demands DER. What is
    inside a definite length is not looked at. DataError when the end is missing, or at more than eight levels.
    """
    whole, end = _definite(data, 0, _DEEPEST)
    return whole + data[end:]


def _definite(data: bytes, at: int, levels: int) -> tuple[bytes, int]:
    tag, behind = tlv.read_tag(data, at)
    if data[behind : behind + 1] != bytes((_INDEFINITE,)):
        _, _, end = tlv.parse_one(data, at)
        return data[at:end], end
    if not data[at] & CONSTRUCTED or not levels:
        raise DataError("an indefinite length that cannot be")
    parts = []
    at = behind + 1
    while data[at : at + 2] != b"\x00\x00":
        part, at = _definite(data, at, levels - 1)
        parts.append(part)
    return tlv.encode(tag, b"".join(parts)), at + 2


def octets(data: bytes) -> bytes:
    """The OCTET STRING that *data* is, in one part or (BER) in several. DataError otherwise."""
    if data[:1] != bytes((OCTET_STRING | CONSTRUCTED,)):
        return only(data, OCTET_STRING)
    return b"".join(only(part.raw, OCTET_STRING) for part in members(data, OCTET_STRING | CONSTRUCTED).rest())


def members(data: bytes, tag: int = SEQUENCE) -> Fields:
    """What is inside the one TLV of this *tag* that *data* is, to be taken one after the other."""
    return Fields(elements(only(data, tag)))


class Fields:
    """The members of a structure, taken in the order of its definition."""

    def __init__(self, found: list[Element]) -> None:
        """*found*: as ``elements`` gives them."""
        self._found = found
        self._at = 0

    def take(self, *tags: int) -> Element:
        """The next member, which must have one of these *tags* (any without). DataError otherwise."""
        element = self.maybe(*tags)
        if element is None:
            raise DataError(f"no {' or '.join(f'{tag:X}' for tag in tags) or 'more'} where one was expected")
        return element

    def maybe(self, *tags: int) -> Element | None:
        """The next member if it has one of these *tags* (any without), else None."""
        if self._at == len(self._found) or (tags and self._found[self._at].tag not in tags):
            return None
        self._at += 1
        return self._found[self._at - 1]

    def rest(self) -> list[Element]:
        """All members that are left."""
        left = self._found[self._at :]
        self._at = len(self._found)
        return left

    def end(self) -> None:
        """DataError when members are left."""
        if self._at != len(self._found):
            raise DataError(f"tag {self._found[self._at].tag:X} where nothing was expected")


@lru_cache(maxsize=256)
def dotted(oid: bytes) -> str:
    """The object identifier with this value, as numbers and dots. DataError if malformed."""
    return oids.dotted(oid)


def integer(value: bytes) -> int:
    """The INTEGER with this value. DataError if it has none."""
    if not value:
        raise DataError("an integer of no bytes")
    return int.from_bytes(value, "big", signed=True)


def octets_of_bits(value: bytes) -> bytes:
    """The BIT STRING with this value as whole octets. DataError if it has a broken one."""
    if not value or value[0]:
        raise DataError("a bit string that is not whole octets")
    return value[1:]


def instant(element: Element) -> datetime:
    """The UTCTime or GeneralizedTime as an aware datetime. DataError if it is neither."""
    kind = {UTC_TIME: core.UTCTime, GENERALIZED_TIME: core.GeneralizedTime}.get(element.tag)
    if kind is None:
        raise DataError(f"tag {element.tag:X} where a time was expected")
    with foreign_parser("a time"):
        native = kind(contents=element.value).native
        if not isinstance(native, datetime) or native.tzinfo is None:  # years beyond datetime, or local time
            raise DataError("a time that is none in UTC")
        return native.astimezone(UTC)


@lru_cache(maxsize=2048)
def name_key(name: bytes) -> str | bytes:
    """What two DER names have in common that are equal by RFC 5280 7.1 (letter case, spaces, kind of string).

    Issuers do write their name in one way in their own certificate and in another in those they sign. A name that
    cannot be normalised, or is longer than any issuer's, is its own key: it would cost a second, and stay in the cache.
    """
    if len(name) > _LONGEST_NAME:
        return name
    try:
        with foreign_parser("a name"):
            return str(x509.Name.load(name, strict=True).hashable)
    except DataError:
        return name


def same_name(one: bytes, other: bytes) -> bool:
    """Whether two DER names are equal by RFC 5280 7.1."""
    return one == other or name_key(one) == name_key(other)


@contextmanager
def foreign_parser(what: str) -> Iterator[None]:
    """Whatever a parser of others raises over bytes of a chip leaves as DataError about *what*."""
    try:
        yield
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError) as error:
        raise DataError(f"{what} that cannot be read") from error
