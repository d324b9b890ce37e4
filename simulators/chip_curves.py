"""Groups for PACE and Chip Authentication on plain integers: elliptic curves and integers modulo a prime.

Own arithmetic, because generic mapping changes the base point, which no library call offers, and because the card must
not share code with the reader it tests. Not constant in time: these are keys of invented people.

Source: ICAO 9303-11 4.4.3.3 (generic mapping), 9.5.1 (parameters); BSI TR-03110-3 D.2.1 and D.3 (encodings);
BSI TR-03111 4.3.2 (key agreement).
"""

from collections.abc import Callable
from typing import Any, Final, Protocol, TypeVar

from simulators.chip_domain_parameters import CURVES, GROUPS, CurveParameters, GroupParameters

Rng = Callable[[int], bytes]
Point = tuple[int, int]
_Jacobian = tuple[int, int, int]
_WINDOW = 4
E = TypeVar("E")


class Group(Protocol[E]):
    """What a key agreement needs; elements are points or integers. `order` is that of `base`."""

    order: int
    base: E
    key_tag: int

    def power(self, element: E, exponent: int) -> E:
        """*element* combined with itself *exponent* (1 to order - 1) times. ValueError when that is the identity."""
        ...

    def combine(self, first: E, second: E) -> E:
        """The group operation. ValueError when the result is the identity."""
        ...

    def encode(self, element: E) -> bytes:
        """A public key as it travels: uncompressed point, or unsigned integer without leading zeros."""
        ...

    def decode(self, data: bytes) -> E:
        """The element of an encoded public key. ValueError when it is not an element of the group."""
        ...

    def secret(self, element: E) -> bytes:
        """A shared secret in the field's full length: the x-coordinate, or the integer."""
        ...


