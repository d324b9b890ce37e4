"""The QR of the chip CCCD (7 fields) and of the căn cước card since July 2024 (7 + 4 fields).

``number|old number|name|birth DDMMYYYY|sex|address|issued DDMMYYYY[|four more]``. Source: identity-documents.md 1.1,
1.2, 2 and 9 steps 4 to 6. The QR carries no signature: it names a person, it proves nothing.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from kiosk.documents.personal_id import SEX_MISMATCH, YEAR_MISMATCH, can_of, is_personal_number, number_warnings, sex_of
from kiosk.documents.text import ENCODING_DAMAGED, can_be_name, fold, tidy
from kiosk.model import Document, DocumentKind, Identity, PartialDate, Sex

NO_ISSUE_DATE = "W_NO_ISSUE_DATE"
YEAR_ONLY = "W_YEAR_ONLY"
NO_DIACRITICS = "W_NO_DIACRITICS"
EXTRA_FIELDS = "W_EXTRA_FIELDS"
ISSUED_BEFORE_BIRTH = "W_ISSUED_BEFORE_BIRTH"
KIND_UNCERTAIN = "W_KIND_UNCERTAIN"

_FEWEST, _FULL, _MOST = 6, 7, 11
_NEW_CARD_FIELDS = 10
_NEW_CARDS_SINCE = date(2024, 7, 1)
_OF_ANOTHER = frozenset({SEX_MISMATCH, YEAR_MISMATCH})
_YEARS = range(1900, 2400)
_SEX_WORDS = {"NAM": Sex.MALE, "MALE": Sex.MALE, "M": Sex.MALE, "NU": Sex.FEMALE, "FEMALE": Sex.FEMALE, "F": Sex.FEMALE}
_DATE = re.compile("[0-9]{4}|[0-9]{6}|[0-9]{8}")
_OLD_NUMBER = re.compile("[0-9]{9}|[0-9]{12}")
_DIGIT = re.compile("[0-9]")
_NINE_DIGITS = re.compile("[0-9]{9}")
_TWELVE_DIGITS = re.compile("[0-9]{12}")
_THIRTEEN_DIGITS = re.compile("[0-9]{13}")
_LONE_CONSONANTS = re.compile("[BCDFGHJKLMNPQRSTVWXZ]{2,}", re.IGNORECASE)
# Capitals alone, and these, are abbreviations that addresses do have.
_LOST_VOWELS = re.compile("(?!T[pxt]$|K[pv]$|[Kk]m$)[BCDFGHJKLMNPQRSTVWXZ]?[bcdfghjklmnpqrstvwxz]+|X")
_COMMAS = re.compile(r" ?,(?: ?-(?=[ ,]|$)| |,)*")


class ExtraKind(StrEnum):
    """What one of the fields 7 to 10 looks like; whose name or number it is, is not established (section 2)."""

    EMPTY = "empty"
    CANCELLED_NUMBER = "cancelled_number"
    OLD_NUMBER = "old_number"
    NAME = "name"
    OTHER = "other"


def extra_kind(field: str) -> ExtraKind:
    """The shape of an extra *field*: 12 digits, 9 digits, letters (an unknown relative), or something else."""
    if not field:
        return ExtraKind.EMPTY
    if is_personal_number(field):
        return ExtraKind.CANCELLED_NUMBER
    if _OLD_NUMBER.fullmatch(field):
        return ExtraKind.OLD_NUMBER
    return ExtraKind.NAME if fold(field).replace(" ", "").isalpha() else ExtraKind.OTHER


@dataclass(frozen=True, slots=True)
class _Card:
    """The fields in their places; ``extra`` is everything behind the seventh."""

    number: str
    old_number: str
    name: str
    birth: str
    sex: str
    address: str
    issued: str
    extra: tuple[str, ...]

    @property
    def kind(self) -> DocumentKind:
        new = _FULL + len(self.extra) >= _NEW_CARD_FIELDS or any(self.extra)
        return DocumentKind.CC_QR if new else DocumentKind.CCCD_QR

    @property
    def is_glued(self) -> bool:
        """True when digits stand where only two payloads run together put them."""
        return bool(
            _THIRTEEN_DIGITS.search(self.old_number)
            or _NINE_DIGITS.search(self.name)
            or _NINE_DIGITS.search(self.birth)
            or _DIGIT.search(self.sex)
            or _TWELVE_DIGITS.search(self.address)
            or _NINE_DIGITS.search(self.issued)
            or any(_THIRTEEN_DIGITS.search(field) for field in self.extra)
        )

    def is_of_the_second_number(self, birth: PartialDate | None) -> bool:
        """True when sex and birth year contradict the first number and fit another one in the second field.

        So it is when a scan cut behind its number runs into somebody else's.
        """
        if not is_personal_number(self.old_number) or self.old_number == self.number:
            return False
        sex = _SEX_WORDS.get(fold(self.sex))
        first, second = (
            set(number_warnings(number, sex=sex, birth=birth)) & _OF_ANOTHER
            for number in (self.number, self.old_number)
        )
        return bool(first) and not second

    @property
    def looks_like_a_card(self) -> bool:
        return _DATE.fullmatch(self.birth) is not None or fold(self.sex) in _SEX_WORDS


def read_card(
    fields: Sequence[str], *, warnings: tuple[str, ...] = (), extra_prefixes: frozenset[str] = frozenset()
) -> Document:
    """The Document that the *fields* of a citizen card's QR make (text in NFC, at least one field).

    *warnings* of the text go in front of those found here; *extra_prefixes* as in `number_warnings`. Errors in the
    result: UNKNOWN_FORMAT, TRUNCATED, BAD_ID_NUMBER, BAD_DATE; beside one, only the number is kept, where it is sound.
    """
    cells = [tidy(field) for field in fields]
    filled = len(cells)
    while filled and not cells[filled - 1]:
        filled -= 1
    known = is_personal_number(cells[0])
    if filled < _FEWEST:
        if known:
            return _failed(DocumentKind.CCCD_QR, "TRUNCATED", warnings, cells[0])
        return _failed(DocumentKind.UNKNOWN, "UNKNOWN_FORMAT", warnings)
    card = _place(cells)
    if filled > _MOST or any(card.extra[_MOST - _FULL :]) or card.is_glued:
        return _failed(DocumentKind.UNKNOWN, "UNKNOWN_FORMAT", warnings)
    if not known:
        if card.looks_like_a_card:
            return _failed(card.kind, "BAD_ID_NUMBER", warnings)
        return _failed(DocumentKind.UNKNOWN, "UNKNOWN_FORMAT", warnings)
    birth = _birth_date(card.birth)
    if birth is None and card.birth:
        return _failed(card.kind, "BAD_DATE", warnings, card.number)
    if birth is None and not card.name:
        return _failed(card.kind, "TRUNCATED", warnings, card.number)
    if card.is_of_the_second_number(birth):
        return _failed(DocumentKind.UNKNOWN, "UNKNOWN_FORMAT", warnings)
    return _document(card, birth, warnings, extra_prefixes)


def _place(cells: list[str]) -> _Card:
    cells = list(cells)
    second = cells[1]
    if second and not _DIGIT.search(second):
        cells.insert(1, "")
        # One published description puts the sex before the birth date when the old number is not in second place.
        if fold(cells[3]) in _SEX_WORDS and _DATE.fullmatch(cells[4]):
            cells[3], cells[4] = cells[4], cells[3]
    cells += [""] * (_FULL - len(cells))
    number, old_number, name, birth, sex, address, issued = cells[:_FULL]
    return _Card(number, old_number, name, birth, sex, address, issued, tuple(cells[_FULL:]))


def _document(
    card: _Card, birth: PartialDate | None, text_warnings: tuple[str, ...], extra_prefixes: frozenset[str]
) -> Document:
    stated = _SEX_WORDS.get(fold(card.sex))
    issued = _issue_date(card.issued)
    warnings = list(text_warnings)
    if _is_damaged(card, stated):
        warnings.append(ENCODING_DAMAGED)
    elif _has_no_diacritics(card):
        warnings.append(NO_DIACRITICS)
    if birth is not None and birth.month is None:
        warnings.append(YEAR_ONLY)
    warnings += number_warnings(card.number, sex=stated, birth=birth, extra_prefixes=extra_prefixes)
    if issued is None:
        warnings.append(NO_ISSUE_DATE)
    elif birth is not None and issued < (birth.exact or date(birth.year, birth.month or 1, 1)):
        warnings.append(ISSUED_BEFORE_BIRTH)
    if issued is not None and issued >= _NEW_CARDS_SINCE and card.kind is DocumentKind.CCCD_QR:
        warnings.append(KIND_UNCERTAIN)
    if any(card.extra):
        warnings.append(EXTRA_FIELDS)
    return Document(
        kind=card.kind,
        identity=Identity(
            personal_id=card.number,
            old_id=_old_number(card.old_number),
            full_name=card.name or None,
            birth_date=birth,
            sex=stated or sex_of(card.number),
            address=_address(card.address),
            issued_on=issued,
        ),
        can=can_of(card.number),
        extra=card.extra[: _MOST - _FULL] if card.kind is DocumentKind.CC_QR else (),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _failed(kind: DocumentKind, error: str, warnings: tuple[str, ...], number: str | None = None) -> Document:
    return Document(
        kind=kind,
        identity=None if number is None else Identity(personal_id=number),
        can=None if number is None else can_of(number),
        warnings=warnings,
        error=error,
    )


def _birth_date(text: str) -> PartialDate | None:
    """``DDMMYYYY``, ``MMYYYY`` or ``YYYY``; zeros stand for a day or month that is not known."""
    if not _DATE.fullmatch(text):
        return None
    padded = text.zfill(8)
    day, month, year = int(padded[:2]), int(padded[2:4]), int(padded[4:])
    if year not in _YEARS:
        return None
    try:
        return PartialDate(year, month or None, day or None)
    except ValueError:
        return None


def _issue_date(text: str) -> date | None:
    found = _birth_date(text)
    return None if found is None else found.exact


def _old_number(text: str) -> str | None:
    return text if _OLD_NUMBER.fullmatch(text) and text.strip("0") else None


def _address(text: str) -> str | None:
    return _COMMAS.sub(", ", text).strip(" ,-") or None


def _is_ascii(card: _Card) -> bool:
    return card.name.isascii() and card.address.isascii() and card.sex.isascii()


def _is_damaged(card: _Card, stated: Sex | None) -> bool:
    if (card.sex and stated is None) or (card.name and not can_be_name(card.name)):
        return True
    # A keyboard wedge drops every letter it has no key for: "Nữ" arrives as "N", "Trần" as "Trn", "Xã" as "X".
    if any(_LONE_CONSONANTS.fullmatch(word) for word in card.name.split()):
        return True
    return card.address.isascii() and any(_LOST_VOWELS.fullmatch(word) for word in re.split("[ ,]+", card.address))


def _has_no_diacritics(card: _Card) -> bool:
    # Whole names without an accent exist; a whole address hardly does.
    return _is_ascii(card) and bool(card.name) and (bool(card.address) or fold(card.sex) == "NU")
