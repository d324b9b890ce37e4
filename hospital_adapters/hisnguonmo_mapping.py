"""Between our words and those of hisnguonmo: a registration's body, its receipt, a person, a visit (10.1). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from hospital_adapters.hisnguonmo_menu import Entry, money, total
from hospital_adapters.hisnguonmo_settings import HisnguonmoSettings
from hospital_adapters.hisnguonmo_wire import birth_number, read_birth, read_time, rows, split_name, text, time_number
from kiosk.addresses.parse import parse_address
from kiosk.documents.text import fold
from kiosk.errors import HospitalRejected
from kiosk.hospital_model import Encounter, MatchedBy, MatchKind, PatientMatch, PatientRef, Receipt, TicketLine
from kiosk.model import Coverage, Identity, Sex


@dataclass(frozen=True, slots=True)
class Request:
    """One examination request of today, as the look-up shows it."""

    code: str
    room_code: str | None
    service_code: str | None
    at: datetime | None
    receipt: Receipt


def own_registration(
    encounter: Encounter, entry: Entry, request_room: int, settings: HisnguonmoSettings
) -> dict[str, Any]:
    """The body of ``ExamRegisterKiosk``. HospitalRejected ``hisnguonmo.incomplete_identity`` without name or birth."""
    body: dict[str, Any] = {
        "CardSDO": _person(encounter, settings),
        "PatientTypeId": entry.type_id,
        "ServiceId": entry.service_id,
        "RoomId": entry.room_id,
        "RequestRoomId": request_room,
        "IsPriority": encounter.priority,
        "IsNotRequireFee": False,
    }
    if encounter.coverage is not None and settings.right_route_code:
        body["RightRouteCode"] = settings.right_route_code
    return body


def partner_registration(encounter: Encounter, entry: Entry, settings: HisnguonmoSettings) -> dict[str, Any]:
    """The body of ``RegisterKiosk``, all by code; the patient must be known there.

    HospitalRejected ``hisnguonmo.new_patient`` for anybody else: the call cannot make a patient.
    """
    known = encounter.patient.ref if encounter.patient is not None else None
    if known is None or known.code is None:
        raise HospitalRejected("hisnguonmo.new_patient")
    card = encounter.coverage
    return {
        "PatientCode": known.code,
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
        "IsJoin5Year": _five_years(card, encounter.happened_at.date()),
        "IsPaid6Month": False,
        "LiveAreaCode": card.living_area if card else None,
        "FreeCoPaidTime": None,
    }


def receipt_of(data: Mapping[str, Any]) -> Receipt:
    """The receipt of a registration; what is missing in the answer is missing in it."""
    profile = _object(data.get("HisPatientProfile"))
    patient, treatment = _object(profile.get("HisPatient")), _object(profile.get("HisTreatment"))
    requests = rows(data.get("ServiceReqs"))
    first = text(requests[0].get("SERVICE_REQ_CODE")) if requests else None
    return Receipt(
        visit_id=text(treatment.get("TREATMENT_CODE")) or _first(requests, "TDL_TREATMENT_CODE"),
        patient_code=text(patient.get("PATIENT_CODE")) or _first(requests, "TDL_PATIENT_CODE"),
        registration_id=first,
        tickets=tuple(line for row in requests if (line := _ticket(row)) is not None),
        amount=total(_price(row) for row in rows(data.get("SereServs"))),
        barcode=first,
    )


def match_of(data: Any, asked: Identity, by: MatchedBy, settings: HisnguonmoSettings) -> PatientMatch | None:
    """Who stands in the look-up's ``Data``; None when that cannot be read. The look-up shows one person at most."""
    if data is None:
        return PatientMatch(MatchKind.NONE)
    code = text(data.get("PATIENT_CODE")) if isinstance(data, Mapping) else None
    if code is None:
        return None
    known = person_of(data, settings)
    ref = PatientRef(text(data.get("ID")), code)
    differences = _differences(asked, known)
    if differences:
        return PatientMatch(MatchKind.MISMATCH, ref, differences=differences, matched_by=by)
    return PatientMatch(MatchKind.ONE, ref, known, matched_by=by)


def person_of(data: Mapping[str, Any], settings: HisnguonmoSettings) -> Identity:
    """The person of a patient row."""
    sexes = {settings.male: Sex.MALE, settings.female: Sex.FEMALE}
    number = data.get("GENDER_ID")
    return Identity(
        personal_id=text(data.get("CCCD_NUMBER")),
        old_id=text(data.get("CMND_NUMBER")),
        full_name=text(data.get("VIR_PATIENT_NAME")),
        birth_date=read_birth(data.get("DOB"), data.get("IS_HAS_NOT_DAY_DOB")),
        sex=sexes.get(number) if isinstance(number, int) else None,
        address=text(data.get("VIR_ADDRESS")),
    )


