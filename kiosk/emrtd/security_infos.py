"""SecurityInfos: which protocols a chip offers, in EF.CardAccess, DG14 and the signed content of EF.CardSecurity.

Source: ICAO 9303-11 9.2, BSI TR-03110-3 A.1. Chips carry entries that no reader knows, and now and then a broken one:
each entry is read by itself, and what cannot be read is kept as it is.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from kiosk.emrtd import key_agreement, oids, tlv
from kiosk.emrtd.ciphers import CipherSuite
from kiosk.emrtd.errors import DataError
from kiosk.emrtd.key_agreement import EcGroup, Group

PACE: Final = "0.4.0.127.0.7.2.2.4"
CHIP_AUTHENTICATION: Final = "0.4.0.127.0.7.2.2.3"
_CHIP_KEY: Final = "0.4.0.127.0.7.2.2.1"
_TERMINAL_AUTHENTICATION: Final = "0.4.0.127.0.7.2.2.2"
_ACTIVE_AUTHENTICATION: Final = "2.23.136.1.1.5"

_SUITES: Final = {1: CipherSuite.DES3, 2: CipherSuite.AES128, 3: CipherSuite.AES192, 4: CipherSuite.AES256}
_STRENGTH: Final = list(_SUITES.values())
_MOST_ENTRIES: Final = 100
_FIRST_PROPRIETARY: Final = 32  # parameter ids from here on mean a PACEDomainParameterInfo of the same file


class Mapping(StrEnum):
    """How PACE maps the nonce to a generator."""

    GM = "GM"  # generic
    IM = "IM"  # integrated
    CAM = "CAM"  # generic, and the chip proves that it has the private key of EF.CardSecurity


_PACE_KINDS: Final = {  # arc below id-PACE: (over elliptic curves, mapping)
    1: (False, Mapping.GM),
    2: (True, Mapping.GM),
    3: (False, Mapping.IM),
    4: (True, Mapping.IM),
    6: (True, Mapping.CAM),
}


@dataclass(frozen=True, slots=True)
class PaceInfo:
    """One way to run PACE. ``parameter_id``: domain parameters, None where the file leaves them out.

    The two fields behind are no part of the entry and of its equality; ``pace_infos`` fills them from the whole file:
    ``parameters``, the AlgorithmIdentifier of proprietary domain parameters, and ``ambiguous``, whether the chip must
    be told which domain parameters are meant.
    """

    oid: str
    version: int
    parameter_id: int | None
    parameters: bytes | None = field(default=None, compare=False)
    ambiguous: bool = field(default=False, compare=False)

    @property
    def elliptic(self) -> bool:
        """Whether PACE runs over an elliptic curve."""
        return _PACE_KINDS[_arcs(self.oid, PACE)[0]][0]

    @property
    def mapping(self) -> Mapping:
        """GM, IM or CAM."""
        return _PACE_KINDS[_arcs(self.oid, PACE)[0]][1]

    @property
    def suite(self) -> CipherSuite:
        """The cipher of the nonce and of the channel."""
        return _SUITES[_arcs(self.oid, PACE)[1]]

    def group(self) -> Group:
        """The domain parameters. DataError when they are unknown, broken, or of the other kind."""
        if self.parameters is not None:
            group = key_agreement.from_algorithm(self.parameters)
        else:
            known = None if self.parameter_id is None else key_agreement.standardized(self.parameter_id)
            if known is None:
                raise DataError(f"PACE domain parameters {self.parameter_id} are not known")
            group = known
        if isinstance(group, EcGroup) is not self.elliptic:
            raise DataError("PACE over domain parameters of the other kind")
        return group


@dataclass(frozen=True, slots=True)
class PaceDomainParameterInfo:
    """Domain parameters written out: ``algorithm``, an AlgorithmIdentifier (DER)."""

    oid: str
    algorithm: bytes
    parameter_id: int | None


@dataclass(frozen=True, slots=True)
class ChipAuthenticationInfo:
    """One way to run Chip Authentication. ``key_id`` None: with the chip's only key."""

    oid: str
    version: int
    key_id: int | None

    @property
    def elliptic(self) -> bool:
        """Whether the key is one of an elliptic curve."""
        return _arcs(self.oid, CHIP_AUTHENTICATION)[0] == 2

    @property
    def suite(self) -> CipherSuite:
        """The cipher of the channel."""
        return _SUITES[_arcs(self.oid, CHIP_AUTHENTICATION)[1]]


@dataclass(frozen=True, slots=True)
class ChipAuthenticationPublicKeyInfo:
    """The chip's static key: ``spki``, a SubjectPublicKeyInfo (DER)."""

    oid: str
    spki: bytes
    key_id: int | None


@dataclass(frozen=True, slots=True)
class ActiveAuthenticationInfo:
    """The ECDSA signature algorithm (object identifier) of Active Authentication."""

    oid: str
    version: int
    signature_algorithm: str


@dataclass(frozen=True, slots=True)
class TerminalAuthenticationInfo:
    """The chip has files that only a terminal with certificates may read."""

    oid: str
    version: int


@dataclass(frozen=True, slots=True)
class UnknownInfo:
    """An entry of another protocol, or one that cannot be read; ``oid`` None where not even that can."""

    oid: str | None
    raw: bytes


SecurityInfo = (
    PaceInfo
    | PaceDomainParameterInfo
    | ChipAuthenticationInfo
    | ChipAuthenticationPublicKeyInfo
    | ActiveAuthenticationInfo
    | TerminalAuthenticationInfo
    | UnknownInfo
)


