"""ECDSA with public keys on the curves that ``cryptography`` lacks: brainpoolP224r1 and brainpoolP320r1.

Only checking, and only of what is public; where that library knows the curve, it does the work.

Source: BSI TR-03111 4.2.1.2 (verification), FIPS 186-4 6.4.
"""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.emrtd.curves import Curve
from kiosk.emrtd.point_arithmetic import Point


@dataclass(frozen=True, slots=True)
class CurveKey:
    """The public key *point*, which lies on *curve* (``Curve.decode`` has made sure)."""

    curve: Curve
    point: Point

    @property
    def key_size(self) -> int:
        """Bits of the field."""
        return self.curve.p.bit_length()

    def verify(self, r: int, s: int, digest: bytes) -> bool:
        """Whether (*r*, *s*) is this key's signature over what has the hash *digest*."""
        n = self.curve.n
        if not (0 < r < n and 0 < s < n):
            return False
        hashed = int.from_bytes(digest, "big") >> max(0, len(digest) * 8 - n.bit_length())
        inverse = pow(s, -1, n)
        found = self.curve.add(
            self.curve.multiply(hashed * inverse, self.curve.g), self.curve.multiply(r * inverse, self.point)
        )
        return found is not None and found[0] % n == r
