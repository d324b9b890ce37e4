"""The invented hospital behind the C06 simulator: exam types, departments, services, people, code lists.

Everything follows his-kiosk-c06.md section 11; validity offsets and card heads of people who also live in the
insurance simulator follow insurance-gateway.md 8.3, so both can run side by side. Facility 99001 in this module is a
placeholder: `covers` puts the configured facility in its place. All people are fictitious.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

PLACEHOLDER_FACILITY = "99001"

Sex = Literal["M", "F"]
Price = int | str | None


@dataclass(frozen=True)
class ExamType:
    """One row of `GET /loai-kham`; the price is in whole đồng."""

    id: str
    name: str
    price: int


@dataclass(frozen=True)
class Department:
    """One row of `GET /khoa`: numeric id, code, name and site (A or B)."""

    id: str
    code: str
    name: str
    area: str


@dataclass(frozen=True)
class Service:
    """One consulting room with its service, a row of `GET /dichvu`.

    `exam_type` is written as this HIS writes it (507 says "001" where `/loai-kham` says "1"); prices are in đồng and
    may be texts (511) or missing (512) on purpose. `offered` None: left out of `/khoa/dichvu-cotontai`. `last_number`
    is the number already given out today; `places_left` None: no limit.
    """

    id: str
    code: str
    department: str
    exam_type: str
    name: str
    price: Price
    insured_price: Price
    surcharge: Price
    offered: bool | None = True
    slots_full: bool = False
    last_number: int = 0
    places_left: int | None = None

    @property
    def room_id(self) -> str:
        """Id of the consulting room in the field profile."""
        return "P" + self.id

    @property
    def room_code(self) -> str:
        """Code of the consulting room in the field profile."""
        return "PK-" + self.code

    @property
    def room_name(self) -> str:
        """Name of the consulting room in the field profile."""
        return f"Phòng {int(self.id) - 400}"


EXAM_TYPES = (
    ExamType("1", "Khám bảo hiểm", 45000),
    ExamType("2", "Khám yêu cầu", 150000),
    ExamType("0", "Khám dịch vụ", 100000),
)

DEPARTMENTS = (
    Department("11", "KNOI", "Khoa Nội", "A"),
    Department("12", "KNGO", "Khoa Ngoại", "A"),
    Department("13", "KNHI", "Khoa Nhi", "B"),
    Department("14", "KSAN", "Khoa Sản", "B"),
    Department("15", "KTMH", "Khoa Tai mũi họng - Mắt", "A"),
)

SERVICES = (
    Service("501", "NOI01", "KNOI", "1", "Khám Nội - phòng 101", 45000, 45000, 0, last_number=22),
    Service("502", "NOI02", "KNOI", "1", "Khám Nội - phòng 102", 45000, 45000, 0),
    Service("503", "NOI03", "KNOI", "1", "Khám Tim mạch - phòng 103", 45000, 45000, 0, last_number=19, places_left=1),
    Service("504", "NOI04", "KNOI", "2", "Khám Nội theo yêu cầu", 150000, 45000, 105000),
    Service("505", "NGO01", "KNGO", "1", "Khám Ngoại", 45000, 45000, 0),
    Service("506", "NGO02", "KNGO", "0", "Khám Ngoại dịch vụ", 100000, 0, 0),
    Service("507", "NHI01", "KNHI", "001", "Khám Nhi", 45000, 45000, 0),
    Service("508", "NHI02", "KNHI", "002", "Khám Nhi theo yêu cầu", 150000, 45000, 105000),
    Service("509", "SAN01", "KSAN", "1", "Khám Sản", 45000, 45000, 0),
    Service("510", "SAN02", "KSAN", "0", "Khám Sản dịch vụ", 100000, 0, 0, offered=False),
    Service("511", "TMH01", "KTMH", "1", "Khám Tai mũi họng", "45000", "45000", "0", slots_full=True),
    Service("512", "MAT01", "KTMH", "0", "Khám Mắt dịch vụ", None, None, None, offered=None),
)

SLOTS = (("1", "07:00", "09:00", "SANG"), ("2", "09:00", "11:00", "SANG"), ("3", "13:00", "15:00", "CHIEU"))
SLOT_PLACES = 20


def same_exam_type(one: str, other: str) -> bool:
    """Whether two exam type ids mean the same: exact, or equal without leading zeros (his-kiosk-c06.md 6, row 7)."""
    return one == other or (one.lstrip("0") or "0") == (other.lstrip("0") or "0")


@dataclass
class Patient:
    """One patient row of the HIS.

    `number` is the document number it is stored under, `doc_type` CCCD or CMND; `birth` is `yyyy-MM-dd` or `yyyy`.
    A `bare` row returns its code only, every other field null.
    """

    serial: int
    number: str | None
    doc_type: str
    name: str
    birth: str
    sex: Sex | None
    card: str | None = None
    phone: str | None = None
    address: str = "Ấp Thử 1, xã Mẫu"
    province: str = "92"
    district: str = ""
    commune: str = "31459"
    ethnicity: str = "01"
    bare: bool = False

    @property
    def id(self) -> str:
        """ID_BN: 101 for BN000001."""
        return str(100 + self.serial)

    @property
    def code(self) -> str:
        """MA_BN: BN and six digits."""
        return f"BN{self.serial:06d}"


FIRST_NEW_PATIENT = 101
BOOKED_NUMBER = "099150000004"
BOOKED_SERVICE = "501"


def patients() -> list[Patient]:
    """The people whom the HIS knows at start, persons 1 to 10 of his-kiosk-c06.md section 11, 9 twice, and a child."""
    return [
        Patient(1, "099190000001", "CCCD", "TRẦN THỊ MẪU", "1990-09-02", "F", "DN4999900000001", "0900000001"),
        Patient(2, "099075000003", "CCCD", "PHẠM VĂN THÍ DỤ", "1975-03-15", "M", "HN2999900000003", "0900000003"),
        Patient(3, BOOKED_NUMBER, "CCCD", "VÕ THỊ MÔ PHỎNG", "1950-10-20", "F", "HT3999900000004"),
        Patient(4, "099048000005", "CCCD", "HUỲNH VĂN NĂM", "1948-01-01", "M", "GD4999900000005"),
        Patient(5, "099077000013", "CCCD", "ĐỖ VĂN HẾT", "1977-01-13", "M", "GD4999900000013"),
        Patient(6, "099199000014", "CCCD", "HỒ THỊ KHÔNG", "1999-02-14", "F"),
        Patient(7, "099080000030", "CCCD", "SƠN VĂN KHÁC", "1980-10-30", "M", "DN4999900000030"),
        Patient(8, "099000108", "CMND", "LƯU THỊ SỐ CŨ", "1988-08-18", "F"),
        Patient(9, "099186000109", "CCCD", "KIM VĂN TRÙNG", "1986-06-09", "M", "DN4999900000109"),
        Patient(19, "099186000109", "CCCD", "KIM VĂN TRÙNG", "1986-06-09", "M"),
        Patient(11, "099219000031", "CCCD", "LÊ BÉ CÓ SỐ", "2019-05-05", "M", "TE1999900000031"),
        Patient(10, "099201000110", "CCCD", "THÁI VĂN TRỐNG", "2001-01-10", "M", bare=True),
    ]


@dataclass(frozen=True)
class Cover:
    """What `GET /bhyt` says about one number: PHAN_TUYEN 1 right, 2 off, 3 free route; `accepted` is TIEP_NHAN_BHYT."""

    number: str
    name: str
    birth: str
    sex: Sex
    card: str
    registered_at: str
    valid_from: date
    valid_to: date
    route: int
    accepted: bool
    result_code: str | None
    result_text: str | None


# Numbers for which the insurance call itself fails with 999, whatever else is asked.
COVER_FAILS = frozenset({"099188000108", "099000108", "099174000024"})

_VALID = ("000", "Thông tin thẻ BHYT chính xác")
_EXPIRED = ("010", "Thẻ hết giá trị sử dụng")
_REVOKED = ("110", "Thẻ đã thu hồi")
_COVERS: tuple[tuple[str, str, str, Sex, str, str, int, int, int, bool, str | None, str | None], ...] = (
    ("099190000001", "TRẦN THỊ MẪU", "1990-09-02", "F", "DN4999900000001", "99001", -200, 165, 1, True, *_VALID),
    ("099075000003", "PHẠM VĂN THÍ DỤ", "1975-03-15", "M", "HN2999900000003", "99002", -100, 265, 2, True, *_VALID),
    ("099150000004", "VÕ THỊ MÔ PHỎNG", "1950-10-20", "F", "HT3999900000004", "99001", -300, 400, 3, True, *_VALID),
    ("099048000005", "HUỲNH VĂN NĂM", "1948", "M", "GD4999900000005", "99001", -30, 335, 1, True, *_VALID),
    ("099077000013", "ĐỖ VĂN HẾT", "1977-01-13", "M", "GD4999900000013", "99001", -400, -35, 1, False, *_EXPIRED),
    ("099080000030", "SƠN VĂN LỆCH", "1980-10-30", "M", "DN4999900000030", "99001", -20, 345, 1, True, None, None),
    ("099186000109", "KIM VĂN TRÙNG", "1986-06-09", "M", "DN4999900000109", "99001", -100, 265, 1, True, *_VALID),
    ("099201000110", "THÁI VĂN TRỐNG", "2001-01-10", "M", "DN4999900000110", "99001", -50, 315, 1, True, *_VALID),
    ("099195000006", "ĐẶNG THỊ XA", "1995-05-05", "F", "SV4999900000006", "99050", -60, 300, 2, True, *_VALID),
    ("099166000016", "CAO THỊ THU HỒI", "1966-06-16", "F", "GD4999900000016", "99001", -90, 275, 1, False, *_REVOKED),
)


def covers(facility: str, today: date) -> dict[str, Cover]:
    """Insurance answers by document number, validity counted from `today`; `facility` stands in for 99001."""
    found = {}
    for number, name, birth, sex, card, place, start, end, route, accepted, code, text in _COVERS:
        found[number] = Cover(
            number,
            name,
            birth,
            sex,
            card,
            facility if place == PLACEHOLDER_FACILITY else place,
            today + timedelta(days=start),
            today + timedelta(days=end),
            route,
            accepted,
            code,
            text,
        )
    return found


# Small answers of the code-list calls seen in the field: (path, rows).
CODE_LISTS: dict[str, list[dict[str, str]]] = {
    "tinh-huyen-xa2": [
        {"MA_TINH": "92", "TEN_TINH": "Thành phố Cần Thơ", "MA_XA": "31321", "TEN_XA": "Phường Vị Thanh"},
        {"MA_TINH": "92", "TEN_TINH": "Thành phố Cần Thơ", "MA_XA": "31333", "TEN_XA": "Phường Vị Tân"},
        {"MA_TINH": "92", "TEN_TINH": "Thành phố Cần Thơ", "MA_XA": "31459", "TEN_XA": "Xã Vĩnh Tường"},
    ],
    "quoc-gia": [{"MA_QUOCTICH": "VN", "TEN_QUOCTICH": "Việt Nam"}, {"MA_QUOCTICH": "KH", "TEN_QUOCTICH": "Campuchia"}],
    "dan-toc": [
        {"MA_DANTOC": "01", "TEN_DANTOC": "Kinh"},
        {"MA_DANTOC": "04", "TEN_DANTOC": "Hoa"},
        {"MA_DANTOC": "05", "TEN_DANTOC": "Khơ-me"},
        {"MA_DANTOC": "99", "TEN_DANTOC": "Không rõ"},
    ],
    "nghe-nghiep": [
        {"MA_NGHE_NGHIEP": "00000", "TEN_NGHE_NGHIEP": "Không rõ"},
        {"MA_NGHE_NGHIEP": "60000", "TEN_NGHE_NGHIEP": "Lao động có kỹ năng trong nông nghiệp"},
    ],
}
