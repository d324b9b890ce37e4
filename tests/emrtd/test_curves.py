"""Curves against ``cryptography``, against the laws of the group, and against bytes that are no points."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kiosk.emrtd import curves
from kiosk.emrtd.curves import CURVES, Curve
from kiosk.emrtd.errors import DataError, EmrtdError

KNOWN = [curve for curve in CURVES if curve.crypto is not None]
P256 = curves.by_parameter_id(12)
EVERY = pytest.mark.parametrize("curve", CURVES, ids=lambda curve: curve.name)


def public_point(curve: Curve, scalar: int) -> bytes:
    """What ``cryptography`` says scalar times the base point is."""
    assert curve.crypto is not None
    key = ec.derive_private_key(scalar, curve.crypto()).public_key()
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def scalar_with_leading_zero(curve: Curve, coordinate: int) -> int:
    """The smallest multiple of the base point whose x (0) or y (1) begins with a zero byte."""
    point, scalar = curve.g, 1
    while curve.encode_coordinate(point[coordinate])[0]:
        point, scalar = curve.add(point, curve.g), scalar + 1
    return scalar


@EVERY
def test_the_base_point_is_on_the_curve_and_has_the_order(curve: Curve) -> None:
    assert curve.contains(curve.g)
    assert curve.h == 1
    assert curve.multiply(curve.n, curve.g) is None
    before = curve.multiply(curve.n - 1, curve.g)
    assert before == (curve.g[0], curve.p - curve.g[1])
    assert curve.add(before, curve.g) is None
    assert curve.add(before, curve.add(curve.g, curve.g)) == curve.g


@EVERY
def test_the_prime_and_the_order_are_prime(curve: Curve) -> None:
    assert all(pow(base, number - 1, number) == 1 for number in (curve.p, curve.n) for base in (2, 3, 5, 7))


@pytest.mark.parametrize("curve", KNOWN, ids=lambda curve: curve.name)
@given(data=st.data())
@settings(max_examples=15, deadline=None)
def test_multiplication_agrees_with_cryptography(curve: Curve, data: st.DataObject) -> None:
    one = data.draw(st.integers(1, curve.n - 1))
    other = data.draw(st.integers(1, curve.n - 1))
    assert curve.crypto is not None
    point = curve.multiply(one, curve.g)
    assert point is not None
    assert curve.encode(point) == public_point(curve, one)
    peer = ec.derive_private_key(other, curve.crypto())
    shared = curve.multiply(one, curve.decode(public_point(curve, other)))
    assert shared is not None
    secret = peer.exchange(ec.ECDH(), ec.EllipticCurvePublicNumbers(*point, curve.crypto()).public_key())
    assert curve.encode_coordinate(shared[0]) == secret


@pytest.mark.parametrize("curve", KNOWN, ids=lambda curve: curve.name)
def test_small_and_large_scalars_agree_with_cryptography(curve: Curve) -> None:
    for scalar in (*range(1, 40), *range(curve.n - 40, curve.n)):
        point = curve.multiply(scalar, curve.g)
        assert point is not None
        assert curve.encode(point) == public_point(curve, scalar)


@EVERY
@given(data=st.data())
@settings(max_examples=15, deadline=None)
def test_multiples_of_the_base_point_are_those_of_any_point(curve: Curve, data: st.DataObject) -> None:
    scalar = data.draw(st.integers(-curve.n, 2 * curve.n))
    assert curve.multiply_base(scalar) == curve.multiply(scalar, curve.g)


@EVERY
def test_small_large_and_sparse_multiples_of_the_base_point(curve: Curve) -> None:
    sparse = (1 << bit for bit in range(0, curve.n.bit_length() - 1, 7))
    for scalar in (*range(40), *range(curve.n - 20, curve.n + 20), *sparse):
        assert curve.multiply_base(scalar) == curve.multiply(scalar, curve.g)


@EVERY
@pytest.mark.parametrize("coordinate", [0, 1], ids=["x", "y"])
def test_leading_zeros_of_a_coordinate_stay(curve: Curve, coordinate: int) -> None:
    scalar = scalar_with_leading_zero(curve, coordinate)
    point = curve.multiply(scalar, curve.g)
    assert point is not None
    encoded = curve.encode(point)
    assert len(encoded) == 1 + 2 * curve.field_bytes
    assert encoded[1 + coordinate * curve.field_bytes] == 0
    assert curve.decode(encoded) == point
    if curve.crypto is not None:
        assert encoded == public_point(curve, scalar)


@EVERY
@given(data=st.data())
@settings(max_examples=10, deadline=None)
def test_the_group_laws_hold(curve: Curve, data: st.DataObject) -> None:
    k, m = data.draw(st.integers(0, 2 * curve.n)), data.draw(st.integers(0, curve.n))
    one, other = curve.multiply(k, curve.g), curve.multiply(m, curve.g)
    assert curve.add(one, other) == curve.add(other, one) == curve.multiply(k + m, curve.g)
    if one is not None:
        assert curve.multiply(m, one) == curve.multiply(k * m, curve.g)


@EVERY
@given(st.binary(max_size=150))
@settings(max_examples=30)
def test_arbitrary_bytes_are_no_point_or_a_data_error(curve: Curve, data: bytes) -> None:
    with pytest.raises(DataError):
        curve.decode(data)
    with pytest.raises(DataError):  # a random x and y of the right length lie on the curve with probability 2^-224
        curve.decode((b"\x04" + data * 200)[: 1 + 2 * curve.field_bytes])


@pytest.mark.parametrize(
    "change",
    [
        lambda encoded: encoded[:-1],
        lambda encoded: encoded + b"\x00",
        lambda encoded: b"\x02" + encoded[1:33],
        lambda encoded: b"\x03" + encoded[1:],
        lambda encoded: encoded[:-1] + bytes((encoded[-1] ^ 1,)),
        lambda encoded: b"\x00",
        lambda encoded: b"\x04" + bytes(64),
        lambda encoded: b"\x04" + (P256.g[0] + P256.p).to_bytes(33, "big")[-32:] + encoded[33:],
    ],
    ids=["short", "long", "compressed", "prefix", "off", "infinity", "zero", "unreduced"],
)
def test_wrong_encodings_are_data_errors(change) -> None:
    with pytest.raises(DataError):
        P256.decode(change(P256.encode(P256.g)))


@EVERY
@given(st.binary(min_size=80, max_size=80))
@example(bytes(80))
@example(b"\xff" * 80)
def test_scalars_are_never_zero_and_repeat_with_the_bytes(curve: Curve, drawn: bytes) -> None:
    scalar = curve.scalar(lambda size: drawn[:size])
    assert 1 <= scalar < curve.n
    assert scalar == curve.scalar(lambda size: drawn[:size])


@EVERY
def test_a_scalar_can_be_put_into_the_random_source(curve: Curve) -> None:
    for scalar in (1, 2, curve.n - 1):
        assert curve.scalar(lambda size, scalar=scalar: (scalar - 1).to_bytes(size, "big")) == scalar


def explicit(curve: Curve, **changed: int) -> bytes:
    """The curve's parameters written out, as chips carry them (RFC 3279 2.3.5)."""
    value = {"p": curve.p, "a": curve.a, "b": curve.b, "x": curve.g[0], "n": curve.n} | changed

    def tlv(tag: int, content: bytes) -> bytes:
        size = len(content)
        return bytes((tag,)) + (bytes((size,)) if size < 128 else b"\x82" + size.to_bytes(2, "big")) + content

    def integer(number: int) -> bytes:
        return tlv(2, number.to_bytes(number.bit_length() // 8 + 1, "big"))

    prime_field = tlv(6, bytes.fromhex("2A8648CE3D0101"))
    base = b"\x04" + curve.encode_coordinate(value["x"]) + curve.encode_coordinate(curve.g[1])
    return tlv(
        0x30,
        integer(1)
        + tlv(0x30, prime_field + integer(value["p"]))
        + tlv(0x30, tlv(4, curve.encode_coordinate(value["a"])) + tlv(4, curve.encode_coordinate(value["b"])))
        + tlv(4, base)
        + integer(value["n"])
        + integer(1),
    )


@EVERY
def test_explicit_parameters_are_mapped_to_their_curve(curve: Curve) -> None:
    assert curves.from_parameters(explicit(curve)) is curve


@pytest.mark.parametrize("name", ["p", "a", "b", "x", "n"])
def test_explicit_parameters_with_one_wrong_value_are_refused(name: str) -> None:
    good = {"p": P256.p, "a": P256.a, "b": P256.b, "x": P256.g[0], "n": P256.n}[name]
    with pytest.raises(DataError):
        curves.from_parameters(explicit(P256, **{name: good ^ 4}))


def test_curves_are_found_by_number_and_object_identifier() -> None:
    assert [curve.parameter_id for curve in CURVES] == list(range(10, 19))
    assert all(curves.by_oid(curve.oid) is curve for curve in CURVES)
    assert curves.by_oid("1.3.101.110") is None
    assert curves.by_parameter_id(3) is None
    assert curves.from_parameters(bytes.fromhex("06092B2403030208010107")).name == "brainpoolP256r1"
    with pytest.raises(DataError):
        curves.from_parameters(bytes.fromhex("06032B656E"))


@given(st.binary(max_size=200) | st.binary(max_size=200).map(lambda tail: b"\x30\x81\xc8" + tail.ljust(200, b"\x02")))
def test_arbitrary_parameters_never_raise_anything_else(data: bytes) -> None:
    with pytest.raises(EmrtdError):
        curves.from_parameters(data)
