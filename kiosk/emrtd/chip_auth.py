"""Chip Authentication: new session keys that only the holder of the chip's private key can know.

A copied chip carries DG14 with the public key, but cannot answer under the new keys. So the proof is not in this
protocol, but in the next answer: ``confirm`` asks for it. It counts only when DG14 is under the signed hashes.
Source: ICAO 9303-11 6.2, BSI TR-03110-3 B.2 (commands).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from kiosk.emrtd import key_agreement, oids, security_infos, tlv
from kiosk.emrtd.apdu import EXTENDED_LE, SHORT_LE, Channel, Command
from kiosk.emrtd.ciphers import CipherSuite, session_keys
from kiosk.emrtd.errors import ApduError, ChannelBroken, DataError
from kiosk.emrtd.key_agreement import EcGroup, Group
from kiosk.emrtd.secure_messaging import SecureMessaging
from kiosk.emrtd.security_infos import ChipAuthenticationInfo, ChipAuthenticationPublicKeyInfo

_STRENGTH: Final = list(CipherSuite)
_SELECT_DG14: Final = Command(0xA4, 0x02, 0x0C, b"\x01\x0e")
"""A command of which the answer does not matter: that it comes under the new keys does."""


class ChipAuthFailed(ApduError):
    """The chip offers Chip Authentication in DG14 and refuses to run it: so does a copy without the private key."""


@dataclass(frozen=True, slots=True)
class Offer:
    """One key of the chip and a protocol to use it with. ``public``: encoded as ``Group.agree`` takes it."""

    oid: str
    suite: CipherSuite
    key_id: int | None
    group: Group
    public: bytes


def offers(dg14: bytes) -> tuple[Offer, ...]:
    """What *dg14* (the whole file) offers and this module can run, strongest cipher first; empty: not supported.

    A key without a ChipAuthenticationInfo, as the first generation of chips has it, means 3DES. Keys on unknown curves
    and broken ones are left out. DataError when the file has no SecurityInfos at all.
    """
    infos = security_infos.parse(dg14)
    protocols = [info for info in infos if isinstance(info, ChipAuthenticationInfo)]
    found: list[Offer] = []
    for key in infos:
        if not isinstance(key, ChipAuthenticationPublicKeyInfo):
            continue
        try:
            group, public = key_agreement.from_spki(key.spki)
        except DataError:
            continue
        elliptic = isinstance(group, EcGroup)
        fitting = [info for info in protocols if info.elliptic is elliptic and _same_key(info.key_id, key.key_id)]
        found += (Offer(info.oid, info.suite, key.key_id, group, public) for info in fitting)
        if not protocols:
            oid = f"{security_infos.CHIP_AUTHENTICATION}.{2 if elliptic else 1}.1"
            found.append(Offer(oid, CipherSuite.DES3, key.key_id, group, public))
    return tuple(sorted(found, key=lambda offer: _STRENGTH.index(offer.suite), reverse=True))


def run(channel: Channel, dg14: bytes, rng: Callable[[int], bytes]) -> SecureMessaging:
    """Agree on new keys as the best of ``offers(dg14)`` says, over *channel* (protected by PACE or BAC).

    Returns the new channel; the old one is not to be used again. *rng* is asked once, for the ephemeral key.
    ChipAuthFailed: the chip refuses; the old channel still works. ChannelBroken: the old channel ended. ChipLost from
    below. DataError: *dg14* offers nothing that can be run, or a public key that is no element of its group. What comes
    back proves nothing yet: see ``confirm``.
    """
    offer = next(iter(offers(dg14)), None)
    if offer is None:
        raise DataError("DG14 offers no Chip Authentication that is known here")
    scalar = offer.group.scalar(rng)
    secret = offer.group.agree(scalar, offer.public)
    ours = offer.group.public_key(scalar)
    # 3DES goes with MSE:Set KAT, AES with MSE:Set AT; chips are known that understand only the other command.
    ways = (_set_kat, _set_at) if offer.suite is CipherSuite.DES3 else (_set_at, _set_kat)
    refusals: list[ApduError] = []
    for way in ways:
        try:
            way(channel, offer, ours)
            break
        except ApduError as refusal:
            refusals.append(refusal)
    else:
        raise ChipAuthFailed(refusals[0].sw or 0, refusals[0].doing)
    below = channel.channel if isinstance(channel, SecureMessaging) else channel
    return SecureMessaging(below, offer.suite, *session_keys(offer.suite, secret), bytes(offer.suite.block_bytes))


def confirm(channel: Channel) -> bool:
    """Whether the chip knows the keys of *channel*, which ``run`` returned: one SELECT, of DG14.

    False: its answer is not made with them, or comes unprotected; the chip has not the private key of DG14, and the
    channel is dead. True for any protected answer. ChipLost from below.
    """
    try:
        channel.send(_SELECT_DG14)
    except ChannelBroken:
        return False
    return True


def _same_key(one: int | None, other: int | None) -> bool:
    return one is None or other is None or one == other


def _set_kat(channel: Channel, offer: Offer, ours: bytes) -> None:
    """MSE:Set KAT: the key in one command."""
    data = tlv.encode(0x91, ours) + _key_reference(offer)
    _send(channel, Command(0x22, 0x41, 0xA6, data), "Chip Authentication: MSE:Set KAT")


def _set_at(channel: Channel, offer: Offer, ours: bytes) -> None:
    """MSE:Set AT with the protocol, then GENERAL AUTHENTICATE with the key."""
    data = tlv.encode(0x80, oids.content(offer.oid)) + _key_reference(offer)
    _send(channel, Command(0x22, 0x41, 0xA4, data), "Chip Authentication: MSE:Set AT")
    key = tlv.encode(0x7C, tlv.encode(0x80, ours))
    le = SHORT_LE if len(key) < SHORT_LE else EXTENDED_LE
    _send(channel, Command(0x86, data=key, le=le), "Chip Authentication: GENERAL AUTHENTICATE")


def _key_reference(offer: Offer) -> bytes:
    return b"" if offer.key_id is None else tlv.encode(0x84, oids.unsigned(offer.key_id))


def _send(channel: Channel, command: Command, doing: str) -> None:
    answer = channel.send(command)
    if not answer.ok:
        raise ApduError(answer.sw, doing)
