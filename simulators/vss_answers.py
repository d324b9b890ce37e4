"""Answers of `KQNhanLichSuKCB2024` as the gateway words and fills them (insurance-gateway.md 2.5, 3 and 8.2). Pure."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from simulators.vss_people import Person, Validity, day_from

Answer = dict[str, Any]

CODE_TEXTS = {
    "000": "Thông tin thẻ BHYT chính xác",
    "001": "Thẻ do BHXH Bộ Quốc phòng quản lý, đề nghị kiểm tra thẻ và giấy tờ tùy thân",
    "002": "Thẻ do BHXH Bộ Công an quản lý, đề nghị kiểm tra thẻ và giấy tờ tùy thân",
    "003": "Thẻ cũ hết giá trị sử dụng, được cấp thẻ mới",
    "004": "Thẻ cũ còn giá trị sử dụng, được cấp thẻ mới",
    "010": "Thẻ hết giá trị sử dụng",
    "050": "Không có thông tin thẻ BHYT",
    "051": "Mã thẻ không đúng",
    "052": "Mã tỉnh cấp thẻ (ký tự 4,5) không đúng",
    "053": "Mã quyền lợi (ký tự 3) không đúng",
    "054": "Số CCCD cán bộ tra cứu không có trong danh sách CSKCB đăng ký",
    "055": "Họ tên cán bộ tra cứu không khớp số CCCD",
    "060": "Thẻ sai họ tên",
    "061": "Thẻ sai họ tên (đúng ký tự đầu)",
    "070": "Thẻ sai ngày sinh",
    "100": "Lỗi khi lấy dữ liệu sổ thẻ",
    "101": "Lỗi server",
    "110": "Thẻ đã thu hồi",
    "120": "Thẻ đã báo giảm",
    "121": "Đã báo giảm chuyển ngoại tỉnh",
    "122": "Đã báo giảm chuyển nội tỉnh",
    "123": "Đã báo giảm do tăng lại cùng đơn vị",
    "124": "Đã báo giảm ngừng tham gia",
    "130": "Trẻ em không xuất trình thẻ",
    "205": "Sai định dạng tham số",
    "401": "Lỗi xác thực tài khoản",
    "500": "Lỗi máy chủ",
}

DATE_FIELDS = ("ngaySinh", "gtTheTu", "gtTheDen", "ngayDu5Nam", "gtTheTuMoi", "gtTheDenMoi")

_CARD_FIELDS = ("maTheMoi", "gtTheTuMoi", "gtTheDenMoi", "maDKBDMoi", "tenDKBDMoi")
_FIELDS = (
    *("maKetQua", "ghiChu", "maThe", "hoTen", "ngaySinh", "gioiTinh", "diaChi", "maDKBD", "cqBHXH", "gtTheTu"),
    *("gtTheDen", "maKV", "ngayDu5Nam", "maSoBHXH", "maTheCu", *_CARD_FIELDS, "dsLichSuKCB2018", "dsLichSuKT2018"),
)
_WITHOUT_DATA = frozenset({"050", "051", "052", "053", "054", "055", "100", "101", "130", "205", "401", "500"})
_NO_OTHER_CARD = frozenset({"010", "110", "120", "121", "122", "123", "124"})
_REFUSED_TOKEN = {"maKetQua": "401", "ghiChu": "Token không hợp lệ"}


def refused_token() -> Answer:
    """The body that goes with a refused token."""
    return dict(_REFUSED_TOKEN)


def bare(code: str) -> Answer:
    """An answer with code and text only; the other fields are null."""
    return dict.fromkeys(_FIELDS) | {"maKetQua": code, "ghiChu": CODE_TEXTS.get(code, f"Mã kết quả {code}")}


def about(person: Person, code: str, today: date, checks: Sequence[Answer] = ()) -> Answer:
    """The answer `code` about `person`; codes that tell nothing about the holder give `bare(code)`.

    `checks` are earlier lookups (dsLichSuKT2018). Dates are `dd/mm/yyyy`, or `yyyy` for a year-only birth date.
    """
    answer = bare(code)
    if code in _WITHOUT_DATA:
        return answer
    answer |= {
        "maThe": person.card,
        "hoTen": person.name.title(),
        "ngaySinh": "/".join(reversed(person.birth_date(today).split("-"))),
        "gioiTinh": "Nữ" if person.sex == "F" else "Nam",
        "diaChi": person.address,
        "maDKBD": person.facility,
        "cqBHXH": "BHXH cơ sở Mô Phỏng",
        "maKV": person.living_area,
        "ngayDu5Nam": _day(today, person.five_years),
        "maSoBHXH": person.bhxh_number,
        "maTheCu": "",
        "dsLichSuKCB2018": _visits(person, today),
        "dsLichSuKT2018": list(checks),
    }
    answer["gtTheTu"], answer["gtTheDen"] = _span(today, person.validity)
    if code not in _NO_OTHER_CARD:
        answer |= _newest_card(person, today)
    answer["ghiChu"] = _sentence(answer)
    return answer


def check_entry(account: str, at: datetime, code: str) -> Answer:
    """One row of dsLichSuKT2018: who asked, when (yyyyMMddHHmm, UTC+7), with which outcome."""
    text = CODE_TEXTS.get(code, "")
    return {"userKT": account, "thoiGianKT": f"{at:%Y%m%d%H%M}", "thongBao": text, "maLoi": code}


def earlier_checks(person: Person, own_facility: str, now: datetime) -> list[Answer]:
    """Lookups that other facilities made before the simulator started: person 28 was looked up two hours ago."""
    if not person.checked_elsewhere:
        return []
    other = "99002" if own_facility != "99002" else "99001"
    return [check_entry(f"{other}_BV", now - timedelta(hours=2), "000")]


def _newest_card(person: Person, today: date) -> Answer:
    new = person.new_card
    validity = person.validity if new is None else new.validity
    facility = person.facility if new is None else new.facility
    number = person.card if new is None else f"{new.head}{person.bhxh_number}"
    since, until = _span(today, validity)
    return dict(zip(_CARD_FIELDS, (number, since, until, facility, f"Cơ sở y tế Mô Phỏng {facility}"), strict=True))


def _visits(person: Person, today: date) -> list[Answer] | None:
    if not person.checked_elsewhere:
        return None
    visit = {
        "maHoSo": "SIM-1",
        "maCSKCB": person.facility,
        "ngayVao": f"{day_from(today, -33):%Y%m%d}0800",
        "ngayRa": f"{day_from(today, -30):%Y%m%d}1000",
        "tenBenh": "Bệnh mô phỏng",
        "tinhTrang": "1",
        "kqDieuTri": "2",
        "lyDoVV": "1",
    }
    return [visit | dict.fromkeys((f"TEMP{n}" for n in range(1, 6)), "")]


def _sentence(answer: Answer) -> str:
    text = CODE_TEXTS.get(answer["maKetQua"], f"Mã kết quả {answer['maKetQua']}")
    return (
        f"{text}! (Họ tên: {answer['hoTen']}, Ngày sinh: {answer['ngaySinh']}, Giới tính: {answer['gioiTinh']}, "
        f"Địa chỉ: {answer['diaChi']}; Nơi ĐKKCBBĐ: {answer['maDKBD']}; Hạn thẻ: {answer['gtTheTu']} - "
        f"{answer['gtTheDen']}; Thời điểm đủ 5 năm liên tục: {answer['ngayDu5Nam']})."
    )


def _span(today: date, validity: Validity | None) -> tuple[str, str]:
    return ("", "") if validity is None else (_day(today, validity[0]), _day(today, validity[1]))


def _day(today: date, offset: int) -> str:
    return f"{day_from(today, offset):%d/%m/%Y}"
