"""The symmetric half of BAC, PACE and Chip Authentication: key derivation, CBC, and the two MACs.

Source: ICAO 9303-11 9.7.1 (key derivation), 9.8.6 (encryption and MAC in secure messaging); ISO 9797-1 algorithm 3
("retail MAC"), NIST SP 800-38B (CMAC).
"""

from __future__ import annotations

import hmac
from enum import Enum
from hashlib import sha1, sha256
from typing import Final

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.cmac import CMAC

COUNTER_ENC: Final = 1
COUNTER_MAC: Final = 2
COUNTER_PASSWORD: Final = 3


class CipherSuite(Enum):
    """The cipher of a channel: value is (name, key bytes, block bytes)."""

    DES3 = ("3DES-CBC-CBC", 16, 8)
    AES128 = ("AES-CBC-CMAC-128", 16, 16)
    AES192 = ("AES-CBC-CMAC-192", 24, 16)
    AES256 = ("AES-CBC-CMAC-256", 32, 16)

    @property
    def key_bytes(self) -> int:
        """Length of both session keys."""
        return self.value[1]

    @property
    def block_bytes(self) -> int:
        """Block length of the cipher, also the length of the send sequence counter and of padding."""
        return self.value[2]


def derive_key(suite: CipherSuite, secret: bytes, counter: int) -> bytes:
    """KDF(*secret*, *counter*): SHA-1 for 3DES and AES-128, SHA-256 for AES-192/256; parity bits set for 3DES."""
    hashed = (sha1 if suite in (CipherSuite.DES3, CipherSuite.AES128) else sha256)(
        secret + counter.to_bytes(4, "big")
    ).digest()
    key = hashed[: suite.key_bytes]
    return _with_parity(key) if suite is CipherSuite.DES3 else key


def session_keys(suite: CipherSuite, secret: bytes) -> tuple[bytes, bytes]:
    """(K_Enc, K_MAC) from a shared *secret*."""
    return derive_key(suite, secret, COUNTER_ENC), derive_key(suite, secret, COUNTER_MAC)


def encrypt(suite: CipherSuite, key: bytes, data: bytes, iv: bytes | None = None) -> bytes:
    """CBC without padding; *data* is whole blocks, *iv* defaults to zeros."""
    encryptor = _cipher(suite, key, iv).encryptor()
    return encryptor.update(data) + encryptor.finalize()


def decrypt(suite: CipherSuite, key: bytes, data: bytes, iv: bytes | None = None) -> bytes:
    """The reverse of ``encrypt``."""
    decryptor = _cipher(suite, key, iv).decryptor()
    return decryptor.update(data) + decryptor.finalize()


def encrypt_block(suite: CipherSuite, key: bytes, block: bytes) -> bytes:
    """One block alone: the IV of AES secure messaging is the encrypted counter (ICAO 9303-11 9.8.6.1)."""
    return encrypt(suite, key, block)


def mac(suite: CipherSuite, key: bytes, data: bytes) -> bytes:
    """Eight bytes of MAC over *data*. For 3DES the caller has padded *data* to whole blocks; CMAC pads by itself."""
    if suite is CipherSuite.DES3:
        return _retail_mac(key, data)
    cmac = CMAC(AES(key))
    cmac.update(data)
    return cmac.finalize()[:8]


def mac_equal(one: bytes, other: bytes) -> bool:
    """Compare two MACs without telling by time where they differ."""
    return hmac.compare_digest(one, other)


def pad(data: bytes, block_bytes: int) -> bytes:
    """ISO 9797-1 padding method 2: 80, then zeros to a whole block."""
    return data + b"\x80" + bytes(-(len(data) + 1) % block_bytes)


def unpad(data: bytes) -> bytes | None:
    """The reverse of ``pad``, or None when the padding is wrong."""
    stripped = data.rstrip(b"\x00")
    return stripped[:-1] if stripped.endswith(b"\x80") else None


def _cipher(suite: CipherSuite, key: bytes, iv: bytes | None) -> Cipher[modes.CBC]:
    algorithm = TripleDES(key + key[:8]) if suite is CipherSuite.DES3 else AES(key)
    return Cipher(algorithm, modes.CBC(bytes(suite.block_bytes) if iv is None else iv))


def _retail_mac(key: bytes, data: bytes) -> bytes:
    left, right = key[:8], key[8:16]
    chain = Cipher(TripleDES(left * 3), modes.CBC(bytes(8))).encryptor().update(data)
    middle = Cipher(TripleDES(right * 3), modes.ECB()).decryptor().update(chain[-8:])  # noqa: S305 - one block
    return Cipher(TripleDES(left * 3), modes.ECB()).encryptor().update(middle)  # noqa: S305 - one block


def _with_parity(key: bytes) -> bytes:
    """Odd parity in the lowest bit of each byte, as DES keys carry it."""
    return bytes(b & 0xFE | (bin(b >> 1).count("1") & 1 ^ 1) for b in key)
