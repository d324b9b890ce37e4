"""Our words to FHIR R4 resources (health-data-standards.md 4.1, 4.2). Pure; `fhir_check` looks at what comes out.

Texts are written as `fhir_text.carried` has them, numbers as they are or not at all (`fhir_text.number`). Empty
elements are left out: FHIR has none. Phone, passport, photograph and the number of a visit (MA_LK) are not sent: no
encounter holds them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final

from hospital_adapters.fhir_read import Resource
from hospital_adapters.fhir_settings import FhirSettings
from hospital_adapters.fhir_text import carried, is_id, number
from kiosk.addresses.parse import parse_address
from kiosk.documents.card_number import benefit_level_of
from kiosk.hospital_model import Encounter, Slip
from kiosk.model import VIETNAM, Coverage, EligibilityClass, Identity, Sex

_HL7: Final = "http://terminology.hl7.org/CodeSystem/"
ACT_CODE: Final = _HL7 + "v3-ActCode"
_CODED_TEXT: Final = "http://hl7.org/fhir/StructureDefinition/iso21090-SC-coding"
_CANCEL_REASON: Final = "http://hl7.org/fhir/StructureDefinition/encounter-reasonCancelled"
_SEX: Final = {Sex.MALE: "male", Sex.FEMALE: "female"}
_SLIP: Final = {Slip.REFERRAL: "Giấy chuyển tuyến", Slip.RE_EXAMINATION: "Giấy hẹn khám lại"}
_PRIORITY: Final = "Ưu tiên"
_INSURANCE: Final = "Bảo hiểm y tế"
_INSURER: Final = "Bảo hiểm xã hội Việt Nam"
_EMPTY: Final[tuple[Any, ...]] = (None, "", {}, [])


def confirmed_card(encounter: Encounter) -> Coverage | None:
    """The card, on an insured service and confirmed by the gateway; an unconfirmed one is nobody's word."""
    card = encounter.coverage if encounter.service.insured and encounter.eligibility.insured else None
    return card if card is not None and number(card.number) else None


def person_key(encounter: Encounter, settings: FhirSettings) -> tuple[str, str]:
    """System and value of the identifier on which a Patient is created once: a number of theirs, else the visit's.

    Also the visit's where staff said that whoever stands there under these numbers is somebody else.
    """
    identity, card = encounter.identity, confirmed_card(encounter)
    if encounter.patient is not None and encounter.patient.decided:
        return settings.system("checkin"), encounter.checkin_id
    keys = (("citizen", identity.personal_id), ("old", identity.old_id), ("card", card.number if card else None))
    for name, value in keys:
        if settings.system(name) and number(value):
            return settings.system(name), value or ""
    return settings.system("checkin"), encounter.checkin_id


def patient(encounter: Encounter, settings: FhirSettings) -> Resource:
    """A person whom the hospital does not hold yet."""
    identity, card = encounter.identity, confirmed_card(encounter)
    rows = [
        _identifier(settings.system("citizen"), identity.personal_id, "NI", "official"),
        _identifier(settings.system("old"), identity.old_id, "NI", "old"),
        _identifier(settings.system("card"), card.number if card else None, "SB", "secondary"),
    ]
    system, value = person_key(encounter, settings)
    if system == settings.system("checkin"):
        rows.append({"use": "temp", "system": system, "value": value})
    return _tidy(
        {
            "resourceType": "Patient",
            "identifier": rows,
            "active": True,
            "name": [_name(carried(identity.full_name), settings.name_split)],
            "gender": _SEX[identity.sex] if identity.sex else "unknown",
            "birthDate": str(identity.birth_date) if identity.birth_date else None,
            "address": [_address(identity, settings)],
        }
    )


def coverage(card: Coverage, beneficiary: str, encounter: Encounter, settings: FhirSettings) -> Resource:
    """The BHYT card of the person *beneficiary*, a reference. It also bears our id of the visit that brought it."""
    registered = number(card.registered_facility)
    facility = {"system": settings.system("facility"), "value": registered}
    url = settings.extensions.registered_facility
    benefit = carried(card.benefit_level or benefit_level_of(card.key_kind, card.number) or "")
    return _tidy(
        {
            "resourceType": "Coverage",
            "extension": [{"url": url, "valueIdentifier": facility}] if url and registered else None,
            "identifier": [
                _identifier(settings.system("card"), card.number, "SB", "official"),
                {"system": settings.system("checkin"), "value": encounter.checkin_id},
            ],
            "status": "active",
            "type": {"coding": [{"system": ACT_CODE, "code": "PUBLICPOL"}], "text": _INSURANCE},
            "subscriberId": card.number,
            "beneficiary": {"reference": beneficiary},
            "relationship": {"coding": [{"system": _HL7 + "subscriber-relationship", "code": "self"}]},
            "period": _days(card.valid_from, card.valid_to),
            "payor": [_payor(settings)],
            "class": [_plan(benefit)] if benefit else None,
        }
    )


