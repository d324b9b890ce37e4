"""Who may be served alone, and what a view of the patient's screen holds: pure functions."""

from __future__ import annotations

from typing import Any

from kiosk.checkin import Key
from kiosk.model import Document, DocumentKind, EligibilityClass, KeyKind, Method, Service
from kiosk.privacy import mask_number
from kiosk.records import CheckIn


def self_service_key(document: Document) -> Key | None:
    """The key a patient may ask with unaided: number, name and birth date, read whole from a citizen card's QR."""
    person = document.identity
    if document.error or person is None or document.kind not in (DocumentKind.CCCD_QR, DocumentKind.CC_QR):
        return None
    if person.personal_id is None or person.full_name is None or person.birth_date is None:
        return None
    if "W_ENCODING_DAMAGED" in document.warnings:
        return None
    return Key(person.personal_id, KeyKind.PERSONAL_12, Method.QR_CCCD)


def why_not_alone(document: Document) -> str:
    """The code under which a scan is refused that names nobody for self-service."""
    return "NAME_DAMAGED" if "W_ENCODING_DAMAGED" in document.warnings else "NOT_FOR_SELF_SERVICE"


def patient_answer(status: EligibilityClass | None) -> str:
    """Which of the four answers the patient is told (invariant 2)."""
    if status is None or status.unanswered:
        return "cannot_say"
    return "insured" if status.insured else status.value


def confirm_view(document: Document, key: Key) -> dict[str, Any]:
    """Whom the screen asks about: name, birth year, masked number."""
    person = document.identity
    return {
        "name": person.full_name if person else None,
        "birth_year": person.birth_date.year if person and person.birth_date else None,
        "number": mask_number(key.number),
    }


def service_view(service: Service) -> dict[str, Any]:
    """A service to choose; a price only where the patient pays it."""
    return {
        "id": service.id,
        "name": service.name,
        "department": service.department,
        "price": None if service.insured or service.price is None else int(service.price),
    }


def valid_to(checkin: CheckIn) -> str | None:
    """Last day of the card to use, if the answer told it."""
    until = checkin.coverage.valid_to if checkin.coverage else None
    return until.isoformat() if until else None


def ticket_view(checkin: CheckIn) -> dict[str, Any]:
    """The number and where to go with it."""
    line = checkin.receipt.tickets[0] if checkin.receipt and checkin.receipt.tickets else None
    return {
        "number": checkin.number,
        "issued_by": "his" if checkin.his_number else "kiosk",
        "service": checkin.service.name if checkin.service else None,
        "department": checkin.service.department if checkin.service else None,
        "room": line.room if line else None,
    }
