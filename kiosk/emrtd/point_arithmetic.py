"""Addition and multiplication of points on y^2 = x^3 + ax + b over a prime field, on Python integers.

``cryptography`` multiplies no point but its own curve's base, returns only the x coordinate of a shared point, and does
not know brainpoolP320r1; PACE maps the base point to a fresh one and needs all three. This is not constant time:
scalars that pass through here are ephemeral, guard one session with one card that lies on the reader, and are never
used again. Nothing here signs, and no long-term secret comes near.

Source: Cohen, Miyaji, Ono 1998 (modified Jacobian coordinates); Hankerson, Menezes, Vanstone 2004, algorithms 3.35
(windowed non-adjacent form), 3.41 (fixed base) and 2.26 (simultaneous inversion).
"""

from __future__ import annotations

from typing import Final

Point = tuple[int, int]
"""Affine coordinates; the point at infinity is None wherever it can occur."""

Table = tuple[tuple[Point, ...], ...]
"""Multiples of one point: row i, column j is (j + 1) * 16^i times it."""

_Jacobian = tuple[int, int, int]  # x = X/Z^2, y = Y/Z^3; infinity has Z = 0
_INFINITY: Final = (1, 1, 0)
_WINDOW: Final = 5
_TABLE_BITS: Final = 4


def add(p: int, a: int, one: Point | None, other: Point | None) -> Point | None:
    """The sum of two points of the curve with prime *p* and coefficient *a*."""
    if one is None or other is None:
        return other if one is None else one
    return _affine(p, _add_mixed(p, a, (*one, 1), other))


def multiply(p: int, a: int, scalar: int, point: Point) -> Point | None:
    """*scalar* (zero or more) times a *point* of odd order; None where that is infinity."""
    digits = _signed_digits(scalar)
    if not digits:
        return None
    odd = _odd_multiples(p, a, point, max(abs(digit) for digit, _ in digits))
    total: _Jacobian = _INFINITY
    for digit, doublings in digits:
        x, y = odd[abs(digit) >> 1]
        total = _add_mixed(p, a, total, (x, y if digit > 0 else p - y))
        total = _double(p, a, total, doublings)
    return _affine(p, total)


def table(p: int, a: int, point: Point, bits: int) -> Table:
    """What ``multiply_by_table`` needs for one *point* of a large prime order and scalars below 2^*bits*."""
    rows = []
    for _ in range(0, bits, _TABLE_BITS):
        row: list[_Jacobian] = [(*point, 1)]
        while len(row) < 1 << _TABLE_BITS:
            row.append(_add_mixed(p, a, row[-1], point))
        *multiples, point = _normalise(p, row)
        rows.append(tuple(multiples))
    return tuple(rows)


def multiply_by_table(p: int, a: int, scalar: int, rows: Table) -> Point | None:
    """*scalar* (zero or more) times the point of a ``table``, without doublings."""
    total: _Jacobian = _INFINITY
    for row in rows:
        if digit := scalar & (1 << _TABLE_BITS) - 1:
            total = _add_mixed(p, a, total, row[digit - 1])
        scalar >>= _TABLE_BITS
    return _affine(p, total)


def _signed_digits(scalar: int) -> list[tuple[int, int]]:
    """*scalar* as (odd digit, doublings that follow it), highest first; at least four zeros lie between digits."""
    digits: list[tuple[int, int]] = []
    while scalar:
        shift = (scalar & -scalar).bit_length() - 1
        scalar >>= shift
        digit = scalar & (1 << _WINDOW) - 1
        if digit >> (_WINDOW - 1):
            digit -= 1 << _WINDOW
        scalar -= digit
        digits.append((digit, shift))
    return digits[::-1]


def _odd_multiples(p: int, a: int, point: Point, largest: int) -> list[Point]:
    """1, 3, 5 ... *largest* times *point*."""
    (twice,) = _normalise(p, [_double(p, a, (*point, 1), 1)])
    multiples: list[_Jacobian] = [(*point, 1)]
    while len(multiples) <= largest >> 1:
        multiples.append(_add_mixed(p, a, multiples[-1], twice))
    return _normalise(p, multiples)


def _double(p: int, a: int, point: _Jacobian, times: int) -> _Jacobian:
    """2^*times* times *point*. aZ^4 is carried along, which saves three multiplications in each doubling."""
    x, y, z = point
    z2 = z * z % p
    az4 = a * z2 * z2 % p
    for _ in range(times):
        y2 = y * y % p
        s = 4 * x * y2 % p
        m = (3 * x * x + az4) % p
        y4 = 8 * y2 * y2 % p
        z = 2 * y * z % p
        x = (m * m - 2 * s) % p
        y = (m * (s - x) - y4) % p
        az4 = 2 * y4 * az4 % p
    return x, y, z


def _add_mixed(p: int, a: int, one: _Jacobian, other: Point) -> _Jacobian:
    x, y, z = one
    if z == 0:
        return (*other, 1)
    z2 = z * z % p
    h = (other[0] * z2 - x) % p
    r = (other[1] * z2 * z - y) % p
    if h == 0:
        return _INFINITY if r else _double(p, a, one, 1)
    h2 = h * h % p
    h3 = h * h2 % p
    v = x * h2 % p
    x = (r * r - h3 - 2 * v) % p
    return x, (r * (v - x) - y * h3) % p, z * h % p


def _affine(p: int, point: _Jacobian) -> Point | None:
    return _normalise(p, [point])[0] if point[2] else None


def _normalise(p: int, points: list[_Jacobian]) -> list[Point]:
    """Affine coordinates of finite *points* with a single inversion, which costs as much as fifty multiplications."""
    products = [1]
    for _, _, z in points:
        products.append(products[-1] * z % p)
    inverse = pow(products.pop(), -1, p)
    affine = []
    for x, y, z in reversed(points):
        zi = inverse * products.pop() % p
        inverse = inverse * z % p
        zi2 = zi * zi % p
        affine.append((x * zi2 % p, y * zi2 * zi % p))
    return affine[::-1]
