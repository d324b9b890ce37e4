"""The machine-readable zone: three lines of 30 characters (TD1), two of 36 (TD2) or of 44 (TD3, passports).

Source: ICAO 9303-3 4 (characters, dates, names, check digits), 9303-4, 9303-5 and 9303-6 4.2 (the layouts),
9303-11 4.3.2 (the key); identity-documents.md 5 and 6 (Vietnamese cards).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from itertools import cycle
from types import MappingProxyType
from typing import Final

from kiosk.emrtd.errors import DataError

NATIONAL_CHECK: Final = "national"
"""The check of Vietnamese TD1 cards at line 1 position 30 over positions 16 to 29; ICAO knows nothing of it."""

_VIETNAM: Final = "VNM"
_LONGEST_INPUT: Final = 1024
_CHARACTERS: Final = re.compile("[A-Z0-9<]+")
_DATE: Final = re.compile("[0-9<]{6}")
_PERSONAL_NUMBER: Final = re.compile("[0-9]{12}")
_WEIGHTS: Final = (7, 3, 1)


class MrzFormat(StrEnum):
    """The size of the document that carries the zone."""

    TD1 = "TD1"
    TD2 = "TD2"
    TD3 = "TD3"


_LINE_LENGTH: Final = {90: (MrzFormat.TD1, 30), 72: (MrzFormat.TD2, 36), 88: (MrzFormat.TD3, 44)}


@dataclass(frozen=True, slots=True)
class Mrz:
    """What a machine-readable zone says.

    ``birth`` and ``expiry`` are ISO 8601 at the precision known ("1990-02-01", "1990-02", "1990", "" for unknown or
    impossible), an expiry always in 2000 to 2099; ``birth_field`` and ``expiry_field`` the six characters as printed.
    ``sex`` is "M", "F" or "".
    Names are in capitals without accents, ``<`` as blanks; ``name_may_be_cut`` when at most one filler is left.
    ``personal_number``: positions 29 to 42 of a passport, the twelve digits of a Vietnamese card, else None.
    ``optional``: the optional fields without fillers at their ends, in order. ``checks``: which check digits hold, by
    name: document_number, birth, expiry, composite; personal_number (TD3); national (`NATIONAL_CHECK`).
    """

    format: MrzFormat
    document_code: str
    issuing_state: str
    document_number: str
    personal_number: str | None
    birth: str
    expiry: str
    sex: str
    nationality: str
    surname: str
    given_names: str
    name_may_be_cut: bool
    optional: tuple[str, ...]
    birth_field: str
    expiry_field: str
    checks: Mapping[str, bool]

    @property
    def full_name(self) -> str:
        """Surname, then given names: the order of Vietnamese names."""
        return f"{self.surname} {self.given_names}".strip()

    @property
    def valid(self) -> bool:
        """True when every check digit of ICAO holds; the national one alone condemns nothing."""
        return all(held for name, held in self.checks.items() if name != NATIONAL_CHECK)


@dataclass(frozen=True, slots=True)
class MrzKey:
    """The part of the zone that opens a chip. ``birth`` and ``expiry``: six characters YYMMDD as printed.

    Raises DataError for characters that no zone has.
    """

    document_number: str
    birth: str
    expiry: str

    def __post_init__(self) -> None:
        """Refuse what cannot stand in a zone."""
        if not _CHARACTERS.fullmatch(self.document_number):
            raise DataError("a document number with characters that no MRZ has")
        if not (_DATE.fullmatch(self.birth) and _DATE.fullmatch(self.expiry)):
            raise DataError("a date that is not YYMMDD")

    @classmethod
    def of(cls, mrz: Mrz) -> MrzKey:
        """The key of a zone that was read; DataError when a check digit fails, for a chip counts wrong keys."""
        if not mrz.valid:
            raise DataError("a check digit of the MRZ fails")
        return cls(mrz.document_number, mrz.birth_field, mrz.expiry_field)

    def information(self) -> bytes:
        """Number (filled to nine characters), birth and expiry, a check digit behind each (ICAO 9303-11 4.3.2)."""
        fields = (self.document_number.ljust(9, "<"), self.birth, self.expiry)
        return "".join(field + check_digit(field) for field in fields).encode("ascii")


def check_digit(field: str) -> str:
    """The check digit over *field* (A-Z, 0-9, ``<``), weights 7, 3, 1 (ICAO 9303-3 4.9); DataError otherwise."""
    if field and not _CHARACTERS.fullmatch(field):
        raise DataError("a character that no MRZ has")
    return str(sum(_value(char) * weight for char, weight in zip(field, cycle(_WEIGHTS), strict=False)) % 10)


def parse(text: str, *, today: date | None = None) -> Mrz:
    """The zone in *text*, its lines joined or separated by any white space; upper or lower case.

    Birth years have two digits: in Vietnamese documents the personal number says the century, else the latest one that
    is not after *today* (default: the day in UTC) counts. Check digits that fail are told in ``checks``, not raised.
    DataError when *text* is no zone of the three formats.
    """
    if len(text) > _LONGEST_INPUT or not text.isascii():
        raise DataError("not an MRZ")
    joined = "".join(text.split()).upper()
    if len(joined) not in _LINE_LENGTH or not _CHARACTERS.fullmatch(joined):
        raise DataError("not an MRZ of 90, 72 or 88 characters")
    if joined.startswith("V"):
        raise DataError("the MRZ of a visa")
    kind, width = _LINE_LENGTH[len(joined)]
    lines = [joined[at : at + width] for at in range(0, len(joined), width)]
    layout = {MrzFormat.TD1: _td1, MrzFormat.TD2: _td2, MrzFormat.TD3: _td3}[kind]
    return layout(lines, today or datetime.now(UTC).date())


def _td1(lines: list[str], today: date) -> Mrz:
    first, second, names = lines
    number, number_holds, optional = _document_number(first[5:14], first[14], first[15:30])
    state = _plain(first[2:5])
    checks = {
        "document_number": number_holds,
        "birth": _holds(second[0:6], second[6]),
        "expiry": _holds(second[8:14], second[14]),
        "composite": _holds(first[5:30] + second[0:7] + second[8:15] + second[18:29], second[29]),
    }
    personal_number = None
    if state == _VIETNAM:
        checks[NATIONAL_CHECK] = _holds(first[15:29], first[29])
        personal_number = first[15:27] if _PERSONAL_NUMBER.fullmatch(first[15:27]) else None
    return _mrz(
        MrzFormat.TD1, first[0:2], state, number, personal_number, second[0:6], second[8:14], second[7],
        second[15:18], names, (_plain(optional), _plain(second[18:29])), checks, today,
    )  # fmt: skip


def _td2(lines: list[str], today: date) -> Mrz:
    first, second = lines
    number, number_holds, optional = _document_number(second[0:9], second[9], second[28:35])
    checks = {
        "document_number": number_holds,
        "birth": _holds(second[13:19], second[19]),
        "expiry": _holds(second[21:27], second[27]),
        "composite": _holds(second[0:10] + second[13:20] + second[21:35], second[35]),
    }
    return _mrz(
        MrzFormat.TD2, first[0:2], _plain(first[2:5]), number, None, second[13:19], second[21:27], second[20],
        second[10:13], first[5:], (_plain(optional),), checks, today,
    )  # fmt: skip


def _td3(lines: list[str], today: date) -> Mrz:
    first, second = lines
    personal_number = _plain(second[28:42])
    checks = {
        "document_number": _holds(second[0:9], second[9]),
        "birth": _holds(second[13:19], second[19]),
        "expiry": _holds(second[21:27], second[27]),
        # A field without content may have a filler for its check digit (ICAO 9303-4 4.2.2.2).
        "personal_number": _holds(second[28:42], second[42]) or (not personal_number and second[42] == "<"),
        "composite": _holds(second[0:10] + second[13:20] + second[21:43], second[43]),
    }
    return _mrz(
        MrzFormat.TD3, first[0:2], _plain(first[2:5]), second[0:9].rstrip("<"), personal_number or None,
        second[13:19], second[21:27], second[20], second[10:13], first[5:], (personal_number,), checks, today,
    )  # fmt: skip


def _mrz(
    kind: MrzFormat,
    code: str,
    state: str,
    number: str,
    personal_number: str | None,
    birth: str,
    expiry: str,
    sex: str,
    nationality: str,
    names: str,
    optional: tuple[str, ...],
    checks: Mapping[str, bool],
    today: date,
) -> Mrz:
    surname, _, given_names = names.partition("<<")
    return Mrz(
        format=kind,
        document_code=_plain(code),
        issuing_state=state,
        document_number=number,
        personal_number=personal_number,
        birth=_birth(birth, _stated_century(nationality, personal_number), today),
        expiry=_iso(expiry, 2000),
        sex=sex if sex in ("M", "F") else "",
        nationality=_plain(nationality),
        surname=_words(surname),
        given_names=_words(given_names),
        # An issuer that cuts by length alone may end on the filler between two names.
        name_may_be_cut=not names.endswith("<<"),
        optional=optional,
        birth_field=birth,
        expiry_field=expiry,
        checks=MappingProxyType(checks),
    )


def _document_number(field: str, digit: str, optional: str) -> tuple[str, bool, str]:
    """The whole number, whether its check digit holds, and what is left of the optional data.

    A number of more than nine characters has a filler for its check digit and goes on in the optional data, the digit
    last (ICAO 9303-5 4.2.2, note j).
    """
    if digit == "<" and optional[0] != "<":
        tail, _, rest = optional.partition("<")
        number = field + tail[:-1]
        return number, _holds(number, tail[-1]), rest
    return field.rstrip("<"), _holds(field, digit), optional


def _stated_century(nationality: str, personal_number: str | None) -> int | None:
    if nationality == _VIETNAM and personal_number and _PERSONAL_NUMBER.fullmatch(personal_number):
        return 1900 + 100 * (int(personal_number[3]) // 2)
    return None


def _birth(field: str, stated: int | None, today: date) -> str:
    # A corrected birth date may lie on the other side of a century than the number, so the future refutes that too.
    for century in (stated, 2000):
        if century is not None and (found := _iso(field, century)) and found <= today.isoformat():
            return found
    return _iso(field, 1900)


def _iso(field: str, century: int) -> str:
    """YYMMDD in this *century* as ISO 8601; fillers, and zeros that some states print, for parts unknown."""
    year, month, day = field[0:2], field[2:4], field[4:6]
    if not year.isdigit():
        return ""
    full = f"{century + int(year):04d}"
    if not _known(month):
        return full
    try:
        if not _known(day):
            date(int(full), int(month), 1)
            return f"{full}-{month}"
        return date(int(full), int(month), int(day)).isoformat()
    except ValueError:
        return ""


def _known(part: str) -> bool:
    return "<" not in part and part != "00"


def _holds(field: str, digit: str) -> bool:
    return digit == check_digit(field)


def _value(char: str) -> int:
    return 0 if char == "<" else int(char, 36)


def _plain(field: str) -> str:
    return field.strip("<")


def _words(field: str) -> str:
    return " ".join(field.replace("<", " ").split())
