"""Keys in every spelling of documents, and the signatures they check; OpenSSL is the foreign producer of keys."""

from __future__ import annotations

import contextlib
import subprocess
from hashlib import new as new_hash
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa, utils
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key
from hypothesis import given
from hypothesis import strategies as st

from kiosk.emrtd import curves
from kiosk.emrtd.curve_keys import CurveKey
from kiosk.emrtd.errors import DataError
from kiosk.emrtd.public_keys import AlgorithmRefused, hash_name, load_spki, verify_ecdsa, verify_signature
from tests.emrtd.small_pki import HASHES, der, ec_key, hash_algorithm, integer, oid, rsa_key, sign, signature_algorithm

CURVES = ["secp224r1", "secp256r1", "secp384r1", "secp521r1", "brainpoolP256r1", "brainpoolP384r1", "brainpoolP512r1"]
OPENSSL_NAMES = {"secp256r1": "prime256v1"}
EC_PUBLIC_KEY = oid("1.2.840.10045.2.1")


def openssl(*arguments: str, data: bytes = b"") -> bytes:
    return subprocess.run(["openssl", *arguments], input=data, capture_output=True, check=True).stdout


def spki(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def explicit(p: int, a: int, b: int, g: bytes, n: int, point: bytes, size: int = 32, h: int | None = 1) -> bytes:
    parameters = der(
        0x30,
        integer(1),
        der(0x30, oid("1.2.840.10045.1.1"), integer(p)),
        der(0x30, der(4, a.to_bytes(size, "big")), der(4, b.to_bytes(size, "big"))),
        der(4, g),
        integer(n),
        integer(h) if h else b"",
    )
    return der(0x30, der(0x30, EC_PUBLIC_KEY, parameters), der(3, b"\x00", point))


# FIPS 186-4 D.1.2.3, typed apart from the product's table
P256 = {
    "p": 2**256 - 2**224 + 2**192 + 2**96 - 1,
    "a": 2**256 - 2**224 + 2**192 + 2**96 - 4,
    "b": 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B,
    "g": bytes.fromhex(
        "046B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296"
        "4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5"
    ),
    "n": 115792089210356248762697446949407573529996955224135760342422259061068512044369,
}


def point_of(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


@pytest.mark.parametrize("curve", CURVES)
def test_openssl_writes_a_curve_out_and_it_is_known_again(curve: str) -> None:
    name = OPENSSL_NAMES.get(curve, curve)
    private = openssl("ecparam", "-name", name, "-genkey", "-noout")
    named = openssl("pkey", "-pubout", "-outform", "DER", data=private)
    written_out = openssl("ec", "-pubout", "-outform", "DER", "-param_enc", "explicit", data=private)
    expected = load_der_public_key(named)
    assert isinstance(expected, ec.EllipticCurvePublicKey)
    assert len(written_out) > len(named) + 100
    for form in (named, written_out):
        loaded = load_spki(form)
        assert isinstance(loaded, ec.EllipticCurvePublicKey)
        assert loaded.curve.name == expected.curve.name
        assert loaded.public_numbers() == expected.public_numbers()


@pytest.mark.parametrize("cofactor", [1, None], ids=["with cofactor", "without"])
def test_parameters_written_by_hand(cofactor: int | None) -> None:
    key = ec_key()
    loaded = load_spki(explicit(**P256, point=point_of(key), h=cofactor))  # type: ignore[arg-type]
    assert loaded == key.public_key()


@pytest.mark.parametrize("what", ["p", "a", "b", "n", "g"])
def test_parameters_near_a_known_curve_are_refused(what: str) -> None:
    key = ec_key()
    wrong = dict(P256)
    wrong[what] = point_of(ec_key()) if what == "g" else P256[what] + 2  # type: ignore[operator]
    with pytest.raises(DataError):
        load_spki(explicit(**wrong, point=point_of(key)))  # type: ignore[arg-type]


def test_the_victims_key_as_base_point_is_refused() -> None:
    """CVE-2020-0601: with G' = Q the private key is 1, for the same public key."""
    victim = point_of(ec_key())
    with pytest.raises(DataError):
        load_spki(explicit(**{**P256, "g": victim}, point=victim))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "point",
    [b"", b"\x00", b"\x04" + bytes(64), b"\x04" + b"\x01" * 64, b"\x02" + b"\x01" * 32, b"\x04" + b"\x01" * 63],
    ids=["none", "infinity", "zeros", "off the curve", "compressed", "cut off"],
)
def test_points_that_are_none(point: bytes) -> None:
    with pytest.raises(DataError):
        load_spki(explicit(**P256, point=point))  # type: ignore[arg-type]
    with pytest.raises(DataError):
        load_spki(der(0x30, der(0x30, EC_PUBLIC_KEY, oid("1.2.840.10045.3.1.7")), der(3, b"\x00", point)))


def test_rsa_keys() -> None:
    key = rsa_key()
    assert load_spki(spki(key)) == key.public_key()


def test_an_rsa_key_kept_for_pss() -> None:
    private = openssl("genpkey", "-algorithm", "RSA-PSS", "-pkeyopt", "rsa_keygen_bits:2048")
    loaded = load_spki(openssl("pkey", "-pubout", "-outform", "DER", data=private))
    assert isinstance(loaded, rsa.RSAPublicKey)
    assert loaded.key_size == 2048


def signed_integer(number: int) -> bytes:
    return der(2, number.to_bytes(number.bit_length() // 8 + 1, "big", signed=True))


def rsa_spki(n: int, e: int) -> bytes:
    return der(
        0x30,
        der(0x30, oid("1.2.840.113549.1.1.1"), b"\x05\x00"),
        der(3, b"\x00", der(0x30, signed_integer(n), signed_integer(e))),
    )


@pytest.mark.parametrize(
    ("n", "e"),
    [
        (2**8193 + 1, 65537),
        (2**2047 + 1, 2**65 + 1),
        (2**2047 + 1, 2),
        (0, 3),
        (1, 1),
        (5 * 49, 3),
        (2**767 + 1, 65537),
        (1 - 2**2048, 65537),
        (2**2047 + 1, -65537),
    ],
    ids=[
        "huge", "huge exponent", "even exponent", "zero", "one", "one byte", "768 bits", "negative",
        "negative exponent",
    ],
)  # fmt: skip
def test_rsa_keys_that_are_none(n: int, e: int) -> None:
    with pytest.raises(DataError):
        load_spki(rsa_spki(n, e))


@pytest.mark.parametrize("oid_of_key", ["1.2.840.10040.4.1", "1.3.101.112"], ids=["DSA", "Ed25519"])
def test_keys_of_other_kinds(oid_of_key: str) -> None:
    with pytest.raises(DataError):
        load_spki(der(0x30, der(0x30, oid(oid_of_key)), der(3, b"\x00" * 33)))


@pytest.mark.parametrize("digest", ["sha224", "sha256", "sha384", "sha512"])
@pytest.mark.parametrize("kind", ["rsa", "pss", "ecdsa"])
def test_signatures(kind: str, digest: str) -> None:
    key = ec_key() if kind == "ecdsa" else rsa_key()
    algorithm = signature_algorithm(key, digest, kind == "pss")
    signature = sign(key, digest, b"data", kind == "pss")
    public = load_spki(spki(key))
    assert verify_signature(public, algorithm, signature, b"data")
    assert not verify_signature(public, algorithm, signature, b"date")
    assert not verify_signature(public, algorithm, signature[:-1], b"data")
    assert not verify_signature(public, algorithm, b"", b"data")
    other = rsa_key() if kind == "ecdsa" else ec_key()
    assert not verify_signature(other.public_key(), algorithm, signature, b"data")


@pytest.mark.parametrize("kind", ["rsa", "pss", "ecdsa"])
def test_sha1_only_where_it_is_allowed(kind: str) -> None:
    key = ec_key() if kind == "ecdsa" else rsa_key()
    algorithm, signature = signature_algorithm(key, "sha1", kind == "pss"), sign(key, "sha1", b"data", kind == "pss")
    with pytest.raises(AlgorithmRefused):
        verify_signature(key.public_key(), algorithm, signature, b"data")
    assert verify_signature(key.public_key(), algorithm, signature, b"data", allow_sha1=True)


@pytest.mark.parametrize("parameters", [b"", b"\x05\x00", b"\x30\x00"], ids=["absent", "null", "empty"])
def test_pss_without_parameters_means_sha1(parameters: bytes) -> None:
    key = rsa_key()
    algorithm = der(0x30, oid("1.2.840.113549.1.1.10"), parameters)
    signature = sign(key, "sha1", b"data", pss=True)
    with pytest.raises(AlgorithmRefused):
        verify_signature(key.public_key(), algorithm, signature, b"data")
    assert verify_signature(key.public_key(), algorithm, signature, b"data", allow_sha1=True)


@pytest.mark.parametrize("kind", ["rsa", "ecdsa"])
def test_the_hash_function_named_elsewhere(kind: str) -> None:
    key = ec_key() if kind == "ecdsa" else rsa_key()
    algorithm = der(0x30, EC_PUBLIC_KEY if kind == "ecdsa" else oid("1.2.840.113549.1.1.1"))
    signature = sign(key, "sha384", b"data")
    assert verify_signature(key.public_key(), algorithm, signature, b"data", digest="sha384")
    assert not verify_signature(key.public_key(), algorithm, signature, b"data", digest="sha256")
    with pytest.raises(AlgorithmRefused):
        verify_signature(key.public_key(), algorithm, signature, b"data")
    with pytest.raises(AlgorithmRefused):
        verify_signature(key.public_key(), algorithm, signature, b"data", digest="sha1")


@pytest.mark.parametrize("curve", [ec.SECP224R1(), ec.BrainpoolP384R1(), ec.SECP521R1()], ids=lambda curve: curve.name)
def test_plain_ecdsa(curve: ec.EllipticCurve) -> None:
    key = ec_key(curve)
    size = (curve.key_size + 7) // 8
    r, s = utils.decode_dss_signature(sign(key, "sha256", b"data"))
    plain = r.to_bytes(size, "big") + s.to_bytes(size, "big")
    algorithm = der(0x30, oid("0.4.0.127.0.7.1.1.4.1.3"))
    public = key.public_key()
    assert verify_signature(public, algorithm, plain, b"data")
    assert not verify_signature(public, algorithm, plain, b"date")
    assert not verify_signature(public, algorithm, plain + b"\x00", b"data")
    assert not verify_signature(public, algorithm, bytes(2 * size), b"data")
    assert not verify_signature(public, algorithm, utils.encode_dss_signature(r, s), b"data")
    assert verify_ecdsa(public, "sha256", plain, b"data")
    assert verify_ecdsa(public, "sha256", utils.encode_dss_signature(r, s), b"data")


@pytest.mark.parametrize("digest", ["sha224", "sha256", "sha512"])
@pytest.mark.parametrize("curve", ["brainpoolP224r1", "brainpoolP320r1"])
def test_curves_that_only_openssl_signs_with(curve: str, digest: str, tmp_path: Path) -> None:
    private = openssl("ecparam", "-name", curve, "-genkey", "-noout")
    (tmp_path / "key.pem").write_bytes(private)
    signature = openssl("dgst", f"-{digest}", "-sign", f"{tmp_path}/key.pem", data=b"data")
    algorithm = der(
        0x30, oid({"sha224": "1.2.840.10045.4.3.1", "sha256": "1.2.840.10045.4.3.2"}.get(digest, "1.2.840.10045.4.3.4"))
    )
    for form in ("named_curve", "explicit"):
        key = load_spki(openssl("ec", "-pubout", "-outform", "DER", "-param_enc", form, data=private))
        assert isinstance(key, CurveKey)
        assert key.curve.name == curve
        assert verify_signature(key, algorithm, signature, b"data")
        assert not verify_signature(key, algorithm, signature, b"date")
        assert not verify_signature(key, algorithm, signature[:-1], b"data")
    size = (key.key_size + 7) // 8
    r, s = utils.decode_dss_signature(signature)
    assert verify_ecdsa(key, digest, r.to_bytes(size, "big") + s.to_bytes(size, "big"), b"data")
    order, hashed = key.curve.n, new_hash(digest, b"data").digest()
    assert key.verify(r, s, hashed)
    for wrong in ((0, s), (r, 0), (r + order, s), (r, s + order), (-r, s), (order, s), (s, r)):
        assert not key.verify(*wrong, hashed)


@given(st.binary(max_size=100), st.sampled_from(["sha1", "sha224", "sha256", "sha384", "sha512"]))
def test_our_ecdsa_agrees_with_the_librarys(data: bytes, digest: str) -> None:
    key = ec_key()
    numbers = key.public_key().public_numbers()
    curve = curves.by_oid("1.2.840.10045.3.1.7")
    assert curve is not None
    ours = CurveKey(curve, (numbers.x, numbers.y))
    r, s = utils.decode_dss_signature(sign(key, digest, data))
    hashed = new_hash(digest, data).digest()
    assert ours.verify(r, s, hashed)
    assert not ours.verify(r, s, new_hash(digest, data + b"x").digest())
    assert not ours.verify(s, r, hashed)


@pytest.mark.parametrize("dotted", ["1.2.840.113549.1.1.4", "1.3.101.112", "2.16.840.1.101.3.4.3.17"])
def test_unknown_algorithms(dotted: str) -> None:
    with pytest.raises(AlgorithmRefused):
        verify_signature(rsa_key().public_key(), der(0x30, oid(dotted)), bytes(256), b"data")


@pytest.mark.parametrize(
    "parameters",
    [
        der(0x30, der(0xA0, hash_algorithm("sha256")), der(0xA1, der(0x30, oid("1.2.840.113549.1.1.9")))),
        der(0x30, der(0xA3, integer(2))),
        der(0x30, der(0xA2, integer(2**40))),
        der(0x30, der(0xA2, integer(-1 % 256)[:2] + b"\xff")),
        der(0x30, der(0xA0, der(0x30, oid("1.2.840.113549.2.5")))),
    ],
    ids=["other mask", "other trailer", "huge salt", "odd salt", "MD5"],
)
def test_pss_parameters_out_of_the_ordinary(parameters: bytes) -> None:
    algorithm = der(0x30, oid("1.2.840.113549.1.1.10"), parameters)
    with pytest.raises(DataError):
        verify_signature(rsa_key().public_key(), algorithm, bytes(256), b"data")


@pytest.mark.parametrize("name", sorted(HASHES))
def test_hash_functions(name: str) -> None:
    assert hash_name(hash_algorithm(name)) == hash_name(hash_algorithm(name, null=False)) == name


def test_an_unknown_hash_function() -> None:
    with pytest.raises(AlgorithmRefused):
        hash_name(der(0x30, oid("1.2.840.113549.2.5")))


@given(st.binary(max_size=200))
def test_any_bytes_as_a_key_or_an_algorithm(data: bytes) -> None:
    key = ec_key().public_key()
    for attempt in (lambda: load_spki(data), lambda: verify_signature(key, data, data, data), lambda: hash_name(data)):
        with contextlib.suppress(DataError):
            attempt()


@given(at=st.integers(0, 335), value=st.integers(0, 255))
def test_one_byte_of_a_key_changed(at: int, value: int) -> None:
    whole = bytearray(explicit(**P256, point=P256["g"]))  # type: ignore[arg-type]
    whole[at % len(whole)] = value
    try:
        loaded = load_spki(bytes(whole))
    except DataError:
        return
    assert isinstance(loaded, ec.EllipticCurvePublicKey)
    assert loaded.curve.name == "secp256r1"
