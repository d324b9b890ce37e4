"""Machine-readable zones of simulated documents.

Source: ICAO 9303-3 4 (characters, dates, check digits), 9303-5 (TD1), 9303-4 (TD3); identity-documents.md 6 (what
Vietnamese cards put into the optional data).
"""

from datetime import date
from typing import Literal
from unicodedata import combining, normalize

from simulators.chip_ber import tlv
from simulators.chip_person import CardPerson

_WEIGHTS = (7, 3, 1)


def mrz_lines(person: CardPerson, document: Literal["TD1", "TD3"]) -> tuple[str, ...]:
    """The lines: three of 30 characters for a card (TD1), two of 44 for a passport (TD3)."""
    return _card(person) if document == "TD1" else _passport(person)


def data_group_1(lines: tuple[str, ...]) -> bytes:
    """DG1 (`61`) of these lines (ICAO 9303-10 4.7.1)."""
    return tlv(0x61, tlv(0x5F1F, "".join(lines).encode("ascii")))


def _card(person: CardPerson) -> tuple[str, ...]:
    """A national card: the number's last 9 digits as document number, all 12 in the optional data, checked too."""
    number = person.citizen_id
    first = "IDVNM" + _checked(number[-9:]) + _checked(f"{number}<<")
    second = f"{_checked(_birth(person))}{person.sex}{_checked(_expiry(person.expires_on))}VNM" + "<" * 11
    overall = first[5:] + second[:7] + second[8:15] + second[18:]
    return first, second + _check_digit(overall), _name(person.full_name, 30)


def _passport(person: CardPerson) -> tuple[str, ...]:
    """A passport with the citizen number as personal number."""
    head = _checked(person.passport_number.ljust(9, "<"))
    dates = f"{_checked(_birth(person))}{person.sex}{_checked(_expiry(person.expires_on))}"
    optional = _checked(person.citizen_id.ljust(14, "<"))
    overall = head + dates[:7] + dates[8:] + optional
    return f"P<VNM{_name(person.full_name, 39)}", f"{head}VNM{dates}{optional}{_check_digit(overall)}"


def _birth(person: CardPerson) -> str:
    """YYMMDD; unknown month and day are fillers (ICAO 9303-3 4.8)."""
    return person.birth_date.replace("-", "")[2:].ljust(6, "<")


def _expiry(day: date | None) -> str:
    """YYMMDD; 991231 on a card without expiry."""
    return "991231" if day is None else f"{day:%y%m%d}"


def _name(full_name: str, width: int) -> str:
    """SURNAME<<MIDDLE<GIVEN without accents, filled up or cut off."""
    plain = "".join(c for c in normalize("NFD", full_name.upper().replace("Đ", "D")) if not combining(c))
    surname, _, given = plain.partition(" ")
    return f"{surname}<<{given.replace(' ', '<')}".ljust(width, "<")[:width]


def _checked(field: str) -> str:
    return field + _check_digit(field)


def _check_digit(field: str) -> str:
    """Weights 7, 3, 1; digits count as themselves, A to Z as 10 to 35, fillers as 0 (ICAO 9303-3 4.9)."""
    values = (0 if character == "<" else int(character, 36) for character in field)
    return str(sum(value * _WEIGHTS[place % 3] for place, value in enumerate(values)) % 10)
