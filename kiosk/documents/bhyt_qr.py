"""The QR of a BHYT card: templates of 2017 and 2021, the short form, and VssID's ``number|name``.

``number|name|birth|sex|address|facility|from|to|issued|office+BHXH number|guardian|area|five years|check|…|$``; names
and places are hex of UTF-8. Source: identity-documents.md 3, 4.1, 4.2 and 9 step 5. Nothing in it is signed.
"""

import re
from collections.abc import Sequence
from datetime import date

from kiosk.documents.card_number import benefit_level_of, classify_number
from kiosk.documents.cccd_qr import YEAR_ONLY
from kiosk.documents.personal_id import can_of, is_personal_number, number_warnings
from kiosk.documents.text import LOST_BITS, can_be_name, clean, is_latin, tidy
from kiosk.model import Coverage, Document, DocumentKind, Identity, KeyKind, PartialDate, Sex

BAD_HEX = "W_BAD_HEX"
NO_TERMINATOR = "W_NO_TERMINATOR"
CHECK_SHAPE = "W_CHECK_SHAPE"
BHXH_MISMATCH = "W_BHXH_MISMATCH"
BAD_VALIDITY = "W_BAD_VALIDITY"

_FEWEST, _MOST = 6, 16
_SEXES = {"1": Sex.MALE, "2": Sex.FEMALE}
_YEARS = range(1900, 2200)
_HEX = re.compile("[0-9A-Fa-f]+")
_DATE = re.compile(r"(?:(?:([0-9]{1,2})/)?([0-9]{1,2})/)?([0-9]{4})")
_FACILITY = re.compile("([0-9]{2})[ –—-]*([0-9A-Z]{3})")
_OFFICE_AND_NUMBER = re.compile("[0-9]{4}([0-9]{10})")
_CHECK = re.compile("[0-9A-Fa-f]{16}-[0-9]{4}")
_PART_OF_OLD_NUMBER = re.compile("[0-9]{1,12}")
_ADDRESS, _GUARDIAN = 4, 10
_DAYS = (6, 7, 8, 12)
_NOTHING = ("", "-")


def is_insurance_card(fields: Sequence[str]) -> bool:
    """The BHYT shape, whatever the first field looks like (section 4.2): cards may carry a personal number there."""
    if len(fields) < 5:
        return False
    name, sex = fields[1].strip(), fields[3].strip()
    return sex in _SEXES and (name == "-" or _HEX.fullmatch(name) is not None)


def is_vssid(fields: Sequence[str]) -> bool:
    """VssID's short form; digits in second place are the old number, perhaps cut, of a cut citizen card instead."""
    if len(fields) != 2 or classify_number(fields[0]) is None:
        return False
    name = fields[1].strip()
    return not _PART_OF_OLD_NUMBER.fullmatch(name) and _unhex(name) is not None


def read_vssid(
    fields: Sequence[str], *, warnings: tuple[str, ...] = (), extra_prefixes: frozenset[str] = frozenset()
) -> Document:
    """The Document of two *fields* for which `is_vssid` holds; birth date and validity are not in it."""
    return _document(DocumentKind.VSSID_QR, [*fields], warnings, extra_prefixes)


def read_insurance_card(
    fields: Sequence[str], *, warnings: tuple[str, ...] = (), extra_prefixes: frozenset[str] = frozenset()
) -> Document:
    """The Document that the *fields* of a BHYT card's QR make (text in NFC, `is_insurance_card` holds).

    What the area's digit and the fields behind the check mean is not established: they are left out.

    *warnings* of the text go in front of those found here; *extra_prefixes* as in `number_warnings`. Errors in the
    result: UNKNOWN_FORMAT (more than one card in it), BAD_ID_NUMBER, TRUNCATED, BAD_DATE (birth date that no calendar
    has); beside the last two only the number is kept. A name or place that is no hex of clean text is left out with
    W_BAD_HEX, a day of the validity that no calendar has with W_BAD_VALIDITY. Where a day should be and no date
    is, two scans may have run together: then nothing behind the sex is believed.
    """
    cells = [tidy(field) for field in fields]
    while cells and not cells[-1]:
        cells.pop()
    terminated = cells[-1] == "$"
    if terminated:
        cells.pop()
    if len(cells) > _MOST or any("$" in cell for cell in cells):
        return Document(DocumentKind.UNKNOWN, warnings=warnings, error="UNKNOWN_FORMAT")
    found = list(warnings)
    if not terminated:
        found.append(NO_TERMINATOR)
        if len(cells) == len(fields) == _GUARDIAN + 1:
            cells.pop()  # with nothing behind it, the name may be cut at any letter
    return _document(DocumentKind.BHYT_QR, cells, tuple(found), extra_prefixes)