def requests_of(data: Any) -> tuple[Request, ...]:
    """The examination requests that a look-up shows; the server shows only those of a visit that runs today."""
    if not isinstance(data, Mapping):
        return ()
    found = []
    for row in rows(data.get("ServiceReqs")):
        code = text(row.get("SERVICE_REQ_CODE"))
        if code is None:
            continue
        line = _ticket(row)
        receipt = Receipt(
            visit_id=text(row.get("TDL_TREATMENT_CODE")) or text(data.get("TreatmentCode")),
            patient_code=text(data.get("PATIENT_CODE")),
            registration_id=code,
            tickets=(line,) if line else (),
            barcode=code,
        )
        at = read_time(row.get("INTRUCTION_TIME"))
        service = next(
            (
                text(part.get("TDL_SERVICE_CODE"))
                for part in rows(data.get("SereServs"))
                if part.get("SERVICE_REQ_ID") == row.get("ID")
            ),
            None,
        )
        found.append(Request(code, text(row.get("EXECUTE_ROOM_CODE")), service, at, receipt))
    return tuple(found)


def _person(encounter: Encounter, settings: HisnguonmoSettings) -> dict[str, Any]:
    who, card = encounter.identity, encounter.coverage
    if not who.full_name or who.birth_date is None:
        raise HospitalRejected("hisnguonmo.incomplete_identity")
    family, given = split_name(who.full_name.upper())
    born, year_only = birth_number(who.birth_date)
    known = encounter.patient.ref if encounter.patient is not None else None
    place = parse_address(who.address).new if who.address else None
    return {
        "PatientId": int(known.id) if known and known.id and known.id.isascii() and known.id.isdigit() else None,
        "PatientCode": known.code if known else None,
        "LastName": family,
        "FirstName": given,
        "Dob": born,
        "IsHasNotDayDob": year_only,
        "GenderId": {Sex.MALE: settings.male, Sex.FEMALE: settings.female}.get(who.sex) if who.sex else None,
        "CccdNumber": who.personal_id,
        "CccdDate": time_number(who.issued_on) if who.issued_on else None,
        "CmndNumber": who.old_id,
        "VirAddress": who.address,
        "ProvinceName": place.province.name if place else None,
        "ProvinceCode": place.province.code if place else None,
        "CommuneName": place.commune.name if place and place.commune else None,
        "HeinCardNumber": card.number if card else None,
        "HeinOrgCode": card.registered_facility if card else None,
        "HeinCardFromTime": time_number(card.valid_from) if card and card.valid_from else None,
        "HeinCardToTime": time_number(card.valid_to) if card and card.valid_to else None,
        "HeinAddress": who.address if card else None,
        "Join5YearTime": time_number(card.five_years_on) if card and card.five_years_on else None,
        "LiveAreaCode": card.living_area if card else None,
        "AppointmentCode": encounter.follows,
    }


def _differences(asked: Identity, known: Identity) -> tuple[str, ...]:
    pairs = (
        ("name", asked.full_name and _letters(asked.full_name), known.full_name and _letters(known.full_name)),
        ("birth_year", asked.birth_date and asked.birth_date.year, known.birth_date and known.birth_date.year),
        ("sex", asked.sex, known.sex),
        ("personal_id", asked.personal_id, known.personal_id),
    )
    return tuple(word for word, ours, theirs in pairs if ours and theirs and ours != theirs)


def _letters(name: str) -> str:
    return "".join(fold(name).split())


def _ticket(row: Mapping[str, Any]) -> TicketLine | None:
    number = text(row.get("NUM_ORDER"))
    if number is None or number == "0":
        return None
    return TicketLine(number, text(row.get("EXECUTE_ROOM_NAME")), text(row.get("EXECUTE_DEPARTMENT_NAME")))


def _price(row: Mapping[str, Any]) -> Any:
    price, amount = money(row.get("PRICE")), money(row.get("AMOUNT"))
    return None if price is None else price * (1 if amount is None else amount)


def _first(found: list[Mapping[str, Any]], name: str) -> str | None:
    return text(found[0].get(name)) if found else None


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _written(day: date | None) -> str | None:
    return f"{day:%d/%m/%Y} 00:00:00" if day else None


def _five_years(card: Coverage | None, day: date) -> bool:
    return card is not None and card.five_years_on is not None and card.five_years_on <= day
