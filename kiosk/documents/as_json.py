"""What documents say as the JSON objects of interfaces sections 2 and 3, for ``kioskctl decode`` and ``read-card``."""

from datetime import date
from typing import Any

from kiosk.documents.cccd_qr import extra_kind
from kiosk.documents.chip_person import ChipPerson
from kiosk.documents.recognise import recognise
from kiosk.model import Coverage, Document, Identity


def decode_report(raw: bytes) -> dict[str, Any]:
    """The report on the *raw* bytes of one capture; ``error`` is null when it was parsed. Never raises."""
    return document_json(recognise(raw))


def document_json(document: Document) -> dict[str, Any]:
    """*document* with strings, lists and null only; dates in ISO 8601 at the precision known.

    ``extra_kinds`` says for each of ``extra`` what it looks like; it is an addition to the contract.
    """
    return {
        "kind": document.kind.value,
        "identity": None if document.identity is None else _identity(document.identity),
        "coverage": None if document.coverage is None else _coverage(document.coverage),
        "can": document.can,
        "extra": list(document.extra),
        "extra_kinds": [extra_kind(field).value for field in document.extra],
        "expires_on": _day(document.expires_on),
        "warnings": list(document.warnings),
        "error": document.error,
    }


def identity_json(person: ChipPerson) -> dict[str, str | None]:
    """The ``identity`` object of ``kioskctl read-card``; dates in ISO 8601, null for what the chip does not say."""
    return _identity(person.identity) | {
        "expires_on": _day(person.expires_on),
        "nationality": person.nationality,
        "ethnicity": person.ethnicity,
        "place_of_origin": person.place_of_origin,
    }


def _identity(identity: Identity) -> dict[str, str | None]:
    return {
        "personal_id": identity.personal_id,
        "old_id": identity.old_id,
        "full_name": identity.full_name,
        "birth_date": None if identity.birth_date is None else str(identity.birth_date),
        "sex": None if identity.sex is None else identity.sex.value,
        "address": identity.address,
        "issued_on": _day(identity.issued_on),
    }


def _coverage(coverage: Coverage) -> dict[str, str | None]:
    return {
        "number": coverage.number,
        "key_kind": coverage.key_kind.value,
        "registered_facility": coverage.registered_facility,
        "valid_from": _day(coverage.valid_from),
        "valid_to": _day(coverage.valid_to),
        "five_years_on": _day(coverage.five_years_on),
        "benefit_level": coverage.benefit_level,
        "guardian_name": coverage.guardian_name,
        "living_area": coverage.living_area,
    }


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
