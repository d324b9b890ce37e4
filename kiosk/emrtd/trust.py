"""The trust anchors that an operator supplies: CSCA certificates, link certificates, master lists, revocation lists.

None are built in: Vietnam's CSCA is not published (identity-documents.md 7.4), so whom to trust is configuration.

Source: ICAO 9303-12 4 (PKI), 7.2 (CRL), 8 (master list).
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kiosk.emrtd import asn1, signed_data
from kiosk.emrtd.certificates import CRL_SIGN, KEY_CERT_SIGN, Certificate, RevocationList
from kiosk.emrtd.errors import DataError, EmrtdError
from kiosk.emrtd.findings import Finding

_MASTER_LIST: Final = "2.23.136.1.1.2"
_MASTER_LIST_SIGNER: Final = "2.23.136.1.1.3"
_MOST_BYTES: Final = 16 * 1024 * 1024 - 1
_PEM: Final = re.compile(
    rb"-----BEGIN (?P<label>[A-Z0-9 ]{1,40})-----(?P<body>[^-]*)-----END (?P=label)-----", re.ASCII
)
_CERTIFICATE_LABELS: Final = (b"CERTIFICATE", b"X509 CERTIFICATE")
_CRL_LABELS: Final = (b"X509 CRL", b"CRL")
_CMS_LABELS: Final = (b"CMS", b"PKCS7")


class TrustError(EmrtdError):
    """A file of trust anchors that cannot be used; the message names it."""

    code = "TRUST_ERROR"


@dataclass(frozen=True, slots=True)
class TrustAnchors:
    """Whom the operator trusts. Make it with ``of`` or ``load_anchors``: they check what stands here.

    ``roots``: self-signed CSCA certificates. ``links``: authorities that count only with a chain to a root.
    ``signers``: further certificates, for an EF.SOD that lacks its signer's. ``crls``: revocation lists, each signed by
    one of the authorities. ``findings``: what was odd in the files, for the operator.
    """

    roots: tuple[Certificate, ...] = ()
    links: tuple[Certificate, ...] = ()
    signers: tuple[Certificate, ...] = ()
    crls: tuple[RevocationList, ...] = ()
    findings: tuple[Finding, ...] = ()

    @classmethod
    def of(
        cls,
        certificates: Iterable[Certificate],
        crls: Iterable[RevocationList] = (),
        findings: Iterable[Finding] = (),
    ) -> TrustAnchors:
        """Sort *certificates* into roots, links and signers, and drop *crls* that none of the authorities signed.

        A self-signed certificate without basicConstraints CA or keyCertSign is dropped too; *findings* say so.
        """
        found: list[Finding] = list(findings)
        roots: list[Certificate] = []
        links: list[Certificate] = []
        signers: list[Certificate] = []
        for certificate in {each.der: each for each in certificates}.values():
            may_sign = certificate.is_authority and certificate.may(KEY_CERT_SIGN)
            if _self_signed(certificate):
                if may_sign and not certificate.restrictions:
                    roots.append(certificate)
                else:
                    found.append(Finding.ANCHOR_SKIPPED)
            else:
                (links if may_sign else signers).append(certificate)
        authorities = (*roots, *links)
        usable = []
        for crl in crls:
            if not crl.restrictions and any(_signed_crl(each, crl) for each in authorities):
                usable.append(crl)
            else:
                found.append(Finding.CRL_UNUSABLE)
        return cls(tuple(roots), tuple(links), tuple(signers), tuple(usable), tuple(dict.fromkeys(found)))


def load_anchors(path: Path) -> TrustAnchors:
    """Load *path*, one file or a folder of files: certificates and CRLs as DER or PEM (any number), CMS master lists.

    Hidden files of a folder and notes (.txt, .md) are left alone; any other file must be of these kinds. A master
    list's own signature must hold; that its signer has no anchor outside the list is a finding, since the operator
    supplied it. SHA-1 counts in the self-signatures of anchors, which prove nothing. TrustError with the file's name:
    unreadable, of another kind, over 16 MiB, or a folder in the folder.
    """
    single: list[Certificate] = []
    crls: list[RevocationList] = []
    lists: list[tuple[signed_data.SignedData, Path]] = []
    findings: list[Finding] = []
    for file in _files(path):
        try:
            for der in _blocks(_read(file)):
                loaded = _load(der)
                if isinstance(loaded, Certificate):
                    single.append(loaded)
                elif isinstance(loaded, RevocationList):
                    crls.append(loaded)
                else:
                    lists.append((loaded, file))
        except DataError as error:
            raise TrustError(f"{file.name}: {error}") from error
    listed: list[Certificate] = []
    for signed, file in lists:
        listed += _master_list(signed, file, single, findings)
    return TrustAnchors.of([*single, *listed], crls, findings)


def _files(path: Path) -> list[Path]:
    try:
        return sorted(each for each in path.iterdir() if not _is_note(each)) if path.is_dir() else [path]
    except OSError as error:
        raise TrustError(f"{path.name}: {error.strerror}") from error


def _is_note(file: Path) -> bool:
    return file.name.startswith(".") or file.suffix.lower() in (".txt", ".md")


def _read(file: Path) -> bytes:
    try:
        if file.stat().st_size > _MOST_BYTES:
            raise TrustError(f"{file.name}: larger than 16 MiB")
        return file.read_bytes()
    except OSError as error:
        raise TrustError(f"{file.name}: {error.strerror}") from error


def _blocks(data: bytes) -> Iterator[bytes]:
    """The DER structures in *data*: itself, or all PEM blocks in it."""
    if data[:1] == b"\x30":
        yield data
        return
    blocks = list(_PEM.finditer(data))
    if not blocks:
        raise DataError("neither DER nor PEM")
    for block in blocks:
        if block["label"] not in (*_CERTIFICATE_LABELS, *_CRL_LABELS, *_CMS_LABELS):
            raise DataError(f"a PEM block of the kind {block['label'].decode()}")
        try:
            yield binascii.a2b_base64(b"".join(block["body"].split()), strict_mode=True)
        except binascii.Error as error:
            raise DataError("a damaged PEM block") from error


def _load(der: bytes) -> Certificate | RevocationList | signed_data.SignedData:
    first = asn1.members(asn1.definite(der)).take()
    if first.tag == asn1.OID:
        return signed_data.parse(der, _MASTER_LIST)
    try:
        return Certificate.load(der)
    except DataError as error:
        try:
            return RevocationList.load(der)
        except DataError:
            raise DataError("neither a certificate nor a revocation list nor a master list") from error


def _master_list(
    signed: signed_data.SignedData, file: Path, anchors: list[Certificate], findings: list[Finding]
) -> list[Certificate]:
    """The certificates of a master list (ICAO 9303-12 8); what is odd goes to *findings*."""
    check = signed_data.verify(signed, given=anchors)
    if not check.ok or check.signer is None:
        raise TrustError(f"{file.name}: a master list whose signature does not hold")
    if not any(_vouches(anchor, check.signer) for anchor in anchors):
        findings.append(Finding.MASTER_LIST_UNVERIFIED)
    try:
        fields = asn1.members(signed.content)
        fields.take(asn1.INTEGER)
        entries = asn1.elements(fields.take(asn1.SET).value)
        fields.end()
    except DataError as error:
        raise TrustError(f"{file.name}: {error}") from error
    certificates = []
    for entry in entries:
        try:
            certificates.append(Certificate.load(entry.raw))
        except DataError:  # lists of hundreds of issuers do hold oddities; the others must not suffer
            findings.append(Finding.ANCHOR_SKIPPED)
    return certificates


def _vouches(anchor: Certificate, signer: Certificate) -> bool:
    """Whether *signer* may sign master lists and *anchor* says so (ICAO 9303-12 7.1: extKeyUsage of the signer)."""
    try:
        may_sign = anchor.is_authority and _MASTER_LIST_SIGNER in signer.extended_usage
        return may_sign and anchor.issued(signer) and anchor.signed(signer)
    except DataError:
        return False


def _self_signed(certificate: Certificate) -> bool:
    if not certificate.self_issued:
        return False
    try:
        return certificate.signed(certificate, allow_sha1=True)
    except DataError:
        return False


def _signed_crl(authority: Certificate, crl: RevocationList) -> bool:
    try:
        return authority.may(CRL_SIGN) and authority.issued(crl) and authority.signed(crl)
    except DataError:
        return False
