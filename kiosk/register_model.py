"""Words for one person at several stations of a facility: who stands where, and who was accepted first.

A *Passage* is one check-in as the facility's register knows it, *Elsewhere* the same person's passage at another
station, a *Handed* what that station put in the person's hand.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from kiosk.model import EligibilityClass, Identity


@dataclass(frozen=True, slots=True)
class Passage:
    """One check-in. ``day``: ISO, Vietnam's calendar; ``numbers``: the one that was read first, then others known.

    ``identity``: name, birth date and sex count. ``another``: a second examination that the person asked for.
    """

    checkin_id: str
    day: str
    numbers: tuple[str, ...] = field(repr=False)
    identity: Identity = field(repr=False)
    another: bool = False


@dataclass(frozen=True, slots=True)
class Handed:
    """The ticket of an accepted passage. ``issued_by``: ``his`` or ``kiosk``; without a service staff are to help."""

    number: str
    issued_by: str
    service: str | None = None
    department: str | None = None
    room: str | None = None
    status: EligibilityClass | None = None
    lookup_receipt: str | None = None


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """The same person's passage at another *station*; ``at``: when they came, or since when they are accepted.

    ``taken``: accepted there, or about to be; ``ticket``: None as long as there is no number.
    """

    checkin_id: str
    station: str
    at: datetime
    taken: bool
    ticket: Handed | None = None