def parse(data: bytes) -> tuple[SecurityInfo, ...]:
    """All entries of *data*, in its order: EF.CardAccess, DG14 (with its tag 6E), or the content of EF.CardSecurity.

    DataError when there is no SET at all; an entry that is cut off ends the list, a broken one becomes UnknownInfo.
    """
    tag, value, _ = tlv.parse_one(data)
    if tag == 0x6E:
        tag, value, _ = tlv.parse_one(value)
    if tag != 0x31:
        raise DataError("no SET of SecurityInfos")
    found: list[SecurityInfo] = []
    at = 0
    while at < len(value) and len(found) < _MOST_ENTRIES:
        start = at
        try:
            _, _, at = tlv.parse_one(value, at)
        except DataError:
            found.append(UnknownInfo(None, value[start:]))
            break
        found.append(_entry(value[start:at]))
    return tuple(found)


def pace_infos(card_access: bytes) -> tuple[PaceInfo, ...]:
    """The ways to run PACE that *card_access* offers and that are implemented here, best first.

    CAM comes before GM, because it also proves that the chip is no copy; ECDH before DH, stronger ciphers before weaker
    ones. Integrated mapping is left out. When the chip refuses the first way, or does not complete CAM, the next one
    is to be tried. Raises DataError as ``parse`` does; empty where nothing fits.
    """
    infos = parse(card_access)
    offered = [info for info in infos if isinstance(info, PaceInfo)]
    written_out = {info.parameter_id: info.algorithm for info in infos if isinstance(info, PaceDomainParameterInfo)}
    ambiguous = len({info.parameter_id for info in offered}) > 1
    usable: list[PaceInfo] = []
    for offer in offered:
        proprietary = offer.parameter_id is None or offer.parameter_id >= _FIRST_PROPRIETARY
        parameters = written_out.get(offer.parameter_id) if proprietary else None
        info = replace(offer, parameters=parameters, ambiguous=ambiguous)
        if info.mapping is not Mapping.IM and _known(info):
            usable.append(info)
    return tuple(sorted(usable, key=_rank, reverse=True))


def _known(info: PaceInfo) -> bool:
    try:
        info.group()
    except DataError:
        return False
    return True


def _rank(info: PaceInfo) -> tuple[bool, bool, int]:
    return info.mapping is Mapping.CAM, info.elliptic, _STRENGTH.index(info.suite)


def _entry(raw: bytes) -> SecurityInfo:
    oid: str | None = None
    try:
        parts = list(tlv.iterate(tlv.expect(raw, 0x30)))
        if not parts or parts[0][0] != 0x06:
            raise DataError("an entry without an object identifier")
        oid = oids.dotted(parts[0][1])
        return _known_entry(oid, parts[1:]) or UnknownInfo(oid, raw)
    except DataError:
        return UnknownInfo(oid, raw)


def _known_entry(oid: str, parts: list[tuple[int, bytes]]) -> SecurityInfo | None:
    """The entry by its object identifier, or None for other protocols; DataError for a broken one."""
    if oid == _ACTIVE_AUTHENTICATION:
        if len(parts) < 2 or parts[1][0] != 0x06:
            raise DataError("Active Authentication without an algorithm")
        return ActiveAuthenticationInfo(oid, _integer(parts, 0), oids.dotted(parts[1][1]))
    if oid == _TERMINAL_AUTHENTICATION:
        return TerminalAuthenticationInfo(oid, _integer(parts, 0))
    if _under(oid, PACE):
        arcs = _arcs(oid, PACE)
        if arcs[0] in _PACE_KINDS and len(arcs) == 2 and arcs[1] in _SUITES and arcs != [6, 1]:  # no CAM with 3DES
            return PaceInfo(oid, _integer(parts, 0), _optional_integer(parts, 1))
        if arcs[0] in _PACE_KINDS and len(arcs) == 1:
            return PaceDomainParameterInfo(oid, _sequence(parts, 0), _optional_integer(parts, 1))
    if _under(oid, CHIP_AUTHENTICATION):
        arcs = _arcs(oid, CHIP_AUTHENTICATION)
        if arcs[0] in (1, 2) and len(arcs) == 2 and arcs[1] in _SUITES:
            return ChipAuthenticationInfo(oid, _integer(parts, 0), _optional_integer(parts, 1))
    if oid in (f"{_CHIP_KEY}.1", f"{_CHIP_KEY}.2"):
        return ChipAuthenticationPublicKeyInfo(oid, _sequence(parts, 0), _optional_integer(parts, 1))
    return None


def _under(oid: str, parent: str) -> bool:
    return oid.startswith(parent + ".")


def _arcs(oid: str, parent: str) -> list[int]:
    return [int(arc) for arc in oid[len(parent) + 1 :].split(".")]


def _integer(parts: list[tuple[int, bytes]], index: int) -> int:
    if index >= len(parts) or parts[index][0] != 0x02 or not 1 <= len(parts[index][1]) <= 8:
        raise DataError("an entry without the integer it needs")
    return int.from_bytes(parts[index][1], "big")


def _optional_integer(parts: list[tuple[int, bytes]], index: int) -> int | None:
    return _integer(parts, index) if index < len(parts) else None


def _sequence(parts: list[tuple[int, bytes]], index: int) -> bytes:
    if index >= len(parts) or parts[index][0] != 0x30:
        raise DataError("an entry without the sequence it needs")
    return tlv.encode(0x30, parts[index][1])
