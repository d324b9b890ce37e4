"""The symmetric half of BAC, PACE and Chip Authentication: key derivation, CBC, and the two MACs.

Source: ICAO 9303-11 9.7.1 (key derivation), 9.8.6 (encryption and MAC in secure messaging); ISO 9797-1 algorithm 3
("retail MAC"), NIST SP 800-38B (CMAC).
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
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
    return _cbc(suite, key, iv).encryptor().update(data)


def decrypt(suite: CipherSuite, key: bytes, data: bytes, iv: bytes | None = None) -> bytes:
    """The reverse of ``encrypt``."""
    return _cbc(suite, key, iv).decryptor().update(data)


def encrypt_block(suite: CipherSuite, key: bytes, block: bytes) -> bytes:
    """One block alone, as PACE-CAM makes its IV (ICAO 9303-11 4.4.3.3.3)."""
    return encrypt(suite, key, block)


def mac(suite: CipherSuite, key: bytes, data: bytes) -> bytes:
    """Eight bytes of MAC over *data*. For 3DES the caller has padded *data* to whole blocks; CMAC pads by itself."""
    return (_retail_mac if suite is CipherSuite.DES3 else _cmac)(key)(data)


class ChannelCipher:
    """Secure messaging's use of its two keys, set up once: that takes longer than protecting a short message."""

    def __init__(self, suite: CipherSuite, k_enc: bytes, k_mac: bytes) -> None:
        """*k_enc*, *k_mac*: ``suite.key_bytes`` each."""
        self._algorithm = _algorithm(suite, k_enc)
        if suite is CipherSuite.DES3:
            self._iv: Callable[[bytes], bytes] = lambda counter: bytes(len(counter))
            self._mac = _retail_mac(k_mac)
        else:
            self._iv = Cipher(self._algorithm, modes.ECB()).encryptor().update  # noqa: S305 - one block at a time
            self._mac = _cmac(k_mac)

    def encrypt(self, data: bytes, counter: bytes) -> bytes:
        """*data*, whole blocks, in CBC. IV: the encrypted *counter* for AES, zeros for 3DES (ICAO 9303-11 9.8.6)."""
        return Cipher(self._algorithm, modes.CBC(self._iv(counter))).encryptor().update(data)

    def decrypt(self, data: bytes, counter: bytes) -> bytes:
        """The reverse of ``encrypt``."""
        return Cipher(self._algorithm, modes.CBC(self._iv(counter))).decryptor().update(data)

    def mac(self, data: bytes) -> bytes:
        """The function ``mac`` with this channel's key."""
        return self._mac(data)


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


def _algorithm(suite: CipherSuite, key: bytes) -> AES | TripleDES:
    return TripleDES(key + key[:8]) if suite is CipherSuite.DES3 else AES(key)


def _cbc(suite: CipherSuite, key: bytes, iv: bytes | None) -> Cipher[modes.CBC]:
    return Cipher(_algorithm(suite, key), modes.CBC(bytes(suite.block_bytes) if iv is None else iv))


def _cmac(key: bytes) -> Callable[[bytes], bytes]:
    fresh = CMAC(AES(key))

    def compute(data: bytes) -> bytes:
        cmac = fresh.copy()
        cmac.update(data)
        return cmac.finalize()[:8]

    return compute


def _retail_mac(key: bytes) -> Callable[[bytes], bytes]:
    left, right = TripleDES(key[:8] * 3), TripleDES(key[8:16] * 3)
    chain = Cipher(left, modes.CBC(bytes(8)))
    middle = Cipher(right, modes.ECB()).decryptor()  # noqa: S305 - one block at a time
    last = Cipher(left, modes.ECB()).encryptor()  # noqa: S305 - one block at a time
    return lambda data: last.update(middle.update(chain.encryptor().update(data)[-8:]))


def _with_parity(key: bytes) -> bytes:
    """Odd parity in the lowest bit of each byte, as DES keys carry it."""
    return bytes(b & 0xFE | (bin(b >> 1).count("1") & 1 ^ 1) for b in key)
