"""What the simulated HIS answers: the `data` of each call, before it is written out (his-kiosk-c06.md 2 to 4).

An answer function takes the hospital and the query fields and returns `data`, or raises Refusal.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from simulators import his_c06_data as known
from simulators.his_c06_checks import day, document_key, patient_key, require, window
from simulators.his_c06_modes import ForcedModes
from simulators.his_c06_registry import Order, Registration, Registry, patient_row
from simulators.his_c06_settings import Clock, Settings
from simulators.his_c06_wire import Refusal, SexCode, birth_value, read_sex

_ECHOED = (
    "HO_TEN",
    "HO_BN",
    "TEN_BN",
    "MATINH_CUTRU",
    "MAHUYEN_CU_TRU",
    "MAXA_CU_TRU",
    "MA_DANTOC",
    "MA_QUOCTICH",
    "MA_NGHE_NGHIEP",
    "DIA_CHI",
    "NHOM_MAU",
    "SO_GTTT",
    "MA_THE_BHYT",
    "MA_DKBD",
    "MA_DOITUONG_KCB",
)


class Hospital:
    """One simulated HIS: its switches, clock, tables, forced modes and the list of calls it got."""

    def __init__(self, settings: Settings) -> None:
        self._start = settings
        self.settings = settings
        self.clock = Clock(settings.today)
        self.registry = Registry(self.clock)
        self.modes = ForcedModes()
        self.calls: list[dict[str, Any]] = []

    def reset(self) -> None:
        """Back to the start: switches, clock, tables, modes, calls; held requests are let go."""
        self.settings = self._start
        self.clock.set(None, self._start.today)
        self.registry.reset()
        self.modes.reset()
        self.calls.clear()


Answer = Callable[[Hospital, Mapping[str, str]], Any]


@dataclass(frozen=True)
class Endpoint:
    """One GET call: its name (path without the leading slash), signed and otherwise known query fields, its answer.

    `signed` None: the fields of the switch SIM_SIGN_BHYT. `needs` names the switch that opens the call.
    """

    name: str
    signed: tuple[str, ...] | None
    unsigned: tuple[str, ...]
    answer: Answer
    needs: Literal["field", "history"] | None = None

    def signed_names(self, settings: Settings) -> tuple[str, ...]:
        """The query fields that the signature covers, in order."""
        return settings.sign_bhyt if self.signed is None else self.signed

    def is_open(self, settings: Settings) -> bool:
        """Whether this HIS has the call under the present switches."""
        return {"field": settings.profile == "field", "history": settings.history == "on", None: True}[self.needs]


def _exam_types(hospital: Hospital, fields: Mapping[str, str]) -> Any:
    return [_exam_type_row(row) for row in known.EXAM_TYPES]


def _departments(hospital: Hospital, fields: Mapping[str, str]) -> Any:
    wanted = fields.get("ID_LOAI_KHAM")
    if wanted and not any(known.same_exam_type(wanted, row.id) for row in known.EXAM_TYPES):
        raise Refusal("ID_LOAI_KHAM không có trong danh mục")
    offering = {row.department for row in known.SERVICES if not wanted or known.same_exam_type(row.exam_type, wanted)}
    return [_department_row(row) for row in known.DEPARTMENTS if row.code in offering]


def _services(hospital: Hospital, fields: Mapping[str, str]) -> Any:
    row_id, code = fields.get("ID_KHOA"), fields.get("MA_KHOA")
    departments = [
        row.code for row in known.DEPARTMENTS if (not row_id or row.id == row_id) and (not code or row.code == code)
    ]
    if not departments:
        raise Refusal("Không có khoa này")
    return [_service_row(row, hospital.settings) for row in known.SERVICES if row.department in departments]


def _offered(hospital: Hospital, fields: Mapping[str, str]) -> Any:
    require(fields, "MA_KHOA")
    window(fields)
    if fields["MA_KHOA"] not in [row.code for row in known.DEPARTMENTS]:
        raise Refusal("Không có khoa này")
    return [
        {"ID_DICH_VU": row.id, "CO_TON_TAI": row.offered}
        for row in known.SERVICES
        if row.department == fields["MA_KHOA"] and row.offered is not None
    ]


def _slots(hospital: Hospital, fields: Mapping[str, str]) -> Any:
    require(fields, "MA_DICH_VU")
    start, end = window(fields)
    service = next((row for row in known.SERVICES if row.code == fields["MA_DICH_VU"]), None)
    if service is None:
        raise Refusal("Không có dịch vụ này")
    slots = hospital.registry.slots(service, start, end)
    if hospital.settings.slots == "object":
        return {"GHI_CHU": None, "KHUNG_THOI_GIAN": slots}
    groups = dict.fromkeys(slot["NHOM_KHUNG_GIO"] for slot in slots)
    return [
        {"GHI_CHU": None, "KHUNG_THOI_GIAN": [slot for slot in slots if slot["NHOM_KHUNG_GIO"] == group]}
        for group in groups
    ]


def _patient(hospital: Hospital, fields: Mapping[str, str]) -> Any:
    card = fields.get("MA_THE_BHYT") if hospital.settings.by_card else None
    found = [] if card and not fields.get("SO_GTTT") else hospital.registry.find_patients(*document_key(fields))
    if card and not found:
        found = [row for row in hospital.registry.patients if row.card == card]
    if not found:
        raise Refusal("Không tìm thấy", "404")
    rows = [patient_row(patient, hospital.settings) for patient in found]
    return rows[0] if len(rows) == 1 else rows


def _cover(hospital: Hospital, fields: Mapping[str, str]) -> Any:
    number, _ = document_key(fields)
    require(fields, "HO_TEN", "GIOI_TINH")
    read_sex(fields["GIOI_TINH"], hospital.settings.sex)
    if fields.get("NGAY_SINH"):
        day(fields["NGAY_SINH"], "NGAY_SINH", year_allowed=True)
    if number in known.COVER_FAILS:
        raise Refusal("Không tra cứu được thẻ BHYT")
    cover = known.covers(hospital.settings.facility, hospital.clock.today()).get(number)
    if cover is None:
        raise Refusal("Không tìm thấy", "404")
    return {
        "HO_TEN": cover.name,
        "MA_THE_BHYT": cover.card,
        "DIA_CHI": "Ấp Thử 1, xã Mẫu",
        "NGAY_SINH": birth_value(cover.birth),
        "GIOI_TINH": SexCode(cover.sex, insurance=True),
        "MA_DKBD": cover.registered_at,
        "GT_THE_TU": cover.valid_from,
        "GT_THE_DEN": cover.valid_to,
        "PHAN_TUYEN": cover.route,
        "MA_KQ": cover.result_code,
        "TEN_KQ": cover.result_text,
        "TIEP_NHAN_BHYT": int(cover.accepted),
    }


def _history(hospital: Hospital, fields: Mapping[str, str]) -> Any:
    require(fields, "SO_GTTT", "NGAY")
    visits = hospital.registry.history(fields["SO_GTTT"], day(fields["NGAY"], "NGAY"))
    return [
        registration_data(visit, hospital.settings)
        | {"DU_PHONG": visit.order.du_phong, "ID_KHOA": _department_of(visit.order).id}
        | {"ID_DICH_VU": visit.order.service.id}
        for visit in visits
    ]


def _tree(hospital: Hospital, fields: Mapping[str, str]) -> Any:
    tree = []
    for exam_type in known.EXAM_TYPES:
        offered = [row for row in known.SERVICES if known.same_exam_type(row.exam_type, exam_type.id)]
        departments = []
        for department in known.DEPARTMENTS:
            rooms = [
                _room(row) | {"DON_GIA_PHONG_KHAM": row.price, "DICH_VU": [_service_row(row, hospital.settings)]}
                for row in offered
                if row.department == department.code
            ]
            if rooms:
                departments.append(_department_row(department) | {"PHONG_KHAM": rooms})
        tree.append(_exam_type_row(exam_type) | {"KHOA": departments})
    return tree


def _payment(hospital: Hospital, fields: Mapping[str, str]) -> Any:
    require(fields, "SO_PHIEU", "MA_HO_SO")
    for row in hospital.registry.registrations:
        if (row.so_phieu, row.ma_lk) == (fields["SO_PHIEU"], fields["MA_HO_SO"]):
            return {
                "SO_PHIEU": row.so_phieu,
                "MA_HO_SO": row.ma_lk,
                "TRANG_THAI": "Đã thanh toán" if row.paid else "Chưa thanh toán",
                "STT_LK": row.shown_number(hospital.settings),
            }
    raise Refusal("Không tìm thấy phiếu thu", "404")


def _code_list(name: str) -> Endpoint:
    return Endpoint(name, (), (), lambda hospital, fields: known.CODE_LISTS[name], needs="field")


_WINDOW = ("THOI_GIAN_BAT_DAU", "THOI_GIAN_KET_THUC")
ENDPOINTS = (
    Endpoint("loai-kham", (), (), _exam_types),
    Endpoint("khoa", (), ("ID_LOAI_KHAM",), _departments),
    Endpoint("dichvu", ("MA_KHOA",), ("ID_KHOA",), _services),
    Endpoint("khoa/dichvu-cotontai", ("MA_KHOA", *_WINDOW), (), _offered),
    Endpoint("dichvu-lichkham", ("MA_DICH_VU", *_WINDOW), (), _slots),
    Endpoint("benhnhan", ("SO_GTTT", "LOAI_GTTT"), ("DIEN_THOAI", "MA_THE_BHYT"), _patient),
    Endpoint("bhyt", None, ("SO_GTTT", "LOAI_GTTT", "HO_TEN", "GIOI_TINH", "NGAY_SINH"), _cover),
    Endpoint("lichsu-dangky", ("SO_GTTT", "NGAY"), (), _history, needs="history"),
    Endpoint("dich-vu-tree", (), (), _tree, needs="field"),
    *(_code_list(name) for name in known.CODE_LISTS),
    Endpoint("CheckStatusPayment", ("SO_PHIEU", "MA_HO_SO"), (), _payment, needs="field"),
)
REGISTER = "dangky-kcb"


def registration_data(visit: Registration, settings: Settings) -> dict[str, Any]:
    """The `data` object that answers `/dangky-kcb` (his-kiosk-c06.md section 4); the field profile adds the payment."""
    service, sent = visit.order.service, visit.order.block
    person = patient_row(visit.patient, settings) | {name: sent[name] for name in _ECHOED if sent.get(name) is not None}
    del person["DIEN_THOAI"]
    if sent.get("NGAY_SINH"):
        person["NGAY_SINH"] = birth_value(sent["NGAY_SINH"])
    if sent.get("GIOI_TINH") is not None:
        person["GIOI_TINH"] = SexCode(read_sex(sent["GIOI_TINH"], settings.sex))
    registration_id = str(7000 + visit.serial)
    place = (
        {"ID_DICH_VU": service.id, "TEN_DICH_VU": service.name}
        if settings.profile == "doc"
        else {"ID_PHONG_KHAM": service.room_id, "TEN_PHONG_KHAM": service.room_name}
    )
    line: dict[str, Any] = {
        "ID_DANG_KY": registration_id,
        "ID_CHI_TIET_DK": registration_id + "1",
        **place,
        "LOAI_DICH_VU": "KB",
    }
    line |= {"DON_VI": "Lần", "SO_LUONG": 1, "DVT": "VND", "DON_GIA": service.price, "TRANG_THAI": 1}
    data: dict[str, Any] = {
        patient_key(settings): person,
        "THONG_TIN_TIEP_NHAN": {
            "ID_LK": str(9000 + visit.serial),
            "MA_LK": visit.ma_lk,
            "MA_VV": None,
            "NGAY_VAO": visit.order.entered_at,
            "NGAY_VAO_NOI_TRU": None,
            "NGAY_RA": None,
            "TRANG_THAI_LK": 1,
            "STT_LK": visit.shown_number(settings),
        },
        "THONG_TIN_DANG_KY": {
            "ID_DANG_KY": registration_id,
            "MA_DANG_KY": visit.ma_dang_ky,
            "TEN_DANG_KY": service.name,
            "NGAY_DANG_KY": visit.day,
            "TRANG_THAI_DANG_KY": 1,
            "DON_GIA_DANG_KY": service.price,
            "MO_TA_DANG_KY": None,
            "CHI_TIET_DANG_KY": [line],
        },
    }
    if settings.profile == "field":
        data["THONG_TIN_THANH_TOAN"] = {
            "SO_PHIEU": visit.so_phieu,
            "QR_CODE": f"SIMQR|{visit.so_phieu}|{service.price}",
        }
    return data


def _department_of(order: Order) -> known.Department:
    return next(row for row in known.DEPARTMENTS if row.code == order.service.department)


def _exam_type_row(row: known.ExamType) -> dict[str, Any]:
    return {"ID_LOAI_KHAM": row.id, "TEN_LOAI_KHAM": row.name, "DON_GIA_LOAI_KHAM": row.price}


def _department_row(row: known.Department) -> dict[str, Any]:
    area = {"MA_KHU_VUC": row.area, "TEN_KHU_VUC": f"Khu {row.area}"}
    return {"ID_KHOA": row.id, "MA_KHOA": row.code, "TEN_KHOA": row.name} | area


def _room(row: known.Service) -> dict[str, Any]:
    return {"ID_PHONG_KHAM": row.room_id, "MA_PHONG_KHAM": row.room_code, "TEN_PHONG_KHAM": row.room_name}


def _service_row(row: known.Service, settings: Settings) -> dict[str, Any]:
    found = {
        "MA_KHOA": row.department,
        "ID_DICH_VU": row.id,
        "MA_DICH_VU": row.code,
        "TEN_DICH_VU": row.name,
        "ID_LOAI_KHAM": row.exam_type,
        "ID_NHOM_DICH_VU": "1",
        "MA_NHOM_DICH_VU": "KB",
        "TEN_NHOM_DICH_VU": "Khám bệnh",
        "DON_GIA_DICH_VU": row.price,
        "DON_GIA_BHYT": row.insured_price,
        "DON_GIA_THU_THEM": row.surcharge,
    }
    return found | _room(row) if settings.profile == "field" else found
