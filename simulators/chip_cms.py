"""Signed structures: who signs, and the CMS SignedData of EF.SOD, EF.CardSecurity and master lists.

Source: RFC 5652 5, ICAO 9303-10 4.6.2.2 (EF.SOD), ICAO 9303-12 9 (master list).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import new as new_hash
from typing import Literal, cast

from asn1crypto import cms, x509

from simulators.chip_keys import PrivateKey, Scheme, sign, signature_algorithm


@dataclass(frozen=True)
class Signer:
    """A certificate in DER with its private key and the scheme that the key signs by."""

    certificate: bytes
    key: PrivateKey = field(repr=False)
    scheme: Scheme

    @property
    def name(self) -> x509.Name:
        """The subject."""
        return x509.Certificate.load(self.certificate).subject

    @property
    def key_id(self) -> bytes:
        """The subject key identifier."""
        return cast(bytes, x509.Certificate.load(self.certificate).key_identifier)

    def sign(self, message: bytes) -> bytes:
        """The signature over `message`."""
        return sign(self.key, self.scheme, message)


def signed_data(
    content_type: str,
    content: bytes,
    signer: Signer,
    *,
    signing_time: datetime | None = None,
    named_by: Literal["issuer", "key"] = "issuer",
    others: Iterable[bytes] = (),
) -> bytes:
    """A ContentInfo in DER with `content` inside, of the dotted `content_type`, signed over its signed attributes.

    The digest is the hash of the signer's scheme. `signing_time` None leaves that attribute out; `named_by`: issuer and
    serial number, or the subject key identifier; `others`: certificates in DER to carry beside the signer's.
    """
    hash_name = signer.scheme.hash
    certificate = x509.Certificate.load(signer.certificate)
    attributes = [
        {"type": "content_type", "values": [content_type]},
        {"type": "message_digest", "values": [new_hash(hash_name, content).digest()]},
    ]
    if signing_time is not None:
        attributes.append(
            {"type": "signing_time", "values": [cms.Time({"utc_time": signing_time.replace(microsecond=0)})]}
        )
    signed_attributes = cms.CMSAttributes(attributes)
    if named_by == "key":
        identifier = cms.SignerIdentifier("subject_key_identifier", signer.key_id)
    else:
        identifier = cms.SignerIdentifier(
            "issuer_and_serial_number", {"issuer": certificate.issuer, "serial_number": certificate.serial_number}
        )
    signer_info = {
        "version": "v3" if named_by == "key" else "v1",
        "sid": identifier,
        "digest_algorithm": {"algorithm": hash_name},
        "signed_attrs": signed_attributes,
        "signature_algorithm": signature_algorithm(signer.scheme),
        "signature": signer.sign(signed_attributes.dump()),
    }
    signed = {
        "version": "v3",
        "digest_algorithms": [{"algorithm": hash_name}],
        "encap_content_info": {"content_type": content_type, "content": content},
        "certificates": [certificate, *(x509.Certificate.load(other) for other in others)],
        "signer_infos": [signer_info],
    }
    return cast(bytes, cms.ContentInfo({"content_type": "signed_data", "content": signed}).dump())
