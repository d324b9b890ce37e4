"""What a paper ticket says, and what is known of the printer. Nothing here names a person: a number is enough."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class PrinterState(StrEnum):
    """What the printer said of itself, or why nothing is known."""

    READY = "ready"
    PAPER_LOW = "paper_low"
    PAPER_OUT = "paper_out"
    COVER_OPEN = "cover_open"
    FAULT = "fault"  # offline, cutter, heat: the printer says it cannot print
    SILENT = "silent"  # reached, and says nothing in time
    GONE = "gone"  # cannot be reached
    UNKNOWN = "unknown"  # the way to it carries no answers

    @property
    def prints(self) -> bool | None:
        """Whether a ticket comes out; None where nobody can tell."""
        if self is PrinterState.UNKNOWN:
            return None
        return self in (PrinterState.READY, PrinterState.PAPER_LOW)


@dataclass(frozen=True, slots=True)
class FurtherNumber:
    """Another number of the same visit and where it is called."""

    number: str
    room: str | None


@dataclass(frozen=True, slots=True)
class Ticket:
    """One ticket; the same values give the same picture, dot for dot.

    ``own``: the number is the kiosk's, never to be taken for the hospital's; ``before``: the kiosk's number that the
    person was handed before the hospital gave its own. ``to_staff``: the desk comes next. ``valid_to`` and ``level``:
    of the insurance card, as far as they may be said; ``unchecked``: nobody could say yet. ``at``: when the visit was
    accepted, in local time. ``language``: the one the person reads, large and first; None: as the printer is set.
    """

    number: str
    own: bool
    at: str
    to_staff: bool = False
    room: str | None = None
    department: str | None = None
    service: str | None = None
    before: str | None = None
    others: tuple[FurtherNumber, ...] = ()
    valid_to: str | None = None
    level: int | None = None
    unchecked: bool = False
    barcode: str | None = None
    lookup_receipt: str | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class PrinterSettings:
    """Where the printer is and what paper it has; ``adapter``: usb, serial, network or file.

    ``address``: ``vendor:product`` in hexadecimal, a device, ``host:port``, or a file. ``asks``: whether it is asked
    for its state. ``languages``: the first is printed large, the others below it.
    """

    adapter: str
    address: str
    width: int = 80
    baud: int = 9600
    asks: bool = True
    languages: tuple[str, ...] = ("vi",)
