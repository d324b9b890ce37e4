"""What the check-in is told and tells: the facility's policy, the key that was read, who stands here."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta

from kiosk.hospital_model import Service
from kiosk.model import Carrier, CarrierSource, KeyKind, Lane, Method
from kiosk.opening_hours import ALWAYS_OPEN, OpeningHours
from kiosk.priority import Priority
from kiosk.records import CheckIn
from kiosk.ticket_numbers import NumberSeries


@dataclass(frozen=True, slots=True)
class Policy:
    """What a facility decides. Times in seconds."""

    station: str
    facility: str = ""  # its five-character code
    unchecked: str = "push"  # push | hold: what to do with a visit while the gateway cannot say
    number_wait: float = 8.0  # how long a patient waits for the hospital's number
    find_patient_wait: float = 8.0
    remember: timedelta = timedelta(minutes=15)
    recheck_after: tuple[float, ...] = (60.0, 300.0, 900.0, 1800.0, 3600.0)
    recheck_gap: float = 2.0  # between two questions that wait, once the gateway is back
    hours: OpeningHours = ALWAYS_OPEN
    services: tuple[Service, ...] = ()  # of a hospital system without a menu of its own
    numbers: NumberSeries = field(default_factory=NumberSeries)
    priority: Priority = field(default_factory=Priority)
    own_codes: tuple[tuple[date, frozenset[str]], ...] = ()  # since when which places of registration count as this one

    def registered_here(self, place: str, day: date) -> bool:
        """Whether the place of registration *place* counts as this facility on *day*."""
        valid = [codes for since, codes in self.own_codes if since <= day]
        return place == self.facility or bool(valid and place in valid[-1])


@dataclass(frozen=True, slots=True)
class Presented:
    """A person stands here. ``again``: the same person was accepted earlier today, ``checkin`` is that passage.

    Where that was at another station of a relay, ``checkin`` shows its ticket, and is kept here as given up.
    """

    checkin: CheckIn
    again: bool


@dataclass(frozen=True, slots=True)
class Arrival:
    """How somebody came. ``attended``: staff have the person before them, and have looked whose document it is.

    ``station``: empty for the daemon's own. ``not_by_chip``: why no chip will be read, where that is known already.
    ``notice``: the text that stood on the screen.
    """

    lane: Lane
    attended: bool = False
    station: str = ""
    carrier: Carrier = Carrier.UNKNOWN
    carrier_source: CarrierSource = CarrierSource.NONE
    not_by_chip: str | None = None
    notice: str | None = None


@dataclass(frozen=True, slots=True)
class Key:
    """The number that was read or typed, ready to be asked with."""

    number: str
    kind: KeyKind
    method: Method
