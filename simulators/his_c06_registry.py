"""What the simulated HIS remembers: patients, registrations of the day, queue numbers, slots. In memory only."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from simulators import his_c06_data as known
from simulators.his_c06_data import Patient, Service
from simulators.his_c06_settings import Clock, Settings
from simulators.his_c06_wire import Refusal, SexCode, birth_value, masked, read_sex

_LONGEST_CALENDAR = timedelta(days=31)


@dataclass(frozen=True)
class Order:
    """A checked `/dangky-kcb` body: patient block as sent, service, and the fields that may stand in two places."""

    block: dict[str, Any]
    service: Service
    slot_id: str | None
    du_phong: str | None
    entered_at: datetime


@dataclass
class Registration:
    """One stored visit. `answers` counts how often it was given out; `seeded`: there before anybody called."""

    serial: int
    day: date
    made_at: datetime
    order: Order
    patient: Patient
    number: int | None
    paid: bool = False
    answers: int = 1
    seeded: bool = False

    @property
    def ma_lk(self) -> str:
        """Visit id: SIM, day, six digits."""
        return f"SIM{self.day:%Y%m%d}{self.serial:06d}"

    @property
    def ma_dang_ky(self) -> str:
        """Registration code: DK and eight digits."""
        return f"DK{7000 + self.serial:08d}"

    @property
    def so_phieu(self) -> str:
        """Payment voucher of the field profile."""
        return f"PT{self.serial:08d}"

    @property
    def person_number(self) -> str | None:
        """The document number of this visit: as sent, else as the patient is stored."""
        return self.order.block.get("SO_GTTT") or self.patient.number

    def shown_number(self, settings: Settings) -> int | str | None:
        """STT_LK as an answer shows it under SIM_STT."""
        if self.number is None or settings.stt == "null" or (settings.stt == "after_payment" and not self.paid):
            return None
        return f"A{self.number:03d}" if settings.stt == "text" else self.number

    def summary(self, settings: Settings) -> dict[str, Any]:
        """The row of `/_sim/registrations`; `STT_LK` is what answers show, `number` what the HIS holds."""
        return {
            "MA_LK": self.ma_lk,
            "MA_BN": self.patient.code,
            "SO_GTTT": masked(self.person_number),
            "ID_DICH_VU": self.order.service.id,
            "TEN_DICH_VU": self.order.service.name,
            "DU_PHONG": self.order.du_phong,
            "NGAY_VAO": self.order.entered_at.isoformat(" "),
            "MA_DANG_KY": self.ma_dang_ky,
            "SO_PHIEU": self.so_phieu,
            "STT_LK": self.shown_number(settings),
            "number": self.number,
            "paid": self.paid,
            "count": self.answers,
            "seeded": self.seeded,
            "made_at": self.made_at.isoformat(),
        }


class Registry:
    """The HIS's tables. Every method that changes something does it whole or raises Refusal having changed nothing."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.patients: list[Patient] = []
        self._registrations: list[Registration] = []
        self._last_numbers: dict[tuple[str, date], int] = {}
        self.reset()

    def reset(self) -> None:
        """Back to the start: persons 1 to 10, no visits, all numbers of the day still to give."""
        self.patients = known.patients()
        self._last_numbers = {}
        self._registrations = []

    @property
    def registrations(self) -> list[Registration]:
        """All visits, oldest first; on every day person 3 is there already, at 501 with number 22."""
        today = self._clock.today()
        if not any(row.seeded and row.day == today for row in self._registrations):
            # Days that were only set and never used leave no trace, so the first visit keeps its serial 1.
            if all(row.seeded for row in self._registrations):
                self._registrations.clear()
            self._registrations.append(self._booked(today))
        return self._registrations

    def _booked(self, day: date) -> Registration:
        patient = next(row for row in self.patients if row.number == known.BOOKED_NUMBER)
        entered = datetime.combine(day, time(7, 0))
        order = Order({"SO_GTTT": patient.number}, service_of(known.BOOKED_SERVICE), None, None, entered)
        number, serial = order.service.last_number, len(self._registrations)
        return Registration(serial, day, self._clock.now(), order, patient, number, seeded=True)

    def find_patients(self, number: str, doc_type: str) -> list[Patient]:
        """The patients stored under a document number of that kind; two rows are possible."""
        return [row for row in self.patients if row.number == number and row.doc_type == doc_type]

    def register(self, order: Order, settings: Settings, repeat_number: bool = False) -> Registration:
        """Store a visit and give it a number, or return the earlier visit where SIM_DEDUP or SIM_DUP says so.

        `repeat_number` gives out the service's last number again. Raises Refusal when the patient does not fit, the
        visit is a refused duplicate, or no place is left.
        """
        today = self._clock.today()
        if settings.dedup == "du_phong" and (same := self._by_du_phong(order)):
            same.answers += 1
            return same
        patient, is_new = self._patient_for(order.block, settings)
        here_today = [row for row in self.registrations if row.day == today and row.order.service == order.service]
        twice = next((row for row in here_today if _same_person(row, patient, order)), None)
        if twice and settings.dup == "reject":
            raise Refusal("Bệnh nhân đã đăng ký dịch vụ này trong ngày")
        if twice and settings.dup == "same":
            twice.answers += 1
            return twice
        if order.service.places_left is not None and len(here_today) >= order.service.places_left:
            raise Refusal("Phòng khám đã đủ số lượng")
        if order.slot_id is not None and self._slot_use(order.service, order.slot_id, today) >= known.SLOT_PLACES:
            raise Refusal("Khung giờ khám đã đủ số lượng")
        if is_new:
            self.patients.append(patient)
        number = None if settings.stt == "after_payment" else self._next_number(order.service, today, repeat_number)
        serial = settings.first_visit + len(self.registrations) - 1
        made = Registration(serial, today, self._clock.now(), order, patient, number)
        self.registrations.append(made)
        return made

    def mark_paid(self, key: str) -> Registration:
        """Mark the visit with this MA_LK, MA_DANG_KY or SO_PHIEU as paid; a number still owed is given now."""
        for row in self.registrations:
            if key in (row.ma_lk, row.ma_dang_ky, row.so_phieu):
                row.paid = True
                if row.number is None:
                    row.number = self._next_number(row.order.service, row.day)
                return row
        raise Refusal("Không tìm thấy lượt đăng ký", "404")

    def history(self, number: str, day: date) -> list[Registration]:
        """The visits of one document number on one day, oldest first."""
        return [row for row in self.registrations if row.day == day and row.person_number == number]

    def slots(self, service: Service, start: datetime, end: datetime) -> list[dict[str, Any]]:
        """The time slots of a service that overlap the window. Raises Refusal for a window over 31 days."""
        if end - start > _LONGEST_CALENDAR:
            raise Refusal("Khoảng thời gian tối đa 31 ngày")
        rows = []
        for offset in range((end.date() - start.date()).days + 1):
            day = start.date() + timedelta(days=offset)
            for order, (name, begins, ends, group) in enumerate(known.SLOTS, start=1):
                opens = datetime.combine(day, time.fromisoformat(begins))
                closes = datetime.combine(day, time.fromisoformat(ends))
                if closes <= start or opens >= end:
                    continue
                slot_id = f"K{service.id}-{name}"
                rows.append(
                    {
                        "ID": slot_id,
                        "THOI_GIAN_TU": begins,
                        "THOI_GIAN_DEN": ends,
                        "NGAY": day,
                        "SL_TOI_DA": known.SLOT_PLACES,
                        "SL_HIEN_TAI": self._slot_use(service, slot_id, day),
                        "THU_THU_SAP_XEP": order,
                        "NHOM_KHUNG_GIO": group,
                    }
                )
        return rows

    def _by_du_phong(self, order: Order) -> Registration | None:
        for row in self.registrations:
            if order.du_phong and row.order.du_phong == order.du_phong:
                if row.order.block.get("SO_GTTT") != order.block.get("SO_GTTT") or row.order.service != order.service:
                    raise Refusal("DU_PHONG đã dùng cho lượt đăng ký khác")
                return row
        return None

    def _patient_for(self, block: dict[str, Any], settings: Settings) -> tuple[Patient, bool]:
        code, row_id, number = block.get("MA_BN"), block.get("ID_BN"), block.get("SO_GTTT")
        same_number = [row for row in self.patients if number and row.number == number]
        if code or row_id:
            named = [
                row for row in self.patients if (not code or row.code == code) and (not row_id or row.id == row_id)
            ]
            if not named:
                raise Refusal("Không tìm thấy bệnh nhân theo ID_BN, MA_BN")
            if same_number and named[0] not in same_number:
                raise Refusal("SO_GTTT thuộc về bệnh nhân khác")
            return named[0], False
        if len(same_number) > 1:
            raise Refusal("Có nhiều hồ sơ cùng số giấy tờ")
        if same_number:
            return same_number[0], False
        return self._new_patient(block, settings), True

    def _new_patient(self, block: dict[str, Any], settings: Settings) -> Patient:
        serial = max(known.FIRST_NEW_PATIENT - 1, *(row.serial for row in self.patients)) + 1
        return Patient(
            serial=serial,
            number=block.get("SO_GTTT"),
            doc_type="CMND" if len(block.get("SO_GTTT") or "") == 9 else "CCCD",
            name=block["HO_TEN"],
            birth=block["NGAY_SINH"],
            sex=read_sex(block["GIOI_TINH"], settings.sex),
            card=block.get("MA_THE_BHYT"),
            phone=block.get("DIEN_THOAI"),
            address=block["DIA_CHI"],
            province=block["MATINH_CUTRU"],
            district=block["MAHUYEN_CU_TRU"],
            commune=block["MAXA_CU_TRU"],
            ethnicity=block["MA_DANTOC"],
        )

    def _next_number(self, service: Service, day: date, repeat: bool = False) -> int:
        last = self._last_numbers.get((service.id, day), service.last_number)
        number = last if repeat and last else last + 1
        self._last_numbers[service.id, day] = number
        return number

    def _slot_use(self, service: Service, slot_id: str, day: date) -> int:
        if service.slots_full:
            return known.SLOT_PLACES
        return sum(row.day == day and row.order.slot_id == slot_id for row in self.registrations)


