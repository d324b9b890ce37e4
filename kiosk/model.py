"""The nouns of the check-in: frozen dataclasses and closed lists, standard library only.

Words follow the project's architecture: a *Document* is what was read, an *Identity* the person it names, a *Coverage*
a BHYT card, an *Eligibility* the gateway's answer, an *Encounter* the visit asked of the hospital system, a *Receipt*
what that system gave back. Ids and codes are text: leading zeros count.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from enum import StrEnum
from typing import Any, Self

VIETNAM = timezone(timedelta(hours=7))
"""UTC+7, fixed: Vietnam has no daylight saving time, so no time-zone table is needed."""


def local_day(moment: datetime) -> date:
    """The calendar day in Vietnam of an aware *moment*; the day every count and series belongs to."""
    return moment.astimezone(VIETNAM).date()


class Sex(StrEnum):
    """Administrative sex as documents print it."""

    MALE = "M"
    FEMALE = "F"


class DocumentKind(StrEnum):
    """What a scan turned out to be (interfaces, section 2)."""

    CCCD_QR = "CCCD_QR"
    CC_QR = "CC_QR"
    CHIP = "CHIP"
    BHYT_QR = "BHYT_QR"
    VSSID_QR = "VSSID_QR"
    MRZ = "MRZ"
    NUMBER = "NUMBER"
    OPAQUE_TOKEN = "OPAQUE_TOKEN"
    URL = "URL"
    UNKNOWN = "UNKNOWN"


class KeyKind(StrEnum):
    """What kind of number a lookup is asked with (insurance-gateway.md 2.3)."""

    PERSONAL_12 = "PERSONAL_12"
    BHXH_10 = "BHXH_10"
    BHYT_15 = "BHYT_15"
    BHYT_17 = "BHYT_17"


class Method(StrEnum):
    """How the key of a lookup was read (interfaces, section 4)."""

    CHIP_CCCD = "CHIP_CCCD"
    QR_CCCD = "QR_CCCD"
    VNEID_TOKEN = "VNEID_TOKEN"
    BHYT_QR = "BHYT_QR"
    CARD_NUMBER = "CARD_NUMBER"
    MANUAL_ID = "MANUAL_ID"


class Lane(StrEnum):
    """Who drove the check-in."""

    SELF = "self"
    DESK = "desk"
    GUARDIAN = "guardian"
    EMERGENCY = "emergency"


class Carrier(StrEnum):
    """What a printed or shown code stood on. Information for staff, never part of a rate (interfaces, section 4)."""

    CARD = "card"
    PHONE = "phone"
    UNKNOWN = "unknown"


class CarrierSource(StrEnum):
    """How the carrier is known."""

    CAMERA = "camera"
    ASKED = "asked"
    NONE = "none"


class EligibilityClass(StrEnum):
    """The answers a patient can get; ``misconfigured`` is shown to the patient as ``cannot_say``."""

    INSURED = "insured"
    INSURED_NEW_CARD = "insured_new_card"
    NOT_INSURED = "not_insured"
    NEEDS_STAFF = "needs_staff"
    CANNOT_SAY = "cannot_say"
    MISCONFIGURED = "misconfigured"

    @property
    def insured(self) -> bool:
        """True when the gateway confirmed a card that is valid on the day of the visit."""
        return self in (EligibilityClass.INSURED, EligibilityClass.INSURED_NEW_CARD)

    @property
    def unanswered(self) -> bool:
        """True when nothing is known about the person yet and the question must be asked again."""
        return self in (EligibilityClass.CANNOT_SAY, EligibilityClass.MISCONFIGURED)


@dataclass(frozen=True, slots=True)
class PartialDate:
    """A date of which the day, or day and month, may be unknown; prints as ``1990-02-01``, ``1990-02`` or ``1990``."""

    year: int
    month: int | None = None
    day: int | None = None

    def __post_init__(self) -> None:
        """Refuse a date that no calendar has (ValueError)."""
        if self.day is not None and self.month is None:
            raise ValueError("a day needs a month")
        date(self.year, 1 if self.month is None else self.month, 1 if self.day is None else self.day)

    def __str__(self) -> str:
        """ISO 8601, at the precision known."""
        if self.month is None:
            return f"{self.year:04d}"
        if self.day is None:
            return f"{self.year:04d}-{self.month:02d}"
        return f"{self.year:04d}-{self.month:02d}-{self.day:02d}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what ``str()`` writes; ValueError for anything else."""
        parts = text.split("-")
        if not 1 <= len(parts) <= 3 or [len(part) for part in parts] != [4, 2, 2][: len(parts)]:
            raise ValueError("not an ISO date")
        if not all(part.isascii() and part.isdigit() for part in parts):
            raise ValueError("not an ISO date")
        return cls(*(int(part) for part in parts))

    @property
    def exact(self) -> date | None:
        """The calendar date, when day and month are known."""
        return None if self.month is None or self.day is None else date(self.year, self.month, self.day)

    def agrees_with(self, other: PartialDate) -> bool:
        """True when the two can be the same day: equal at the coarser of both precisions."""
        pairs = ((self.year, other.year), (self.month, other.month), (self.day, other.day))
        return all(mine == theirs for mine, theirs in pairs if mine is not None and theirs is not None)


