"""A person whom staff typed: the document and the key that come of it."""

from __future__ import annotations

from kiosk.checkin import CheckIns, Key
from kiosk.documents.card_number import classify_number
from kiosk.documents.text import clean, tidy
from kiosk.model import Document, DocumentKind, Identity, KeyKind, Method
from kiosk.staff_entry import OLDEST, Entry, StaffRefusal, parse_birth_date


async def typed_person(checkins: CheckIns, entry: Entry) -> tuple[Document, Key]:
    """What was typed, as a document; a 12-digit number alone is completed from the hospital's own records.

    StaffRefusal: BAD_NUMBER, BAD_DATE, NAME_AND_BIRTH_DATE_NEEDED.
    """
    classified = classify_number(entry.number)
    if classified is None:
        raise StaffRefusal("BAD_NUMBER")
    kind, number = classified
    identity = await _complete(checkins, entry, kind, number)
    method = Method.MANUAL_ID if kind is KeyKind.PERSONAL_12 else Method.CARD_NUMBER
    return Document(DocumentKind.NUMBER, identity), Key(number, kind, method)


async def _complete(checkins: CheckIns, entry: Entry, kind: KeyKind, number: str) -> Identity:
    personal_id = number if kind is KeyKind.PERSONAL_12 else None
    name = tidy(clean(entry.full_name))
    if name and entry.birth_date.strip():
        born = parse_birth_date(entry.birth_date)
        if not OLDEST <= born.year <= checkins.clock().year + 1:
            raise StaffRefusal("BAD_DATE")
        return Identity(personal_id, full_name=name, birth_date=born, sex=entry.sex)
    known = await checkins.ask_hospital_for(number) if personal_id else None
    if known is None or not known.full_name or not known.birth_date:
        raise StaffRefusal("NAME_AND_BIRTH_DATE_NEEDED")
    return Identity(number, full_name=known.full_name, birth_date=known.birth_date, sex=known.sex)
