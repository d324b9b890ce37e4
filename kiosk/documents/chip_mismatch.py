"""Whether the three statements about a card's holder, in QR, DG1 and DG13, can all be true.

Source: identity-documents.md 1.1, 6 and 7.3 (what each can say); ICAO 9303-3 4.6 (names that do not fit the MRZ).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import combinations
from typing import Final

from kiosk.documents.personal_id import is_personal_number
from kiosk.documents.text import fold, letters, same_name
from kiosk.emrtd.mrz import Mrz, MrzFormat
from kiosk.emrtd.vietnam import ChipDate, Dg13
from kiosk.model import Identity, PartialDate, Sex

VIETNAM: Final = "VNM"
"""Vietnam's code in a machine-readable zone (ICAO 9303-3 section 5)."""

_NO_EXPIRY = date(2099, 12, 31)
_UNREADABLE_CHARACTER = "\ufffd"


class Mismatch(StrEnum):
    """Where two of the card's own statements cannot both be true; staff look at the card.

    No mismatch: accents, a name cut in the MRZ, dates that agree as far as both are known, a value one side lacks.
    """

    NUMBER_QR_DG1 = "M_NUMBER_QR_DG1"
    NUMBER_QR_DG13 = "M_NUMBER_QR_DG13"
    NUMBER_DG1_DG13 = "M_NUMBER_DG1_DG13"
    NUMBER_DG1 = "M_NUMBER_DG1"  # inside DG1: the document number is not the end of the personal number
    NAME_QR_DG1 = "M_NAME_QR_DG1"
    NAME_QR_DG13 = "M_NAME_QR_DG13"
    NAME_DG1_DG13 = "M_NAME_DG1_DG13"
    BIRTH_DATE_QR_DG1 = "M_BIRTH_DATE_QR_DG1"
    BIRTH_DATE_QR_DG13 = "M_BIRTH_DATE_QR_DG13"
    BIRTH_DATE_DG1_DG13 = "M_BIRTH_DATE_DG1_DG13"
    SEX_QR_DG1 = "M_SEX_QR_DG1"
    SEX_QR_DG13 = "M_SEX_QR_DG13"
    SEX_DG1_DG13 = "M_SEX_DG1_DG13"
    EXPIRY_DG1_DG13 = "M_EXPIRY_DG1_DG13"


@dataclass(frozen=True, slots=True)
class Statement:
    """What one ``origin`` ("QR", "DG1", "DG13") says, reduced to what can be compared; None where it says nothing."""

    origin: str
    number: str | None
    name: str | None
    birth_date: PartialDate | None
    sex: Sex | None
    expires_on: date | None = None
    name_may_be_cut: bool = False


def of_qr(qr: Identity) -> Statement:
    """What the QR says; a name with characters that could not be read is none."""
    name = qr.full_name if qr.full_name and _UNREADABLE_CHARACTER not in qr.full_name else None
    return Statement("QR", qr.personal_id, name, qr.birth_date, qr.sex)


def of_dg1(mrz: Mrz) -> Statement:
    """What the machine-readable zone says; on Vietnamese cards 31 December 2099 stands for no expiry."""
    number = mrz.personal_number
    expires_on = PartialDate.parse(mrz.expiry).exact if mrz.expiry else None
    return Statement(
        origin="DG1",
        number=number if number is not None and is_personal_number(number) else None,
        name=mrz.full_name or None,
        birth_date=PartialDate.parse(mrz.birth) if mrz.birth else None,
        sex=Sex(mrz.sex) if mrz.sex else None,
        expires_on=None if expires_on == _NO_EXPIRY and mrz.issuing_state == VIETNAM else expires_on,
        name_may_be_cut=mrz.name_may_be_cut,
    )


def of_dg13(dg13: Dg13) -> Statement:
    """What DG13 says; "Không thời hạn" is no expiry."""
    expires_on = partial_date(dg13.expires_on)
    return Statement(
        origin="DG13",
        number=dg13.personal_id,
        name=dg13.full_name,
        birth_date=partial_date(dg13.birth_date),
        sex=Sex(dg13.sex) if dg13.sex else None,
        expires_on=None if expires_on is None else expires_on.exact,
    )


def partial_date(stated: ChipDate | None) -> PartialDate | None:
    """A date of DG13 at its precision, None where there is none or its text is no date."""
    return None if stated is None or stated.iso is None else PartialDate.parse(stated.iso)


def number_contradicts_itself(mrz: Mrz) -> bool:
    """True when the document number of a Vietnamese card is not the last nine digits of its personal number."""
    if mrz.format is not MrzFormat.TD1 or mrz.personal_number is None:
        return False
    return not mrz.personal_number.endswith(mrz.document_number)


def mismatches(statements: Iterable[Statement]) -> Iterator[Mismatch]:
    """Every pair of *statements* (in the order QR, DG1, DG13) that disagrees, by what it disagrees on."""
    pairs = list(combinations(statements, 2))
    for what, differ in (
        ("NUMBER", _numbers_differ),
        ("NAME", names_differ),
        ("BIRTH_DATE", _birth_dates_differ),
        ("SEX", _sexes_differ),
        ("EXPIRY", _expiries_differ),
    ):
        for one, other in pairs:
            if differ(one, other):
                yield Mismatch(f"M_{what}_{one.origin}_{other.origin}")


def are_of_two_people(one: Statement, other: Statement) -> bool:
    """True when *one* and *other* have two numbers or two names: nothing of the one may fill a gap in the other."""
    return _numbers_differ(one, other) or names_differ(one, other)


def names_differ(one: Statement, other: Statement) -> bool:
    """True when the two names cannot be the same: compared without accents, case, blanks and punctuation."""
    if one.name is None or other.name is None or same_name(one.name, other.name):
        return False
    if one.name_may_be_cut:
        return not _is_cut_from(one.name, other.name)
    return not (other.name_may_be_cut and _is_cut_from(other.name, one.name))


def _numbers_differ(one: Statement, other: Statement) -> bool:
    return None not in (one.number, other.number) and one.number != other.number


def _birth_dates_differ(one: Statement, other: Statement) -> bool:
    if one.birth_date is None or other.birth_date is None:
        return False
    return not one.birth_date.agrees_with(other.birth_date)


def _sexes_differ(one: Statement, other: Statement) -> bool:
    return None not in (one.sex, other.sex) and one.sex is not other.sex


def _expiries_differ(one: Statement, other: Statement) -> bool:
    return None not in (one.expires_on, other.expires_on) and one.expires_on != other.expires_on


def _is_cut_from(zone: str, name: str) -> bool:
    """Whether *zone* can be what is left of a *name* too long for it: its end cut off, or single words shortened."""
    if letters(name).startswith(letters(zone)):
        return True
    words, whole = fold(zone).split(), fold(name).split()
    return len(words) <= len(whole) and all(full.startswith(cut) for cut, full in zip(words, whole, strict=False))
