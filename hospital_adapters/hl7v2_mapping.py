"""Our words to HL7 v2.5.1 segments (health-data-standards.md 4.3). Pure.

=====================  =========================================================================================
``ADT^A28^ADT_A05``    MSH EVN PID [PD1] PV1 (class N) [IN1]: a new person, before A04 where the setting says so
``ADT^A04^ADT_A01``    MSH EVN PID [PD1] PV1 [IN1] [ZVN]: a visit is opened
``ADT^A08^ADT_A01``    the same segments as they are now; without IN1 no card counts any longer (2.5.1, 2.10.4.1)
``ADT^A11^ADT_A09``    MSH EVN PID PV1: the visit is withdrawn
=====================  =========================================================================================

Phone, passport and portal result code of 4.3 are not sent: no encounter holds them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from hospital_adapters import hl7v2_wire as wire
from hospital_adapters.hl7v2_settings import Hl7v2Settings
from hospital_adapters.hl7v2_wire import Repetition, Segment
from kiosk.addresses.parse import parse_address
from kiosk.documents.card_number import benefit_level_of
from kiosk.documents.text import fold
from kiosk.errors import HospitalRejected
from kiosk.hospital_model import Encounter, MatchKind, Receipt
from kiosk.model import VIETNAM, Coverage, PartialDate

STRUCTURES = {"A28": "ADT_A05", "A04": "ADT_A01", "A08": "ADT_A01", "A11": "ADT_A09"}
_VISIT = "visit"
_KINDS = ("citizen", "old", "card", "patient", _VISIT)


def header(event: str, control_id: str, now: datetime, facility: str, settings: Hl7v2Settings) -> Segment:
    """MSH for the trigger *event*; *now*: when the message was made."""
    fields: dict[int, wire.Value] = {
        3: _designator(settings.sending_application),
        4: _designator(settings.sending_facility) or facility,
        5: _designator(settings.receiving_application),
        6: _designator(settings.receiving_facility),
        7: _time(now),
        9: ("ADT", event, STRUCTURES[event]),
        10: control_id,
        11: settings.processing_id,
        12: "2.5.1",
        17: "VNM",
        18: "UNICODE UTF-8",
    }
    return Segment("MSH", fields)


def event_segment(event: str, at: datetime) -> Segment:
    """EVN: *at* is the read of the document for a registration, else when the change was told."""
    return Segment("EVN", {1: event, 2: _time(at)})


def visit_segments(encounter: Encounter, visit: str, facility: str, settings: Hl7v2Settings) -> list[Segment]:
    """PID [PD1] PV1 [IN1] [ZVN] of A04 and A08; *visit*: the number of the visit.

    HospitalRejected: ``hl7v2.incomplete_identity`` without a name, ``hl7v2.patient_many`` and
    ``hl7v2.patient_mismatch`` where staff must first say who this is.
    """
    return [
        *_person(encounter, visit, facility, settings),
        _visit(encounter, visit, facility, settings),
        *_insurance(encounter, settings),
        *([_zvn(encounter)] if settings.visit_segment else []),
    ]


def person_segments(encounter: Encounter, visit: str, facility: str, settings: Hl7v2Settings) -> list[Segment]:
    """PID [PD1] PV1 [IN1] of A28. HospitalRejected as for `visit_segments`."""
    no_visit = Segment("PV1", {2: "N"})
    return [*_person(encounter, visit, facility, settings), no_visit, *_insurance(encounter, settings)]


def withdrawal_segments(receipt: Receipt, facility: str, settings: Hl7v2Settings) -> list[Segment]:
    """PID PV1 of A11, from what the receipt kept: the visit's number and one of the person's. No name (type U).

    HospitalRejected ``hl7v2.no_visit`` for a receipt without a visit.
    """
    visit = wire.carried(receipt.visit_id or "")
    if not visit:
        raise HospitalRejected("hl7v2.no_visit")
    kind, _, number = (receipt.registration_id or "").partition(":")
    known = (kind, number) if kind in _KINDS and wire.carried(number) else (_VISIT, visit)
    return [
        Segment("PID", {1: "1", 3: _identifier(*known, facility, settings), 5: ("", "", "", "", "", "", "U")}),
        Segment("PV1", {1: "1", 2: "O", 19: _identifier(_VISIT, visit, facility, settings)}),
    ]


def known_as(encounter: Encounter, visit: str) -> str:
    """The first of the person's numbers with its kind, ``citizen:099...``: what a withdrawal will name them by."""
    return ":".join(_numbers(encounter, visit)[0])


def _person(encounter: Encounter, visit: str, facility: str, settings: Hl7v2Settings) -> list[Segment]:
    patient, identity = encounter.patient, encounter.identity
    if patient is not None and patient.kind in (MatchKind.MANY, MatchKind.MISMATCH):
        raise HospitalRejected(f"hl7v2.patient_{patient.kind}")
    name = wire.carried(identity.full_name or "")
    if not name:
        raise HospitalRejected("hl7v2.incomplete_identity")
    citizen = bool(identity.personal_id or identity.old_id)
    numbers = [_identifier(*number, facility, settings) for number in _numbers(encounter, visit)]
    fields: dict[int, wire.Value] = {
        1: "1",
        3: numbers,
        5: _names(name, settings.name_split),
        7: _birth(identity.birth_date),
        8: identity.sex.value if identity.sex else "U",
        11: _address(identity.address),
        22: settings.ethnicity_code,
        26: settings.citizenship if citizen else "",
    }
    card = _confirmed_card(encounter)
    registered = wire.carried(card.registered_facility or "") if card else ""
    # XON.3 is a number, and a facility's code begins with zeros: XON.10 is its place.
    organisation = ("", "", "", "", "", _designator(settings.authorities.card), "FI", "", "", registered)
    return [Segment("PID", fields), *([Segment("PD1", {3: organisation})] if registered else [])]