def service_of(service_id: str) -> Service:
    """The service with this ID_DICH_VU. Raises Refusal for an unknown one."""
    for service in known.SERVICES:
        if service.id == service_id:
            return service
    raise Refusal(f"Không có dịch vụ {service_id}")


def patient_row(patient: Patient, settings: Settings) -> dict[str, Any]:
    """The `data` object of `/benhnhan` for one patient (his-kiosk-c06.md 3, call 6).

    The field profile echoes the number; a bare row says its code only.
    """
    family, _, given = patient.name.rpartition(" ")
    row: dict[str, Any] = {
        "ID_BN": patient.id,
        "MA_BN": patient.code,
        "HO_TEN": patient.name,
        "HO_BN": family,
        "TEN_BN": given,
        "MATINH_CUTRU": patient.province,
        "MAHUYEN_CU_TRU": patient.district,
        "MAXA_CU_TRU": patient.commune,
        "MA_DANTOC": patient.ethnicity,
        "MA_QUOCTICH": "VN",
        "MA_NGHE_NGHIEP": "00000",
        "DIA_CHI": patient.address,
        "NGAY_SINH": birth_value(patient.birth),
        "GIOI_TINH": SexCode(patient.sex),
        "NHOM_MAU": None,
        "EMAIL": None,
        "DIEN_THOAI": patient.phone,
        "MA_DINH_DANH": patient.number if patient.doc_type == "CCCD" else None,
        "MA_THE_BHYT": patient.card,
    }
    if settings.profile == "field":
        row["SO_GTTT"] = patient.number
    return {key: value if key == "MA_BN" else None for key, value in row.items()} if patient.bare else row


def _same_person(row: Registration, patient: Patient, order: Order) -> bool:
    number = order.block.get("SO_GTTT")
    return row.patient.code == patient.code or (number is not None and row.person_number == number)