@dataclass(frozen=True, slots=True)
class Identity:
    """A person as a document names them. ``full_name`` is NFC with accents where the document had them."""

    personal_id: str | None = None
    old_id: str | None = None
    full_name: str | None = None
    birth_date: PartialDate | None = None
    sex: Sex | None = None
    address: str | None = None
    issued_on: date | None = None


@dataclass(frozen=True, slots=True)
class Coverage:
    """A BHYT card. ``number`` goes on the visit: 15 or 17 characters, or 10/12 digits if that is all known."""

    number: str
    key_kind: KeyKind
    registered_facility: str | None = None
    valid_from: date | None = None
    valid_to: date | None = None
    five_years_on: date | None = None
    benefit_level: str | None = None
    guardian_name: str | None = None
    living_area: str | None = None


@dataclass(frozen=True, slots=True)
class Guardian:
    """Who answers for a child or a bedridden person; ``relation`` is a code, such as mother, or another word."""

    full_name: str
    relation: str
    number: str | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """One capture, recognised. ``error`` and ``warnings`` are codes of identity-documents.md section 9.

    Beside an ``error``, ``identity`` carries only what was safe to read.
    """

    kind: DocumentKind
    identity: Identity | None = None
    coverage: Coverage | None = None
    can: str | None = None
    extra: tuple[str, ...] = ()
    expires_on: date | None = None
    warnings: tuple[str, ...] = ()
    error: str | None = None


@dataclass(frozen=True, slots=True)
class LookupKey:
    """What the gateway is asked: the number with its kind, and the person it must belong to."""

    number: str
    kind: KeyKind
    full_name: str
    birth_date: PartialDate
    sex: Sex | None = None
    other_numbers: tuple[str, ...] = ()


class Moment(StrEnum):
    """When a lookup is made: at arrival, completed by itself later, or asked for by hospital, cashier or staff."""

    ARRIVAL = "arrival"
    PENDING = "pending"
    TREATMENT = "treatment"
    CLOSING = "closing"
    STAFF = "staff"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One call to the gateway, as evidence: nothing of the person.

    ``request_id``: ours, a UUIDv7. ``reason``: what came of it, a code as in ``Eligibility``. ``http_status``: None
    when no answer came.
    """

    request_id: str
    asked_at: datetime
    key_kind: KeyKind
    reason: str
    result_code: str | None = None
    http_status: int | None = None
    latency_ms: int = 0


@dataclass(frozen=True, slots=True)
class Holder:
    """The holder as the insurer's register has them, for staff to compare; each part may be missing."""

    full_name: str | None = None
    birth_date: PartialDate | None = None
    sex: Sex | None = None
    address: str | None = None


class Certainty(StrEnum):
    """Who may settle an object code: facility settings and card alone, staff after a proposal, or only staff."""

    AUTO = "auto"
    HINT = "hint"
    STAFF = "staff"


@dataclass(frozen=True, slots=True)
class RouteHint:
    """A provisional MA_DOITUONG_KCB (insurance-gateway.md 5.4). ``rate``: per cent that multiplies the card's level."""

    object_code: str
    certainty: Certainty
    rate: int | None = None


@dataclass(frozen=True, slots=True)
class Eligibility:
    """The answer to one lookup.

    ``reason`` is a stable lower-case code for staff and tests; ``result_code`` the gateway's ``maKetQua``, None when
    nothing readable came back. ``attempts`` counts the questions that left this machine or tried to.

    ``key_kind``: what kind of number this answer was asked with, None when nothing was. ``earlier``: answers to the
    other numbers of the same person that were asked before, each an answer of its own for the lookup rate. ``trail``:
    each call made for this answer. ``answer``: the untouched body of the last one, as long as it is in memory only.
    ``notices``: codes of what staff and patient should know (card about to end); ``route`` and all else about money
    are provisional. ``held``: set where the answer is about this person.
    """

    status: EligibilityClass
    reason: str
    asked_at: datetime
    result_code: str | None = None
    coverage: Coverage | None = None
    reached_gateway: bool = False
    attempts: int = 1
    latency_ms: int = 0
    key_kind: KeyKind | None = None
    held: Holder | None = field(default=None, repr=False)
    notices: tuple[str, ...] = ()
    route: RouteHint | None = None
    earlier: tuple[Eligibility, ...] = ()
    trail: tuple[Attempt, ...] = ()
    answer: bytes | None = field(default=None, repr=False, compare=False)

    @property
    def shared(self) -> bool:
        """True for an answer to a question of another station (a relay's): it counts as that one's lookup."""
        return self.reached_gateway and self.attempts == 0


@dataclass(frozen=True, slots=True)
class Officer:
    """A person registered on the insurer's portal who answers for lookups (insurance-gateway.md 0, point 5)."""

    officer_id: str
    full_name: str = field(repr=False)
    citizen_number: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class AdapterHealth:
    """Result of one harmless probe. ``problems`` are short sentences for operators, without personal data."""

    ok: bool
    problems: tuple[str, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)
