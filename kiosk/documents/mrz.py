"""The machine-readable zone on the back of a Vietnamese card (TD1) as a Document.

Source: identity-documents.md 6; the zone itself is ICAO 9303-5, parsed by `kiosk.emrtd.mrz`.
"""

import re
from datetime import date

from kiosk.documents.personal_id import can_of, number_warnings
from kiosk.emrtd.errors import DataError
from kiosk.emrtd.mrz import Mrz, parse
from kiosk.model import Document, DocumentKind, Identity, PartialDate, Sex

LINES = 3
LINE_LENGTH = 30

_START = re.compile(rb"I[D<]VNM[0-9A-Z<]")
# A letter can weigh as a digit and a filler as a zero; fillers stand for a whole month or day that is not known.
_BIRTH = re.compile("[0-9]{2}(?:[0-9]{2}|<<){2}")
_EXPIRY = re.compile("[0-9]{6}")
_NO_EXPIRY = date(2099, 12, 31)
"""What cards without an end have in the zone (section 6)."""


def starts_zone(line: bytes) -> bool:
    """Whether *line* begins like the zone of a Vietnamese card."""
    return _START.match(line) is not None


def read_zone(payload: bytes, *, extra_prefixes: frozenset[str] = frozenset()) -> Document:
    """The Document of the zone at the start of *payload*, its lines joined or apart; what follows it is left out.

    *extra_prefixes* as in `number_warnings`. Errors in the result: UNKNOWN_FORMAT for anything that is no zone of a
    Vietnamese card, TRUNCATED when characters are missing, BAD_CHECK_DIGIT when one of the five check digits fails or
    the two numbers contradict each other. The name has no accents; no check digit covers it, so one with a digit in it,
    or so long that it may be cut, is left out.
    """
    characters = b"".join(payload.split())[: LINES * LINE_LENGTH]
    if len(characters) < LINES * LINE_LENGTH:
        return Document(DocumentKind.MRZ, error="TRUNCATED")
    try:
        zone = parse(characters.decode("ascii"))
    except (DataError, UnicodeDecodeError):
        return Document(DocumentKind.UNKNOWN, error="UNKNOWN_FORMAT")
    number = zone.personal_number
    dates = _BIRTH.fullmatch(zone.birth_field) and _EXPIRY.fullmatch(zone.expiry_field)
    if not (dates and all(zone.checks.values())) or number is None or number[-9:] != zone.document_number:
        return Document(DocumentKind.MRZ, error="BAD_CHECK_DIGIT")
    birth = PartialDate.parse(zone.birth) if zone.birth else None
    if birth is None and zone.birth_field.strip("<0"):
        return Document(DocumentKind.MRZ, Identity(personal_id=number), can=can_of(number), error="BAD_DATE")
    sex = Sex(zone.sex) if zone.sex else None
    until = PartialDate.parse(zone.expiry).exact if zone.expiry else None
    return Document(
        DocumentKind.MRZ,
        identity=Identity(personal_id=number, full_name=_name(zone), birth_date=birth, sex=sex),
        can=can_of(number),
        expires_on=None if until == _NO_EXPIRY else until,
        warnings=number_warnings(number, sex=sex, birth=birth, extra_prefixes=extra_prefixes),
    )


def _name(zone: Mrz) -> str | None:
    whole = zone.full_name.replace(" ", "").isalpha() and not zone.name_may_be_cut
    return zone.full_name if whole else None
