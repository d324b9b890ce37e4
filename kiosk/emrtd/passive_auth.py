"""Passive Authentication: are these the bytes that the issuer signed (ICAO 9303-11 5.1)?

It proves the data, not the chip: a copy of all files passes. Against copies see ``active_auth`` and ``chip_auth``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from kiosk.emrtd import chain, signed_data
from kiosk.emrtd.errors import DataError
from kiosk.emrtd.findings import Finding
from kiosk.emrtd.public_keys import AlgorithmRefused
from kiosk.emrtd.results import CheckState
from kiosk.emrtd.sod import Sod, hash_matches, parse_sod
from kiosk.emrtd.trust import TrustAnchors

_ANTI_CLONE_KEYS: Final = ("DG14", "DG15")
_SECURITY_OBJECT: Final = "0.4.0.127.0.7.3.2.1"
_ISSUER_DIGITS: Final = 16


@dataclass(frozen=True, slots=True)
class PassiveResult:
    """``issuer``: first 16 hex digits of SHA-256 of the named signer's certificate, None without one.

    ``covered``: names of the data groups in the signed list. ``findings``: codes of ``findings.Finding``.
    """

    hashes: CheckState
    signature: CheckState
    chain: CheckState
    issuer: str | None
    covered: frozenset[str]
    findings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CardSecurityResult:
    """``content``: the SecurityInfos (DER SET) that were signed, to be believed as far as the two checks allow."""

    content: bytes
    signature: CheckState
    chain: CheckState
    findings: tuple[str, ...]


def check(
    files: Mapping[str, bytes], anchors: TrustAnchors | None, now: datetime, *, allow_sha1: bool = False
) -> PassiveResult:
    """Check the data groups in *files* (raw, by name) against "EF.SOD" in it, and that against *anchors*.

    *now*: aware. Hashes pass when every data group read is in the signed list with its hash. DG14 and DG15 may miss in
    the list: then their keys prove nothing, which is for ``verdict`` (interfaces, section 3). What cannot be understood
    or uses SHA-1 fails, with a finding, and so does a missing EF.SOD: every issuer must write one (ICAO 9303-10 4.6.2),
    and who makes up a person needs only leave it out. Nothing is raised.
    """
    raw = files.get("EF.SOD")
    no_chain = CheckState.NO_ANCHOR if anchors is None or not anchors.roots else CheckState.NOT_DONE
    if raw is None:
        state = CheckState.FAILED
        return PassiveResult(state, state, no_chain, None, frozenset(), (Finding.SOD_MISSING,))
    try:
        sod = parse_sod(raw)
    except DataError as error:
        state = CheckState.FAILED
        finding = Finding.ALGORITHM_REFUSED if isinstance(error, AlgorithmRefused) else Finding.SOD_MALFORMED
        return PassiveResult(state, state, no_chain, None, frozenset(), (finding,))
    hashes, found = _hashes(sod, files, allow_sha1)
    given = anchors.signers if anchors else ()
    signature = signed_data.verify(sod.signed, given=given, allow_sha1=allow_sha1)
    trust = _chain(signature, anchors, now, allow_sha1)
    return PassiveResult(
        hashes=hashes,
        signature=CheckState.PASSED if signature.ok else CheckState.FAILED,
        chain=trust.state,
        issuer=signature.signer.fingerprint[:_ISSUER_DIGITS] if signature.signer else None,
        covered=frozenset(sod.hashes),
        findings=tuple(dict.fromkeys((*found, *signature.findings, *trust.findings))),
    )


def check_card_security(data: bytes, anchors: TrustAnchors | None, now: datetime) -> CardSecurityResult:
    """Check EF.CardSecurity, the CMS structure *data*: PACE-CAM proves the chip only by a key from there.

    Source: ICAO 9303-11 9.2.9 and 4.4.3.5. DataError when *data* is no such file.
    """
    signed = signed_data.parse(data, _SECURITY_OBJECT)
    signature = signed_data.verify(signed, given=anchors.signers if anchors else ())
    trust = _chain(signature, anchors, now, allow_sha1=False)
    state = CheckState.PASSED if signature.ok else CheckState.FAILED
    return CardSecurityResult(signed.content, state, trust.state, (*signature.findings, *trust.findings))


def _hashes(sod: Sod, files: Mapping[str, bytes], allow_sha1: bool) -> tuple[CheckState, list[Finding]]:
    if sod.digest == "sha1" and not allow_sha1:
        return CheckState.FAILED, [Finding.ALGORITHM_REFUSED]
    read = [name for name in files if name.startswith("DG") and (name in sod.hashes or name not in _ANTI_CLONE_KEYS)]
    found = []
    if any(name not in sod.hashes for name in read):
        found.append(Finding.HASH_NOT_LISTED)
    if any(name in sod.hashes and not hash_matches(sod, name, files[name]) for name in read):
        found.append(Finding.HASH_MISMATCH)
    if found:
        return CheckState.FAILED, found
    return CheckState.PASSED if read else CheckState.NOT_DONE, found


def _chain(
    signature: signed_data.SignatureCheck, anchors: TrustAnchors | None, now: datetime, allow_sha1: bool
) -> chain.ChainCheck:
    if signature.signer is None:
        state = CheckState.NO_ANCHOR if anchors is None or not anchors.roots else CheckState.NOT_DONE
        return chain.ChainCheck(state)
    return chain.check_chain(
        signature.signer, anchors, signing_time=signature.signing_time, now=now, allow_sha1=allow_sha1
    )
