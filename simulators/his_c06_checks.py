"""What the C06 simulator demands of a request: headers, signature, query fields, the body of `/dangky-kcb`.

Sources: his-kiosk-c06.md section 1 (headers, signature), 3 (queries), 4 (body), 6 (inconsistencies and our choice).
"""

import base64
import binascii
import hmac
import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from simulators import his_c06_data as known
from simulators.his_c06_registry import Order, service_of
from simulators.his_c06_settings import Clock, Settings
from simulators.his_c06_wire import Refusal, read_sex, sign

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}")
_DOCUMENT_NUMBER = re.compile(r"\d{9}|\d{12}|[A-Z]\d{7,8}")
_CARD_NUMBER = re.compile(r"[A-Z]{2}[1-5]\d{12}(\d{2})?|\d{10}|\d{12}")
_DU_PHONG_LENGTH = 64

# May be an empty text: not on every document, or (MA_BN) a new patient. The other required texts must say something.
_MAY_BE_EMPTY = ("MA_BN", "HO_BN", "MATINH_CUTRU", "MAXA_CU_TRU", "DIA_CHI")
_MUST_BE_FILLED = ("HO_TEN", "TEN_BN", "MA_DANTOC", "MA_QUOCTICH", "MA_NGHE_NGHIEP", "NGAY_SINH")
_OPTIONAL_TEXTS = (
    "ID_BN",
    "NHOM_MAU",
    "NOI_LAM_VIEC",
    "DIA_CHI_LAM_VIEC",
    "DIEN_THOAI",
    "SO_GTTT",
    "NGAY_CAP_GTTT",
    "NOI_CAP_GTTT",
    "MA_THE_BHYT",
    "MA_DKBD",
    "GT_THE_TU",
    "GT_THE_DEN",
    "NGAY_VAO",
    "NGAY_VAO_NOI_TRU",
    "LY_DO_VNT",
    "MA_LY_DO_VNT",
    "MA_LOAI_KCB",
    "MA_CSKCB",
    "ANH_BN_CCCD",
)
_PATIENT_FIELDS = frozenset(
    [*_MAY_BE_EMPTY, *_MUST_BE_FILLED, *_OPTIONAL_TEXTS, "MAHUYEN_CU_TRU", "GIOI_TINH", "MA_DOITUONG_KCB"]
)
# A patient found by /benhnhan goes back whole in the field profile, these included.
_PATIENT_FIELDS_FIELD = _PATIENT_FIELDS | {"EMAIL", "MA_DINH_DANH"}
_SERVICE_TEXTS = {
    "doc": ("ID_KHOA", "ID_DICH_VU", "TEN_DICH_VU", "ID_KHUNG_THOI_GIAN", "ID_LOAI_KHAM", "DU_PHONG"),
    "field": (
        "ID_KHOA",
        "ID_PHONG_KHAM",
        "MA_DICH_VU",
        "ID_DICH_VU",
        "TEN_DICH_VU",
        "ID_KHUNG_THOI_GIAN",
        "ID_LOAI_KHAM",
        "DU_PHONG",
    ),
}
_SERVICE_REQUIRED = {"doc": ("ID_KHOA", "ID_DICH_VU"), "field": ("ID_KHOA", "ID_PHONG_KHAM", "MA_DICH_VU")}
_ROOT_TEXTS = ("ID_LOAI_KHAM", "DU_PHONG", "SO_GIAY_CHUYEN_TUYEN", "MA_BENH_CHUYEN_TUYEN", "DON_VI_CHUYEN_TUYEN")


def signature_fault(
    headers: Mapping[str, str], values: list[str | None], settings: Settings, clock: Clock
) -> tuple[str, str] | None:
    """None for a good signature over exactly `values`, else a short verdict and the Vietnamese message."""
    merchant, timestamp, given = (headers.get(f"x-{name}") for name in ("merchant-id", "timestamp", "sign"))
    if not merchant or not timestamp or not given:
        return "missing_header", "Thiếu x-merchant-id, x-timestamp hoặc x-sign"
    if merchant != settings.merchant:
        return "unknown_merchant", "x-merchant-id không hợp lệ"
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) == 13):
        return "bad_timestamp", "x-timestamp phải là mili giây Unix"
    if abs(clock.now().timestamp() - int(timestamp) / 1000) > settings.skew_s:
        return "skewed", "x-timestamp lệch quá giới hạn cho phép"
    expected = sign(settings.secret, merchant, timestamp, values)
    if not hmac.compare_digest(expected.encode(), given.encode()):
        return "mismatch", "Chữ ký không hợp lệ"
    return None


