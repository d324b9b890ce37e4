"""From a document signer's certificate to one of the operator's anchors.

Validity is judged at the time of signing, not today: a card outlives the certificates behind it. The signer's
certificate, and that of the authority above it, must have been valid at the signing time that the signed attributes
state; without one only this is known: signing came after the certificate began. So then the certificate must not begin
in the future, the authority must have been valid when the certificate began, and a certificate that has expired by
today is a finding, no failure. Authorities further up must have been valid when the one below them began.

Source: ICAO 9303-12 4 and 7.1, RFC 5280 6.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from kiosk.emrtd import asn1
from kiosk.emrtd.certificates import DIGITAL_SIGNATURE, Certificate
from kiosk.emrtd.errors import DataError
from kiosk.emrtd.findings import Finding
from kiosk.emrtd.public_keys import AlgorithmRefused
from kiosk.emrtd.results import CheckState
from kiosk.emrtd.trust import TrustAnchors

_MOST_LINKS: Final = 3
_CLOCKS_APART: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class ChainCheck:
    """PASSED, FAILED or NO_ANCHOR, and what was found; PASSED can come with findings that only inform."""

    state: CheckState
    findings: tuple[Finding, ...] = ()


def check_chain(
    signer: Certificate,
    anchors: TrustAnchors | None,
    *,
    signing_time: datetime | None,
    now: datetime,
    allow_sha1: bool = False,
) -> ChainCheck:
    """Whether *signer*, a document signer, descends from one of *anchors* and was in order when it signed.

    *signing_time*: as signed, or None; *now*: aware. NO_ANCHOR without a single root. ISSUER_UNKNOWN tells an issuer
    nobody configured (another country, a newer CSCA, an invented one) from CHAIN_BROKEN, a signature that is not of the
    authority it names; both fail.
    """
    if anchors is None or not anchors.roots:
        return ChainCheck(CheckState.NO_ANCHOR)
    special = signer.is_authority or signer.extended_usage or signer.restrictions
    if special or not signer.may(DIGITAL_SIGNATURE):  # extKeyUsage is for other signers (ICAO 9303-12 7.1)
        return ChainCheck(CheckState.FAILED, (Finding.CERTIFICATE_USAGE,))
    troubles: list[Finding] = []
    best: tuple[Finding, ...] | None = None
    for path in _paths(signer, anchors, troubles, allow_sha1, _MOST_LINKS):
        failures = _failures(signer, path, anchors, signing_time, now)
        if not failures:
            return ChainCheck(CheckState.PASSED, _remarks(signer, path, anchors, signing_time, now))
        best = best or failures
    if best is None:
        best = tuple(dict.fromkeys(troubles)) or (Finding.ISSUER_UNKNOWN,)
    return ChainCheck(CheckState.FAILED, best)


def _paths(
    certificate: Certificate, anchors: TrustAnchors, troubles: list[Finding], allow_sha1: bool, links: int
) -> Iterator[tuple[Certificate, ...]]:
    """All chains of authorities above *certificate*, up to a root, whose signatures hold; what does not: *troubles*."""
    for root in anchors.roots:
        if root.issued(certificate) and _signed(root, certificate, troubles, allow_sha1):
            yield (root,)
    for link in anchors.links if links else ():
        if not link.restrictions and link.issued(certificate) and _signed(link, certificate, troubles, allow_sha1):
            for path in _paths(link, anchors, troubles, allow_sha1, links - 1):
                yield (link, *path)


def _signed(authority: Certificate, certificate: Certificate, troubles: list[Finding], allow_sha1: bool) -> bool:
    try:
        if authority.signed(certificate, allow_sha1=allow_sha1):
            return True
        troubles.append(Finding.CHAIN_BROKEN)
    except AlgorithmRefused:
        troubles.append(Finding.ALGORITHM_REFUSED)
    except DataError:
        troubles.append(Finding.CHAIN_BROKEN)
    return False


def _failures(
    signer: Certificate,
    path: tuple[Certificate, ...],
    anchors: TrustAnchors,
    signing_time: datetime | None,
    now: datetime,
) -> tuple[Finding, ...]:
    found = []
    if signing_time is not None and not signer.valid_at(signing_time):
        found.append(Finding.DS_NOT_VALID)
    if (signing_time or signer.not_before) - now > _CLOCKS_APART:  # a sum may lie beyond the year 9999
        found.append(Finding.SIGNED_IN_FUTURE)
    used_at = signing_time or signer.not_before
    for authority in path:
        if not authority.valid_at(used_at):
            found.append(Finding.CSCA_NOT_VALID)
        used_at = authority.not_before
    if any(_revoked(each, anchors) for each in (signer, *path[:-1])):
        found.append(Finding.DS_REVOKED)
    return tuple(dict.fromkeys(found))


def _remarks(
    signer: Certificate,
    path: tuple[Certificate, ...],
    anchors: TrustAnchors,
    signing_time: datetime | None,
    now: datetime,
) -> tuple[Finding, ...]:
    found = []
    if signing_time is None and signer.not_after < now:
        found.append(Finding.DS_EXPIRED)
    for certificate in (signer, *path[:-1]):
        updates = [crl.next_update for crl in anchors.crls if asn1.same_name(crl.issuer, certificate.issuer)]
        if updates and all(update is not None and update < now for update in updates):
            found.append(Finding.CRL_STALE)
    return tuple(dict.fromkeys(found))


def _revoked(certificate: Certificate, anchors: TrustAnchors) -> bool:
    return any(
        certificate.serial in crl.revoked and asn1.same_name(crl.issuer, certificate.issuer) for crl in anchors.crls
    )
