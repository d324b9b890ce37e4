"""The person a citizen card's chip names: from DG13, or from DG1 together with the card's QR.

Source: identity-documents.md 5 to 7, interfaces section 3. Whether the chip is genuine is not judged here. What a
check-in has no use for (religion, relatives, marks) stays behind.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from kiosk.documents.cccd_qr import NO_DIACRITICS, YEAR_ONLY
from kiosk.documents.chip_mismatch import (
    VIETNAM,
    Mismatch,
    Statement,
    are_of_two_people,
    mismatches,
    names_differ,
    number_contradicts_itself,
    of_dg1,
    of_dg13,
    of_qr,
    partial_date,
)
from kiosk.documents.personal_id import SIMULATED_PREFIXES, number_warnings
from kiosk.emrtd.errors import DataError
from kiosk.emrtd.lds import mrz_of
from kiosk.emrtd.mrz import Mrz
from kiosk.emrtd.vietnam import Dg13, parse_dg13
from kiosk.model import Identity, PartialDate

CARD_EXPIRED = "W_CARD_EXPIRED"
DG1_UNREADABLE = "W_DG1_UNREADABLE"
DG13_UNREADABLE = "W_DG13_UNREADABLE"
"""DG13 is there but names nobody: another layout, or its number or name is damaged."""
DG13_DAMAGED = "W_DG13_DAMAGED"
"""DG13 was used; some other part of it was damaged."""
MRZ_CHECK = "W_MRZ_CHECK"
"""A check digit in DG1 fails."""


class Source(StrEnum):
    """Where the name of a `ChipPerson` comes from."""

    DG13 = "DG13"
    QR_DG1 = "QR+DG1"
    DG1 = "DG1"


class UnreadableChip(ValueError):
    """Neither DG13 nor DG1 names a person. ``code`` is stable; the message holds no personal data."""

    code = "CHIP_DATA"


@dataclass(frozen=True, slots=True)
class ChipPerson:
    """A person as the chip names them.

    ``expires_on`` is None for a card without end and where the chip does not say. ``nationality`` is the Vietnamese
    word, or the code of ICAO 9303-3 for others. ``warnings``: W_ codes of this module, of `cccd_qr` and of
    `number_warnings`; ``mismatches``: values of `Mismatch`.
    """

    identity: Identity
    source: Source
    expires_on: date | None = None
    nationality: str | None = None
    ethnicity: str | None = None
    place_of_origin: str | None = None
    warnings: tuple[str, ...] = ()
    mismatches: tuple[str, ...] = ()


def person_of(
    files: Mapping[str, bytes],
    qr: Identity | None = None,
    *,
    today: date | None = None,
    simulated_prefix: bool = False,
) -> ChipPerson:
    """The holder of the chip whose whole *files* are given by name ("DG1", "DG13"; others are ignored).

    *qr*: what the card's QR said, with ``full_name`` None where the scan was damaged. Without a usable DG13 its name,
    address, old number and issue date are taken if it has the number and, without accents, the name of DG1. On *today*
    an expired card gets W_CARD_EXPIRED; None does not ask. *simulated_prefix* as in `recognise`.

    Raises UnreadableChip when neither file names anybody.
    """
    mrz, dg13 = _read_dg1(files), _read_dg13(files)
    if dg13 is not None and _names_somebody(dg13):
        person = _from_dg13(dg13, mrz)
    elif mrz is not None:
        person = _from_dg1(mrz, qr)
    else:
        raise UnreadableChip("neither DG13 nor DG1 names a person")
    prefixes = SIMULATED_PREFIXES if simulated_prefix else frozenset()
    return replace(
        person,
        warnings=(*_file_warnings(files, mrz, dg13), *_warnings(person, today, prefixes)),
        mismatches=tuple(_mismatches(qr, mrz, dg13)),
    )


def _read_dg1(files: Mapping[str, bytes]) -> Mrz | None:
    try:
        return mrz_of(files["DG1"]) if "DG1" in files else None
    except DataError:
        return None


def _read_dg13(files: Mapping[str, bytes]) -> Dg13 | None:
    try:
        return parse_dg13(files["DG13"]) if "DG13" in files else None
    except DataError:
        return None


def _names_somebody(dg13: Dg13) -> bool:
    return dg13.personal_id is not None and dg13.full_name is not None


def _from_dg13(dg13: Dg13, mrz: Mrz | None) -> ChipPerson:
    """What DG13 says; what a damaged or missing entry does not say, from DG1 if that is about the same person."""
    stated = of_dg13(dg13)
    zone = None if mrz is None else of_dg1(mrz)
    if zone is None or are_of_two_people(stated, zone):
        zone = Statement("DG1", None, None, None, None)
    issued = partial_date(dg13.issued_on)
    return ChipPerson(
        identity=Identity(
            personal_id=dg13.personal_id,
            old_id=dg13.old_id,
            full_name=dg13.full_name,
            birth_date=stated.birth_date or zone.birth_date,
            sex=stated.sex or zone.sex,
            address=dg13.place_of_residence,
            issued_on=None if issued is None else issued.exact,
        ),
        source=Source.DG13,
        expires_on=None if dg13.never_expires else stated.expires_on or zone.expires_on,
        nationality=dg13.nationality,
        ethnicity=dg13.ethnicity,
        place_of_origin=dg13.place_of_origin,
    )


def _from_dg1(mrz: Mrz, qr: Identity | None) -> ChipPerson:
    zone = of_dg1(mrz)
    identity = Identity(personal_id=zone.number, full_name=zone.name, birth_date=zone.birth_date, sex=zone.sex)
    source = Source.DG1
    if qr is not None and _is_same_person(zone, of_qr(qr)):
        source = Source.QR_DG1
        identity = replace(
            identity,
            old_id=qr.old_id,
            full_name=qr.full_name,
            birth_date=_without_invented_day(zone.birth_date, qr.birth_date),
            address=qr.address,
            issued_on=qr.issued_on,
        )
    return ChipPerson(
        identity=identity,
        source=source,
        expires_on=zone.expires_on,
        nationality="Việt Nam" if mrz.nationality == VIETNAM else mrz.nationality or None,
    )


def _is_same_person(zone: Statement, printed: Statement) -> bool:
    if None in (zone.number, zone.name, printed.name):
        return False
    return zone.number == printed.number and not names_differ(zone, printed)


def _without_invented_day(zone: PartialDate | None, printed: PartialDate | None) -> PartialDate | None:
    # Of people whose birthday is not known, the card prints the year and its zone has 1 January.
    if printed is not None and printed.month is None and zone == PartialDate(printed.year, 1, 1):
        return printed
    return zone


def _file_warnings(files: Mapping[str, bytes], mrz: Mrz | None, dg13: Dg13 | None) -> Iterator[str]:
    if "DG1" in files and mrz is None:
        yield DG1_UNREADABLE
    if mrz is not None and not mrz.valid:
        yield MRZ_CHECK
    if "DG13" in files and (dg13 is None or not _names_somebody(dg13)):
        yield DG13_UNREADABLE
    elif dg13 is not None and dg13.problems:
        yield DG13_DAMAGED


def _warnings(person: ChipPerson, today: date | None, prefixes: frozenset[str]) -> Iterator[str]:
    identity = person.identity
    birth = identity.birth_date
    if person.source is Source.DG1:
        yield NO_DIACRITICS
    if birth is not None and birth.month is None:
        yield YEAR_ONLY
    if identity.personal_id is not None:
        yield from number_warnings(identity.personal_id, sex=identity.sex, birth=birth, extra_prefixes=prefixes)
    if today is not None and person.expires_on is not None and person.expires_on < today:
        yield CARD_EXPIRED


def _mismatches(qr: Identity | None, mrz: Mrz | None, dg13: Dg13 | None) -> Iterator[str]:
    if mrz is not None and number_contradicts_itself(mrz):
        yield Mismatch.NUMBER_DG1.value
    statements = [] if qr is None else [of_qr(qr)]
    statements += [] if mrz is None else [of_dg1(mrz)]
    statements += [] if dg13 is None else [of_dg13(dg13)]
    yield from (mismatch.value for mismatch in mismatches(statements))
