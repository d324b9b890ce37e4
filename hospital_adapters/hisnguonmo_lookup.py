"""What a look-up of hisnguonmo shows: a person, and the examination requests of a visit that runs today. Pure.

The server shows requests only of the person's last visit, and only when that began today and has not ended
(his-kiosk-c06.md 10.1); an ended visit of today is told as ``hidden``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from hospital_adapters.hisnguonmo_settings import HisnguonmoSettings
from hospital_adapters.hisnguonmo_wire import read_birth, read_time, text
from kiosk.documents.text import fold
from kiosk.hospital_model import MOST_TICKET, MatchedBy, MatchKind, PatientMatch, PatientRef, Receipt, TicketLine
from kiosk.model import Identity, Sex, local_day


@dataclass(frozen=True, slots=True)
class Request:
    """One examination request of today. ``at``: when it was made, by the server's clock."""

    code: str
    room_code: str | None
    service_code: str | None
    at: datetime | None
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class Shown:
    """A person and today's requests. ``match`` is ONE or MISMATCH; ``hidden``: the receipt of a visit that ended today,
    as far as it is shown.
    """

    match: PatientMatch
    requests: tuple[Request, ...] = ()
    hidden: Receipt | None = None
    appointment: tuple[str, datetime] | None = None
    appointment_rooms: tuple[int, ...] = ()


def read(data: Any, asked: Identity, by: MatchedBy | None, today: date, settings: HisnguonmoSettings) -> Shown | None:
    """The ``Data`` of a look-up that found somebody; None when it cannot be read whole: then it says nothing."""
    code = text(data.get("PATIENT_CODE")) if isinstance(data, Mapping) else None
    requests = _requests(data) if isinstance(data, Mapping) else None
    if code is None or requests is None:
        return None
    began = read_time(data.get("InDate"))
    unseen = data.get("ServiceReqs") is None and began is not None and local_day(began) >= today
    at, rooms = read_time(data.get("AppointmentTime")), data.get("AppointmentExamRoomIds")
    promised = text(data.get("AppointmentCode"))
    return Shown(
        _match(data, code, asked, by, settings),
        requests,
        Receipt(visit_id=text(data.get("TreatmentCode")), patient_code=code) if unseen else None,
        (promised, at) if promised is not None and at is not None else None,
        tuple(room for room in rooms if isinstance(room, int)) if isinstance(rooms, list) else (),
    )


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


def differences(asked: Identity, known: Identity) -> tuple[str, ...]:
    """In which of name (without accents), birth year, sex and citizen number two persons differ that both have."""
    pairs = (
        ("name", asked.full_name and _letters(asked.full_name), known.full_name and _letters(known.full_name)),
        ("birth_year", asked.birth_date and asked.birth_date.year, known.birth_date and known.birth_date.year),
        ("sex", asked.sex, known.sex),
        ("personal_id", asked.personal_id, known.personal_id),
    )
    return tuple(word for word, ours, theirs in pairs if ours and theirs and ours != theirs)


def ticket(row: Mapping[str, Any]) -> TicketLine | None:
    """The queue number of a request, None where it has none."""
    number = text(row.get("NUM_ORDER"))
    if number is None or number == "0" or len(number) > MOST_TICKET:
        return None
    return TicketLine(number, text(row.get("EXECUTE_ROOM_NAME")), text(row.get("EXECUTE_DEPARTMENT_NAME")))


def _match(
    data: Mapping[str, Any], code: str, asked: Identity, by: MatchedBy | None, settings: HisnguonmoSettings
) -> PatientMatch:
    known, ref = person_of(data, settings), PatientRef(text(data.get("ID")), code)
    unlike = differences(asked, known)
    if unlike:
        return PatientMatch(MatchKind.MISMATCH, ref, differences=unlike, matched_by=by)
    return PatientMatch(MatchKind.ONE, ref, known, matched_by=by)


def _requests(data: Mapping[str, Any]) -> tuple[Request, ...] | None:
    listed, priced = data.get("ServiceReqs"), data.get("SereServs")
    if listed is None:
        return ()
    if not isinstance(listed, list):
        return None
    lines = [line for line in priced if isinstance(line, Mapping)] if isinstance(priced, list) else []
    services = {
        of: text(line.get("TDL_SERVICE_CODE"))
        for line in reversed(lines)
        if isinstance(of := line.get("SERVICE_REQ_ID"), int)
    }
    found = [_request(row, data, services) for row in listed]
    known = tuple(request for request in found if request is not None)
    return known if len(known) == len(found) else None


def _request(row: Any, data: Mapping[str, Any], services: Mapping[int, str | None]) -> Request | None:
    code = text(row.get("SERVICE_REQ_CODE")) if isinstance(row, Mapping) else None
    if code is None:
        return None
    number = ticket(row)
    receipt = Receipt(
        visit_id=text(row.get("TDL_TREATMENT_CODE")) or text(data.get("TreatmentCode")),
        patient_code=text(data.get("PATIENT_CODE")),
        registration_id=code,
        tickets=(number,) if number else (),
        barcode=code,
    )
    room, at = text(row.get("EXECUTE_ROOM_CODE")), read_time(row.get("INTRUCTION_TIME"))
    row_id = row.get("ID")
    return Request(code, room, services.get(row_id) if isinstance(row_id, int) else None, at, receipt)


def _letters(name: str) -> str:
    return "".join(fold(name).split())
