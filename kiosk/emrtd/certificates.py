"""X.509 certificates and revocation lists of document issuers, as far as chains need them.

The signed part is kept byte for byte as it was read. Keys go through ``public_keys``: the X.509 reader of
``cryptography`` refuses the written-out curve parameters of ICAO 9303-12.

Source: RFC 5280 4 and 5, ICAO 9303-12 7.1 (profiles).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from hashlib import sha256
from typing import Final

from kiosk.emrtd import asn1, public_keys
from kiosk.emrtd.errors import DataError

_KEY_USAGE: Final = "2.5.29.15"
_SUBJECT_KEY_ID: Final = "2.5.29.14"
_AUTHORITY_KEY_ID: Final = "2.5.29.35"
_BASIC_CONSTRAINTS: Final = "2.5.29.19"
_EXTENDED_KEY_USAGE: Final = "2.5.29.37"
_HARMLESS: Final = frozenset(
    {
        _KEY_USAGE,
        _SUBJECT_KEY_ID,
        _AUTHORITY_KEY_ID,
        _BASIC_CONSTRAINTS,
        "2.5.29.16",  # privateKeyUsagePeriod
        "2.5.29.17",  # subjectAltName
        "2.5.29.18",  # issuerAltName
        "2.5.29.20",  # cRLNumber
        "2.5.29.31",  # cRLDistributionPoints
        "2.5.29.32",  # certificatePolicies
        "2.23.136.1.1.6.1",  # nameChange
        "2.23.136.1.1.6.2",  # documentTypeList
    }
)
"""Extensions whose meaning is taken in here, or that take nothing away when it is not (RFC 5280 4.2)."""

DIGITAL_SIGNATURE: Final = 0
KEY_CERT_SIGN: Final = 5
CRL_SIGN: Final = 6


@dataclass(frozen=True)
class Certificate:
    """A certificate; ``issuer``, ``subject``, ``spki`` and ``tbs`` are DER as read, key identifiers bytes or None.

    ``usage``: bit numbers of keyUsage, None without that extension. ``restrictions``: dotted identifiers of critical
    extensions that are not understood here. ``extended_usage``: the purposes of extKeyUsage, dotted.
    """

    der: bytes
    tbs: bytes
    serial: int
    issuer: bytes
    subject: bytes
    not_before: datetime
    not_after: datetime
    spki: bytes
    algorithm: bytes
    signature: bytes
    authority_key_id: bytes | None
    subject_key_id: bytes | None
    is_authority: bool
    usage: frozenset[int] | None
    extended_usage: frozenset[str]
    restrictions: frozenset[str]

    @classmethod
    def load(cls, der: bytes) -> Certificate:
        """Take *der* apart. DataError for what is no certificate; the signature and the key are not looked at."""
        tbs, algorithm, signature = _signed(der)
        fields = asn1.members(tbs)
        fields.maybe(0xA0)
        serial = asn1.integer(fields.take(asn1.INTEGER).value)
        if fields.take(asn1.SEQUENCE).raw != algorithm:  # RFC 5280 4.1.1.2; the outer one is not under the signature
            raise DataError("a certificate with two signature algorithms")
        issuer = fields.take(asn1.SEQUENCE).raw
        validity = asn1.members(fields.take(asn1.SEQUENCE).raw)
        not_before, not_after = asn1.instant(validity.take()), asn1.instant(validity.take())
        subject = fields.take(asn1.SEQUENCE).raw
        spki = fields.take(asn1.SEQUENCE).raw
        fields.maybe(0x81, 0xA1)
        fields.maybe(0x82, 0xA2)
        found = fields.maybe(0xA3)
        fields.end()
        extensions, critical = _extensions(found.value) if found else ({}, frozenset())
        return cls(
            der=der,
            tbs=tbs,
            serial=serial,
            issuer=issuer,
            subject=subject,
            not_before=not_before,
            not_after=not_after,
            spki=spki,
            algorithm=algorithm,
            signature=signature,
            authority_key_id=_authority_key_id(extensions.get(_AUTHORITY_KEY_ID)),
            subject_key_id=_subject_key_id(extensions.get(_SUBJECT_KEY_ID)),
            is_authority=_is_authority(extensions.get(_BASIC_CONSTRAINTS)),
            usage=_usage(extensions.get(_KEY_USAGE)),
            extended_usage=_extended_usage(extensions.get(_EXTENDED_KEY_USAGE)),
            restrictions=critical - _HARMLESS,
        )

    @cached_property
    def key(self) -> public_keys.PublicKey:
        """The public key. DataError when it cannot be used."""
        return public_keys.load_spki(self.spki)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the certificate, 64 hex digits."""
        return sha256(self.der).hexdigest()

    @property
    def self_issued(self) -> bool:
        """Whether issuer and subject have the same name."""
        return asn1.same_name(self.issuer, self.subject)

    def may(self, bit: int) -> bool:
        """Whether keyUsage, where present, has this *bit*."""
        return self.usage is None or bit in self.usage

    def valid_at(self, when: datetime) -> bool:
        """Whether the aware *when* lies inside the validity."""
        return self.not_before <= when <= self.not_after

    def issued(self, other: Certificate | RevocationList) -> bool:
        """Whether names and key identifiers say that this one signed *other*; the signature is not looked at."""
        same_key = other.authority_key_id in {None, self.subject_key_id} or self.subject_key_id is None
        return same_key and asn1.same_name(self.subject, other.issuer)

    def signed(self, other: Certificate | RevocationList, *, allow_sha1: bool = False) -> bool:
        """Whether this one's key made the signature of *other*.

        AlgorithmRefused, or DataError when the key or algorithm cannot be understood.
        """
        return public_keys.verify_signature(
            self.key, other.algorithm, other.signature, other.tbs, allow_sha1=allow_sha1
        )