def require(fields: Mapping[str, str], *names: str) -> None:
    """Raise Refusal for the first of `names` that a query lacks or leaves empty."""
    for name in names:
        if not fields.get(name):
            raise Refusal(f"Thiếu trường bắt buộc {name}")


def document_key(fields: Mapping[str, str]) -> tuple[str, str]:
    """SO_GTTT and LOAI_GTTT of a query: CCCD with 12 digits or CMND with 9. Raises Refusal."""
    require(fields, "SO_GTTT", "LOAI_GTTT")
    number, doc_type = fields["SO_GTTT"], fields["LOAI_GTTT"]
    digits = {"CCCD": 12, "CMND": 9}.get(doc_type)
    if digits is None:
        raise Refusal("LOAI_GTTT không hợp lệ")
    if not re.fullmatch(rf"[0-9]{{{digits}}}", number):
        raise Refusal(f"SO_GTTT phải gồm {digits} chữ số")
    return number, doc_type


def moment(text: str, name: str) -> datetime:
    """A `yyyy-MM-dd HH:mm:ss` text. Raises Refusal naming the field."""
    try:
        if _MOMENT.fullmatch(text):
            return datetime.fromisoformat(text)
    except ValueError:
        pass
    raise Refusal(f"{name} phải có dạng yyyy-MM-dd HH:mm:ss")


def day(text: str, name: str, year_allowed: bool = False) -> date:
    """A `yyyy-MM-dd` text, or a bare year where allowed. Raises Refusal naming the field."""
    try:
        if _DATE.fullmatch(text):
            return date.fromisoformat(text)
        if year_allowed and re.fullmatch(r"[12]\d{3}", text):
            return date(int(text), 1, 1)
    except ValueError:
        pass
    raise Refusal(f"{name} phải có dạng yyyy-MM-dd")


def window(fields: Mapping[str, str]) -> tuple[datetime, datetime]:
    """The time window of calls 4 and 5. Raises Refusal."""
    require(fields, "THOI_GIAN_BAT_DAU", "THOI_GIAN_KET_THUC")
    start = moment(fields["THOI_GIAN_BAT_DAU"], "THOI_GIAN_BAT_DAU")
    end = moment(fields["THOI_GIAN_KET_THUC"], "THOI_GIAN_KET_THUC")
    if end < start:
        raise Refusal("THOI_GIAN_KET_THUC trước THOI_GIAN_BAT_DAU")
    return start, end


def patient_key(settings: Settings) -> str:
    """Name of the patient block: THONG_TIN_BN, in the field THONG_TIN_BENH_NHAN."""
    return "THONG_TIN_BN" if settings.profile == "doc" else "THONG_TIN_BENH_NHAN"


def json_object(body: bytes) -> dict[str, Any]:
    """The body as a JSON object, fractions as Decimal. Raises Refusal for anything else."""

    def no_constant(name: str) -> Any:
        raise ValueError(name)

    try:
        parsed = json.loads(body.decode("utf-8"), parse_float=Decimal, parse_constant=no_constant)
    except (ValueError, RecursionError) as error:
        raise Refusal("Nội dung không phải JSON hợp lệ") from error
    if not isinstance(parsed, dict):
        raise Refusal("Nội dung phải là một đối tượng JSON")
    return parsed


def signed_values(body: dict[str, Any], settings: Settings) -> list[str | None]:
    """The configured sign fields of `/dangky-kcb`: from the patient block, else the service block, else the root."""
    blocks = [body.get(patient_key(settings)), body.get("THONG_TIN_DICH_VU"), body]
    found: list[str | None] = []
    for name in settings.sign_dangky_kcb:
        holder = next((block for block in blocks if isinstance(block, dict) and name in block), {})
        found.append(None if holder.get(name) is None else str(holder[name]))
    return found


def unknown_keys(body: dict[str, Any], settings: Settings) -> list[str]:
    """Keys of a `/dangky-kcb` body that this HIS does not know; they are noted, never refused."""
    patient, service = body.get(patient_key(settings)), body.get("THONG_TIN_DICH_VU")
    field = settings.profile == "field"
    known_root = {*_ROOT_TEXTS, patient_key(settings), "THONG_TIN_DICH_VU"} | ({"BN_UU_TIEN"} if field else set())
    found = body.keys() - known_root
    if isinstance(patient, dict):
        found |= patient.keys() - (_PATIENT_FIELDS_FIELD if field else _PATIENT_FIELDS)
    if isinstance(service, dict):
        found |= service.keys() - {*_SERVICE_TEXTS[settings.profile], "DON_GIA_DICH_VU"}
    return sorted(found)


