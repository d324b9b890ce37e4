"""The ciphers of a simulated chip: 3DES and AES with their key derivation and message authentication codes.

Source: ICAO 9303-11 9.7.1 (keys), 9.8.6 and 9.8.7 (AES and 3DES in secure messaging); ISO 9797-1 (MAC algorithm 3,
padding method 2); NIST SP 800-38B (CMAC).
"""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha1, sha256
from typing import Any, Final

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import BlockCipherAlgorithm, Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.cmac import CMAC

ENCRYPTION: Final = 1
AUTHENTICATION: Final = 2
PASSWORD: Final = 3
_MAC_BYTES: Final = 8


def pad(data: bytes, block: int) -> bytes:
    """Padding method 2: 80 and as many 00 as make whole blocks of *block* bytes."""
    return data + b"\x80" + bytes(-(len(data) + 1) % block)


def unpad(data: bytes) -> bytes:
    """*data* without its padding of method 2. ValueError when there is none."""
    bare = data.rstrip(b"\x00")
    if bare[-1:] != b"\x80":
        raise ValueError("no padding")
    return bare[:-1]


@dataclass(frozen=True)
class Suite:
    """A cipher with its key length and block length in bytes."""

    name: str
    key_bytes: int
    block: int
    digest: Callable[[bytes], Any]

    def key(self, secret: bytes, counter: int) -> bytes:
        """KDF(*secret*, *counter*), `ENCRYPTION`, `AUTHENTICATION` or `PASSWORD`; DES keys get odd parity."""
        key: bytes = self.digest(secret + counter.to_bytes(4, "big")).digest()[: self.key_bytes]
        if self is not DES3:
            return key
        return bytes(byte & 0xFE | (byte >> 1).bit_count() % 2 ^ 1 for byte in key)

    def encrypt(self, key: bytes, data: bytes, iv: bytes | None = None) -> bytes:
        """CBC over whole blocks; *iv* None is zeros."""
        encryptor = Cipher(self._algorithm(key), modes.CBC(iv or bytes(self.block))).encryptor()
        return encryptor.update(data) + encryptor.finalize()

    def decrypt(self, key: bytes, data: bytes, iv: bytes | None = None) -> bytes:
        """The inverse of `encrypt`."""
        decryptor = Cipher(self._algorithm(key), modes.CBC(iv or bytes(self.block))).decryptor()
        return decryptor.update(data) + decryptor.finalize()

    def mac(self, key: bytes, data: bytes) -> bytes:
        """Eight bytes over *data*, which is whole blocks for 3DES and anything for AES."""
        if self is not DES3:
            cmac = CMAC(AES(key))
            cmac.update(data)
            return cmac.finalize()[:_MAC_BYTES]
        chained = bytes(8)
        if len(data) > 8:
            single = Cipher(TripleDES(key[:8] * 3), modes.CBC(bytes(8))).encryptor()
            chained = single.update(data[:-8])[-8:]
        return self.encrypt(key, data[-8:], chained)

    def _algorithm(self, key: bytes) -> BlockCipherAlgorithm:
        return TripleDES(key + key[:8]) if self is DES3 else AES(key)


DES3: Final = Suite("3DES", 16, 8, sha1)
AES128: Final = Suite("AES-128", 16, 16, sha1)
AES192: Final = Suite("AES-192", 24, 16, sha256)
AES256: Final = Suite("AES-256", 32, 16, sha256)
SUITES: Final = {suite.name: suite for suite in (DES3, AES128, AES192, AES256)}
"""Every suite by the name the profiles of cards use."""
