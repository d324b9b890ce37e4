"""CMS SignedData as eMRTDs use it: EF.SOD, EF.CardSecurity and master lists are all of this shape.

Source: RFC 5652 5, ICAO 9303-10 4.6.2 and 9303-12 7.1 and 8 (profiles). Signed attributes are demanded, as RFC 5652 5.3
does for every content that is not plain data.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography.hazmat.primitives.hashes import Hash

from kiosk.emrtd import asn1, public_keys, tlv
from kiosk.emrtd.certificates import Certificate
from kiosk.emrtd.errors import DataError
from kiosk.emrtd.findings import Finding

_SIGNED_DATA: Final = "1.2.840.113549.1.7.2"
_CONTENT_TYPE: Final = "1.2.840.113549.1.9.3"
_MESSAGE_DIGEST: Final = "1.2.840.113549.1.9.4"
_SIGNING_TIME: Final = "1.2.840.113549.1.9.5"

_MOST_CERTIFICATES: Final = 16
_MOST_SIGNERS: Final = 4


@dataclass(frozen=True, slots=True)
class SignerInfo:
    """One signer, named by ``issuer`` (DER name) and ``serial`` or by ``key_id``.

    ``algorithm``: DER AlgorithmIdentifier of the signature; ``digest``: the name of the hash function. The attributes
    ``attributes`` are the DER SET OF that was signed.
    """

    issuer: bytes | None
    serial: int | None
    key_id: bytes | None
    digest_algorithm: bytes
    attributes: bytes
    algorithm: bytes
    signature: bytes

    def names(self, certificate: Certificate) -> bool:
        """Whether this signer is the subject of *certificate*."""
        if self.issuer is None:
            return self.key_id == certificate.subject_key_id
        return self.serial == certificate.serial and asn1.same_name(self.issuer, certificate.issuer)


@dataclass(frozen=True, slots=True)
class SignedData:
    """``content``: the octets that were hashed, of the dotted ``content_type``; ``certificates`` DER as read."""

    content_type: str
    content: bytes
    certificates: tuple[bytes, ...]
    signers: tuple[SignerInfo, ...]


@dataclass(frozen=True, slots=True)
class SignatureCheck:
    """``ok``: the content is what ``signer`` signed. If not, ``signer`` is only the one that is named, if any.

    ``signing_time``: as the signer states it, aware, None where it does not. Whether the signer is to be trusted is
    for ``chain`` to say.
    """

    ok: bool
    signer: Certificate | None
    signing_time: datetime | None
    findings: tuple[Finding, ...]


def parse(data: bytes, content_type: str) -> SignedData:
    """Take the ContentInfo *data* apart, DER or BER; what it signs must be of the dotted *content_type*.

    DataError: anything else, more than 16 certificates or 4 signers.
    """
    info = asn1.members(asn1.definite(data))
    if asn1.dotted(info.take(asn1.OID).value) != _SIGNED_DATA:
        raise DataError("a CMS structure that is not SignedData")
    fields = asn1.members(asn1.only(info.take(0xA0).raw, 0xA0))
    info.end()
    fields.take(asn1.INTEGER)
    fields.take(asn1.SET)
    encapsulated = asn1.members(fields.take(asn1.SEQUENCE).raw)
    found_type = asn1.dotted(encapsulated.take(asn1.OID).value)
    if found_type != content_type:
        raise DataError(f"signed content of the type {found_type} where {content_type} was expected")
    content = asn1.octets(encapsulated.take(0xA0).value)
    encapsulated.end()
    certificates = fields.maybe(0xA0)
    fields.maybe(0xA1)
    signers = asn1.elements(fields.take(asn1.SET).value)
    fields.end()
    held = [element.raw for element in asn1.elements(certificates.value)] if certificates else []
    if len(held) > _MOST_CERTIFICATES or not 1 <= len(signers) <= _MOST_SIGNERS:
        raise DataError("too many certificates, or no or too many signers")
    return SignedData(found_type, content, tuple(held), tuple(_signer(element.raw) for element in signers))


def verify(signed: SignedData, *, given: Sequence[Certificate] = (), allow_sha1: bool = False) -> SignatureCheck:
    """Check the signatures of *signed* with the certificates inside, then with *given* ones; one that holds suffices.

    Nothing is raised: what cannot be understood does not hold.
    """
    candidates = [*_readable(signed.certificates), *given]
    first: SignatureCheck | None = None
    for signer in signed.signers:
        check = _check(signed, signer, candidates, allow_sha1)
        if check.ok:
            return check
        first = first or check
    return first or SignatureCheck(False, None, None, (Finding.SIGNER_UNKNOWN,))


def digest(name: str, data: bytes) -> bytes:
    """The hash of *data* by the function *name* (see public_keys.HASHES)."""
    function = Hash(public_keys.HASHES[name]())
    function.update(data)
    return function.finalize()


def _signer(raw: bytes) -> SignerInfo:
    fields = asn1.members(raw)
    fields.take(asn1.INTEGER)
    issuer = serial = key_id = None
    identifier = fields.take(asn1.SEQUENCE, 0x80)
    if identifier.tag == asn1.SEQUENCE:
        named = asn1.members(identifier.raw)
        issuer, serial = named.take(asn1.SEQUENCE).raw, asn1.integer(named.take(asn1.INTEGER).value)
        named.end()
    else:
        key_id = identifier.value
    digest_algorithm = fields.take(asn1.SEQUENCE).raw
    # the signature is over a SET OF, although the message carries [0] IMPLICIT (RFC 5652 5.4)
    attributes = b"\x31" + fields.take(0xA0).raw[1:]
    algorithm = fields.take(asn1.SEQUENCE).raw
    signature = fields.take(asn1.OCTET_STRING).value
    fields.maybe(0xA1)
    fields.end()
    return SignerInfo(issuer, serial, key_id, digest_algorithm, attributes, algorithm, signature)


def _readable(certificates: Sequence[bytes]) -> list[Certificate]:
    found = []
    for der in certificates:
        try:
            found.append(Certificate.load(der))
        except DataError:  # one bad certificate beside the signer's must not hide the signer's
            continue
    return found


def _check(signed: SignedData, signer: SignerInfo, candidates: list[Certificate], allow_sha1: bool) -> SignatureCheck:
    certificate = next((each for each in candidates if signer.names(each)), None)
    if certificate is None:
        return SignatureCheck(False, None, None, (Finding.SIGNER_UNKNOWN,))
    try:
        name = public_keys.hash_name(signer.digest_algorithm)
        if name == "sha1" and not allow_sha1:
            raise public_keys.AlgorithmRefused("a message digest of SHA-1")
        attributes = _attributes(signer.attributes)
        signing_time = _signing_time(attributes)
        if not _belong(attributes, signed, name):
            return SignatureCheck(False, certificate, signing_time, (Finding.SIGNED_ATTRIBUTES_WRONG,))
    except public_keys.AlgorithmRefused:
        return SignatureCheck(False, certificate, None, (Finding.ALGORITHM_REFUSED,))
    except DataError:
        return SignatureCheck(False, certificate, None, (Finding.SIGNED_ATTRIBUTES_WRONG,))
    wrong = _wrong(certificate, signer, name, allow_sha1)
    return SignatureCheck(wrong is None, certificate, signing_time, () if wrong is None else (wrong,))


def _wrong(certificate: Certificate, signer: SignerInfo, name: str, allow_sha1: bool) -> Finding | None:
    """What is wrong with the signature over the attributes, or None."""
    try:
        key = certificate.key
    except DataError:
        return Finding.SIGNER_KEY_UNUSABLE
    try:
        for attributes in _encodings(signer.attributes):
            if public_keys.verify_signature(
                key, signer.algorithm, signer.signature, attributes, digest=name, allow_sha1=allow_sha1
            ):
                return None
    except public_keys.AlgorithmRefused:
        return Finding.ALGORITHM_REFUSED
    except DataError:
        return Finding.SIGNATURE_WRONG
    return Finding.SIGNATURE_WRONG


def _encodings(attributes: bytes) -> Sequence[bytes]:
    """The attributes as they came, and if that is not DER, as DER: some signers sort for signing only, some never."""
    raws = [element.raw for element in asn1.members(attributes, asn1.SET).rest()]
    sorted_der = tlv.encode(asn1.SET, b"".join(sorted(raws)))
    return (attributes,) if sorted_der == attributes else (attributes, sorted_der)


def _attributes(data: bytes) -> dict[str, list[asn1.Element]]:
    """Values by dotted type. DataError for a type that comes twice (RFC 5652 5.3)."""
    found: dict[str, list[asn1.Element]] = {}
    for element in asn1.members(data, asn1.SET).rest():
        fields = asn1.members(element.raw)
        kind = asn1.dotted(fields.take(asn1.OID).value)
        if kind in found:
            raise DataError("a signed attribute that comes twice")
        found[kind] = asn1.elements(fields.take(asn1.SET).value)
        fields.end()
    return found


def _belong(attributes: dict[str, list[asn1.Element]], signed: SignedData, name: str) -> bool:
    kinds, digests = attributes.get(_CONTENT_TYPE, []), attributes.get(_MESSAGE_DIGEST, [])
    return (
        len(kinds) == len(digests) == 1
        and (kinds[0].tag, digests[0].tag) == (asn1.OID, asn1.OCTET_STRING)
        and asn1.dotted(kinds[0].value) == signed.content_type
        and digests[0].value == digest(name, signed.content)
    )


def _signing_time(attributes: dict[str, list[asn1.Element]]) -> datetime | None:
    values = attributes.get(_SIGNING_TIME)
    if values is None:
        return None
    if len(values) != 1:
        raise DataError("not one signing time")
    return asn1.instant(values[0])
