"""The nouns of the chip in the check-in: what a read comes to, and what a licensed provider thinks of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kiosk.model import Identity


@dataclass(frozen=True, slots=True)
class ChipReading:
    """What a chip said of a person and proved of itself.

    ``verdict`` and ``issuer`` as in interfaces section 3; ``detail`` holds checks, findings and mismatches, codes only;
    ``evidence`` one signed record; ``staff_reason`` a code when a human must look before the person goes on.
    """

    identity: Identity
    verdict: str
    issuer: str | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)
    evidence: bytes | None = None
    staff_reason: str | None = None


@dataclass(frozen=True, slots=True)
class ProviderOpinion:
    """What a licensed provider says of a chip, beside the local checks: True passed, False failed, None not said.

    It never raises the local verdict. ``reason`` is a code for staff when anything failed, such as
    ``PROVIDER_DOUBTS:aa,pa``, else None.
    """

    provider: str
    active_authentication: bool | None = None
    passive_authentication: bool | None = None
    chip_authentication: bool | None = None
    reason: str | None = None