def visit(encounter: Encounter, subject: str, card: str | None, facility: str, settings: FhirSettings) -> Resource:
    """The visit of *subject*; *card*: the Coverage; both references. *facility*: our code."""
    service, room, chosen = encounter.service, _room(encounter, settings), number(encounter.service.code)
    name = carried(service.name)
    coding = {"system": settings.system("room"), "code": chosen, "display": name} if chosen else None
    resource = {
        "resourceType": "Encounter",
        "extension": _slip_extension(encounter.slip, settings),
        "identifier": [{"use": "official", "system": settings.system("checkin"), "value": encounter.checkin_id}],
        "status": "arrived",
        "class": {"system": ACT_CODE, "code": "AMB", "display": "ambulatory"},
        "serviceType": {"coding": [coding], "text": name},
        "priority": _priority(settings) if encounter.priority else None,
        "subject": {"reference": subject},
        "appointment": [{"reference": f"Appointment/{encounter.follows}"}] if is_id(encounter.follows) else None,
        "period": {"start": moment(encounter.happened_at)},
        "reasonCode": [_slip_reason(encounter.slip, settings)],
        "location": [{"location": room}] if room else None,
        "serviceProvider": _provider(facility, settings),
    }
    return with_coverage(_tidy(resource), encounter, card, settings)


def with_coverage(visit: Mapping[str, Any], encounter: Encounter, card: str | None, settings: FhirSettings) -> Resource:
    """The Encounter *visit* with what is now known of the card: extension and object code; all else as it was."""
    url, system = settings.extensions.coverage, settings.system("object_code")
    extensions = _without_extension(visit, url)
    if url and card:
        extensions.append({"url": url, "valueReference": {"reference": card}})
    types = [row for row in _list(visit, "type") if not _coded(row, system)]
    code = number(encounter.route.object_code) if encounter.route and card else None
    if system and code:
        types.append({"coding": [{"system": system, "code": code}]})
    changed = {name: value for name, value in visit.items() if name not in ("extension", "type")}
    return changed | ({"extension": extensions} if extensions else {}) | ({"type": types} if types else {})


def withdrawn(visit: Mapping[str, Any], reason: str, settings: FhirSettings) -> Resource:
    """The Encounter *visit*, withdrawn; all else as it was."""
    said = carried(reason)
    extensions = _without_extension(visit, _CANCEL_REASON)
    if said:
        extensions.append({"url": _CANCEL_REASON, "valueCodeableConcept": {"text": said}})
    return {**visit, "status": settings.cancel_status} | ({"extension": extensions} if extensions else {})


def _without_extension(visit: Mapping[str, Any], url: str) -> list[Any]:
    rows = _list(visit, "extension")
    return [row for row in rows if not (url and isinstance(row, dict) and row.get("url") == url)]


def _list(resource: Mapping[str, Any], name: str) -> list[Any]:
    found = resource.get(name)
    return found if isinstance(found, list) else []


def eligibility(
    encounter: Encounter, subject: str, card: str | None, created: datetime, settings: FhirSettings
) -> Resource:
    """The insurer's answer about *subject*; *card*: the Coverage that it named."""
    known = encounter.coverage
    insurance = {
        "coverage": {"reference": card},
        "inforce": encounter.eligibility.insured,
        "benefitPeriod": _days(known.valid_from, known.valid_to) if known else None,
    }
    system, value = answer_key(encounter, settings)
    return _tidy(
        {
            "resourceType": "CoverageEligibilityResponse",
            "identifier": [{"system": system, "value": value}],
            "status": "active",
            "purpose": ["validation"],
            "patient": {"reference": subject},
            "servicedDate": encounter.happened_at.astimezone(VIETNAM).date().isoformat(),
            "created": moment(created),
            # the question itself is in no FHIR server: it was asked at the insurer's gateway
            "request": {"identifier": {"system": settings.system("checkin"), "value": encounter.checkin_id}},
            "outcome": "partial" if encounter.eligibility is EligibilityClass.NEEDS_STAFF else "complete",
            "disposition": encounter.eligibility.value,
            "insurer": _payor(settings),
            "insurance": [insurance] if card else None,
        }
    )


