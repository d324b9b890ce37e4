"""How a simulated chip proves that it is no copy: Active Authentication and Chip Authentication.

Source: ICAO 9303-11 6.1 (Active Authentication, ISO 9796-2 scheme 1 with partial recovery), 6.2 (Chip Authentication);
BSI TR-03111 5.2 (ECDSA as r and s in a row).
"""

from hashlib import new
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature

from simulators.chip_ciphers import SUITES
from simulators.chip_curves import Rng, curve_named
from simulators.chip_infos import ActiveAuthentication, Cipher
from simulators.chip_keys import PrivateKey
from simulators.chip_secure_messaging import SecureChannel

_TRAILERS: Final = {
    "sha1": b"\xbc",
    "sha224": b"\x38\xcc",
    "sha256": b"\x34\xcc",
    "sha384": b"\x36\xcc",
    "sha512": b"\x35\xcc",
}
_PARTIAL_RECOVERY: Final = b"\x6a"


def active_authentication(key: PrivateKey, offer: ActiveAuthentication, challenge: bytes, rng: Rng) -> bytes:
    """The signature over the reader's *challenge* (8 bytes) in the form of *offer*."""
    if isinstance(key, rsa.RSAPrivateKey):
        return _iso_9796_2(key, offer.hash, challenge, rng)
    algorithm = Prehashed(_HASHES[offer.hash]())
    signature = key.sign(new(offer.hash, challenge).digest(), ec.ECDSA(algorithm))
    if offer.form == "der":
        return signature
    size = (curve_named(key.curve.name).order.bit_length() + 7) // 8
    return b"".join(number.to_bytes(size, "big") for number in decode_dss_signature(signature))


def _iso_9796_2(key: rsa.RSAPrivateKey, digest: str, challenge: bytes, rng: Rng) -> bytes:
    numbers = key.private_numbers()
    size = (key.key_size + 7) // 8
    trailer = _TRAILERS[digest]
    recoverable = rng(size - len(_PARTIAL_RECOVERY) - new(digest).digest_size - len(trailer))
    message = _PARTIAL_RECOVERY + recoverable + new(digest, recoverable + challenge).digest() + trailer
    signed = pow(int.from_bytes(message, "big"), numbers.d, numbers.public_numbers.n)
    return signed.to_bytes(size, "big")


def chip_authentication(key: ec.EllipticCurvePrivateKey, cipher: Cipher, their_key: bytes) -> SecureChannel:
    """The new session after key agreement with *their_key*, an uncompressed point. ValueError when it is none."""
    group = curve_named(key.curve.name)
    shared = group.power(group.decode(their_key), key.private_numbers().private_value)
    return SecureChannel(SUITES[cipher], group.secret(shared))


_HASHES: Final[dict[str, type[hashes.HashAlgorithm]]] = {
    "sha1": hashes.SHA1,
    "sha224": hashes.SHA224,
    "sha256": hashes.SHA256,
    "sha384": hashes.SHA384,
    "sha512": hashes.SHA512,
}