def scalar(order: int, rng: Rng) -> int:
    """A private key, 1 to *order* - 1: the bytes of *rng* as they are if they fit (to replay examples)."""
    value = int.from_bytes(rng((order.bit_length() + 7) // 8), "big")
    return value if 0 < value < order else value % (order - 1) + 1


class Curve:
    """An elliptic curve in short Weierstrass form with a base point of prime order; elements are affine (x, y)."""

    key_tag = 0x86

    def __init__(self, parameters: CurveParameters) -> None:
        self.name = parameters.name
        self.p, self.a, self.b = parameters.p, parameters.a, parameters.b
        self.base: Point = (parameters.x, parameters.y)
        self.order = parameters.n
        self._bytes = (self.p.bit_length() + 7) // 8

    def power(self, element: Point, exponent: int) -> Point:
        """See `Group.power`. Fixed windows of four bits in Jacobian coordinates."""
        one: _Jacobian = (element[0], element[1], 1)
        table = [one]
        for _ in range(2**_WINDOW - 2):
            table.append(self._add(table[-1], one))
        result: _Jacobian = (1, 1, 0)
        top = (exponent.bit_length() + _WINDOW - 1) // _WINDOW * _WINDOW
        for shift in range(top - _WINDOW, -1, -_WINDOW):
            for _ in range(_WINDOW):
                result = self._double(result)
            if digit := exponent >> shift & 2**_WINDOW - 1:
                result = self._add(result, table[digit - 1])
        return self._affine(result)

    def combine(self, first: Point, second: Point) -> Point:
        """See `Group.combine`."""
        return self._affine(self._add((*first, 1), (*second, 1)))

    def encode(self, element: Point) -> bytes:
        """See `Group.encode`: 04, x, y, each in the field's full length."""
        return b"\x04" + b"".join(part.to_bytes(self._bytes, "big") for part in element)

    def decode(self, data: bytes) -> Point:
        """See `Group.decode`: only uncompressed points of the right length on the curve."""
        if len(data) != 1 + 2 * self._bytes or data[0] != 4:
            raise ValueError("not an uncompressed point of this curve")
        x, y = (int.from_bytes(part, "big") for part in (data[1 : 1 + self._bytes], data[1 + self._bytes :]))
        if not (x < self.p and y < self.p and (y * y - (x * x + self.a) * x - self.b) % self.p == 0):
            raise ValueError("the point is not on the curve")
        return x, y

    def secret(self, element: Point) -> bytes:
        """See `Group.secret`."""
        return element[0].to_bytes(self._bytes, "big")

    def _affine(self, point: _Jacobian) -> Point:
        x, y, z = point
        if z == 0:
            raise ValueError("the point at infinity")
        inverse = pow(z, -1, self.p)
        square = inverse * inverse % self.p
        return x * square % self.p, y * square * inverse % self.p

    def _double(self, point: _Jacobian) -> _Jacobian:
        x, y, z = point
        p = self.p
        if z == 0 or y == 0:
            return 1, 1, 0
        yy = y * y % p
        s = 4 * x * yy % p
        zz = z * z % p
        m = (3 * x * x + self.a * (zz * zz % p)) % p
        x3 = (m * m - 2 * s) % p
        return x3, (m * (s - x3) - 8 * yy * yy) % p, 2 * y * z % p

    def _add(self, first: _Jacobian, second: _Jacobian) -> _Jacobian:
        x1, y1, z1 = first
        x2, y2, z2 = second
        p = self.p
        if z1 == 0:
            return second
        if z2 == 0:
            return first
        zz1, zz2 = z1 * z1 % p, z2 * z2 % p
        u1, u2 = x1 * zz2 % p, x2 * zz1 % p
        s1, s2 = y1 * zz2 * z2 % p, y2 * zz1 * z1 % p
        if u1 == u2:
            return self._double(first) if s1 == s2 else (1, 1, 0)
        h, r = u2 - u1, s2 - s1
        hh = h * h % p
        hhh = hh * h % p
        v = u1 * hh % p
        x3 = (r * r - hhh - 2 * v) % p
        return x3, (r * (v - x3) - s1 * hhh) % p, h * z1 * z2 % p


class ModP:
    """The subgroup of order q of the integers modulo a prime; elements are integers."""

    key_tag = 0x84

    def __init__(self, parameters: GroupParameters) -> None:
        self.p, self.base, self.order = parameters
        self._bytes = (self.p.bit_length() + 7) // 8

    def power(self, element: int, exponent: int) -> int:
        """See `Group.power`."""
        return self._proper(pow(element, exponent, self.p))

    def combine(self, first: int, second: int) -> int:
        """See `Group.combine`."""
        return self._proper(first * second % self.p)

    def encode(self, element: int) -> bytes:
        """See `Group.encode`."""
        return element.to_bytes((element.bit_length() + 7) // 8, "big")

    def decode(self, data: bytes) -> int:
        """See `Group.decode`; leading zeros up to the field's length are accepted."""
        value = int.from_bytes(data, "big")
        if len(data) > self._bytes or not 1 < value < self.p - 1 or pow(value, self.order, self.p) != 1:
            raise ValueError("not an element of this group")
        return value

    def secret(self, element: int) -> bytes:
        """See `Group.secret`."""
        return element.to_bytes(self._bytes, "big")

    def _proper(self, value: int) -> int:
        if value == 1:
            raise ValueError("the identity")
        return value


_CURVES: Final = {number: Curve(parameters) for number, parameters in CURVES.items()}
_BY_NAME: Final = {curve.name.lower(): curve for curve in _CURVES.values()}
STANDARD_GROUPS: Final[dict[int, Group[Any]]] = {
    **{number: ModP(parameters) for number, parameters in GROUPS.items()},
    **_CURVES,
}
"""Every group by its standardised parameter id: 0 to 2 modulo p, 8 to 18 curves."""


def curve_named(name: str) -> Curve:
    """The curve with that name of OpenSSL's ("secp256r1", "brainpoolP256r1", in any case). KeyError when unknown."""
    return _BY_NAME[name.lower()]
