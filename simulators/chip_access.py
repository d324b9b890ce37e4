"""Access control of a simulated chip: Basic Access Control and PACE with generic and chip authentication mapping.

Source: ICAO 9303-11 4.3 (BAC), 4.4 (PACE), 9.7 (keys); BSI TR-03110-3 A.3, B.1, D.3.
"""

from hashlib import sha1
from hmac import compare_digest
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from simulators.chip_apdu import Refused
from simulators.chip_ber import oid, tlv
from simulators.chip_ciphers import AUTHENTICATION, DES3, ENCRYPTION, PASSWORD, SUITES, pad
from simulators.chip_curves import STANDARD_GROUPS, Group, Rng, scalar
from simulators.chip_infos import PaceInfo
from simulators.chip_secure_messaging import SecureChannel

MRZ: Final = 1
CAN: Final = 2
_NONCE_BYTES: Final = 16
_ENCRYPTED_NONCE: Final = 0x80
_MAP_IN, _MAP_OUT = 0x81, 0x82
_KEY_IN, _KEY_OUT = 0x83, 0x84
_TOKEN_IN, _TOKEN_OUT = 0x85, 0x86
_ENCRYPTED_CA_DATA: Final = 0x8A


class WrongPassword(Exception):
    """The reader does not know the password."""


def mrz_information(lines: tuple[str, ...]) -> bytes:
    """Document number, birth date and expiry date with their check digits, of a TD1 (3 lines) or TD3 (2 lines) zone."""
    if len(lines) == 3:
        return (lines[0][5:15] + lines[1][0:7] + lines[1][8:15]).encode("ascii")
    return (lines[1][0:10] + lines[1][13:20] + lines[1][21:28]).encode("ascii")


class BasicAccess:
    """One challenge of Basic Access Control and its answer."""

    def __init__(self, mrz: bytes, rng: Rng) -> None:
        """*mrz* as `mrz_information` gives it."""
        seed = sha1(mrz).digest()[:16]  # noqa: S324 - the standard's
        self._enc = DES3.key(seed, ENCRYPTION)
        self._mac = DES3.key(seed, AUTHENTICATION)
        self._rng = rng
        self.challenge = rng(8)

    def authenticate(self, cryptogram: bytes) -> tuple[bytes, SecureChannel]:
        """The answer to EXTERNAL AUTHENTICATE with *cryptogram* (40 bytes), and the session; or WrongPassword."""
        message, mac = cryptogram[:-8], cryptogram[-8:]
        if len(cryptogram) != 40 or not compare_digest(mac, DES3.mac(self._mac, pad(message, 8))):
            raise WrongPassword
        plain = DES3.decrypt(self._enc, message)
        theirs, echo, their_key = plain[:8], plain[8:16], plain[16:]
        if echo != self.challenge:
            raise WrongPassword
        own_key = self._rng(16)
        answer = DES3.encrypt(self._enc, self.challenge + theirs + own_key)
        seed = bytes(a ^ b for a, b in zip(their_key, own_key, strict=True))
        counter = int.from_bytes(self.challenge[-4:] + theirs[-4:], "big")
        return answer + DES3.mac(self._mac, pad(answer, 8)), SecureChannel(DES3, seed, counter)


class Pace:
    """One run of PACE, up to the session; each step answers one GENERAL AUTHENTICATE."""

    def __init__(self, info: PaceInfo, password: bytes, cam_key: EllipticCurvePrivateKey | None, rng: Rng) -> None:
        """*password*: SHA-1 of the MRZ information, or the digits of the CAN; *cam_key* for ECDH-CAM."""
        self._info = info
        self._cam_key = cam_key if info.mapping == "ECDH-CAM" else None
        self._suite = SUITES[info.cipher]
        self._group: Group[Any] = STANDARD_GROUPS[info.parameter]
        self._password = self._suite.key(password, PASSWORD)
        self._rng = rng
        self._steps = [self._nonce, self._map, self._agree, self._confirm]
        self.channel: SecureChannel | None = None

    @property
    def last_step_next(self) -> bool:
        """True when only the tokens are left to exchange."""
        return len(self._steps) == 1

    def step(self, objects: dict[int, bytes]) -> bytes:
        """The objects of the answer to *objects*. Refused for a malformed request, WrongPassword for a wrong token."""
        try:
            return self._steps.pop(0)(objects)
        except (KeyError, ValueError):
            raise Refused(0x6A80) from None

    def _nonce(self, objects: dict[int, bytes]) -> bytes:
        _expect(objects)
        self._secret = self._rng(_NONCE_BYTES)
        return tlv(_ENCRYPTED_NONCE, self._suite.encrypt(self._password, self._secret))

    def _map(self, objects: dict[int, bytes]) -> bytes:
        _expect(objects, _MAP_IN)
        group = self._group
        theirs = group.decode(objects[_MAP_IN])
        self._map_key = scalar(group.order, self._rng)
        own = group.power(group.base, self._map_key)
        shared = group.power(theirs, self._map_key)
        nonce = int.from_bytes(self._secret, "big")
        self._base = group.combine(group.power(group.base, nonce), shared)
        return tlv(_MAP_OUT, group.encode(own))

    def _agree(self, objects: dict[int, bytes]) -> bytes:
        _expect(objects, _KEY_IN)
        group = self._group
        theirs = group.decode(objects[_KEY_IN])
        key = scalar(group.order, self._rng)
        own = group.power(self._base, key)
        if own == theirs:
            raise ValueError("both sides have the same key")
        self._keys = group.encode(own), group.encode(theirs)
        self._secret = group.secret(group.power(theirs, key))
        return tlv(_KEY_OUT, self._keys[0])

    def _confirm(self, objects: dict[int, bytes]) -> bytes:
        _expect(objects, _TOKEN_IN)
        own, theirs = self._keys
        mac_key = self._suite.key(self._secret, AUTHENTICATION)
        if not compare_digest(objects[_TOKEN_IN], self._token(mac_key, own)):
            raise WrongPassword
        self.channel = SecureChannel(self._suite, self._secret)
        answer = tlv(_TOKEN_OUT, self._token(mac_key, theirs))
        if self._cam_key is not None:
            answer += tlv(_ENCRYPTED_CA_DATA, self._chip_authentication_data(self._cam_key))
        return answer

    def _token(self, mac_key: bytes, public_key: bytes) -> bytes:
        covered = tlv(0x7F49, oid(self._info.protocol), tlv(self._group.key_tag, public_key))
        return self._suite.mac(mac_key, pad(covered, 8) if self._suite is DES3 else covered)

    def _chip_authentication_data(self, static: EllipticCurvePrivateKey) -> bytes:
        """The mapping key divided by the chip's static key, encrypted (9303-11 4.4.3.3.3 and 4.4.3.5)."""
        order = self._group.order
        data = self._map_key * pow(static.private_numbers().private_value, -1, order) % order
        enc = self._suite.key(self._secret, ENCRYPTION)
        iv = self._suite.encrypt(enc, b"\xff" * self._suite.block)
        encoded = data.to_bytes((order.bit_length() + 7) // 8, "big")
        return self._suite.encrypt(enc, pad(encoded, self._suite.block), iv)


def _expect(objects: dict[int, bytes], *tags: int) -> None:
    if tuple(objects) != tags:
        raise ValueError("not the objects of this step")
