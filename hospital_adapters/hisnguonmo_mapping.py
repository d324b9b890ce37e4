"""Between our words and those of hisnguonmo: the body of a registration and its receipt (10.1). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from hospital_adapters.hisnguonmo_lookup import differences, person_of, ticket
from hospital_adapters.hisnguonmo_menu import Entry, money, total
from hospital_adapters.hisnguonmo_settings import HisnguonmoSettings
from hospital_adapters.hisnguonmo_wire import birth_number, rows, split_name, text, time_number
from kiosk.addresses.parse import parse_address
from kiosk.errors import HospitalOutcomeUnknown, HospitalRejected
from kiosk.hospital_model import Encounter, PatientRef, Receipt
from kiosk.model import Sex, local_day


def own_registration(
    encounter: Encounter, entry: Entry, ref: PatientRef | None, request_room: int, settings: HisnguonmoSettings
) -> dict[str, Any]:
    """The body of ``ExamRegisterKiosk``; without *ref* the server makes a new patient.

    HospitalRejected ``hisnguonmo.incomplete_identity`` for a new one without name, birth date or sex, which the server
    would take for nought, and ``hisnguonmo.no_patient_id`` for a known one without the only key that the call heeds.
    """
    body: dict[str, Any] = {
        "CardSDO": _person(encounter, ref, settings),
        "PatientTypeId": entry.type_id,
        "ServiceId": entry.service_id,
        "RoomId": entry.room_id,
        "RequestRoomId": request_room,
        "IsPriority": encounter.priority,
        "IsNotRequireFee": False,
    }
    card = encounter.coverage
    if card is not None and card.registered_facility == encounter.facility and settings.right_route_code:
        body["RightRouteCode"] = settings.right_route_code
    return body


def partner_registration(
    encounter: Encounter, entry: Entry, ref: PatientRef | None, settings: HisnguonmoSettings
) -> dict[str, Any]:
    """The body of ``RegisterKiosk``, all by code; the patient must be known there.

    HospitalRejected ``hisnguonmo.new_patient`` for anybody else: the call cannot make a patient.
    """
    if ref is None or ref.code is None:
        raise HospitalRejected("hisnguonmo.new_patient")
    card = encounter.coverage
    return {
        "PatientCode": ref.code,
        "PatientTypeCode": entry.type_code,
        "ServiceCode": entry.service_code,
        "RoomCode": entry.room_code,
        "RequestRoomCode": settings.request_room,
        "IsPriority": encounter.priority,
        "HeinCardNumber": card.number if card else None,
        "HeinCardFromTime": _written(card.valid_from) if card else None,
        "HeinCardToTime": _written(card.valid_to) if card else None,
        "HeinOrgCode": card.registered_facility if card else None,
        "HeinAddress": encounter.identity.address if card else None,
        "IsJoin5Year": _five_years(encounter),
        "IsPaid6Month": False,
        "LiveAreaCode": card.living_area if card else None,
        "FreeCoPaidTime": None,
    }


def receipt_of(data: Mapping[str, Any], encounter: Encounter, settings: HisnguonmoSettings) -> Receipt:
    """The receipt of a registration; what is missing in the answer is missing in it.

    HospitalOutcomeUnknown ``hisnguonmo.wrong_person`` when the answer is about somebody else.
    """
    profile = _object(data.get("HisPatientProfile"))
    patient, treatment = _object(profile.get("HisPatient")), _object(profile.get("HisTreatment"))
    if differences(encounter.identity, person_of(patient, settings)):
        raise HospitalOutcomeUnknown("hisnguonmo.wrong_person")
    requests = rows(data.get("ServiceReqs"))
    first = _first(requests, "SERVICE_REQ_CODE")
    return Receipt(
        visit_id=text(treatment.get("TREATMENT_CODE")) or _first(requests, "TDL_TREATMENT_CODE"),
        patient_code=text(patient.get("PATIENT_CODE")) or _first(requests, "TDL_PATIENT_CODE"),
        registration_id=first,
        tickets=tuple(line for row in requests if (line := ticket(row)) is not None),
        amount=total(_price(row) for row in rows(data.get("SereServs"))),
        barcode=first,
    )


def _person(encounter: Encounter, ref: PatientRef | None, settings: HisnguonmoSettings) -> dict[str, Any]:
    who, card = encounter.identity, encounter.coverage
    number = int(ref.id) if ref and ref.id and ref.id.isascii() and ref.id.isdigit() else None
    if ref is not None and number is None:
        raise HospitalRejected("hisnguonmo.no_patient_id")
    person: dict[str, Any] = {"PatientId": number, "PatientCode": ref.code if ref else None}
    if who.full_name and who.birth_date is not None and who.sex is not None:
        family, given = split_name(who.full_name.upper())
        born, year_only = birth_number(who.birth_date)
        sex = settings.male if who.sex is Sex.MALE else settings.female
        person |= {"LastName": family, "FirstName": given, "Dob": born, "IsHasNotDayDob": year_only, "GenderId": sex}
    elif number is None:
        raise HospitalRejected("hisnguonmo.incomplete_identity")
    person |= {
        "CccdNumber": who.personal_id,
        "CccdDate": time_number(who.issued_on) if who.issued_on else None,
        "CmndNumber": who.old_id,
        **_place(who.address),
        "AppointmentCode": encounter.follows,
    }
    if card is not None:
        person |= {
            "HeinCardNumber": card.number,
            "HeinOrgCode": card.registered_facility,
            "HeinCardFromTime": time_number(card.valid_from) if card.valid_from else None,
            "HeinCardToTime": time_number(card.valid_to) if card.valid_to else None,
            "HeinAddress": who.address,
            "Join5YearTime": time_number(card.five_years_on) if card.five_years_on else None,
            "LiveAreaCode": card.living_area,
        }
        if _five_years(encounter) and settings.five_years_code:
            person["Join5Year"] = settings.five_years_code
    return person


def _place(address: str | None) -> dict[str, Any]:
    """An address by names where it is understood whole: the server puts ``Address`` and the names together."""
    place = parse_address(address) if address else None
    if place is None or place.new is None or place.new.commune is None:
        return {"Address": address}
    province, commune = place.new.province, place.new.commune
    return {
        "Address": place.hamlet,
        "CommuneName": commune.name,
        "ProvinceName": province.name,
        "ProvinceCode": province.code,
    }


def _price(row: Mapping[str, Any]) -> Any:
    price, amount = money(row.get("PRICE")), money(row.get("AMOUNT"))
    return None if price is None else price * (1 if amount is None else amount)


def _first(found: list[Mapping[str, Any]], name: str) -> str | None:
    return text(found[0].get(name)) if found else None


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _written(day: date | None) -> str | None:
    return f"{day:%d/%m/%Y} 00:00:00" if day else None


def _five_years(encounter: Encounter) -> bool:
    since = encounter.coverage.five_years_on if encounter.coverage is not None else None
    return since is not None and since <= local_day(encounter.happened_at)
