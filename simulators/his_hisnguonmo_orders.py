"""Reads the bodies of the two registrations strictly (his-kiosk-c06.md 10.1); a wrong one raises Refusal.

`ExamRegisterKiosk` names everything by internal number, `RegisterKiosk` by code; what the second does not find is told
as an exception inside, as the partners' call does.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeVar

from simulators import his_hisnguonmo_data as known
from simulators.his_hisnguonmo_data import Patient, PatientType, Room, Service
from simulators.his_hisnguonmo_tables import Order, Tables, Wish
from simulators.his_hisnguonmo_wire import Refusal, flag, moment, names, whole, words, written_time

_Row = TypeVar("_Row", PatientType, Room, Service)
_CARD = r"[A-Z0-9]{10}|[A-Z0-9]{12}|[A-Z]{2}[A-Z0-9]{13}"
_FACILITY = r"[0-9]{5}"
OWN_FIELDS: Final = names(
    "CardSDO PatientTypeId PrimaryPatientTypeId ServiceId RoomId RequestRoomId IsPriority IsNotRequireFee IsChronic "
    "RightRouteCode RightRouteTypeCode AdditionalServices TransferInMediOrgCode TransferInMediOrgName TransferInCode "
    "TransferInIcdCode TransferInIcdName IsTransferIn TransferInCmkt TransferInFormId TransferInReasonId "
    "TransferInTimeFrom TransferInTimeTo CardServiceCode ProvinceCode DistrictCode"
)
PERSON_FIELDS: Final = names(
    "PatientId PatientCode LastName FirstName Dob IsHasNotDayDob GenderId CccdNumber CccdDate CccdPlace CmndNumber "
    "CmndDate CmndPlace Phone Email Address VirAddress CommuneName DistrictName ProvinceName ProvinceCode DistrictCode "
    "CareerId HeinCardNumber HeinOrgCode HeinOrgName HeinAddress HeinCardFromTime HeinCardToTime Join5Year "
    "Join5YearTime Paid6Month FreeCoPaidTime LiveAreaCode AppointmentCode"
)
PARTNER_FIELDS: Final = names(
    "PatientCode PatientTypeCode ServiceCode RoomCode RequestRoomCode IsPriority HeinCardNumber HeinCardFromTime "
    "HeinCardToTime HeinOrgCode HeinOrgName HeinAddress IsJoin5Year IsPaid6Month LiveAreaCode FreeCoPaidTime"
)


def own(body: Mapping[str, Any], tables: Tables) -> Order:
    """An `ExamRegisterKiosk` body."""
    person = body.get("CardSDO")
    if not isinstance(person, dict):
        raise Refusal("Thiếu CardSDO")
    request_room = known.ROOM_BY_ID.get(_number(body, "RequestRoomId"))
    if request_room is None or request_room.kind != known.RECEPTION:
        raise Refusal("Bạn đang không làm việc tại phòng tiếp đón này", "KhongCoThongTinNoiLamViec")
    type_id = _number(body, "PatientTypeId")
    wishes = [_wish(_number(body, "ServiceId"), _number(body, "RoomId"), type_id)]
    for more in _list(body, "AdditionalServices"):
        wishes.append(_wish(_number(more, "ServiceId"), _number(more, "RoomId"), _number(more, "PatientTypeId")))
    flag(body, "IsNotRequireFee")
    words(body, "RightRouteCode")
    patient = _own_patient(person, tables)
    return Order(
        patient,
        None if patient else _newcomer(person, tables),
        tuple(wishes),
        request_room,
        _own_card(person, insured=type_id == known.INSURED_TYPE),
        flag(body, "IsPriority"),
        "ExamRegisterKiosk",
    )


def partner(body: Mapping[str, Any], tables: Tables) -> Order:
    """A `RegisterKiosk` body."""
    code = words(body, "PatientCode") or ""
    if not code.isascii() or not code.isdigit():
        raise Refusal("PatientCode", broken=True)
    patient = tables.find(code=code.zfill(10))
    service = _named(known.SERVICES, words(body, "ServiceCode"))
    room = _named(known.ROOMS, words(body, "RoomCode"))
    request_room = _named(known.ROOMS, words(body, "RequestRoomCode"))
    kind = _named(known.PATIENT_TYPES, words(body, "PatientTypeCode"))
    if patient is None or request_room.kind != known.RECEPTION:
        raise Refusal("Không tồn tại", broken=True)
    insured = kind.id == known.INSURED_TYPE
    for name in ("IsPriority", "IsJoin5Year", "IsPaid6Month"):
        flag(body, name)
    starts, ends = written_time(body, "HeinCardFromTime"), written_time(body, "HeinCardToTime")
    written_time(body, "FreeCoPaidTime")
    card = _card(body, insured, starts, ends)
    return Order(
        patient,
        None,
        (_wish(service.id, room.id, kind.id),),
        request_room,
        card,
        flag(body, "IsPriority"),
        "RegisterKiosk",
    )


def unknown_fields(body: Mapping[str, Any], call: str) -> list[str]:
    """The keys that a registration body holds besides the known ones."""
    if call == "RegisterKiosk":
        return sorted(body.keys() - PARTNER_FIELDS)
    person = body.get("CardSDO")
    return sorted(body.keys() - OWN_FIELDS) + sorted(
        person.keys() - PERSON_FIELDS if isinstance(person, dict) else set()
    )


def _own_patient(person: Mapping[str, Any], tables: Tables) -> Patient | None:
    number = whole(person, "PatientId", needed=False)
    if number is None:
        return None
    found = next((row for row in tables.patients if row.id == number), None)
    if found is None:
        raise Refusal("PatientId", broken=True)
    words(person, "CccdNumber", r"[0-9]{12}")
    moment(person, "CccdDate")
    return found


def _newcomer(person: Mapping[str, Any], tables: Tables) -> Patient:
    sex, year_only = whole(person, "GenderId"), whole(person, "IsHasNotDayDob", needed=False)
    if sex not in (1, 2):
        raise Refusal("GenderId không có trong danh mục")
    if year_only not in (None, 0, 1):
        raise Refusal("IsHasNotDayDob phải là 0 hoặc 1")
    name, born = words(person, "LastName"), moment(person, "Dob", needed=True)
    given = words(person, "FirstName", needed=True)
    moment(person, "CccdDate")
    serial = tables.new_patient_serial()
    return Patient(
        7000 + serial,
        f"{serial:010d}",
        name,
        given,
        born,
        year_only == 1,
        sex,
        citizen=words(person, "CccdNumber", r"[0-9]{12}"),
        old_number=words(person, "CmndNumber", r"[0-9]{9}"),
        card=words(person, "HeinCardNumber", _CARD),
        address=words(person, "Address"),
        place=(words(person, "CommuneName"), words(person, "ProvinceName")),
    )


def _own_card(person: Mapping[str, Any], *, insured: bool) -> str | None:
    moment(person, "Join5YearTime")
    return _card(person, insured, moment(person, "HeinCardFromTime"), moment(person, "HeinCardToTime"))


def _card(fields: Mapping[str, Any], insured: bool, starts: int | None, ends: int | None) -> str | None:
    card = words(fields, "HeinCardNumber", _CARD, needed=insured)
    words(fields, "HeinOrgCode", _FACILITY, needed=insured)
    words(fields, "HeinAddress")
    if insured and starts is None:
        raise Refusal("Thiếu HeinCardFromTime")
    if starts is not None and ends is not None and ends < starts:
        raise Refusal("Thời hạn thẻ BHYT không hợp lệ")
    return card if insured else None


def _wish(service_id: int, room_id: int, type_id: int) -> Wish:
    service, room = known.SERVICE_BY_ID.get(service_id), known.ROOM_BY_ID.get(room_id)
    if service is None or room is None or type_id not in known.TYPE_BY_ID:
        raise Refusal("Dịch vụ, phòng hoặc đối tượng không có trong danh mục")
    if room_id not in service.rooms:
        raise Refusal(f"{room.name} không thực hiện dịch vụ này")
    if type_id not in service.prices:
        raise Refusal("Dịch vụ chưa có giá cho đối tượng này")
    return Wish(service, room, type_id)


def _number(fields: Mapping[str, Any], name: str) -> int:
    found = whole(fields, name)
    if found is None:
        raise Refusal(f"Thiếu {name}")
    return found


def _list(fields: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    found = fields.get(name)
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise Refusal(f"{name} phải là danh sách")
    return found


def _named(rows: Sequence[_Row], code: str | None) -> _Row:
    found = next((row for row in rows if row.code == code), None)
    if found is None:
        raise Refusal("Không tồn tại", broken=True)
    return found
