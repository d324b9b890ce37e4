"""Who may be served alone, and what a view of the patient's screen holds: pure functions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from kiosk.checkin import Key
from kiosk.choice import Choice
from kiosk.documents.cccd_qr import NO_DIACRITICS
from kiosk.documents.personal_id import SEX_MISMATCH, YEAR_MISMATCH
from kiosk.documents.recognise import recognise
from kiosk.documents.scan_diagnosis import is_test_code
from kiosk.documents.scan_test_code import TEST_PAYLOAD
from kiosk.documents.text import ENCODING_DAMAGED
from kiosk.hospital_model import Service
from kiosk.model import Document, DocumentKind, EligibilityClass, Identity, KeyKind, Method
from kiosk.privacy import mask_number
from kiosk.records import CheckIn
from kiosk.station_model import InFront

_CITIZEN_CARDS: Final = (DocumentKind.CCCD_QR, DocumentKind.CC_QR)


def read_scan(raw: bytes, *, simulated: bool, typed: bool = False) -> Document:
    """What the bytes of a scan are; a scanner's test code is nobody's card.

    It has the error TEST_CODE, or TEST_CODE_DAMAGED when it came through other than printed. *simulated*: numbers of
    the simulators' range are expected. *typed*: by a scanner in keyboard mode, which mostly drops accents and leaves
    names that somebody else may have ("Hoài" as "Hoi"): a card all without accents counts as damaged then.
    """
    if is_test_code(raw):
        whole = raw.strip() == TEST_PAYLOAD
        return Document(DocumentKind.UNKNOWN, error="TEST_CODE" if whole else "TEST_CODE_DAMAGED")
    document = recognise(raw, simulated_prefix=simulated)
    name = document.identity.full_name if document.identity else None
    stripped = typed and document.kind in _CITIZEN_CARDS and name is not None and name.isascii()
    if stripped or NO_DIACRITICS in document.warnings:
        return replace(document, warnings=tuple(dict.fromkeys((*document.warnings, ENCODING_DAMAGED))))
    return document


def self_service_key(document: Document) -> Key | None:
    """The key a patient may ask with unaided: number, name and birth date, read whole from a card's QR.

    A citizen card's or a BHYT card's: no valid proof is refused in favour of another (invariant 10).
    """
    person, coverage = document.identity, document.coverage
    if document.error or ENCODING_DAMAGED in document.warnings or person is None:
        return None
    if {SEX_MISMATCH, YEAR_MISMATCH} <= set(document.warnings):  # a number and somebody else's data run together
        return None
    if person.full_name is None or person.birth_date is None:
        return None
    if document.kind in _CITIZEN_CARDS and person.personal_id is not None:
        return Key(person.personal_id, KeyKind.PERSONAL_12, Method.QR_CCCD)
    if document.kind is DocumentKind.BHYT_QR and coverage is not None:
        return Key(coverage.number, coverage.key_kind, Method.BHYT_QR)
    return None


def why_not_alone(document: Document) -> str:
    """The code under which a scan is refused that names nobody for self-service: each has its own advice.

    The document's error, or NAME_DAMAGED, VSSID_ALONE (no birth date), MRZ_ALONE (no accents), NUMBER_ALONE,
    BHYT_NUMBER_ALONE, INCOMPLETE (no name or no birth date on a card).
    """
    if document.error:
        return document.error
    if ENCODING_DAMAGED in document.warnings:
        return "NAME_DAMAGED"
    match document.kind:
        case DocumentKind.VSSID_QR:
            return "VSSID_ALONE"
        case DocumentKind.MRZ:
            return "MRZ_ALONE"
        case DocumentKind.NUMBER:
            return "NUMBER_ALONE" if document.identity else "BHYT_NUMBER_ALONE"
        case _ if document.identity and document.identity.full_name and document.identity.birth_date:
            return "NAME_DAMAGED"  # number and person contradict each other
        case _:
            return "INCOMPLETE"


def number_of(document: Document) -> InFront | None:
    """The citizen's number of a *document* that names nobody whole, as if it had been typed; None without one.

    Nothing else of it is kept: what the chip says takes its place.
    """
    number = document.identity.personal_id if document.identity else None
    if number is None:
        return None
    bare = Document(document.kind, Identity(personal_id=number))
    return InFront(bare, Key(number, KeyKind.PERSONAL_12, Method.MANUAL_ID))


def patient_answer(status: EligibilityClass | None) -> str:
    """Which of the four answers the patient is told (invariant 2)."""
    if status is None or status.unanswered:
        return "cannot_say"
    return "insured" if status.insured else status.value


def confirm_view(front: InFront) -> dict[str, Any]:
    """Whom the screen asks about: name, birth year, masked number and what kind of number that is.

    Of a name that the hospital knew for a typed number only the last word: who typed it may be somebody else.
    """
    person = front.document.identity
    name = person.full_name if person else None
    if name and front.key.method is Method.MANUAL_ID and front.document.kind is DocumentKind.NUMBER:
        name = f"… {name.split()[-1]}"
    return {
        "name": name,
        "birth_year": person.birth_date.year if person and person.birth_date else None,
        "number": mask_number(front.key.number),
        "number_kind": front.key.kind.value,
    }


def service_view(service: Service) -> dict[str, Any]:
    """A service to choose; a price only where the patient pays it."""
    return {
        "id": service.id,
        "name": service.name,
        "department": service.department,
        "price": None if service.insured or service.price is None else int(service.price),
    }


def choice_view(choice: Choice) -> dict[str, Any]:
    """What there is to choose from: ``services``; ``proposals``, likely ones with ``why``, where there are any; and
    ``asks_slip`` while the question for papers is open. ``groups`` of those examined first that the person may say
    they belong to; ``priority``: the one that is known.
    """
    likely = [service_view(each.service) | {"id": each.id, "why": each.why.value} for each in choice.proposals]
    view: dict[str, Any] = {"services": [service_view(service) for service in choice.services]}
    view |= {"groups": list(choice.groups), "priority": choice.priority}
    return view | ({"proposals": likely} if likely else {}) | ({"asks_slip": True} if choice.open_question else {})


def answer_view(checkin: CheckIn) -> dict[str, Any]:
    """What the patient is told of the insurance: the answer, and of a valid card what may be said.

    ``valid_to``: the card's last day (ISO) or None; ``ends``: "today" or "soon" if that is near, else None; ``level``:
    the card's level in per cent, None where it is unknown or where the route may pay less than it says.
    """
    answer = checkin.eligibility
    told: dict[str, Any] = {"answer": patient_answer(checkin.status), "valid_to": None, "ends": None, "level": None}
    if answer is None or answer.coverage is None or not answer.status.insured:
        return told
    until, notices = answer.coverage.valid_to, dict(notice.partition(":")[::2] for notice in answer.notices)
    whole = answer.route is None or answer.route.rate == 100
    return told | {
        "valid_to": until.isoformat() if until else None,
        "ends": next((end for end in ("today", "soon") if f"card_ends_{end}" in notices), None),
        "level": int(notices["level"]) if whole and "level" in notices else None,
    }


def paper_view(checkin: CheckIn, printed: bool | None) -> dict[str, Any]:
    """How the print of the ticket ended: ``printed`` (None: nobody can tell), and where nothing came out
    ``receipt_qr``, the lookup receipt as a QR code to photograph: its ``size`` in modules and the SVG ``path``.
    """
    qr = None
    if printed is False and checkin.lookup_receipt:
        import segno  # noqa: PLC0415 - only where a printer does not work

        matrix = segno.make(checkin.lookup_receipt, error="m", micro=False).matrix
        dark = [(x, y) for y, row in enumerate(matrix) for x, module in enumerate(row) if module]
        qr = {"size": len(matrix), "path": "".join(f"M{x} {y}h1v1h-1z" for x, y in dark)}
    return {"printed": printed, "receipt_qr": qr}


def ticket_view(checkin: CheckIn) -> dict[str, Any]:
    """The number and where to go with it; ``others``: further numbers of the same visit, where there are any."""
    more = checkin.receipt.tickets[1:] if checkin.receipt else ()
    others = [{"number": each.number, "room": each.room, "department": each.department} for each in more]
    line = checkin.receipt.tickets[0] if checkin.receipt and checkin.receipt.tickets else None
    return {
        "number": checkin.number,
        "issued_by": "his" if checkin.his_number else "kiosk",
        "service": checkin.service.name if checkin.service else None,
        "department": checkin.service.department if checkin.service else None,
        "room": line.room if line else None,
        "lookup_receipt": checkin.lookup_receipt,
    } | ({"others": others} if others else {})
