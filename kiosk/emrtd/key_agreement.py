"""Diffie-Hellman as PACE and Chip Authentication need it, the same over elliptic curves and over prime fields.

Public keys and generators are octet strings in the form that goes over the line; private keys are integers.
Source: ICAO 9303-11 9.4 to 9.6, BSI TR-03111 4.3.1, RFC 3279 2.3.3 and 2.3.5 (keys in SubjectPublicKeyInfo).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Final, Protocol

from cryptography.hazmat.primitives.asymmetric import ec

from kiosk.emrtd import curves, dh_groups, oids, tlv
from kiosk.emrtd.curves import Curve
from kiosk.emrtd.dh_groups import DhGroup
from kiosk.emrtd.errors import DataError

_EC_KEYS: Final = frozenset({"1.2.840.10045.2.1", "1.3.132.1.12"})  # id-ecPublicKey, id-ecDH
_DH_KEYS: Final = frozenset({"1.2.840.113549.1.3.1", "1.2.840.10046.2.1"})  # PKCS #3, X9.42
_STANDARDIZED: Final = "0.4.0.127.0.7.1.2"


class Group(Protocol):
    """A group of one kind or the other. Whatever comes from the chip is checked; DataError when it is no key."""

    key_tag: ClassVar[int]
    """The tag of a public key in the data object 7F49: 86 or 84 (BSI TR-03110-3 D.3)."""

    @property
    def name(self) -> str:
        """For messages."""
        ...

    @property
    def key_bytes(self) -> int:
        """Length of the longest public key."""
        ...

    def scalar(self, rng: Callable[[int], bytes]) -> int:
        """A fresh private key, never 0, the same for the same bytes of *rng*."""
        ...

    def public_key(self, scalar: int, generator: bytes | None = None) -> bytes:
        """The public key of a private one, over the group's own or a mapped *generator*."""
        ...

    def agree(self, scalar: int, public: bytes) -> bytes:
        """The shared secret with the holder of *public*; always of the same length."""
        ...

    def map_generator(self, nonce: bytes, scalar: int, public: bytes) -> bytes:
        """PACE's generic mapping (ICAO 9303-11 4.4.3.3.1)."""
        ...


@dataclass(frozen=True, slots=True)
class EcGroup:
    """The points of a *curve*."""

    curve: Curve

    key_tag: ClassVar[int] = 0x86

    @property
    def name(self) -> str:
        """The curve's."""
        return self.curve.name

    @property
    def key_bytes(self) -> int:
        """Length of an uncompressed point."""
        return 1 + 2 * self.curve.field_bytes

    def scalar(self, rng: Callable[[int], bytes]) -> int:
        """See ``Curve.scalar``."""
        return self.curve.scalar(rng)

    def public_key(self, scalar: int, generator: bytes | None = None) -> bytes:
        """*scalar* times the base point, or times a mapped *generator*."""
        if generator is None:
            point = self.curve.multiply_base(scalar)
        else:
            point = self.curve.multiply(scalar, self.curve.decode(generator))
        if point is None:
            raise DataError("a public key at infinity")
        return self.curve.encode(point)

    def agree(self, scalar: int, public: bytes) -> bytes:
        """The x coordinate of *scalar* times *public*, with its leading zeros."""
        point = self.curve.decode(public)
        if self.curve.crypto is not None:
            curve = self.curve.crypto()
            return ec.derive_private_key(scalar, curve).exchange(
                ec.ECDH(), ec.EllipticCurvePublicNumbers(*point, curve).public_key()
            )
        shared = self.curve.multiply(scalar, point)
        if shared is None:
            raise DataError("a shared point at infinity")
        return self.curve.encode_coordinate(shared[0])

    def map_generator(self, nonce: bytes, scalar: int, public: bytes) -> bytes:
        """nonce * G + scalar * public."""
        shared = self.curve.multiply(scalar, self.curve.decode(public))
        mapped = self.curve.add(self.curve.multiply_base(int.from_bytes(nonce, "big")), shared)
        if mapped is None:
            raise DataError("a mapped generator at infinity")
        return self.curve.encode(mapped)


def standardized(parameter_id: int) -> Group | None:
    """The group of ICAO's standardized domain parameters with this number, or None."""
    curve = curves.by_parameter_id(parameter_id)
    return dh_groups.standardized(parameter_id) if curve is None else EcGroup(curve)


def from_algorithm(der: bytes) -> Group:
    """The group that an AlgorithmIdentifier names or writes out. DataError for unknown ones."""
    parts = list(tlv.iterate(tlv.expect(der, 0x30)))
    if len(parts) != 2 or parts[0][0] != 0x06:
        raise DataError("an algorithm without parameters")
    algorithm = oids.dotted(parts[0][1])
    tag, value = parts[1]
    if algorithm in _EC_KEYS:
        return EcGroup(curves.from_parameters(tlv.encode(tag, value)))
    if algorithm in _DH_KEYS and tag == 0x30:
        return _written_out(value, with_order=algorithm == "1.2.840.10046.2.1")
    group = standardized(int.from_bytes(value, "big")) if algorithm == _STANDARDIZED and tag == 0x02 else None
    if group is None:
        raise DataError(f"key agreement with algorithm {algorithm} is not known")
    return group


def from_spki(der: bytes) -> tuple[Group, bytes]:
    """Group and public key (in the form that ``Group.agree`` takes) of a SubjectPublicKeyInfo.

    DataError for unknown algorithms and curves, and for a point that is not on its curve; whether an integer belongs to
    its group is checked when it is used.
    """
    parts = list(tlv.iterate(tlv.expect(der, 0x30)))
    if [tag for tag, _ in parts] != [0x30, 0x03] or parts[1][1][:1] != b"\x00":
        raise DataError("no SubjectPublicKeyInfo")
    group = from_algorithm(tlv.encode(0x30, parts[0][1]))
    key = parts[1][1][1:]
    if isinstance(group, EcGroup):
        group.curve.decode(key)
        return group, key
    return group, tlv.expect(key, 0x02).lstrip(b"\x00")


def _written_out(value: bytes, *, with_order: bool) -> DhGroup:
    numbers = [int.from_bytes(item, "big") for tag, item in tlv.iterate(value) if tag == 0x02]
    if len(numbers) < (3 if with_order else 2):
        raise DataError("Diffie-Hellman parameters are cut off")
    for group in dh_groups.GROUPS:
        if (group.p, group.g) == (numbers[0], numbers[1]):
            return group
    return DhGroup("the chip's own group", numbers[0], numbers[1], numbers[2] if with_order else None)
