"""What the simulated hisnguonmo answers: the `Data` of each call (his-kiosk-c06.md 10.1)."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from simulators import his_hisnguonmo_data as known
from simulators.his_c06_settings import Clock
from simulators.his_hisnguonmo_data import Patient, Room
from simulators.his_hisnguonmo_settings import Settings
from simulators.his_hisnguonmo_tables import Request, Tables, Treatment
from simulators.his_hisnguonmo_wire import Refusal, words

_FILTERS: Final = {
    "PATIENT_CODE__EXACT": ("code", r"[0-9]{10}"),
    "CCCD_NUMBER__EXACT": ("citizen", r"[0-9]{12}"),
    "CMND_NUMBER__EXACT": ("old_number", r"[0-9]{9}"),
    "HEIN_CARD_NUMBER__EXACT": ("card", r"[A-Z0-9]{10,17}"),
    "PHONE__EXACT": ("phone", r"[0-9]{10}"),
}
Rows = Callable[[], list[dict[str, Any]]]


def look_up(tables: Tables, clock: Clock, settings: Settings, wanted: Mapping[str, Any]) -> dict[str, Any] | None:
    """`GetInformationForKiosk`: the newest patient that fits, None when nobody does. Refusal for a wrong filter."""
    given = {name: value for name, value in wanted.items() if value is not None}
    if len(given) != 1:
        raise Refusal("Cần đúng một điều kiện tìm kiếm")
    name = next(iter(given))
    if name not in _FILTERS:
        raise Refusal(f"Không hỗ trợ điều kiện {name}")
    field, form = _FILTERS[name]
    patient = tables.find(**{field: words(given, name, form, needed=True) or ""})
    if patient is None:
        return None
    last = tables.last_treatment(patient)
    runs = last is not None and last.day == clock.today() and not last.ended
    none: list[Any] | None = [] if settings.empty_lists else None
    return {
        **patient_row(patient),
        "HeinCardNumber": patient.card,
        "InDate": last.began if last else None,
        "IsPause": 1 if last and last.ended else None,
        "TreatmentId": last.id if last else None,
        "TreatmentCode": last.code if last else None,
        "ServiceReqs": [_request_row(last, row) for row in last.requests] if last and runs else none,
        "SereServs": [_line_row(row) for row in last.requests] if last and runs else none,
        **_promised(patient, clock),
    }


def registered(made: Treatment) -> dict[str, Any]:
    """The result of either registration."""
    kind = known.TYPE_BY_ID[made.order.wishes[0].type_id]
    return {
        "HisPatientProfile": {
            "HisPatient": patient_row(made.patient),
            "HisTreatment": {
                "ID": made.id,
                "TREATMENT_CODE": made.code,
                "PATIENT_ID": made.patient.id,
                "IN_TIME": made.began,
            },
            "HisPatientTypeAlter": {"PATIENT_TYPE_ID": kind.id, "HEIN_CARD_NUMBER": made.order.card},
        },
        "ServiceReqs": [_request_row(made, row) for row in made.requests],
        "SereServs": [_line_row(row) for row in made.requests],
        "Transactions": None,
    }


def patient_row(patient: Patient) -> dict[str, Any]:
    """A row of `HIS_PATIENT`."""
    return {
        "ID": patient.id,
        "PATIENT_CODE": patient.code,
        "LAST_NAME": patient.last_name,
        "FIRST_NAME": patient.first_name,
        "VIR_PATIENT_NAME": patient.name,
        "DOB": patient.dob,
        "IS_HAS_NOT_DAY_DOB": 1 if patient.year_only else None,
        "GENDER_ID": patient.sex,
        "CCCD_NUMBER": patient.citizen,
        "CMND_NUMBER": patient.old_number,
        "PHONE": patient.phone,
        "ADDRESS": patient.address,
        "VIR_ADDRESS": patient.whole_address,
    }


def rooms() -> list[dict[str, Any]]:
    """`HisRoom`: rooms of both kinds."""
    return [_room_fields(room) | {"ID": room.id, "ROOM_TYPE_CODE": room.kind, "IS_ACTIVE": 1} for room in known.ROOMS]


def service_rooms() -> list[dict[str, Any]]:
    """`HisServiceRoom`: which room offers which service."""
    pairs = [(service, known.ROOM_BY_ID[room]) for service in known.SERVICES for room in service.rooms]
    return [
        {
            "ID": 300 + at,
            "SERVICE_ID": service.id,
            "SERVICE_CODE": service.code,
            "SERVICE_NAME": service.name,
            "SERVICE_TYPE_CODE": service.kind,
            "ROOM_ID": room.id,
            "IS_ACTIVE": 1,
        }
        | _room_fields(room)
        for at, (service, room) in enumerate(pairs)
    ]


def prices() -> list[dict[str, Any]]:
    """`HisServicePaty`: price of a service for a patient type."""
    return [
        {"SERVICE_ID": service.id, "PATIENT_TYPE_ID": kind, "PRICE": float(price), "IS_ACTIVE": 1}
        for service in known.SERVICES
        for kind, price in service.prices.items()
    ]


def patient_types() -> list[dict[str, Any]]:
    """`HisPatientType`."""
    return [
        {"ID": row.id, "PATIENT_TYPE_CODE": row.code, "PATIENT_TYPE_NAME": row.name, "IS_ACTIVE": 1}
        for row in known.PATIENT_TYPES
    ]


CATALOGUES: Final[dict[str, Rows]] = {
    "api/HisRoom/GetView": rooms,
    "api/HisServiceRoom/GetView": service_rooms,
    "api/HisServicePaty/GetView": prices,
    "api/HisPatientType/Get": patient_types,
}


def _room_fields(room: Room) -> dict[str, Any]:
    return {
        "ROOM_CODE": room.code,
        "ROOM_NAME": room.name,
        "DEPARTMENT_CODE": room.department_code,
        "DEPARTMENT_NAME": room.department,
    }


def _request_row(treatment: Treatment, request: Request) -> dict[str, Any]:
    room = request.wish.room
    return {
        "ID": request.id,
        "SERVICE_REQ_CODE": request.code,
        "TREATMENT_ID": treatment.id,
        "TDL_TREATMENT_CODE": treatment.code,
        "TDL_PATIENT_CODE": treatment.patient.code,
        "EXECUTE_ROOM_ID": room.id,
        "EXECUTE_ROOM_CODE": room.code,
        "EXECUTE_ROOM_NAME": room.name,
        "EXECUTE_DEPARTMENT_NAME": room.department,
        "REQUEST_ROOM_ID": treatment.order.request_room.id,
        "NUM_ORDER": request.number,
        "INTRUCTION_TIME": request.made_at,
    }


def _line_row(request: Request) -> dict[str, Any]:
    wish = request.wish
    return {
        "SERVICE_REQ_ID": request.id,
        "TDL_SERVICE_CODE": wish.service.code,
        "TDL_SERVICE_NAME": wish.service.name,
        "PATIENT_TYPE_ID": wish.type_id,
        "AMOUNT": 1.0,
        "PRICE": float(wish.service.prices[wish.type_id]),
    }


def _promised(patient: Patient, clock: Clock) -> dict[str, Any]:
    if patient.id != 7000 + known.PROMISED_PERSON:
        return {"AppointmentCode": None, "AppointmentTime": None, "AppointmentExamRoomIds": None}
    return {
        "AppointmentCode": known.PROMISED_TREATMENT,
        "AppointmentTime": int(f"{clock.today():%Y%m%d}080000"),
        "AppointmentExamRoomIds": [known.PROMISED_ROOM],
    }
