"""Basic Access Control: the channel of chips (or terminals) without PACE. Source: ICAO 9303-11 4.3 and appendix D."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha1
from typing import TYPE_CHECKING, Final

from kiosk.emrtd.apdu import Channel, Command
from kiosk.emrtd.ciphers import CipherSuite, decrypt, encrypt, mac, mac_equal, pad, session_keys
from kiosk.emrtd.errors import AccessDenied, ApduError, ChannelBroken, DataError, WrongKey
from kiosk.emrtd.secure_messaging import SecureMessaging

if TYPE_CHECKING:
    from kiosk.emrtd.mrz import MrzKey

_SUITE: Final = CipherSuite.DES3
_WRONG_KEY: Final = frozenset({0x6300, 0x6982, 0x6985, 0x6988})
"""What chips answer to an EXTERNAL AUTHENTICATE made with another document's key, besides 63Cx."""


def access_seed(information: bytes) -> bytes:
    """K_seed (16 bytes) of the MRZ *information*: document number, birth, expiry, each with its check digit."""
    return sha1(information).digest()[:16]  # noqa: S324 - what the standard derives the key with


def open_channel(channel: Channel, key: MrzKey, rng: Callable[[int], bytes]) -> SecureMessaging:
    """Authenticate with the MRZ's *key* on the selected application and return the protected channel.

    *channel* is plain, the eMRTD application is selected. *rng* is asked for 8, then 16 bytes.
    AccessDenied: the chip knows no BAC, or blocks it. WrongKey: the MRZ is another document's. ChannelBroken: the
    chip agreed but did not prove that it knows the key. ApduError: any other refusal. ChipLost from below.
    """
    challenge = channel.send(Command(0x84, le=8))
    if not challenge.ok:
        raise AccessDenied(challenge.sw, "GET CHALLENGE")
    if len(challenge.data) != 8:
        raise DataError("a challenge that is not 8 bytes long")
    k_enc, k_mac = session_keys(_SUITE, access_seed(key.information()))
    rnd_ic, rnd_ifd, k_ifd = challenge.data, rng(8), rng(16)

    sealed = encrypt(_SUITE, k_enc, rnd_ifd + rnd_ic + k_ifd)
    answer = channel.send(Command(0x82, data=sealed + mac(_SUITE, k_mac, pad(sealed, 8)), le=40))
    if answer.sw in _WRONG_KEY or answer.sw & 0xFFF0 == 0x63C0:
        raise WrongKey(answer.sw, "EXTERNAL AUTHENTICATE")
    if answer.sw == 0x6983:
        raise AccessDenied(answer.sw, "EXTERNAL AUTHENTICATE")
    if not answer.ok:
        raise ApduError(answer.sw, "EXTERNAL AUTHENTICATE")

    cryptogram, checksum = answer.data[:32], answer.data[32:]
    if len(checksum) != 8 or not mac_equal(checksum, mac(_SUITE, k_mac, pad(cryptogram, 8))):
        raise ChannelBroken("BAC: the chip's answer does not carry the MAC of this key")
    opened = decrypt(_SUITE, k_enc, cryptogram)
    if opened[:8] != rnd_ic or opened[8:16] != rnd_ifd:
        raise ChannelBroken("BAC: the chip did not send back the random numbers of this session")
    seed = bytes(ours ^ theirs for ours, theirs in zip(k_ifd, opened[16:], strict=True))
    return SecureMessaging(channel, _SUITE, *session_keys(_SUITE, seed), rnd_ic[4:] + rnd_ifd[4:])
