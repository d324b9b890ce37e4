"""Old against new: what insurer and hospital hold of a person, against what the document said. Pure functions.

A *Difference* is one field on which a source says something else, or more, than we have. Staff see each and accept
some (kiosk.accepted_fields). Sources: insurance-gateway.md 3.1 (end), 5.3 (places and numbers change), 5.5.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from kiosk.documents.text import fold, same_name, tidy
from kiosk.hospital_model import PatientMatch
from kiosk.model import Coverage, Eligibility, Holder, Identity, KeyKind, PartialDate, Sex

_PERHAPS_ANOTHER = ("wrong_person", "name_refused")
"""Reasons of answers that may be about somebody else, whose name nobody here may see (insurance-gateway.md 3, 060)."""
_WHOLE_CARDS = (KeyKind.BHYT_15, KeyKind.BHYT_17)


class Source(StrEnum):
    """Who says it: the insurer's gateway, or the hospital system."""

    GATEWAY = "gateway"
    HOSPITAL = "hospital"


@dataclass(frozen=True, slots=True)
class Difference:
    """One field: ``full_name``, ``birth_date``, ``sex``, ``address``, or of the card ``card_number``, ``valid_from``,
    ``valid_to``, ``registered_facility``.

    ``ours``: what the document said, None when it said nothing; ``theirs``: what ``source`` says; both as text, dates
    in ISO 8601. ``acceptable``: staff may take ``theirs`` over; a card's fields are the gateway's already.
    """

    name: str
    source: Source
    ours: str | None = field(repr=False)
    theirs: str = field(repr=False)
    acceptable: bool

    @property
    def id(self) -> str:
        """``source.name``, the word under which staff accept it."""
        return f"{self.source}.{self.name}"


def differences(
    identity: Identity, card: Coverage | None, answer: Eligibility | None, patient: PatientMatch | None
) -> tuple[Difference, ...]:
    """All differences between the person of *identity*, whose insurance *card* was read or typed, and the others.

    Nothing of an answer that may be about another person is told. The numbers of a person are never part of it:
    whoever has another number is another person.
    """
    found: list[Difference] = []
    if answer is not None and answer.reason not in _PERHAPS_ANOTHER:
        if answer.held is not None:
            found += _of_person(identity, answer.held, Source.GATEWAY)
        if card is not None and answer.coverage is not None:
            found += _of_card(card, answer.coverage)
    if patient is not None and patient.person is not None:
        known = patient.person
        held = Holder(known.full_name, known.birth_date, known.sex, known.address)
        found += _of_person(identity, held, Source.HOSPITAL)
    return tuple(found)


def taken_over(identity: Identity, chosen: Difference, held: Holder) -> Identity:
    """*identity* with the field of *chosen* as its source *held* has it."""
    return Identity(
        personal_id=identity.personal_id,
        old_id=identity.old_id,
        full_name=tidy(held.full_name or "") if chosen.name == "full_name" else identity.full_name,
        birth_date=held.birth_date if chosen.name == "birth_date" else identity.birth_date,
        sex=held.sex if chosen.name == "sex" else identity.sex,
        address=held.address if chosen.name == "address" else identity.address,
        issued_on=identity.issued_on,
    )


def _of_person(ours: Identity, theirs: Holder, source: Source) -> Iterator[Difference]:
    """The insurer's register may correct a document; the hospital's may only add what a document left out."""
    register = source is Source.GATEWAY
    if theirs.full_name and _another_spelling(ours.full_name, theirs.full_name):
        yield Difference("full_name", source, ours.full_name, tidy(theirs.full_name), acceptable=register)
    if theirs.birth_date and _another_birth(ours.birth_date, theirs.birth_date):
        adds = ours.birth_date is None or ours.birth_date.agrees_with(theirs.birth_date)
        told = str(ours.birth_date) if ours.birth_date else None
        yield Difference("birth_date", source, told, str(theirs.birth_date), acceptable=register or adds)
    if theirs.sex and theirs.sex is not ours.sex:
        told = Sex(ours.sex).value if ours.sex else None
        yield Difference("sex", source, told, theirs.sex.value, acceptable=register or ours.sex is None)
    if theirs.address and fold(theirs.address) != fold(ours.address or ""):
        yield Difference("address", source, ours.address, theirs.address, acceptable=register or not ours.address)


def _another_spelling(ours: str | None, theirs: str) -> bool:
    """Whether *theirs* is news: other letters, or accents that we do not have. Lost accents and case are none."""
    if not ours or not same_name(ours, theirs):
        return True
    return _spelling(ours) != _spelling(theirs) and not theirs.isascii()


def _spelling(name: str) -> str:
    return unicodedata.normalize("NFC", tidy(name)).casefold()


def _another_birth(ours: PartialDate | None, theirs: PartialDate) -> bool:
    if ours is None or not ours.agrees_with(theirs):
        return True
    return len(str(theirs)) > len(str(ours))


def _of_card(ours: Coverage, theirs: Coverage) -> Iterator[Difference]:
    whole = ours.key_kind in _WHOLE_CARDS and theirs.key_kind in _WHOLE_CARDS
    if whole and ours.number != theirs.number:
        yield Difference("card_number", Source.GATEWAY, ours.number, theirs.number, acceptable=False)
    for name in ("valid_from", "valid_to", "registered_facility"):
        old, new = (_text(getattr(each, name)) for each in (ours, theirs))
        if old is not None and new is not None and old != new:
            yield Difference(name, Source.GATEWAY, old, new, acceptable=False)


def _text(value: date | str | None) -> str | None:
    return value.isoformat() if isinstance(value, date) else value
