"""Public keys of certificates and chips, and the signatures they check.

Real documents write the parameters of their elliptic curve out (ICAO 9303-12 4.4), which OpenSSL 3 refuses; they are
mapped to the curve they equal. Any deviation from it (another base point, another coefficient) is refused: keys on
such a curve can be forged (CVE-2020-0601).

Source: RFC 3279, RFC 4055, RFC 5480 (keys, algorithm identifiers), BSI TR-03111 5.2.1 (plain ECDSA).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, utils
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, RSAPublicNumbers

from kiosk.emrtd import asn1, curves
from kiosk.emrtd.asn1 import Fields
from kiosk.emrtd.curve_keys import CurveKey
from kiosk.emrtd.errors import DataError

EcKey = ec.EllipticCurvePublicKey | CurveKey
PublicKey = RSAPublicKey | EcKey

_RSA_ENCRYPTION: Final = "1.2.840.113549.1.1.1"
_RSASSA_PSS: Final = "1.2.840.113549.1.1.10"
_MGF1: Final = "1.2.840.113549.1.1.8"
_EC_PUBLIC_KEY: Final = "1.2.840.10045.2.1"
_EC_KEYS: Final = (_EC_PUBLIC_KEY, "1.3.132.1.12")  # the second: id-ecDH, seen on keys for key agreement

_LEAST_MODULUS_BITS: Final = 1000  # of 1024: a product of two primes of 512 may come out shorter
_MOST_MODULUS_BITS: Final = 8192
_MOST_EXPONENT_BITS: Final = 64

HASHES: Final[dict[str, type[hashes.HashAlgorithm]]] = {
    "sha1": hashes.SHA1,
    "sha224": hashes.SHA224,
    "sha256": hashes.SHA256,
    "sha384": hashes.SHA384,
    "sha512": hashes.SHA512,
}
"""The hash functions of ICAO 9303-12 4.4, by the name ``hashlib`` has for them."""

_HASH_OIDS: Final = {
    "1.3.14.3.2.26": "sha1",
    "2.16.840.1.101.3.4.2.4": "sha224",
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
}
_PKCS1_OIDS: Final = {
    "1.2.840.113549.1.1.5": "sha1",
    "1.2.840.113549.1.1.14": "sha224",
    "1.2.840.113549.1.1.11": "sha256",
    "1.2.840.113549.1.1.12": "sha384",
    "1.2.840.113549.1.1.13": "sha512",
}
_ECDSA_OIDS: Final = {
    "1.2.840.10045.4.1": "sha1",
    "1.2.840.10045.4.3.1": "sha224",
    "1.2.840.10045.4.3.2": "sha256",
    "1.2.840.10045.4.3.3": "sha384",
    "1.2.840.10045.4.3.4": "sha512",
}
_PLAIN_ECDSA_OIDS: Final = {
    "0.4.0.127.0.7.1.1.4.1.1": "sha1",
    "0.4.0.127.0.7.1.1.4.1.2": "sha224",
    "0.4.0.127.0.7.1.1.4.1.3": "sha256",
    "0.4.0.127.0.7.1.1.4.1.4": "sha384",
    "0.4.0.127.0.7.1.1.4.1.5": "sha512",
}
ECDSA_HASHES: Final = {**_ECDSA_OIDS, **_PLAIN_ECDSA_OIDS}
"""Names of hash functions (see HASHES) by the dotted algorithm: ecdsa-with-SHA*, and ecdsa-plain-SHA* (r || s)."""


class AlgorithmRefused(DataError):
    """SHA-1 where it is not allowed, or an algorithm that is not among the known ones."""


def load_spki(der: bytes) -> PublicKey:
    """The key of a DER SubjectPublicKeyInfo: RSA (also with the identifier of RSASSA-PSS) or EC.

    EC parameters may be a name or written out. The key is one of ``cryptography``, or a CurveKey on the two curves that
    library lacks. DataError: malformed, of another kind, on an unknown curve, a point not on its curve or compressed,
    an RSA key below 1000 bits, which can be factored, or beyond 8192.
    """
    fields = asn1.members(der)
    algorithm = asn1.members(fields.take(asn1.SEQUENCE).raw)
    bits = asn1.octets_of_bits(fields.take(asn1.BIT_STRING).value)
    fields.end()
    oid = asn1.dotted(algorithm.take(asn1.OID).value)
    if oid in (_RSA_ENCRYPTION, _RSASSA_PSS):
        return _rsa_key(bits)
    if oid in _EC_KEYS:
        return _ec_key(algorithm.take(asn1.OID, asn1.SEQUENCE).raw, bits)
    raise DataError(f"a public key of the unknown kind {oid}")


def hash_name(algorithm: bytes) -> str:
    """The name (see HASHES) of the hash function of a DER AlgorithmIdentifier; AlgorithmRefused if unknown."""
    oid, _ = _identifier(algorithm)
    if oid not in _HASH_OIDS:
        raise AlgorithmRefused(f"the unknown hash function {oid}")
    return _HASH_OIDS[oid]


def verify_signature(
    key: PublicKey,
    algorithm: bytes,
    signature: bytes,
    data: bytes,
    *,
    digest: str | None = None,
    allow_sha1: bool = False,
) -> bool:
    """Whether *signature* over *data* is that of *key*.

    *algorithm*: DER AlgorithmIdentifier of the signature (RSA PKCS #1 v1.5, RSASSA-PSS, ECDSA as DER or plain).
    *digest*: name of the hash function for the identifiers that leave it open (rsaEncryption, id-ecPublicKey), as CMS
    writes them. False: the signature is wrong or of another kind than the key. AlgorithmRefused: see there;
    DataError: *algorithm* is malformed.
    """
    oid, parameters = _identifier(algorithm)
    if oid == _RSASSA_PSS:
        scheme, digest = _pss(parameters)
        return isinstance(key, RSAPublicKey) and _rsa(key, scheme, _allowed(digest, allow_sha1), signature, data)
    if oid in _PKCS1_OIDS or oid == _RSA_ENCRYPTION:
        function = _allowed(_PKCS1_OIDS.get(oid, digest), allow_sha1)
        return isinstance(key, RSAPublicKey) and _rsa(key, padding.PKCS1v15(), function, signature, data)
    if oid in _ECDSA_OIDS or oid == _EC_PUBLIC_KEY:
        function = _allowed(_ECDSA_OIDS.get(oid, digest), allow_sha1)
        return isinstance(key, EcKey) and _ecdsa(key, function, signature, data)
    if oid in _PLAIN_ECDSA_OIDS:
        function = _allowed(_PLAIN_ECDSA_OIDS[oid], allow_sha1)
        return isinstance(key, EcKey) and _plain(key, function, signature, data)
    raise AlgorithmRefused(f"the unknown signature algorithm {oid}")


def verify_ecdsa(key: EcKey, digest: str, signature: bytes, data: bytes) -> bool:
    """Whether *signature*, plain r || s or DER, over the *digest* (see HASHES) of *data* is that of *key*.

    For chips, which send either form whatever they announce (ICAO 9303-11 6.1.2.3 demands the plain one).
    """
    function = HASHES[digest]()
    return _plain(key, function, signature, data) or _ecdsa(key, function, signature, data)


def _rsa_key(bits: bytes) -> RSAPublicKey:
    fields = asn1.members(bits)
    modulus = asn1.integer(fields.take(asn1.INTEGER).value)
    exponent = asn1.integer(fields.take(asn1.INTEGER).value)
    fields.end()
    if modulus.bit_length() > _MOST_MODULUS_BITS or exponent.bit_length() > _MOST_EXPONENT_BITS:
        raise DataError("an RSA key that is too large")
    if min(modulus, exponent) < 0 or modulus.bit_length() < _LEAST_MODULUS_BITS:
        raise DataError("an RSA key that is too small")
    try:
        return RSAPublicNumbers(exponent, modulus).public_key()
    except (ValueError, UnsupportedAlgorithm) as error:
        raise DataError("an RSA key that is none") from error


def _ec_key(parameters: bytes, bits: bytes) -> EcKey:
    curve = curves.from_parameters(parameters)
    x, y = curve.decode(bits)
    if curve.crypto is None:
        return CurveKey(curve, (x, y))
    try:
        return ec.EllipticCurvePublicNumbers(x, y, curve.crypto()).public_key()
    except (ValueError, UnsupportedAlgorithm) as error:
        raise DataError(f"a key on {curve.name} that is none") from error


def _identifier(algorithm: bytes) -> tuple[str, bytes]:
    fields = asn1.members(algorithm)
    oid = asn1.dotted(fields.take(asn1.OID).value)
    parameters = fields.maybe()
    fields.end()
    return oid, b"" if parameters is None or parameters.tag == asn1.NULL else parameters.raw


def _allowed(digest: str | None, allow_sha1: bool) -> hashes.HashAlgorithm:
    if digest is None or (digest == "sha1" and not allow_sha1):
        raise AlgorithmRefused("a signature over SHA-1" if digest else "a signature without a hash function")
    return HASHES[digest]()


@lru_cache(maxsize=16)
def _pss(parameters: bytes) -> tuple[padding.PSS, str]:
    """Padding and hash name of DER RSASSA-PSS-params (RFC 4055 3.1), whose defaults are all SHA-1."""
    fields = asn1.members(parameters) if parameters else Fields([])
    digest, mask_digest, salt = "sha1", "sha1", 20
    if found := fields.maybe(0xA0):
        digest = hash_name(found.value)
    if found := fields.maybe(0xA1):
        mask, inner = _identifier(found.value)
        if mask != _MGF1:
            raise AlgorithmRefused(f"the unknown mask generation function {mask}")
        mask_digest = hash_name(inner)
    if found := fields.maybe(0xA2):
        salt = asn1.integer(asn1.only(found.value, asn1.INTEGER))
    if (found := fields.maybe(0xA3)) and asn1.integer(asn1.only(found.value, asn1.INTEGER)) != 1:
        raise AlgorithmRefused("an unknown trailer field")
    fields.end()
    if not 0 <= salt <= _MOST_MODULUS_BITS // 8:
        raise DataError("a salt length that cannot be")
    return padding.PSS(padding.MGF1(HASHES[mask_digest]()), salt), digest


def _rsa(
    key: RSAPublicKey,
    scheme: padding.PKCS1v15 | padding.PSS,
    function: hashes.HashAlgorithm,
    signature: bytes,
    data: bytes,
) -> bool:
    try:
        key.verify(signature, data, scheme, function)
    except (InvalidSignature, ValueError, UnsupportedAlgorithm):  # ValueError: digest or salt too long for the key
        return False
    return True


def _ecdsa(key: EcKey, function: hashes.HashAlgorithm, signature: bytes, data: bytes) -> bool:
    try:
        if isinstance(key, CurveKey):
            hashed = hashes.Hash(function)
            hashed.update(data)
            return key.verify(*utils.decode_dss_signature(signature), hashed.finalize())
        key.verify(signature, data, ec.ECDSA(function))
    except (InvalidSignature, ValueError):
        return False
    return True


def _plain(key: EcKey, function: hashes.HashAlgorithm, signature: bytes, data: bytes) -> bool:
    half, odd = divmod(len(signature), 2)
    if odd or half != (key.key_size + 7) // 8:
        return False
    r, s = int.from_bytes(signature[:half], "big"), int.from_bytes(signature[half:], "big")
    return _ecdsa(key, function, utils.encode_dss_signature(r, s), data)