def _numbers(encounter: Encounter, visit: str) -> list[tuple[str, str]]:
    """The person's numbers by kind, in the order of 4.3, each once; the visit's where they have none."""
    identity, patient, card = encounter.identity, encounter.patient, _confirmed_card(encounter)
    ref = patient.ref if patient else None
    found = (
        ("citizen", identity.personal_id),
        ("card", card.number if card and card.number != identity.personal_id else None),
        ("patient", (ref.code or ref.id) if ref else None),
        ("old", identity.old_id),
    )
    numbers = [(kind, number) for kind, number in found if number and wire.carried(number)]
    return numbers or [(_VISIT, visit)]


def _identifier(kind: str, number: str, facility: str, settings: Hl7v2Settings) -> Repetition:
    given_by = settings.authorities
    authority, code = {
        "citizen": (_designator(given_by.citizen), settings.citizen_id_type),
        "old": (_designator(given_by.old), settings.citizen_id_type),
        "card": (_designator(given_by.card), settings.card_id_type),
        "patient": (_designator(given_by.patient) or facility, settings.patient_id_type),
        _VISIT: (_designator(settings.sending_application), "VN"),
    }[kind]
    return (number, "", "", authority, code)


def _names(name: str, split: str) -> list[Repetition]:
    plain = fold(name)
    without_accents = [_name(plain, split, "L")] if plain not in ("", name.upper()) else []
    return [_name(name, split, ""), *without_accents]


def _name(name: str, split: str, kind: str) -> Repetition:
    words = name.split()
    if split == "none" or len(words) == 1:
        return (name, "", "", "", "", "", kind)
    return (words[0], words[-1], " ".join(words[1:-1]), "", "", "", kind)


def _address(text: str | None) -> Repetition:
    """XAD. The units of today where they are certain, else the whole text in .1: no unit is guessed."""
    if not text:
        return ""
    place = parse_address(text)
    if place.new is None or place.new.commune is None:
        return (text, "", "", "", "", "", "H")
    commune, province = place.new.commune, place.new.province
    return (place.hamlet or "", "", commune.name, province.name, "", "VNM", "H", "", "", commune.code)


def _visit(encounter: Encounter, visit: str, facility: str, settings: Hl7v2Settings) -> Segment:
    service = encounter.service
    room = (service.department_id, service.code or service.id, "", facility, "", "", "", "", service.name)
    number = _identifier(_VISIT, visit, facility, settings)
    return Segment("PV1", {1: "1", 2: "O", 3: room, 19: number, 44: _time(encounter.happened_at)})


def _confirmed_card(encounter: Encounter) -> Coverage | None:
    """The card, on an insured service and confirmed by the gateway; an unconfirmed one is nobody's word."""
    return encounter.coverage if encounter.service.insured and encounter.eligibility.insured else None


def _insurance(encounter: Encounter, settings: Hl7v2Settings) -> Sequence[Segment]:
    card, identity = _confirmed_card(encounter), encounter.identity
    if card is None:
        return ()
    insurer = settings.authorities.card.partition("&")[0]
    authority = _designator(settings.authorities.citizen)
    citizen = (identity.personal_id or "", "", "", authority, settings.citizen_id_type)
    fields: dict[int, wire.Value] = {
        1: "1",
        2: ("BHYT", "Bảo hiểm y tế"),
        3: insurer,
        4: insurer,
        12: _day(card.valid_from),
        13: _day(card.valid_to),
        15: card.benefit_level or benefit_level_of(card.key_kind, card.number) or "",
        17: "SEL",
        36: card.number,
        49: citizen if identity.personal_id else "",
    }
    return (Segment("IN1", fields),)


def _zvn(encounter: Encounter) -> Segment:
    """ZVN: check-in id, answer's class, lookup receipt, object code proposed, slip brought, priority (Y/N)."""
    fields: dict[int, wire.Value] = {
        1: encounter.checkin_id,
        2: encounter.eligibility.value,
        3: encounter.lookup_receipt or "",
        4: encounter.route.object_code if encounter.route else "",
        5: encounter.slip.value if encounter.slip else "",
        6: "Y" if encounter.priority else "N",
    }
    return Segment("ZVN", fields)


def _designator(text: str) -> wire.Component:
    parts = tuple(text.split("&"))
    return parts if len(parts) > 1 else text


def _time(moment: datetime) -> str:
    return moment.astimezone(VIETNAM).strftime("%Y%m%d%H%M%S+0700")


def _day(day: date | None) -> str:
    return day.strftime("%Y%m%d") if day else ""


def _birth(birth: PartialDate | None) -> str:
    """The date at the precision known: no part is filled up with zeros."""
    return str(birth).replace("-", "") if birth else ""
