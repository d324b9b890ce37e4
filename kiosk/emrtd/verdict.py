"""From the checks of one read to one verdict: the worst finding wins (interfaces, section 3)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from kiosk.emrtd.findings import Finding
from kiosk.emrtd.results import Checks, CheckState, Verdict

_ANTI_CLONE_KEYS: Final = ("DG14", "DG15")

_ORDER: Final = tuple(Verdict)
"""From the worst to the best, as ``Verdict`` lists them."""

_PROOF: Final = {
    CheckState.PASSED: Verdict.GENUINE,
    CheckState.NOT_SUPPORTED: Verdict.CANNOT_TELL,
    CheckState.NO_ANCHOR: Verdict.CANNOT_TELL,
    CheckState.NOT_DONE: Verdict.CANNOT_TELL,
    CheckState.FAILED: Verdict.FORGED,
}
_ANTI_CLONE: Final = {
    CheckState.PASSED: Verdict.GENUINE,
    CheckState.NOT_SUPPORTED: Verdict.GENUINE,
    CheckState.NO_ANCHOR: Verdict.CANNOT_TELL,
    CheckState.NOT_DONE: Verdict.CANNOT_TELL,
    CheckState.FAILED: Verdict.SUSPECTED_COPY,
}
_AT_BEST: Final[Mapping[str, Mapping[CheckState, Verdict]]] = {
    "hashes": _PROOF,
    "signature": _PROOF,
    "chain": _PROOF,
    # only tampering counts: what the chip is was not proven by the way in
    "downgrade": dict.fromkeys(CheckState, Verdict.GENUINE) | {CheckState.FAILED: Verdict.FORGED},
    "active_authentication": _ANTI_CLONE,
    "chip_authentication": _ANTI_CLONE,
}
"""The best verdict that each check leaves possible in each state."""

_COPIES: Final = ("active_authentication", "chip_authentication")

_FINDINGS: Final = {
    Finding.ANTI_CLONE_KEY_MISSING: Verdict.SUSPECTED_COPY,
    Finding.ANTI_CLONE_KEY_UNSIGNED: Verdict.SUSPECTED_COPY,
}
"""The best verdict that a finding leaves possible; all others are told by their check."""


def judge(checks: Checks, findings: Collection[str] = ()) -> Verdict:
    """The verdict over *checks*, with the *findings* of ``anti_clone_findings`` among others.

    GENUINE needs all of hashes, signature, chain and an anti-clone check. A check against copying that the chip offers
    but that was not done leaves CANNOT_TELL at best, unless the other one passed.
    """
    proven = CheckState.PASSED in (checks.active_authentication, checks.chip_authentication)
    states = {name: getattr(checks, name) for name in _AT_BEST}
    if proven:
        states |= {name: CheckState.PASSED for name in _COPIES if states[name] is not CheckState.FAILED}
    worst = min(
        (
            *(_AT_BEST[name][state] for name, state in states.items()),
            *(verdict for finding, verdict in _FINDINGS.items() if finding in findings),
        ),
        key=_ORDER.index,
    )
    return Verdict.DATA_AUTHENTIC if worst is Verdict.GENUINE and not proven else worst


def anti_clone_findings(covered: Collection[str], on_chip: Collection[str]) -> tuple[Finding, ...]:
    """What DG14 and DG15 say about copying: *covered* names are in the signed list, *on_chip* ones were found on it.

    A key that is signed for but missing was taken away so that nobody asks for its proof; one that is not signed for
    can be anyone's. Only for reads of the chip itself: files that someone else posts may lack them for other reasons.
    """
    missing = any(name in covered and name not in on_chip for name in _ANTI_CLONE_KEYS)
    unsigned = any(name in on_chip and name not in covered for name in _ANTI_CLONE_KEYS)
    found = ((missing, Finding.ANTI_CLONE_KEY_MISSING), (unsigned, Finding.ANTI_CLONE_KEY_UNSIGNED))
    return tuple(finding for holds, finding in found if holds)
