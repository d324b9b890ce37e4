"""The fields of a form as a visit fills them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from hospital_adapters.handover_settings import KEYS, HandoverSettings, InsuredWords
from kiosk.addresses.parse import parse_address
from kiosk.documents.text import clean, tidy
from kiosk.hospital_model import Encounter, Service
from kiosk.model import VIETNAM, Coverage, EligibilityClass, Identity, PartialDate

_FORMATS = {
    "dd/mm/yyyy": "%d/%m/%Y",
    "dd-mm-yyyy": "%d-%m-%Y",
    "ddmmyyyy": "%d%m%Y",
    "yyyy-mm-dd": "%Y-%m-%d",
    "yyyymmdd": "%Y%m%d",
}
_Values = dict[str, Callable[[], str | None]]


def fields_of(encounter: Encounter, settings: HandoverSettings) -> tuple[tuple[str, str], ...]:
    """(name, value) in the form's order; empty where nothing is known. Values are one line, in NFC."""
    values = (
        _person(encounter.identity, settings)
        | _card(encounter.coverage, settings)
        | _service(encounter.service)
        | {
            "insured": lambda: _insured(encounter, settings.insured),
            "happened_at": lambda: (
                f"{_day(encounter.happened_at.astimezone(VIETNAM).date(), settings)} "
                f"{encounter.happened_at.astimezone(VIETNAM):%H:%M}"
            ),
            "checkin_id": lambda: encounter.checkin_id,
            "lookup_receipt": lambda: encounter.lookup_receipt,
            "slip": lambda: getattr(settings.slip, encounter.slip.value) if encounter.slip else None,
        }
    )
    return tuple((name, tidy(clean(values[name]() or ""))) for name in settings.fields if name not in KEYS)


def _person(person: Identity, settings: HandoverSettings) -> _Values:
    return {
        "personal_id": lambda: person.personal_id,
        "old_id": lambda: person.old_id,
        "full_name": lambda: person.full_name,
        "birth_date": lambda: _birth_date(person.birth_date, settings),
        "birth_year": lambda: f"{person.birth_date.year:04}" if person.birth_date else None,
        "sex": lambda: getattr(settings.sex, person.sex.value) if person.sex else None,
        "address": lambda: person.address,
        "province_code": lambda: _codes(person.address)[0],
        "commune_code": lambda: _codes(person.address)[1],
    }


def _card(card: Coverage | None, settings: HandoverSettings) -> _Values:
    return {
        "card": lambda: card.number if card else None,
        "registered_facility": lambda: card.registered_facility if card else None,
        "valid_from": lambda: _day(card.valid_from, settings) if card else None,
        "valid_to": lambda: _day(card.valid_to, settings) if card else None,
        "five_years_on": lambda: _day(card.five_years_on, settings) if card else None,
    }


def _service(service: Service) -> _Values:
    return {
        "service": lambda: service.name,
        "service_code": lambda: service.code,
        "department": lambda: service.department,
    }


def _insured(encounter: Encounter, words: InsuredWords) -> str:
    """By the service, because staff may register as insured whom the gateway does not know.

    Nothing where service and answer contradict each other: then somebody must decide.
    """
    if not encounter.service.insured:
        return words.self_pay
    if encounter.eligibility is EligibilityClass.NOT_INSURED:
        return ""
    return words.unchecked if encounter.eligibility.unanswered else words.insured


def _day(day: date | None, settings: HandoverSettings) -> str | None:
    return None if day is None else day.strftime(_FORMATS[settings.date_format])


def _birth_date(born: PartialDate | None, settings: HandoverSettings) -> str | None:
    if born is None or born.exact is not None:
        return _day(born.exact, settings) if born else None
    match settings.birth_year_only:
        case "yyyy":
            return f"{born.year:04}"
        case "first_of_january":
            return _day(date(born.year, 1, 1), settings)
        case "nothing":
            return None


def _codes(address: str | None) -> tuple[str | None, str | None]:
    """Today's codes of province and commune, as far as the address surely says them."""
    place = parse_address(address).new if address else None
    if place is None:
        return None, None
    return place.province.code, place.commune.code if place.commune else None
