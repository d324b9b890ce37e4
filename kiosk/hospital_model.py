"""The nouns of a hospital system: its menu, the patient it knows, the visit asked of it, the receipt it gives back.

Frozen dataclasses and closed lists, standard library only, like `kiosk.model`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final

from kiosk.model import Coverage, EligibilityClass, Identity, RouteHint, Sex


class Availability(StrEnum):
    """Whether a service can be chosen now; a catalogue may not say."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Service:
    """A consulting room or examination of the hospital's menu. Prices: list prices in đồng, never what is to pay.

    ``age_from`` to ``age_to``: whole years, both included, and ``sex``: for whom the hospital says it is; None: anyone.
    """

    id: str
    code: str
    name: str
    department_id: str
    department: str
    exam_type: str
    insured: bool
    price: Decimal | None = None
    insurance_price: Decimal | None = None
    surcharge: Decimal | None = None
    available: Availability = Availability.UNKNOWN
    age_from: int | None = None
    age_to: int | None = None
    sex: Sex | None = None


@dataclass(frozen=True, slots=True)
class PatientRef:
    """The hospital's own key of a person, opaque to us; both parts or one."""

    id: str | None
    code: str | None


class MatchKind(StrEnum):
    """Result of looking a person up in the hospital system."""

    NONE = "none"
    ONE = "one"
    MANY = "many"
    MISMATCH = "mismatch"


class MatchedBy(StrEnum):
    """Under which of a person's numbers the hospital system holds them; asked for in this order."""

    PERSONAL_ID = "personal_id"
    OLD_ID = "old_id"
    CARD = "card"


@dataclass(frozen=True, slots=True)
class PatientMatch:
    """Who the hospital system holds under a number. ``person``: what it knows of them, for number-only entry.

    ``decided``: staff said that it is nobody whom the system holds, whatever stands there under their numbers.
    """

    kind: MatchKind
    ref: PatientRef | None = None
    person: Identity | None = None
    differences: tuple[str, ...] = ()
    matched_by: MatchedBy | None = None
    decided: bool = False


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody whom the hospital system holds under the same name and birth date: staff may say that it is them.

    Never taken without a human's word, and never merged.
    """

    ref: PatientRef
    person: Identity


class Slip(StrEnum):
    """The paper that a person says to have brought, who is registered at another place."""

    REFERRAL = "referral"
    RE_EXAMINATION = "re_examination"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Encounter:
    """The visit we ask the hospital system to open. ``happened_at`` is the moment the document was read, frozen.

    ``follows``: id of the appointment that the visit keeps. ``slip``: None where nobody was asked.
    """

    checkin_id: str
    facility: str
    happened_at: datetime
    identity: Identity
    service: Service
    patient: PatientMatch | None = None
    coverage: Coverage | None = None
    eligibility: EligibilityClass = EligibilityClass.CANNOT_SAY
    priority: bool = False
    route: RouteHint | None = None
    lookup_receipt: str | None = None
    follows: str | None = None
    slip: Slip | None = None


@dataclass(frozen=True, slots=True)
class HandOver:
    """A visit as a clerk puts it into a system without any interface: named fields, and what a scanner types.

    ``fields``: (name, value) in the form's order. ``typed``: the text that the clerk's scanner types, separators and
    all; it is what the QR holds. ``left_out``: names of fields with a value that a scanner cannot type surely.
    """

    fields: tuple[tuple[str, str], ...]
    typed: str
    left_out: tuple[str, ...] = ()


MOST_TICKET: Final = 32
"""Characters of a queue number; what is longer is none."""


@dataclass(frozen=True, slots=True)
class TicketLine:
    """A queue number as the hospital printed it, with where to go."""

    number: str
    room: str | None = None
    department: str | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the hospital system gave back for an encounter; every part may be missing.

    ``barcode``: for the slip. ``refused``: it took the visit, and refused it when it came to look at it.
    """

    visit_id: str | None = None
    patient_code: str | None = None
    registration_id: str | None = None
    tickets: tuple[TicketLine, ...] = ()
    amount: Decimal | None = None
    raw_status: str | None = None
    barcode: str | None = None
    refused: bool = False

    @property
    def number(self) -> str | None:
        """The first queue number, if the hospital gave one."""
        return self.tickets[0].number if self.tickets else None


class Idempotency(StrEnum):
    """What protects a repeated push: nothing, a key the hospital keeps, or a look-up before the repeat."""

    NONE = "none"
    KEY = "key"
    NATURAL = "natural"


class QueueNumber(StrEnum):
    """When the hospital system tells the queue number."""

    IN_RECEIPT = "in_receipt"
    LATER = "later"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a hospital adapter can do; a method whose capability is False is never called.

    ``hand_over``: there is nothing to send to: a clerk enters each visit, and ``push`` is never called.
    """

    menu: bool = False
    find_patient: bool = False
    eligibility: bool = False
    history: bool = False
    new_patient: bool = False
    amend: bool = False
    cancel: bool = False
    visit_count: bool = False
    appointments: bool = False
    lookups: bool = False
    suggest: bool = False
    hand_over: bool = False
    idempotency: Idempotency = Idempotency.NONE
    queue_number: QueueNumber = QueueNumber.NEVER


@dataclass(frozen=True, slots=True)
class VisitCount:
    """All insured visits of a facility on one day, as the hospital system counts them."""

    day: date
    bhyt_visits: int
    by_class: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DeskLookups:
    """Lookups the hospital system made itself on one day, for visits that never came to a station."""

    day: date
    lookups: int
    visits_looked_up: int
    visits_success: int


@dataclass(frozen=True, slots=True)
class Appointment:
    """An unused follow-up appointment of a person."""

    id: str
    day: date
    service_id: str | None = None
