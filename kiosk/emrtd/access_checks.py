"""What the way in proves: that nobody in between weakened it, and what PACE-CAM says of the chip.

EF.CardAccess is not signed; DG14 repeats what it offers under the signed hashes (ICAO 9303-11 4.2, BSI TR-03110-1 5.1).
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from kiosk.emrtd import passive_auth, security_infos
from kiosk.emrtd.errors import DataError
from kiosk.emrtd.findings import Finding
from kiosk.emrtd.pace_cam import CamProof
from kiosk.emrtd.results import Access, CheckState
from kiosk.emrtd.security_infos import PaceInfo
from kiosk.emrtd.trust import TrustAnchors


def downgrade_state(
    access: Access, card_access: bytes | None, dg14: bytes | None, covered: Collection[str]
) -> CheckState:
    """Whether EF.CardAccess offered what DG14 signs for.

    FAILED when it differs or is missing. NOT_SUPPORTED when the chip signs nothing about PACE. NOT_DONE when DG14 was
    not read although *covered*, the signed list, has it, or when BAC was used although both agree on PACE: then nobody
    knows who kept PACE from working.
    """
    if dg14 is None:
        return CheckState.NOT_DONE if "DG14" in covered else CheckState.NOT_SUPPORTED
    signed = _pace(dg14)
    if not signed:
        return CheckState.NOT_SUPPORTED
    if _pace(card_access) != signed:
        return CheckState.FAILED
    return CheckState.PASSED if access is Access.PACE else CheckState.NOT_DONE


def access_findings(
    access: Access, card_access: bytes | None, dg14: bytes | None, mapped: CheckState
) -> tuple[Finding, ...]:
    """Codes for staff: BAC on a chip that offers PACE, files that disagree, a failed proof inside PACE."""
    signed, offered = _pace(dg14), _pace(card_access)
    found = (
        (access is Access.BAC and bool(signed or offered), Finding.PACE_TO_BAC),
        (bool(signed) and signed != offered, Finding.CARD_ACCESS_DIFFERS),
        (mapped is CheckState.FAILED, Finding.CAM_FAILED),
    )
    return tuple(finding for holds, finding in found if holds)


def cam_state(
    proof: CamProof | None,
    card_security: bytes | None,
    anchors: TrustAnchors | None,
    now: datetime,
    chain: CheckState,
) -> CheckState:
    """What Chip Authentication Mapping proved; NOT_SUPPORTED when PACE ran without it.

    The key of EF.CardSecurity counts only when that file is signed as well as EF.SOD: its signature holds, and its
    chain is as good as *chain*.
    """
    if proof is None:
        return CheckState.NOT_SUPPORTED
    if card_security is None:
        return CheckState.NOT_DONE
    try:
        signed = passive_auth.check_card_security(card_security, anchors, now)
        infos = security_infos.parse(signed.content)
    except DataError:
        return CheckState.FAILED
    trusted = signed.signature is CheckState.PASSED and (signed.chain is chain or signed.chain is CheckState.PASSED)
    return CheckState.PASSED if trusted and proof.verify(infos) else CheckState.FAILED


def _pace(file: bytes | None) -> frozenset[PaceInfo]:
    try:
        infos = security_infos.parse(file) if file is not None else ()
    except DataError:
        return frozenset()
    return frozenset(info for info in infos if isinstance(info, PaceInfo))
