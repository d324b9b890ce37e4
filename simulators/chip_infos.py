"""SecurityInfos of a simulated chip: EF.CardAccess, the content of EF.CardSecurity, and DG14.

Source: ICAO 9303-11 9.2, BSI TR-03110-3 A.1 and B; identity-documents.md 7.2 (what Vietnamese cards carry).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

from simulators.chip_ber import integer, oid, tlv
from simulators.chip_domain_parameters import CURVES
from simulators.chip_keys import public_key_info

Mapping = Literal["DH-GM", "ECDH-GM", "DH-IM", "ECDH-IM", "ECDH-CAM"]
Cipher = Literal["3DES", "AES-128", "AES-192", "AES-256"]
CIPHERS: Final[tuple[Cipher, ...]] = ("3DES", "AES-128", "AES-192", "AES-256")

_PACE: Final = "0.4.0.127.0.7.2.2.4"
_MAPPINGS: Final[dict[Mapping, int]] = {"DH-GM": 1, "ECDH-GM": 2, "DH-IM": 3, "ECDH-IM": 4, "ECDH-CAM": 6}
_CA_ECDH: Final = "0.4.0.127.0.7.2.2.3.2"
_PK_ECDH: Final = "0.4.0.127.0.7.2.2.1.2"
_ACTIVE_AUTHENTICATION: Final = "2.23.136.1.1.5"
_ECDSA_PLAIN: Final = "0.4.0.127.0.7.1.1.4.1"
_PLAIN_HASHES: Final = {"sha1": 1, "sha224": 2, "sha256": 3, "sha384": 4, "sha512": 5}


@dataclass(frozen=True)
class PaceInfo:
    """One way to run PACE: `parameter` is the id of the standardised domain parameters (13: brainpoolP256r1)."""

    mapping: Mapping = "ECDH-GM"
    cipher: Cipher = "AES-128"
    parameter: int = 13

    @property
    def protocol(self) -> str:
        """The object identifier, dotted."""
        return f"{_PACE}.{_MAPPINGS[self.mapping]}.{CIPHERS.index(self.cipher) + 1}"

    @property
    def curve(self) -> str:
        """The curve's name. KeyError where the parameters are a group of DH."""
        return CURVES[self.parameter].name

    @property
    def encoded(self) -> bytes:
        """The PACEInfo, version 2."""
        return tlv(0x30, oid(self.protocol), integer(2), integer(self.parameter))


CCCD_PACE: Final = PaceInfo()
"""What EF.CardAccess of Vietnamese cards names."""


@dataclass(frozen=True)
class ChipAuthentication:
    """Chip Authentication as a chip offers it, over ECDH.

    `cipher` None leaves ChipAuthenticationInfo out, as early documents do: 3DES is meant. `explicit` writes the curve's
    domain parameters out; `key_id` marks key and info where a chip names its keys.
    """

    curve: str = "brainpoolP256r1"
    cipher: Cipher | None = "AES-128"
    explicit: bool = True
    key_id: int | None = None

    @property
    def protocol(self) -> str:
        """The object identifier, dotted."""
        return f"{_CA_ECDH}.{CIPHERS.index(self.cipher or '3DES') + 1}"


@dataclass(frozen=True)
class ActiveAuthentication:
    """Active Authentication as a chip offers it.

    `key`: `rsa-1024` and longer (ISO 9796-2 scheme 1), or a curve (ECDSA); `hash`: of the signature; `form`: of an
    ECDSA signature, r and s in a row or DER; `explicit`: as in `Scheme`.
    """

    key: str = "secp256r1"
    hash: Literal["sha1", "sha224", "sha256", "sha384", "sha512"] = "sha256"
    form: Literal["plain", "der"] = "plain"
    explicit: bool = False


def security_infos(infos: Iterable[bytes]) -> bytes:
    """A SET OF SecurityInfo, in the order given: what EF.CardAccess holds."""
    return tlv(0x31, *infos)


def chip_authentication_infos(offer: ChipAuthentication, key: EllipticCurvePublicKey) -> list[bytes]:
    """ChipAuthenticationPublicKeyInfo and, unless left out, ChipAuthenticationInfo version 1."""
    name = () if offer.key_id is None else (integer(offer.key_id),)
    infos = [public_key(key, *name, explicit=offer.explicit)]
    if offer.cipher is not None:
        infos.append(tlv(0x30, oid(offer.protocol), integer(1), *name))
    return infos


def public_key(key: EllipticCurvePublicKey, *key_id: bytes, explicit: bool) -> bytes:
    """A ChipAuthenticationPublicKeyInfo; `key_id` as an INTEGER in DER, if any."""
    return tlv(0x30, oid(_PK_ECDH), public_key_info(key, explicit=explicit), *key_id)


def active_authentication_info(offer: ActiveAuthentication) -> bytes:
    """ActiveAuthenticationInfo version 1 with the plain-ECDSA identifier of the hash (BSI TR-03111 5.2.1).

    ICAO 9303-11 9.2.4 names these identifiers for both forms of a signature.
    """
    algorithm = oid(f"{_ECDSA_PLAIN}.{_PLAIN_HASHES[offer.hash]}")
    return tlv(0x30, oid(_ACTIVE_AUTHENTICATION), integer(1), algorithm)