def order_of(body: dict[str, Any], settings: Settings, clock: Clock) -> Order:
    """A whole `/dangky-kcb` body, checked (his-kiosk-c06.md section 4). Raises Refusal naming the first wrong field."""
    if "THONG_TIN_BN" in body and "THONG_TIN_BENH_NHAN" in body:
        raise Refusal("Chỉ gửi một trong THONG_TIN_BN và THONG_TIN_BENH_NHAN")
    patient, wanted = body.get(patient_key(settings)), body.get("THONG_TIN_DICH_VU")
    if not isinstance(patient, dict):
        raise Refusal(f"Thiếu {patient_key(settings)}")
    if not isinstance(wanted, dict):
        raise Refusal("Thiếu THONG_TIN_DICH_VU")
    _check_texts(body, _ROOT_TEXTS)
    if settings.profile == "field" and body.get("BN_UU_TIEN", 0) not in (0, 1):
        raise Refusal("BN_UU_TIEN phải là 0 hoặc 1")
    _check_patient(patient, settings)
    service = _checked_service(wanted, settings)
    exam_type = _in_either_place(body, wanted, "ID_LOAI_KHAM")
    if exam_type and not any(known.same_exam_type(exam_type, row.id) for row in known.EXAM_TYPES):
        raise Refusal("ID_LOAI_KHAM không có trong danh mục")
    return Order(
        block=patient,
        service=service,
        slot_id=wanted.get("ID_KHUNG_THOI_GIAN") or None,
        du_phong=_checked_du_phong(_in_either_place(body, wanted, "DU_PHONG"), patient),
        entered_at=moment(patient["NGAY_VAO"], "NGAY_VAO") if patient.get("NGAY_VAO") else clock.local(),
    )


def _check_texts(block: dict[str, Any], names: Iterable[str]) -> None:
    for name in names:
        if block.get(name) is not None and not isinstance(block[name], str):
            raise Refusal(f"{name} phải là chuỗi")


def _check_patient(patient: dict[str, Any], settings: Settings) -> None:
    # In the field a known patient goes back as /benhnhan gave it, gaps included; a new one has no ID_BN.
    sent_back = settings.profile == "field" and bool(patient.get("MA_BN"))
    if settings.profile == "doc" and "ID_BN" not in patient:
        raise Refusal("Thiếu trường bắt buộc ID_BN")
    texts = [*_MAY_BE_EMPTY, *_MUST_BE_FILLED, "MAHUYEN_CU_TRU"]
    _check_texts(patient, [*texts, *_OPTIONAL_TEXTS])
    for name in texts:
        if patient.get(name) is None and not sent_back:
            raise Refusal(f"Thiếu trường bắt buộc {name}")
        if patient.get(name) == "" and (
            name in _MUST_BE_FILLED or (name == "MAHUYEN_CU_TRU" and settings.require_district)
        ):
            raise Refusal(f"Thiếu trường bắt buộc {name}")
    for name, digits in (("MATINH_CUTRU", 2), ("MAHUYEN_CU_TRU", 3), ("MAXA_CU_TRU", 5)):
        if patient.get(name) and not re.fullmatch(rf"[0-9]{{{digits}}}", patient[name]):
            raise Refusal(f"{name} phải gồm {digits} chữ số")
    if not (sent_back and patient.get("GIOI_TINH") is None):
        if isinstance(patient.get("GIOI_TINH"), bool) or not isinstance(patient.get("GIOI_TINH"), int):
            raise Refusal("GIOI_TINH phải là số 1, 2 hoặc 3")
        read_sex(patient["GIOI_TINH"], settings.sex)
    _check_name(patient)
    _check_dates(patient)
    if patient.get("SO_GTTT") is not None and not _DOCUMENT_NUMBER.fullmatch(patient["SO_GTTT"]):
        raise Refusal("SO_GTTT không hợp lệ")
    if patient.get("MA_THE_BHYT") is not None and not _CARD_NUMBER.fullmatch(patient["MA_THE_BHYT"]):
        raise Refusal("MA_THE_BHYT không hợp lệ")
    kind = patient.get("MA_DOITUONG_KCB")
    if kind is not None and (isinstance(kind, bool) or not isinstance(kind, int | Decimal)):
        raise Refusal("MA_DOITUONG_KCB phải là số")
    if patient.get("MA_LOAI_KCB") is not None and not re.fullmatch(r"\d{2}", patient["MA_LOAI_KCB"]):
        raise Refusal("MA_LOAI_KCB phải gồm 2 chữ số")
    if patient.get("MA_CSKCB") not in (None, settings.facility):
        raise Refusal("MA_CSKCB không phải cơ sở này")
    if patient.get("ANH_BN_CCCD") is not None:
        try:
            base64.b64decode(patient["ANH_BN_CCCD"], validate=True)
        except (binascii.Error, ValueError) as error:
            raise Refusal("ANH_BN_CCCD không phải base64") from error