def answer_key(encounter: Encounter, settings: FhirSettings) -> tuple[str, str]:
    """System and value of the identifier of one answer about a visit: another answer has another."""
    receipt = number(encounter.lookup_receipt)
    if receipt and settings.system("lookup"):
        return settings.system("lookup"), receipt
    return settings.system("checkin"), f"{encounter.checkin_id}.{encounter.eligibility.value}"


def moment(at: datetime) -> str:
    """A dateTime to the second, in Vietnam's zone."""
    return at.astimezone(VIETNAM).isoformat(timespec="seconds")


def _identifier(system: str, value: str | None, code: str, use: str) -> Resource | None:
    if not system or not number(value):
        return None
    kind = {"coding": [{"system": _HL7 + "v2-0203", "code": code}]}
    return {"use": use, "type": kind, "system": system, "value": value}


def _name(name: str, split: str) -> Resource | None:
    words = name.split()
    if not words:
        return None
    parts = {"family": words[0], "given": words[1:]} if split == "first" and len(words) > 1 else {}
    return {"use": "official", "text": name, **parts}


def _address(identity: Identity, settings: FhirSettings) -> Resource | None:
    """The text, and today's units with their codes where they are certain: no unit is guessed."""
    written = carried(identity.address)
    if not written:
        return None
    place = parse_address(written)
    units: Resource = {}
    if place.new is not None and place.new.commune is not None:
        commune, province = place.new.commune, place.new.province
        units = {
            "line": [place.hamlet],
            "city": commune.name,
            "_city": _code_of(commune.code, settings.system("commune")),
            "state": province.name,
            "_state": _code_of(province.code, settings.system("province")),
        }
    return {"use": "home", "type": "physical", "text": written, **units, "country": "VN"}


def _code_of(code: str, system: str) -> Resource:
    return {"extension": [{"url": _CODED_TEXT, "valueCoding": {"system": system, "code": code}}]}


def _plan(benefit: str) -> Resource:
    return {"type": {"coding": [{"system": _HL7 + "coverage-class", "code": "plan"}]}, "value": benefit}


def _payor(settings: FhirSettings) -> Resource:
    return {"reference": settings.payor, "display": _INSURER}


def _provider(facility: str, settings: FhirSettings) -> Resource:
    if settings.organization:
        return {"reference": settings.organization}
    return {"identifier": {"system": settings.system("facility"), "value": facility}}


def _room(encounter: Encounter, settings: FhirSettings) -> Resource | None:
    """The Location that the menu named, else the room by its code and name."""
    service, name = encounter.service, carried(encounter.service.name)
    for place in (service.id, service.department_id):
        kind, _, id_ = place.partition("/")
        if kind == "Location" and is_id(id_):
            return {"reference": place, "display": carried(service.department) or name}
    code = number(service.code) or number(service.id)
    if not code or settings.menu != "none":
        return None
    return {"identifier": {"system": settings.system("room"), "value": code}, "display": name}


def _priority(settings: FhirSettings) -> Resource:
    code = settings.priority_code
    return {"coding": [{"system": _HL7 + "v3-ActPriority", "code": code}] if code else None, "text": _PRIORITY}


def _slip_extension(slip: Slip | None, settings: FhirSettings) -> list[Resource] | None:
    url = settings.extensions.slip
    return [{"url": url, "valueCode": slip.value}] if slip and url and settings.slip == "extension" else None


def _slip_reason(slip: Slip | None, settings: FhirSettings) -> Resource | None:
    return {"text": _SLIP[slip]} if slip in _SLIP and settings.slip == "reason" else None


def _coded(concept: Any, system: str) -> bool:
    codings = concept.get("coding") if isinstance(concept, dict) else None
    rows = codings if isinstance(codings, list) else []
    return bool(system) and any(isinstance(row, dict) and row.get("system") == system for row in rows)


def _days(first: date | None, last: date | None) -> Resource:
    return {"start": first.isoformat() if first else None, "end": last.isoformat() if last else None}


def _tidy(resource: Resource) -> Resource:
    """*resource* without None, empty texts, and the lists and objects that hold nothing else."""
    return {name: found for name, inner in resource.items() if (found := _tidied(inner)) not in _EMPTY}


def _tidied(value: Any) -> Any:
    if isinstance(value, list):
        return [found for inner in value if (found := _tidied(inner)) not in _EMPTY]
    return _tidy(value) if isinstance(value, dict) else value
