"""The invented hospital behind the hisnguonmo simulator: rooms, services, prices, patient types, people.

The people are those of the C06 simulator (his-kiosk-c06.md section 11), so that both hospitals know the same.
"""

from dataclasses import dataclass
from typing import Literal

from simulators import his_c06_data

INSURED_TYPE = 1
"""Number of the patient type of insured people."""
RECEPTION = "TD"
EXECUTING = "XL"
EXAMINATION = "KH"


@dataclass(frozen=True)
class PatientType:
    """A row of `HisPatientType`."""

    id: int
    code: str
    name: str


@dataclass(frozen=True)
class Room:
    """A row of `HisRoom`. `kind`: reception (TD) or executing (XL). `last_number` was given out before today's first
    call; `places`: how many it takes a day in all, None: no limit.
    """

    id: int
    code: str
    name: str
    department_code: str
    department: str
    kind: Literal["TD", "XL"] = "XL"
    last_number: int = 0
    places: int | None = None


@dataclass(frozen=True)
class Service:
    """A service with its price in đồng by patient type and the rooms that offer it. `brings`: (service, room) numbers
    that every registration of it gets besides.
    """

    id: int
    code: str
    name: str
    kind: str
    prices: dict[int, int]
    rooms: tuple[int, ...]
    brings: tuple[int, int] | None = None


PATIENT_TYPES = (
    PatientType(INSURED_TYPE, "01", "BHYT"),
    PatientType(42, "02", "Viện phí"),
    PatientType(62, "03", "Khám sức khỏe"),
)

ROOMS = (
    Room(9001, "TD01", "Quầy tiếp đón 1", "KKB", "Khoa Khám bệnh", "TD"),
    Room(9002, "KIOSK01", "Kiosk tiếp đón", "KKB", "Khoa Khám bệnh", "TD"),
    Room(101, "P101", "Phòng khám Nội 101", "KNOI", "Khoa Nội", last_number=22),
    Room(102, "P102", "Phòng khám Nội 102", "KNOI", "Khoa Nội"),
    Room(103, "P103", "Phòng khám Tim mạch 103", "KNOI", "Khoa Nội", last_number=4),
    Room(110, "P110", "Phòng điện tim 110", "KNOI", "Khoa Nội", last_number=9, places=11),
    Room(201, "P201", "Phòng khám Ngoại 201", "KNGO", "Khoa Ngoại", last_number=19, places=20),
    Room(301, "P301", "Phòng khám Nhi 301", "KNHI", "Khoa Nhi"),
)

SERVICES = (
    Service(5001, "KB01", "Khám Nội", EXAMINATION, {1: 45000, 42: 45000}, (101, 102)),
    Service(5002, "KB02", "Khám Tim mạch", EXAMINATION, {1: 45000, 42: 60000}, (103,), brings=(6001, 110)),
    Service(5003, "KB03", "Khám Ngoại", EXAMINATION, {1: 45000, 42: 45000}, (201,)),
    Service(5004, "KB04", "Khám Nhi", EXAMINATION, {1: 45000, 42: 45000, 62: 40000}, (301,)),
    Service(5005, "KB05", "Khám Nội theo yêu cầu", EXAMINATION, {42: 150000}, (101,)),
    Service(6001, "DT01", "Điện tim", "CN", {1: 32800, 42: 32800}, (110,)),
)

ROOM_BY_ID = {room.id: room for room in ROOMS}
SERVICE_BY_ID = {service.id: service for service in SERVICES}
TYPE_BY_ID = {row.id: row for row in PATIENT_TYPES}


@dataclass(frozen=True)
class Patient:
    """A patient row. `dob`: 14 digits; `year_only`: of which only the year counts; `sex` 1 female, 2 male."""

    id: int
    code: str
    last_name: str | None
    first_name: str | None
    dob: int | None
    year_only: bool
    sex: int | None
    citizen: str | None = None
    old_number: str | None = None
    card: str | None = None
    phone: str | None = None
    address: str | None = None
    place: tuple[str | None, str | None] = (None, None)

    @property
    def name(self) -> str | None:
        """Family and given name together."""
        return " ".join(part for part in (self.last_name, self.first_name) if part) or None

    @property
    def whole_address(self) -> str | None:
        """The address with commune and province."""
        return ", ".join(part for part in (self.address, *self.place) if part) or None


FIRST_NEW_PATIENT = 101
BOOKED_PERSON, BOOKED_ROOM, BOOKED_SERVICE = 3, 101, 5001
"""Who stands in the system today before anybody called, where and for what."""
PROMISED_PERSON, PROMISED_ROOM, PROMISED_TREATMENT = 2, 102, "000000000777"
"""Who has an appointment today, in which room; the code of the visit at which it was made is the appointment's."""


def patients() -> list[Patient]:
    """The ten people of the reference, newest row first; 9 stands in two rows, 8 under the old number."""
    return [_patient(row) for row in reversed(his_c06_data.patients())]


def _patient(row: his_c06_data.Patient) -> Patient:
    serial, code = 7000 + row.serial, f"{row.serial:010d}"
    if row.bare:
        return Patient(serial, code, None, None, None, False, None, citizen=row.number)
    family, _, given = row.name.rpartition(" ")
    year_only = row.serial == 4
    return Patient(
        serial,
        code,
        family,
        given,
        int(row.birth.replace("-", "") + "000000"),
        year_only,
        {"F": 1, "M": 2}[row.sex] if row.sex else None,
        citizen=row.number if row.doc_type == "CCCD" else None,
        old_number=row.number if row.doc_type == "CMND" else None,
        card=row.card,
        phone=row.phone,
        address=row.address,
    )
