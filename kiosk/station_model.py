"""What stations speak of: their refusals, their times, and the person in front."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from kiosk.checkin import Key
from kiosk.errors import KioskError
from kiosk.model import Carrier, CarrierSource, Document


class StationBusy(KioskError):
    """Another person is being served here: please wait."""

    code = "BUSY"


class NotAtThatPhase(KioskError):
    """The answer came for a check-in or a phase that is over."""

    code = "WRONG_PHASE"


class ScanRefused(KioskError):
    """The scan names nobody who can be served; ``code`` is the document's error, or why it is not enough."""

    def __init__(self, code: str) -> None:
        """Carry a stable upper-case *code*."""
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Timings:
    """Seconds after which a screen clears itself."""

    unreadable: float = 10.0
    place_card: float = 30.0
    number: float = 90.0
    confirm: float = 40.0
    choose: float = 90.0
    done: float = 15.0
    staff: float = 30.0
    card_taken: float = 5.0  # of a ticket whose person takes the card and goes


class Company(StrEnum):
    """For whom somebody else acts here: a child of theirs, or another person whom they help."""

    CHILD = "child"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Touch:
    """One answer of the person in front (interfaces, section 4)."""

    answer: str
    service_id: str | None = None
    value: str | None = None


@dataclass(frozen=True, slots=True)
class InFront:
    """What was read of the person who is to be examined, and what it stood on.

    ``not_by_chip``: why no chip will be read, where that is known already.
    """

    document: Document
    key: Key
    carrier: Carrier = Carrier.UNKNOWN
    carrier_source: CarrierSource = CarrierSource.NONE
    not_by_chip: str | None = None
