"""PACE: a protected channel from a short password, without anyone being able to test guesses off line.

The steps are pure functions, so that both roles can be played with them; ``open_channel`` plays the terminal.
Source: ICAO 9303-11 4.4, BSI TR-03110-3 3.2 and B.11 (commands).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha1
from typing import TYPE_CHECKING, Final

from kiosk.emrtd import oids, pace_cam, tlv
from kiosk.emrtd.apdu import EXTENDED_LE, SHORT_LE, Channel, Command
from kiosk.emrtd.ciphers import COUNTER_PASSWORD, CipherSuite, decrypt, derive_key, mac, mac_equal, pad, session_keys
from kiosk.emrtd.errors import AccessDenied, ApduError, DataError, WrongKey
from kiosk.emrtd.pace_cam import CamProof
from kiosk.emrtd.secure_messaging import SecureMessaging
from kiosk.emrtd.security_infos import Mapping, PaceInfo

if TYPE_CHECKING:
    from kiosk.emrtd.mrz import MrzKey

_DYNAMIC: Final = 0x7C  # dynamic authentication data
_CHAINED: Final = 0x10  # command chaining: more of this protocol follows
_LONGEST_NONCE: Final = 64
_DENIED: Final = frozenset({0x6982, 0x6983, 0x6984, 0x6985, 0x63C0})
_TRIES_LEFT: Final = frozenset(range(0x63C1, 0x63D0))


@dataclass(frozen=True, slots=True)
class Password:
    """What is printed on the document. ``reference``: 1 for the MRZ, 2 for the CAN (BSI TR-03110-3 B.11.1)."""

    reference: int
    secret: bytes = field(repr=False)

    @classmethod
    def can(cls, number: str) -> Password:
        """The card access number: digits. DataError for anything else."""
        if not (number.isascii() and number.isdigit()):
            raise DataError("a card access number has digits only")
        return cls(2, number.encode("ascii"))

    @classmethod
    def mrz(cls, key: MrzKey) -> Password:
        """The MRZ: SHA-1 of number, birth and expiry with their check digits (ICAO 9303-11 9.7.3)."""
        return cls(1, sha1(key.information()).digest())  # noqa: S324 - the standard's choice, no signature


@dataclass(frozen=True, slots=True)
class PaceResult:
    """``channel``: protected, send sequence counter zero. ``cam``: what the chip sent to prove its key; None for GM."""

    channel: SecureMessaging
    cam: CamProof | None


def password_key(suite: CipherSuite, password: Password) -> bytes:
    """K_pi, the key of the encrypted nonce (ICAO 9303-11 9.7.3)."""
    return derive_key(suite, password.secret, COUNTER_PASSWORD)


def authentication_token(suite: CipherSuite, k_mac: bytes, oid: str, key_tag: int, public: bytes) -> bytes:
    """Eight bytes of MAC over the other side's ephemeral *public* key (ICAO 9303-11 4.4.3.4, BSI TR-03110-3 D.3)."""
    covered = tlv.encode(0x7F49, tlv.encode(0x06, oids.content(oid)) + tlv.encode(key_tag, public))
    return mac(suite, k_mac, pad(covered, suite.block_bytes) if suite is CipherSuite.DES3 else covered)


def open_channel(channel: Channel, info: PaceInfo, password: Password, rng: Callable[[int], bytes]) -> PaceResult:
    """Run PACE as *info* says on a plain *channel* and return the protected one.

    *rng* is asked twice, for the two ephemeral keys. WrongKey: the chip has another password (6300 or 63Cx to our
    token, or its own token is not made with ours). AccessDenied: it refuses whoever asks. ApduError: any other
    refusal; at the first command that means that it does not run PACE in this way. DataError: answers that no
    standard allows. ChipLost from below.
    """
    suite, group = info.suite, info.group()
    _set_template(channel, info, password)

    sealed = _step(channel, b"", 0x80, "nonce", SHORT_LE)
    if not sealed or len(sealed) % suite.block_bytes or len(sealed) > _LONGEST_NONCE:
        raise DataError(f"an encrypted nonce of {len(sealed)} bytes")
    nonce = decrypt(suite, password_key(suite, password), sealed)

    le = SHORT_LE if group.key_bytes + 8 <= SHORT_LE else EXTENDED_LE
    scalar = group.scalar(rng)
    mapping_key = _step(channel, tlv.encode(0x81, group.public_key(scalar)), 0x82, "mapping", le)
    generator = group.map_generator(nonce, scalar, mapping_key)

    scalar = group.scalar(rng)
    ours = group.public_key(scalar, generator)
    theirs = _step(channel, tlv.encode(0x83, ours), 0x84, "key agreement", le)
    if theirs == ours:
        raise DataError("PACE: the chip sent our own key back")
    k_enc, k_mac = session_keys(suite, group.agree(scalar, theirs))

    token = authentication_token(suite, k_mac, info.oid, group.key_tag, theirs)
    answer = _last_step(channel, tlv.encode(0x85, token))
    expected = authentication_token(suite, k_mac, info.oid, group.key_tag, ours)
    if not mac_equal(tlv.find(answer, 0x86) or b"", expected):
        raise WrongKey(0x6300, "PACE: the chip's authentication token")
    cam = None
    if info.mapping is Mapping.CAM:
        cam = pace_cam.proof(group, suite, k_enc, mapping_key, tlv.find(answer, 0x8A))
    return PaceResult(SecureMessaging(channel, suite, k_enc, k_mac, bytes(suite.block_bytes)), cam)


def _set_template(channel: Channel, info: PaceInfo, password: Password) -> None:
    data = tlv.encode(0x80, oids.content(info.oid)) + tlv.encode(0x83, bytes((password.reference,)))
    if info.ambiguous and info.parameter_id is not None:
        data += tlv.encode(0x84, oids.unsigned(info.parameter_id))
    answer = channel.send(Command(0x22, 0xC1, 0xA4, data))
    if not answer.ok and answer.sw not in _TRIES_LEFT:  # 63Cx here only warns of earlier wrong passwords
        _refuse(answer.sw, "PACE: MSE:Set AT")


def _step(channel: Channel, data: bytes, tag: int, name: str, le: int) -> bytes:
    """One GENERAL AUTHENTICATE of the chain; the value of object *tag* in its answer."""
    answer = channel.send(Command(0x86, data=tlv.encode(_DYNAMIC, data), le=le, cla=_CHAINED))
    if not answer.ok:
        _refuse(answer.sw, f"PACE: {name}")
    value = tlv.find(tlv.expect(answer.data, _DYNAMIC), tag)
    if value is None:
        raise DataError(f"PACE: no object {tag:02X} in the answer of step {name}")
    return value


def _last_step(channel: Channel, data: bytes) -> bytes:
    """Exchange the tokens; the objects of the answer."""
    doing = "PACE: mutual authentication"
    answer = channel.send(Command(0x86, data=tlv.encode(_DYNAMIC, data), le=SHORT_LE))
    if answer.sw == 0x6300 or answer.sw & 0xFFF0 == 0x63C0:
        raise WrongKey(answer.sw, doing)
    if not answer.ok:
        _refuse(answer.sw, doing)
    return tlv.expect(answer.data, _DYNAMIC)


def _refuse(sw: int, doing: str) -> None:
    raise AccessDenied(sw, doing) if sw in _DENIED else ApduError(sw, doing)