def _document(
    kind: DocumentKind, cells: list[str], warnings: tuple[str, ...], extra_prefixes: frozenset[str]
) -> Document:
    classified = classify_number(cells[0])
    if classified is None:
        return Document(kind, warnings=warnings, error="BAD_ID_NUMBER")
    key, number = classified
    personal = number if is_personal_number(number) else None
    if kind is DocumentKind.BHYT_QR and len(cells) < _FEWEST:
        return _failed(kind, "TRUNCATED", key, number, warnings)
    believed = _first_card(cells)
    _, name, birth_text, sex, address, facility, valid_from, valid_to, _, office, guardian, _, five, check, *_ = [
        *believed,
        *[""] * (_MOST - len(believed)),
    ]
    birth = _partial(birth_text)
    if birth is None and birth_text not in _NOTHING:
        return _failed(kind, "BAD_DATE", key, number, warnings)
    texts = {text: _text(text) for text in (name, address, guardian)}
    texts |= {text: None for text in (name, guardian) if not can_be_name(texts[text] or "")}
    days = {day: _partial(day) for day in (valid_from, valid_to, five)}
    full_name = texts[name]
    if kind is DocumentKind.BHYT_QR and full_name is None and birth is None:
        return _failed(kind, "TRUNCATED", key, number, warnings)
    found = list(warnings)
    if birth is not None and birth.month is None:
        found.append(YEAR_ONLY)
    if any(text not in _NOTHING and read is None for text, read in texts.items()):
        found.append(BAD_HEX)
    if len(believed) < len(cells) or any(
        day not in _NOTHING and (read is None or read.exact is None) for day, read in days.items()
    ):
        found.append(BAD_VALIDITY)
    if check not in _NOTHING and not _CHECK.fullmatch(check):
        found.append(CHECK_SHAPE)
    if (stated := _OFFICE_AND_NUMBER.fullmatch(office)) and _other_bhxh_number(key, number, stated[1]):
        found.append(BHXH_MISMATCH)
    if personal is not None:
        found += number_warnings(personal, sex=_SEXES.get(sex), birth=birth, extra_prefixes=extra_prefixes)
    place = _FACILITY.fullmatch(facility)
    return Document(
        kind,
        identity=Identity(
            personal_id=personal,
            full_name=full_name,
            birth_date=birth,
            sex=_SEXES.get(sex),
            address=texts[address],
        ),
        coverage=Coverage(
            number=number,
            key_kind=key,
            registered_facility=place[1] + place[2] if place else None,
            valid_from=_day(days[valid_from]),
            valid_to=_day(days[valid_to]),
            five_years_on=_day(days[five]),
            benefit_level=benefit_level_of(key, number),
            guardian_name=texts[guardian],
        ),
        can=None if personal is None else can_of(personal),
        warnings=tuple(dict.fromkeys(found)),
    )


def _failed(kind: DocumentKind, error: str, key: KeyKind, number: str, warnings: tuple[str, ...]) -> Document:
    personal = key is KeyKind.PERSONAL_12
    return Document(
        kind,
        identity=Identity(personal_id=number) if personal else None,
        coverage=Coverage(number=number, key_kind=key, benefit_level=benefit_level_of(key, number)),
        can=can_of(number) if personal else None,
        warnings=warnings,
        error=error,
    )


def _first_card(cells: list[str]) -> list[str]:
    """*cells* as far as they are of one card for certain."""
    shaped = all(cell in _NOTHING or _DATE.fullmatch(cell) for at, cell in enumerate(cells[:-1]) if at in _DAYS)
    return cells if shaped else cells[:_ADDRESS]


def _other_bhxh_number(key: KeyKind, number: str, stated: str) -> bool:
    # Tails with letters are of before the BHXH number, those of 17 characters are personal numbers.
    tail = number[-10:]
    return key in (KeyKind.BHXH_10, KeyKind.BHYT_15) and tail.isdigit() and tail != stated


def _text(field: str) -> str | None:
    return None if field in _NOTHING else _unhex(field)


def _unhex(field: str) -> str | None:
    """The text behind hex digits; None unless it is clean text with a letter in it: a wrong name is worse than none."""
    try:
        raw = bytes.fromhex(field).decode("utf-8")
    except ValueError:
        return None
    if LOST_BITS.search(raw):  # encoded twice, or damaged
        return None
    text = tidy(clean(raw))
    return text if is_latin(text) and any(char.isalpha() for char in text) else None


def _partial(text: str) -> PartialDate | None:
    """``d/m/yyyy``, ``m/yyyy`` or ``yyyy``; zeros stand for a day or month that is not known."""
    parts = _DATE.fullmatch(text)
    if parts is None or int(parts[3]) not in _YEARS:
        return None
    try:
        return PartialDate(int(parts[3]), int(parts[2] or 0) or None, int(parts[1] or 0) or None)
    except ValueError:
        return None


def _day(found: PartialDate | None) -> date | None:
    return None if found is None else found.exact
