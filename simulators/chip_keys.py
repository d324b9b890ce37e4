"""Keys of the simulated authority and of simulated chips: making them, writing them, signing with them.

Source: RFC 5480 (EC keys), ICAO 9303-12 4.1 (explicit domain parameters), RFC 4055 (RSA and PSS), RFC 5758 (ECDSA).
"""

from dataclasses import dataclass
from functools import cache
from typing import Any, Final, cast

from asn1crypto import algos, core, keys
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from simulators.chip_domain_parameters import CURVES

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey

_CURVES: Final[dict[str, type[ec.EllipticCurve]]] = {
    "secp192r1": ec.SECP192R1,
    "secp224r1": ec.SECP224R1,
    "secp256r1": ec.SECP256R1,
    "secp384r1": ec.SECP384R1,
    "secp521r1": ec.SECP521R1,
    "brainpoolP256r1": ec.BrainpoolP256R1,
    "brainpoolP384r1": ec.BrainpoolP384R1,
    "brainpoolP512r1": ec.BrainpoolP512R1,
}
_DOMAINS: Final = {curve.name: curve for curve in CURVES.values()}
_HASHES: Final[dict[str, type[hashes.HashAlgorithm]]] = {
    "sha1": hashes.SHA1,
    "sha224": hashes.SHA224,
    "sha256": hashes.SHA256,
    "sha384": hashes.SHA384,
    "sha512": hashes.SHA512,
}


@dataclass(frozen=True)
class Scheme:
    """A key and how it signs.

    `key`: a curve such as `brainpoolP256r1`, or `rsa-2048` (any length); `hash`: `sha1` to `sha512`; `pss`: RSA-PSS in
    the place of PKCS#1 v1.5; `explicit`: the curve is written out as domain parameters in the place of its name.
    """

    key: str
    hash: str = "sha256"
    pss: bool = False
    explicit: bool = False


def make_key(spec: str, role: object = None) -> PrivateKey:
    """A new private key: `spec` as in `Scheme.key`; KeyError for an unknown curve.

    RSA keys cost time: within a process the same `spec` and `role` give the same one.
    """
    if spec.startswith("rsa-"):
        return _rsa_key(int(spec.removeprefix("rsa-")), role)
    return ec.generate_private_key(_CURVES[spec]())


@cache
def _rsa_key(bits: int, _role: object) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, bits)


def public_key_info(key: PublicKey, *, explicit: bool = False) -> bytes:
    """The SubjectPublicKeyInfo in DER; `explicit` writes an EC key's domain parameters out (ICAO 9303-12 4.1)."""
    named = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if not explicit or isinstance(key, rsa.RSAPublicKey):
        return named
    info = keys.PublicKeyInfo.load(named)
    domain = _DOMAINS[key.curve.name]
    size = (domain.p.bit_length() + 7) // 8
    info["algorithm"]["parameters"] = keys.ECDomainParameters(
        name="specified",
        value={
            "version": "ecdpVer1",
            "field_id": {"field_type": "prime_field", "parameters": domain.p},
            "curve": {"a": domain.a.to_bytes(size, "big"), "b": domain.b.to_bytes(size, "big")},
            "base": keys.ECPoint(b"\x04" + domain.x.to_bytes(size, "big") + domain.y.to_bytes(size, "big")),
            "order": domain.n,
            "cofactor": 1,
        },
    )
    return cast(bytes, info.dump(force=True))


def sign(key: PrivateKey, scheme: Scheme, message: bytes) -> bytes:
    """The signature of `key` over `message` by `scheme`: DER for ECDSA, PSS with a salt as long as the hash."""
    digest = _HASHES[scheme.hash]()
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key.sign(message, ec.ECDSA(digest))
    if scheme.pss:
        return key.sign(message, padding.PSS(padding.MGF1(digest), digest.digest_size), digest)
    return key.sign(message, padding.PKCS1v15(), digest)


def signature_algorithm(scheme: Scheme) -> algos.SignedDigestAlgorithm:
    """The AlgorithmIdentifier of a signature by `scheme`, for certificates and CMS."""
    if not scheme.key.startswith("rsa-"):
        return algos.SignedDigestAlgorithm({"algorithm": f"{scheme.hash}_ecdsa"})
    if not scheme.pss:
        return algos.SignedDigestAlgorithm({"algorithm": f"{scheme.hash}_rsa", "parameters": core.Null()})
    parameters: dict[str, Any] = {
        "hash_algorithm": {"algorithm": scheme.hash},
        "mask_gen_algorithm": {"algorithm": "mgf1", "parameters": {"algorithm": scheme.hash}},
        "salt_length": _HASHES[scheme.hash].digest_size,
    }
    return algos.SignedDigestAlgorithm({"algorithm": "rsassa_pss", "parameters": parameters})
