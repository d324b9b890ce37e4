"""Active Authentication: the chip signs a challenge with a key that cannot be copied out of it.

SHA-1 counts here, unlike in signatures of issuers: it is the chip's protocol, eight bytes of what is hashed are our own
fresh ones, and a collision prepared beforehand is of no use against them.

Source: ICAO 9303-11 6.1, ISO/IEC 9796-2 scheme 1 with partial recovery, BSI TR-03111 5.2 (ECDSA).
"""

from __future__ import annotations

from hashlib import new as new_hash
from typing import Final

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from kiosk.emrtd import security_infos, tlv
from kiosk.emrtd.errors import DataError
from kiosk.emrtd.public_keys import ECDSA_HASHES, HASHES, load_spki, verify_ecdsa
from kiosk.emrtd.security_infos import ActiveAuthenticationInfo

_TAG_DG15: Final = 0x6F

_TRAILERS: Final = {0x33: "sha1", 0x34: "sha256", 0x35: "sha512", 0x36: "sha384", 0x38: "sha224"}
"""First byte of a trailer xx CC: the hash function (ISO/IEC 10118-3). The trailer BC means SHA-1 here."""


def verify(dg15: bytes, challenge: bytes, response: bytes, dg14: bytes | None) -> bool:
    """Whether *response* is the answer of the holder of the key in *dg15* to the *challenge* (8 bytes).

    *dg14*: where ECDSA keys have their hash function (ActiveAuthenticationInfo). Chips that leave that out, against
    ICAO 9303-11 9.2.8, do not agree on one, so any of ``HASHES`` will do then: none can be forged for a fresh
    challenge. ECDSA answers may be plain (r || s) or DER. DataError: the key, not the answer, cannot be understood.
    Whether *dg15* is the issuer's is not asked here.
    """
    key = load_spki(tlv.expect(dg15, _TAG_DG15))
    if isinstance(key, RSAPublicKey):
        return _verify_rsa(key, challenge, response)
    announced = None if dg14 is None else _announced_hash(dg14)
    names = HASHES if announced is None else (announced,)
    return any(verify_ecdsa(key, name, response, challenge) for name in names)


def _verify_rsa(key: RSAPublicKey, challenge: bytes, response: bytes) -> bool:
    numbers = key.public_numbers()
    size = (numbers.n.bit_length() + 7) // 8
    signature = int.from_bytes(response, "big")
    if len(response) != size or signature >= numbers.n:
        return False
    opened = pow(signature, numbers.e, numbers.n)
    # every message ends in the four bits 1100; a signer may give n - s for s if that is smaller (ISO/IEC 9796-2)
    message = (opened if opened % 16 == 12 else numbers.n - opened).to_bytes(size, "big")
    if message[-1] == 0xBC:
        digest, end = "sha1", size - 1
    elif message[-1] == 0xCC and message[-2] in _TRAILERS:
        digest, end = _TRAILERS[message[-2]], size - 2
    else:
        return False
    start = _recoverable_part(message)
    middle = end - new_hash(digest, usedforsecurity=False).digest_size
    if start is None or start > middle:
        return False
    return new_hash(digest, message[start:middle] + challenge, usedforsecurity=False).digest() == message[middle:end]


def _recoverable_part(message: bytes) -> int | None:
    """Where it begins: behind the header 6A, or 6B BB ... BA when it is shorter than there is room; None: no header."""
    if message[0] == 0x6A:
        return 1
    if message[0] != 0x6B:
        return None
    at = 1
    while at < len(message) and message[at] == 0xBB:
        at += 1
    return at + 1 if at < len(message) and message[at] == 0xBA else None


def _announced_hash(dg14: bytes) -> str | None:
    """The hash function of the first ActiveAuthenticationInfo of *dg14* (ICAO 9303-11 9.2.8), None without one."""
    try:
        infos = security_infos.parse(dg14)
    except DataError:  # other files' faults are not those of the key
        return None
    announced = next((info for info in infos if isinstance(info, ActiveAuthenticationInfo)), None)
    return None if announced is None else ECDSA_HASHES.get(announced.signature_algorithm)
