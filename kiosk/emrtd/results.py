"""What a read of a chip proves, in closed lists (interfaces, section 3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Access(StrEnum):
    """How the chip was opened."""

    PACE = "PACE"
    BAC = "BAC"


class CheckState(StrEnum):
    """The outcome of one check."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_SUPPORTED = "not_supported"  # the chip has no such key
    NO_ANCHOR = "no_anchor"  # nothing configured to check against
    NOT_DONE = "not_done"


class Verdict(StrEnum):
    """What all checks together allow to say; the worst finding wins, in this order."""

    FORGED = "forged"  # hashes, signature or chain failed, or access was downgraded by tampering
    SUSPECTED_COPY = "suspected_copy"  # an anti-clone check failed, or its key is not under the signed hashes
    CANNOT_TELL = "cannot_tell"  # hashes and signature hold, no anchor (or a check that the chip offers was not done)
    DATA_AUTHENTIC = "data_authentic"  # chain to an anchor, and the chip has no anti-clone key
    GENUINE = "genuine"  # chain to an anchor, and an anti-clone check passed


@dataclass(frozen=True, slots=True)
class Checks:
    """All checks of one read."""

    hashes: CheckState = CheckState.NOT_DONE
    signature: CheckState = CheckState.NOT_DONE
    chain: CheckState = CheckState.NOT_DONE
    active_authentication: CheckState = CheckState.NOT_DONE
    chip_authentication: CheckState = CheckState.NOT_DONE
    downgrade: CheckState = CheckState.NOT_DONE


@dataclass(frozen=True, slots=True)
class ChallengeResponse:
    """Active Authentication as it happened: 8 random bytes of ours and the chip's signature over them."""

    challenge: bytes
    response: bytes


@dataclass(frozen=True, slots=True)
class ChipRead:
    """One complete read. ``files``: raw bytes by name ("DG1", "EF.SOD", ...), tag included.

    ``access`` is None when somebody else's program opened the chip and handed over its files.
    ``findings`` are stable codes for staff and tests, without personal data; ``issuer`` the first 16 hex digits of
    SHA-256 of the document signer's certificate; ``seconds`` wall time of the read.
    """

    files: Mapping[str, bytes]
    access: Access | None
    access_note: str | None
    checks: Checks
    verdict: Verdict
    issuer: str | None
    findings: tuple[str, ...] = ()
    active: ChallengeResponse | None = None
    apdus: int = 0
    seconds: float = 0.0
