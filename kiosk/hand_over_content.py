"""What a clerk types into the hospital system for one check-in: a whole visit, or what a registered one still lacks."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from kiosk.hospital_model import HandOver
from kiosk.model import Coverage, EligibilityClass, Identity, PartialDate
from kiosk.ports import HospitalAdapter
from kiosk.records import CheckIn
from kiosk.to_hospital import HAND_OVER, encounter_of

COVERAGE_TO_ENTER: Final = "coverage_to_enter"
FIELDS_TO_ENTER: Final = "fields_to_enter"
LISTED: Final = (HAND_OVER, COVERAGE_TO_ENTER, FIELDS_TO_ENTER)
"""Staff reasons of what stands on the clerk's list."""
_TAKEN_OVER: Final = ("full_name", "birth_date", "sex", "address")
_OF_CARD: Final = ("number", "registered_facility", "valid_from", "valid_to", "five_years_on")


class Kind(StrEnum):
    """A whole ``visit``, or an ``addition`` to one that stands in the hospital system already."""

    VISIT = "visit"
    ADDITION = "addition"


@dataclass(frozen=True, slots=True)
class Shown:
    """What a clerk has before them. ``told``: the class under which the visit is entered; ``digest``: of the content.

    The content of an addition has no ``typed``: which field of the form comes next is not known.
    """

    checkin: CheckIn
    kind: Kind
    content: HandOver
    told: EligibilityClass

    @property
    def digest(self) -> str:
        """The same for the same content."""
        content = json.dumps([self.kind, self.content.fields, self.content.typed], ensure_ascii=True)
        return hashlib.sha256(content.encode()).hexdigest()[:16]


async def content_of(checkin: CheckIn, hospital: HospitalAdapter, facility: str) -> Shown | None:
    """What is to be typed for *checkin*; None when nothing is. HospitalError when the adapter cannot make it ready."""
    made = None
    if hospital.capabilities.hand_over and checkin.service is not None:
        made = await hospital.hand_over(encounter_of(checkin, checkin.service, facility, checkin.patient))
    if made is not None and checkin.hospital_state == "waiting" and checkin.staff_reason is not None:
        return Shown(checkin, Kind.VISIT, made, checkin.registered_as)
    if checkin.hospital_state != "accepted" or checkin.staff_reason not in (COVERAGE_TO_ENTER, FIELDS_TO_ENTER):
        return None
    lacks_card = checkin.registered_status is None or checkin.registered_status.unanswered
    with_card = checkin.registered_as.insured and (lacks_card or checkin.staff_reason == COVERAGE_TO_ENTER)
    fields = [*(_card(checkin.coverage) if with_card else ()), *_taken_over(checkin)]
    written = dict(made.fields) if made is not None else {}
    told = checkin.registered_as if with_card else checkin.registered_status or EligibilityClass.CANNOT_SAY
    return Shown(checkin, Kind.ADDITION, _addition(fields, written), told)


def _addition(fields: list[tuple[str, str]], written: Mapping[str, str]) -> HandOver:
    """*written*: values as the site's form wants them, where that is known."""
    shown = tuple((name, written.get(name) or value) for name, value in fields)
    left_out = tuple(name for name, value in shown if not (value.isascii() and value.isprintable()))
    return HandOver(shown, "", left_out)


def _card(card: Coverage | None) -> Iterator[tuple[str, str]]:
    for name in _OF_CARD:
        value = getattr(card, name, None)
        if value is not None:
            yield "card" if name == "number" else name, _text(value)


def _taken_over(checkin: CheckIn) -> Iterator[tuple[str, str]]:
    """What staff took over since the document was read."""
    if checkin.staff_reason != FIELDS_TO_ENTER:
        return
    before = checkin.read_identity or Identity()
    for name in _TAKEN_OVER:
        value = getattr(checkin.identity, name)
        if value is not None and value != getattr(before, name):
            yield name, _text(value)


def _text(value: str | date | PartialDate) -> str:
    """Dates as people write them here, as far as they are known."""
    return value if isinstance(value, str) else "/".join(reversed(str(value).split("-")))
