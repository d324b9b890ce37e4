"""The elliptic curves of eMRTDs: domain parameters, and the fixed-length encodings of points and coordinates.

Source: ICAO 9303-11 9.5.1 (standardized domain parameters), FIPS 186-4 D.1.2 and RFC 5639 3 (values), BSI TR-03111 3.2
(encoding of points), RFC 3279 2.3.5 (explicit parameters).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec

from kiosk.emrtd import oids, point_arithmetic, tlv
from kiosk.emrtd.errors import DataError
from kiosk.emrtd.point_arithmetic import Point

_TAG_INTEGER: Final = 0x02
_TAG_OCTETS: Final = 0x04
_TAG_OID: Final = 0x06
_TAG_SEQUENCE: Final = 0x30


@dataclass(frozen=True, slots=True)
class Curve:
    """y^2 = x^3 + ax + b over the prime field *p*, base point *g* of prime order *n*, cofactor *h* (1 for all here).

    ``parameter_id``: number among ICAO's standardized domain parameters. ``crypto``: the curve's class in
    ``cryptography``, None where that library lacks it.
    """

    name: str
    p: int
    a: int
    b: int
    n: int
    g: Point
    h: int
    parameter_id: int | None
    oid: str | None
    crypto: type[ec.EllipticCurve] | None

    @property
    def field_bytes(self) -> int:
        """Length of one encoded coordinate."""
        return (self.p.bit_length() + 7) // 8

    def contains(self, point: Point) -> bool:
        """Whether *point* lies on the curve; with cofactor 1 that also means in the group of the base point."""
        x, y = point
        return 0 <= x < self.p and 0 <= y < self.p and (y * y - (x * x + self.a) * x - self.b) % self.p == 0

    def encode(self, point: Point) -> bytes:
        """``04 || X || Y``, both of the field's length (BSI TR-03111 3.2.1)."""
        return b"\x04" + self.encode_coordinate(point[0]) + self.encode_coordinate(point[1])

    def encode_coordinate(self, value: int) -> bytes:
        """A field element with its leading zeros: the form of a shared secret too (BSI TR-03111 4.3.1)."""
        return value.to_bytes(self.field_bytes, "big")

    def decode(self, data: bytes) -> Point:
        """The point of an uncompressed encoding. DataError: wrong form or length, infinity, not on the curve."""
        size = self.field_bytes
        if len(data) != 1 + 2 * size or data[0] != 4:
            raise DataError(f"{len(data)} bytes are no uncompressed point of {self.name}")
        point = int.from_bytes(data[1 : 1 + size], "big"), int.from_bytes(data[1 + size :], "big")
        if not self.contains(point):
            raise DataError(f"a point that is not on {self.name}")
        return point

    def scalar(self, rng: Callable[[int], bytes]) -> int:
        """A secret scalar in 1 to n-1, the same for the same bytes of *rng*.

        Eight bytes more than the order has are drawn, so that the remainder is as good as uniform (FIPS 186-4 B.4.1).
        """
        return int.from_bytes(rng((self.n.bit_length() + 7) // 8 + 8), "big") % (self.n - 1) + 1

    def add(self, one: Point | None, other: Point | None) -> Point | None:
        """The sum of two points of this curve; None is infinity."""
        return point_arithmetic.add(self.p, self.a, one, other)

    def multiply(self, scalar: int, point: Point) -> Point | None:
        """*scalar*, any integer, times a *point* of this curve; None (infinity) for multiples of the order."""
        return point_arithmetic.multiply(self.p, self.a, scalar % self.n, point)

    def multiply_base(self, scalar: int) -> Point | None:
        """*scalar* times the base point; the first call for a curve can take as long as thirty later ones."""
        scalar %= self.n
        # OpenSSL has code of its own for NIST's curves; for all others it is slower than a table even in Python.
        if self.crypto is None or self.name.startswith("brainpool") or scalar == 0:
            return point_arithmetic.multiply_by_table(self.p, self.a, scalar, _base_table(self))
        numbers = ec.derive_private_key(scalar, self.crypto()).public_key().public_numbers()
        return numbers.x, numbers.y


@cache
def _base_table(curve: Curve) -> point_arithmetic.Table:
    return point_arithmetic.table(curve.p, curve.a, curve.g, curve.n.bit_length())


def by_oid(oid: str) -> Curve | None:
    """The curve with this dotted object identifier."""
    return next((curve for curve in CURVES if curve.oid == oid), None)


def by_parameter_id(parameter_id: int) -> Curve | None:
    """The curve of ICAO's standardized domain parameters of this number (10 to 18 are known)."""
    return next((curve for curve in CURVES if curve.parameter_id == parameter_id), None)


def from_parameters(der: bytes) -> Curve:
    """The curve that *der*, an X9.62 EcpkParameters, means: an object identifier, or all parameters written out.

    Written-out parameters (usual in eMRTDs: ICAO 9303-12 4.4 demands them) must equal those of a known curve; a seed
    and the base point's form do not matter. DataError for unknown curves and for what is no EcpkParameters.
    """
    tag, value, _ = tlv.parse_one(der)
    if tag == _TAG_OID:
        curve = by_oid(oids.dotted(value))
    elif tag == _TAG_SEQUENCE:
        curve = _by_values(value)
    else:
        raise DataError("neither a named curve nor explicit curve parameters")
    if curve is None:
        raise DataError("an elliptic curve that is not among the known ones")
    return curve


def _by_values(value: bytes) -> Curve | None:
    parts = [item for tag, item in tlv.iterate(value) if tag in (_TAG_SEQUENCE, _TAG_OCTETS, _TAG_INTEGER)]
    if len(parts) < 5:  # version, field, coefficients, base point, order, and perhaps the cofactor
        raise DataError("explicit curve parameters are cut off")
    prime = tlv.find(parts[1], _TAG_INTEGER)
    coefficients = [int.from_bytes(item, "big") for tag, item in tlv.iterate(parts[2]) if tag == _TAG_OCTETS]
    if prime is None or len(coefficients) < 2:
        raise DataError("explicit curve parameters without a prime or coefficients")
    found = int.from_bytes(prime, "big"), coefficients[0], coefficients[1], int.from_bytes(parts[4], "big")
    for curve in CURVES:
        if found == (curve.p, curve.a, curve.b, curve.n):
            base = parts[3][1 : 1 + curve.field_bytes]
            return curve if base == curve.encode_coordinate(curve.g[0]) else None
    return None


def _curve(name: str, parameter_id: int, oid: str, crypto: type[ec.EllipticCurve] | None, **values: str) -> Curve:
    p, a, b, gx, gy, n = (int(values[key], 16) for key in ("p", "a", "b", "gx", "gy", "n"))
    return Curve(name, p, a, b, n, (gx, gy), 1, parameter_id, oid, crypto)


CURVES: Final = (
    _curve(
        "secp224r1",
        10,
        "1.3.132.0.33",
        ec.SECP224R1,
        p="FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF000000000000000000000001",
        a="FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFE",
        b="B4050A850C04B3ABF54132565044B0B7D7BFD8BA270B39432355FFB4",
        gx="B70E0CBD6BB4BF7F321390B94A03C1D356C21122343280D6115C1D21",
        gy="BD376388B5F723FB4C22DFE6CD4375A05A07476444D5819985007E34",
        n="FFFFFFFFFFFFFFFFFFFFFFFFFFFF16A2E0B8F03E13DD29455C5C2A3D",
    ),
    _curve(
        "brainpoolP224r1",
        11,
        "1.3.36.3.3.2.8.1.1.5",
        None,
        p="D7C134AA264366862A18302575D1D787B09F075797DA89F57EC8C0FF",
        a="68A5E62CA9CE6C1C299803A6C1530B514E182AD8B0042A59CAD29F43",
        b="2580F63CCFE44138870713B1A92369E33E2135D266DBB372386C400B",
        gx="0D9029AD2C7E5CF4340823B2A87DC68C9E4CE3174C1E6EFDEE12C07D",
        gy="58AA56F772C0726F24C6B89E4ECDAC24354B9E99CAA3F6D3761402CD",
        n="D7C134AA264366862A18302575D0FB98D116BC4B6DDEBCA3A5A7939F",
    ),
    _curve(
        "secp256r1",
        12,
        "1.2.840.10045.3.1.7",
        ec.SECP256R1,
        p="FFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF",
        a="FFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFC",
        b="5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B",
        gx="6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296",
        gy="4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5",
        n="FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551",
    ),
    _curve(
        "brainpoolP256r1",
        13,
        "1.3.36.3.3.2.8.1.1.7",
        ec.BrainpoolP256R1,
        p="A9FB57DBA1EEA9BC3E660A909D838D726E3BF623D52620282013481D1F6E5377",
        a="7D5A0975FC2C3057EEF67530417AFFE7FB8055C126DC5C6CE94A4B44F330B5D9",
        b="26DC5C6CE94A4B44F330B5D9BBD77CBF958416295CF7E1CE6BCCDC18FF8C07B6",
        gx="8BD2AEB9CB7E57CB2C4B482FFC81B7AFB9DE27E1E3BD23C23A4453BD9ACE3262",
        gy="547EF835C3DAC4FD97F8461A14611DC9C27745132DED8E545C1D54C72F046997",
        n="A9FB57DBA1EEA9BC3E660A909D838D718C397AA3B561A6F7901E0E82974856A7",
    ),
    _curve(
        "brainpoolP320r1",
        14,
        "1.3.36.3.3.2.8.1.1.9",
        None,
        p="D35E472036BC4FB7E13C785ED201E065F98FCFA6F6F40DEF4F92B9EC7893EC28FCD412B1F1B32E27",
        a="3EE30B568FBAB0F883CCEBD46D3F3BB8A2A73513F5EB79DA66190EB085FFA9F492F375A97D860EB4",
        b="520883949DFDBC42D3AD198640688A6FE13F41349554B49ACC31DCCD884539816F5EB4AC8FB1F1A6",
        gx="43BD7E9AFB53D8B85289BCC48EE5BFE6F20137D10A087EB6E7871E2A10A599C710AF8D0D39E20611",
        gy="14FDD05545EC1CC8AB4093247F77275E0743FFED117182EAA9C77877AAAC6AC7D35245D1692E8EE1",
        n="D35E472036BC4FB7E13C785ED201E065F98FCFA5B68F12A32D482EC7EE8658E98691555B44C59311",
    ),
    _curve(
        "secp384r1",
        15,
        "1.3.132.0.34",
        ec.SECP384R1,
        p="FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEFFFFFFFF0000000000000000FFFFFFFF",
        a="FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEFFFFFFFF0000000000000000FFFFFFFC",
        b="B3312FA7E23EE7E4988E056BE3F82D19181D9C6EFE8141120314088F5013875AC656398D8A2ED19D2A85C8EDD3EC2AEF",
        gx="AA87CA22BE8B05378EB1C71EF320AD746E1D3B628BA79B9859F741E082542A385502F25DBF55296C3A545E3872760AB7",
        gy="3617DE4A96262C6F5D9E98BF9292DC29F8F41DBD289A147CE9DA3113B5F0B8C00A60B1CE1D7E819D7A431D7C90EA0E5F",
        n="FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973",
    ),
    _curve(
        "brainpoolP384r1",
        16,
        "1.3.36.3.3.2.8.1.1.11",
        ec.BrainpoolP384R1,
        p="8CB91E82A3386D280F5D6F7E50E641DF152F7109ED5456B412B1DA197FB71123ACD3A729901D1A71874700133107EC53",
        a="7BC382C63D8C150C3C72080ACE05AFA0C2BEA28E4FB22787139165EFBA91F90F8AA5814A503AD4EB04A8C7DD22CE2826",
        b="04A8C7DD22CE28268B39B55416F0447C2FB77DE107DCD2A62E880EA53EEB62D57CB4390295DBC9943AB78696FA504C11",
        gx="1D1C64F068CF45FFA2A63A81B7C13F6B8847A3E77EF14FE3DB7FCAFE0CBD10E8E826E03436D646AAEF87B2E247D4AF1E",
        gy="8ABE1D7520F9C2A45CB1EB8E95CFD55262B70B29FEEC5864E19C054FF99129280E4646217791811142820341263C5315",
        n="8CB91E82A3386D280F5D6F7E50E641DF152F7109ED5456B31F166E6CAC0425A7CF3AB6AF6B7FC3103B883202E9046565",
    ),
    _curve(
        "brainpoolP512r1",
        17,
        "1.3.36.3.3.2.8.1.1.13",
        ec.BrainpoolP512R1,
        p="AADD9DB8DBE9C48B3FD4E6AE33C9FC07CB308DB3B3C9D20ED6639CCA70330871"
        "7D4D9B009BC66842AECDA12AE6A380E62881FF2F2D82C68528AA6056583A48F3",
        a="7830A3318B603B89E2327145AC234CC594CBDD8D3DF91610A83441CAEA9863BC"
        "2DED5D5AA8253AA10A2EF1C98B9AC8B57F1117A72BF2C7B9E7C1AC4D77FC94CA",
        b="3DF91610A83441CAEA9863BC2DED5D5AA8253AA10A2EF1C98B9AC8B57F1117A7"
        "2BF2C7B9E7C1AC4D77FC94CADC083E67984050B75EBAE5DD2809BD638016F723",
        gx="81AEE4BDD82ED9645A21322E9C4C6A9385ED9F70B5D916C1B43B62EEF4D0098E"
        "FF3B1F78E2D0D48D50D1687B93B97D5F7C6D5047406A5E688B352209BCB9F822",
        gy="7DDE385D566332ECC0EABFA9CF7822FDF209F70024A57B1AA000C55B881F8111"
        "B2DCDE494A5F485E5BCA4BD88A2763AED1CA2B2FA8F0540678CD1E0F3AD80892",
        n="AADD9DB8DBE9C48B3FD4E6AE33C9FC07CB308DB3B3C9D20ED6639CCA70330870"
        "553E5C414CA92619418661197FAC10471DB1D381085DDADDB58796829CA90069",
    ),
    _curve(
        "secp521r1",
        18,
        "1.3.132.0.35",
        ec.SECP521R1,
        p="01FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF"
        "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF",
        a="01FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF"
        "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC",
        b="0051953EB9618E1C9A1F929A21A0B68540EEA2DA725B99B315F3B8B489918EF109"
        "E156193951EC7E937B1652C0BD3BB1BF073573DF883D2C34F1EF451FD46B503F00",
        gx="00C6858E06B70404E9CD9E3ECB662395B4429C648139053FB521F828AF606B4D3D"
        "BAA14B5E77EFE75928FE1DC127A2FFA8DE3348B3C1856A429BF97E7E31C2E5BD66",
        gy="011839296A789A3BC0045C8A5FB42C7D1BD998F54449579B446817AFBD17273E66"
        "2C97EE72995EF42640C550B9013FAD0761353C7086A272C24088BE94769FD16650",
        n="01FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF"
        "FA51868783BF2F966B7FCC0148F709A5D03BB5C9B8899C47AEBB6FB71E91386409",
    ),
)
"""All known curves, in the order of ICAO's numbers 10 to 18; no chip of today uses those of 192 bits (8 and 9)."""