def _check_name(patient: dict[str, Any]) -> None:
    name = patient.get("HO_TEN")
    if name is None:
        return
    if unicodedata.normalize("NFC", name) != name:
        raise Refusal("HO_TEN phải ở dạng Unicode NFC")
    parts = f"{patient.get('HO_BN') or ''} {patient.get('TEN_BN') or ''}".split()
    if parts and parts != name.split():
        raise Refusal("HO_BN và TEN_BN không ghép thành HO_TEN")


def _check_dates(patient: dict[str, Any]) -> None:
    if patient.get("NGAY_SINH") is not None:
        day(patient["NGAY_SINH"], "NGAY_SINH", year_allowed=True)
    if patient.get("NGAY_CAP_GTTT") is not None:
        day(patient["NGAY_CAP_GTTT"], "NGAY_CAP_GTTT")
    limits = [day(patient[name], name) for name in ("GT_THE_TU", "GT_THE_DEN") if patient.get(name) is not None]
    if limits != sorted(limits):
        raise Refusal("GT_THE_DEN trước GT_THE_TU")
    if patient.get("NGAY_VAO_NOI_TRU") is not None:
        moment(patient["NGAY_VAO_NOI_TRU"], "NGAY_VAO_NOI_TRU")


def _checked_service(wanted: dict[str, Any], settings: Settings) -> known.Service:
    _check_texts(wanted, _SERVICE_TEXTS[settings.profile])
    for name in _SERVICE_REQUIRED[settings.profile]:
        if not wanted.get(name):
            raise Refusal(f"Thiếu trường bắt buộc {name}")
    if settings.profile == "doc":
        service = service_of(wanted["ID_DICH_VU"])
    else:
        coded = [row for row in known.SERVICES if row.code == wanted["MA_DICH_VU"]]
        if not coded or coded[0].room_id != wanted["ID_PHONG_KHAM"]:
            raise Refusal("MA_DICH_VU không có tại ID_PHONG_KHAM")
        service = coded[0]
    department = next(row for row in known.DEPARTMENTS if row.code == service.department)
    if wanted["ID_KHOA"] != department.id:
        raise Refusal("Dịch vụ không thuộc ID_KHOA")
    if service.offered is False:
        raise Refusal("Dịch vụ tạm ngừng")
    price = wanted.get("DON_GIA_DICH_VU")
    if price is not None:
        if isinstance(price, bool) or not isinstance(price, int | Decimal):
            raise Refusal("DON_GIA_DICH_VU phải là số")
        if service.price is None or price != Decimal(service.price):
            raise Refusal("DON_GIA_DICH_VU khác danh mục")
    slot = wanted.get("ID_KHUNG_THOI_GIAN")
    if slot and slot not in [f"K{service.id}-{name}" for name, *_ in known.SLOTS]:
        raise Refusal("ID_KHUNG_THOI_GIAN không thuộc dịch vụ")
    return service


def _in_either_place(body: dict[str, Any], wanted: dict[str, Any], name: str) -> str | None:
    values = {value for block in (body, wanted) if (value := block.get(name))}
    if len(values) > 1:
        raise Refusal(f"{name} ở hai chỗ khác nhau")
    return values.pop() if values else None


def _checked_du_phong(text: str | None, patient: dict[str, Any]) -> str | None:
    if text is None:
        return None
    if not text.isascii() or len(text) > _DU_PHONG_LENGTH:
        raise Refusal(f"DU_PHONG phải là ASCII, tối đa {_DU_PHONG_LENGTH} ký tự")
    if any(patient.get(name) and patient[name] in text for name in ("SO_GTTT", "MA_THE_BHYT", "DIEN_THOAI")):
        raise Refusal("DU_PHONG không được chứa dữ liệu cá nhân")
    return text
