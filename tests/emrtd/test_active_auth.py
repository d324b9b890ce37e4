"""Active Authentication: answers made here by ISO 9796-2 and by ECDSA, and those of the simulated chip."""

from __future__ import annotations

from hashlib import new as new_hash

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa, utils
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from kiosk.emrtd.active_auth import verify
from kiosk.emrtd.errors import DataError
from simulators.chip_infos import ActiveAuthentication
from simulators.chip_proofs import active_authentication
from tests.emrtd.small_pki import der, ec_key, integer, oid, rsa_key, sign

CHALLENGE = bytes.fromhex("0123456789ABCDEF")
TRAILERS = {
    "implicit SHA-1": ("sha1", b"\xbc"),
    "SHA-1": ("sha1", b"\x33\xcc"),
    "SHA-224": ("sha224", b"\x38\xcc"),
    "SHA-256": ("sha256", b"\x34\xcc"),
    "SHA-384": ("sha384", b"\x36\xcc"),
    "SHA-512": ("sha512", b"\x35\xcc"),
}


def dg15(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return der(0x6F, key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


def dg14(algorithm: str) -> bytes:
    other = der(0x30, oid("0.4.0.127.0.7.2.2.3.2.2"), integer(1))
    active = der(0x30, oid("2.23.136.1.1.5"), integer(1), oid(algorithm))
    return der(0x6E, der(0x31, other, active))


def respond(
    key: rsa.RSAPrivateKey, digest: str, trailer: bytes, *, challenge: bytes = CHALLENGE, unused: int = 0
) -> bytes:
    """ISO 9796-2 scheme 1: *unused* bytes of the recoverable part filled up with padding."""
    numbers = key.private_numbers()
    size = key.key_size // 8
    room = size - 1 - new_hash(digest).digest_size - len(trailer) - unused
    header = b"\x6b" + b"\xbb" * (unused - 1) + b"\xba" if unused else b"\x6a"
    nonce = bytes(range(256))[:room]
    message = header + nonce + new_hash(digest, nonce + challenge).digest() + trailer
    assert len(message) == size
    return pow(int.from_bytes(message, "big"), numbers.d, numbers.public_numbers.n).to_bytes(size, "big")


@pytest.mark.parametrize("unused", [0, 1, 5])
@pytest.mark.parametrize("bits", [1024, 2048])
@pytest.mark.parametrize("kind", sorted(TRAILERS))
def test_rsa(kind: str, bits: int, unused: int) -> None:
    key, (digest, trailer) = rsa_key(bits), TRAILERS[kind]
    answer = respond(key, digest, trailer, unused=unused)
    assert verify(dg15(key), CHALLENGE, answer, None)
    assert not verify(dg15(key), CHALLENGE[::-1], answer, None)
    assert not verify(dg15(rsa_key(bits, 1)), CHALLENGE, answer, None)


@pytest.mark.parametrize("kind", sorted(TRAILERS))
def test_rsa_answers_as_the_smaller_of_two(kind: str) -> None:
    key, (digest, trailer) = rsa_key(), TRAILERS[kind]
    other = key.public_key().public_numbers().n - int.from_bytes(respond(key, digest, trailer), "big")
    answer = other.to_bytes(256, "big")
    assert verify(dg15(key), CHALLENGE, answer, None)
    assert not verify(dg15(key), CHALLENGE[::-1], answer, None)


@pytest.mark.parametrize(
    ("digest", "trailer"),
    [("sha1", b"\x34\xcc"), ("sha256", b"\xbc"), ("sha256", b"\x37\xcc"), ("sha256", b"\x34\xcd")],
    ids=["other hash", "other hash implied", "unknown hash", "no trailer"],
)
def test_rsa_with_another_trailer(digest: str, trailer: bytes) -> None:
    key = rsa_key()
    assert not verify(dg15(key), CHALLENGE, respond(key, digest, trailer), None)


@pytest.mark.parametrize(
    "header",
    [b"\x4a", b"\x6b", b"\x00", b"\x6b\xbb\xbb", b"\x6b\xbb\xab"],
    ids=["full recovery", "padding without end", "none", "padding cut off", "padding damaged"],
)
def test_rsa_with_another_header(header: bytes) -> None:
    key = rsa_key()
    numbers = key.private_numbers()
    nonce = bytes(256 - 32 - 2 - len(header))
    message = header + nonce + new_hash("sha256", nonce + CHALLENGE).digest() + b"\x34\xcc"
    answer = pow(int.from_bytes(message, "big"), numbers.d, numbers.public_numbers.n).to_bytes(256, "big")
    assert not verify(dg15(key), CHALLENGE, answer, None)


def test_rsa_padding_that_never_ends() -> None:
    key = rsa_key()
    numbers = key.private_numbers()
    message = b"\x6b" + b"\xbb" * 253 + b"\x34\xcc"
    answer = pow(int.from_bytes(message, "big"), numbers.d, numbers.public_numbers.n).to_bytes(256, "big")
    assert not verify(dg15(key), CHALLENGE, answer, None)


def test_rsa_answers_of_another_length_or_beyond_the_modulus() -> None:
    key = rsa_key()
    modulus = key.public_key().public_numbers().n
    answer = respond(key, "sha256", b"\x34\xcc")
    beyond = (int.from_bytes(answer, "big") + modulus).to_bytes(257, "big")
    for wrong in (b"", answer[1:], b"\x00" + answer, beyond, b"\xff" * 256, bytes(256)):
        assert not verify(dg15(key), CHALLENGE, wrong, None)


def test_every_byte_of_an_rsa_answer_flipped() -> None:
    key = rsa_key(1024)
    answer = bytearray(respond(key, "sha256", b"\x34\xcc"))
    for at in range(len(answer)):
        answer[at] ^= 0x01
        assert not verify(dg15(key), CHALLENGE, bytes(answer), None)
        answer[at] ^= 0x01


CURVES = [
    (ec.SECP224R1(), "sha1"),
    (ec.SECP224R1(), "sha224"),
    (ec.SECP256R1(), "sha256"),
    (ec.BrainpoolP256R1(), "sha256"),
    (ec.SECP384R1(), "sha256"),
    (ec.SECP384R1(), "sha384"),
    (ec.BrainpoolP512R1(), "sha512"),
    (ec.SECP521R1(), "sha512"),
]


def plain(key: ec.EllipticCurvePrivateKey, digest: str, data: bytes = CHALLENGE) -> bytes:
    size = (key.key_size + 7) // 8
    return b"".join(each.to_bytes(size, "big") for each in utils.decode_dss_signature(sign(key, digest, data)))


@pytest.mark.parametrize(("curve", "digest"), CURVES, ids=[f"{curve.name} {digest}" for curve, digest in CURVES])
def test_ecdsa_of_chips_that_announce_nothing(curve: ec.EllipticCurve, digest: str) -> None:
    key = ec_key(curve)
    for silent in (None, b"\x6e\x02\x31\x00", b"garbage", der(0x6E, der(0x31, der(0x30, integer(1))))):
        assert verify(dg15(key), CHALLENGE, plain(key, digest), silent)
        assert verify(dg15(key), CHALLENGE, sign(key, digest, CHALLENGE), silent)
    assert not verify(dg15(key), CHALLENGE[::-1], plain(key, digest), None)
    assert not verify(dg15(ec_key(curve)), CHALLENGE, plain(key, digest), None)


@pytest.mark.parametrize("family", ["0.4.0.127.0.7.1.1.4.1.", "1.2.840.10045.4.3."], ids=["plain", "ANSI"])
@pytest.mark.parametrize(("number", "digest"), [(2, "sha224"), (3, "sha256"), (4, "sha384"), (5, "sha512")])
def test_ecdsa_by_what_dg14_announces(number: int, digest: str, family: str) -> None:
    announced = dg14(f"{family}{number if family.startswith('0') else number - 1}")
    key = ec_key()
    assert verify(dg15(key), CHALLENGE, plain(key, digest), announced)
    assert not verify(dg15(key), CHALLENGE, plain(key, "sha1"), announced)


def test_every_byte_of_an_ecdsa_answer_flipped() -> None:
    key = ec_key()
    answer = bytearray(plain(key, "sha256"))
    for at in range(len(answer)):
        answer[at] ^= 0x01
        assert not verify(dg15(key), CHALLENGE, bytes(answer), None)
        answer[at] ^= 0x01


@given(st.binary(max_size=140))
def test_any_answer_is_a_wrong_one(answer: bytes) -> None:
    assert not verify(dg15(KEY), CHALLENGE, answer, None)
    assert not verify(dg15(rsa_key(1024)), CHALLENGE, answer, None)


KEY = ec_key()


@pytest.mark.parametrize("form", ["plain", "der"])
@pytest.mark.parametrize("digest", ["sha1", "sha224", "sha256", "sha384", "sha512"])
def test_the_simulated_chip(digest: str, form: str) -> None:
    offer = ActiveAuthentication(key="secp256r1", hash=digest, form=form)  # type: ignore[arg-type]
    for key in (rsa_key(), KEY) if form == "plain" else (KEY,):
        answer = active_authentication(key, offer, CHALLENGE, lambda count: bytes(range(256))[:count])
        announced = dg14(f"0.4.0.127.0.7.1.1.4.1.{['sha1', 'sha224', 'sha256', 'sha384', 'sha512'].index(digest) + 1}")
        assert verify(dg15(key), CHALLENGE, answer, announced)
        assert not verify(dg15(key), CHALLENGE[::-1], answer, announced)


@given(st.binary(max_size=120))
def test_any_bytes_as_dg15(data: bytes) -> None:
    for whole in (data, der(0x6F, data)):
        with pytest.raises(DataError):
            verify(whole, CHALLENGE, bytes(64), None)


@given(st.binary(max_size=120))
def test_any_bytes_as_dg14(data: bytes) -> None:
    answer = plain(KEY, "sha256")
    for whole in (data, der(0x6E, der(0x31, data))):
        assert verify(dg15(KEY), CHALLENGE, answer, whole)