@dataclass(frozen=True, slots=True)
class RevocationList:
    """A CRL; fields as in ``Certificate``. ``next_update`` None: never said. ``revoked``: serial numbers."""

    tbs: bytes
    issuer: bytes
    next_update: datetime | None
    revoked: frozenset[int]
    algorithm: bytes
    signature: bytes
    authority_key_id: bytes | None
    restrictions: frozenset[str]

    @classmethod
    def load(cls, der: bytes) -> RevocationList:
        """Take *der* apart. DataError for what is no CertificateList."""
        tbs, algorithm, signature = _signed(der)
        fields = asn1.members(tbs)
        fields.maybe(asn1.INTEGER)
        if fields.take(asn1.SEQUENCE).raw != algorithm:
            raise DataError("a revocation list with two signature algorithms")
        issuer = fields.take(asn1.SEQUENCE).raw
        asn1.instant(fields.take(asn1.UTC_TIME, asn1.GENERALIZED_TIME))
        next_update = fields.maybe(asn1.UTC_TIME, asn1.GENERALIZED_TIME)
        entries = fields.maybe(asn1.SEQUENCE)
        found = fields.maybe(0xA0)
        fields.end()
        extensions, critical = _extensions(found.value) if found else ({}, frozenset())
        revoked = set()
        for entry in asn1.elements(entries.value) if entries else ():
            serial = asn1.members(entry.raw)
            revoked.add(asn1.integer(serial.take(asn1.INTEGER).value))
            serial.take(asn1.UTC_TIME, asn1.GENERALIZED_TIME)
            if of_entry := serial.maybe(asn1.SEQUENCE):
                critical |= _extensions(of_entry.raw)[1]
        return cls(
            tbs=tbs,
            issuer=issuer,
            next_update=asn1.instant(next_update) if next_update else None,
            revoked=frozenset(revoked),
            algorithm=algorithm,
            signature=signature,
            authority_key_id=_authority_key_id(extensions.get(_AUTHORITY_KEY_ID)),
            restrictions=critical - _HARMLESS,
        )


def _signed(der: bytes) -> tuple[bytes, bytes, bytes]:
    """The signed part, the algorithm and the signature of an X.509 SIGNED structure."""
    fields = asn1.members(der)
    tbs, algorithm = fields.take(asn1.SEQUENCE).raw, fields.take(asn1.SEQUENCE).raw
    signature = asn1.octets_of_bits(fields.take(asn1.BIT_STRING).value)
    fields.end()
    return tbs, algorithm, signature


def _extensions(data: bytes) -> tuple[Mapping[str, bytes], frozenset[str]]:
    """Values by dotted identifier, and the identifiers of the critical ones. DataError for one that comes twice."""
    values: dict[str, bytes] = {}
    critical = set()
    for element in asn1.members(data).rest():
        fields = asn1.members(element.raw)
        oid = asn1.dotted(fields.take(asn1.OID).value)
        flag = fields.maybe(asn1.BOOLEAN)
        if oid in values:
            raise DataError("an extension that comes twice")
        values[oid] = fields.take(asn1.OCTET_STRING).value
        if flag and flag.value != b"\x00":
            critical.add(oid)
        fields.end()
    return values, frozenset(critical)


def _authority_key_id(value: bytes | None) -> bytes | None:
    found = None if value is None else asn1.members(value).maybe(0x80)
    return None if found is None else found.value


def _subject_key_id(value: bytes | None) -> bytes | None:
    return None if value is None else asn1.only(value, asn1.OCTET_STRING)


def _is_authority(value: bytes | None) -> bool:
    flag = None if value is None else asn1.members(value).maybe(asn1.BOOLEAN)
    return flag is not None and flag.value != b"\x00"


def _usage(value: bytes | None) -> frozenset[int] | None:
    if value is None:
        return None
    bits = asn1.only(value, asn1.BIT_STRING)[1:]
    return frozenset(at * 8 + bit for at, octet in enumerate(bits[:2]) for bit in range(8) if octet & 0x80 >> bit)


def _extended_usage(value: bytes | None) -> frozenset[str]:
    if value is None:
        return frozenset()
    return frozenset(asn1.dotted(element.value) for element in asn1.members(value).rest())
