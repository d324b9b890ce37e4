"""The body of ``/dangky-kcb`` in both profiles. Pure (his-kiosk-c06.md 4, 6, 7)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from hospital_adapters import c06_wire as wire
from hospital_adapters.c06_address import home_codes
from hospital_adapters.c06_mapping import WRITE_SEX
from hospital_adapters.c06_menu import room_of
from hospital_adapters.c06_settings import C06Settings
from kiosk.errors import HospitalRejected
from kiosk.hospital_model import Encounter, MatchKind, PatientRef
from kiosk.model import VIETNAM, Identity, PartialDate

PATIENT_BLOCK: Final = {"doc": "THONG_TIN_BN", "field": "THONG_TIN_BENH_NHAN"}
_SERVICE_BLOCK: Final = "THONG_TIN_DICH_VU"
_DU_PHONG_START = "CK1;id="
_DU_PHONG_LIMIT = 64
_SEX_UNKNOWN = 3
_TOGETHER = (
    ("HO_TEN", "HO_BN", "TEN_BN"),
    ("DIA_CHI", "MATINH_CUTRU", "MATINH_CU_TRU", "MAHUYEN_CU_TRU", "MAXA_CU_TRU"),
    ("SO_GTTT", "NGAY_CAP_GTTT", "NOI_CAP_GTTT"),
)
"""Fields that say one thing together: half from the HIS and half from the card could be wrong."""
_DATES = ("NGAY_SINH", "NGAY_CAP_GTTT", "GT_THE_TU", "GT_THE_DEN")


def du_phong(checkin_id: str) -> str:
    """The trace of our check-in in the HIS, at most 64 ASCII characters (8, point 5).

    HospitalRejected ``c06.checkin_id`` when the id cannot be carried; nothing was sent then.
    """
    mark = _DU_PHONG_START + checkin_id
    if not checkin_id or not mark.isascii() or not mark.isprintable() or len(mark) > _DU_PHONG_LIMIT:
        raise HospitalRejected("c06.checkin_id")
    return mark


def checkin_id(mark: Any) -> str:
    """The check-in id in a DU_PHONG that a HIS gave back; empty when it is none of ours."""
    shown = wire.text(mark) or ""
    return shown.removeprefix(_DU_PHONG_START) if shown.startswith(_DU_PHONG_START) else ""


def local_time(moment: datetime) -> str:
    """``yyyy-MM-dd HH:mm:ss`` in Vietnam, as every C06 date-time."""
    return moment.astimezone(VIETNAM).strftime("%Y-%m-%d %H:%M:%S")


def sends_row_back(encounter: Encounter, settings: C06Settings) -> bool:
    """Whether the body holds the patient's own row of ``/benhnhan``: a known patient in the profile ``field``."""
    return settings.profile == "field" and encounter.patient is not None and encounter.patient.ref is not None


def registration(
    encounter: Encounter, facility: str, settings: C06Settings, row: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The body of ``/dangky-kcb`` (section 4). *row*: the patient's own row of ``/benhnhan``, for `sends_row_back`.

    The card goes along only on an insured service with a card that the gateway confirmed. HospitalRejected, nothing
    sent: ``c06.incomplete_identity`` without name or birth date, ``c06.patient_many`` and ``c06.patient_mismatch``
    where staff must first say who this is.
    """
    patient = encounter.patient
    if patient is not None and patient.kind in (MatchKind.MANY, MatchKind.MISMATCH):
        raise HospitalRejected(f"c06.patient_{patient.kind}")
    ref = (patient.ref if patient is not None else None) or PatientRef(None, None)
    person = _person(encounter.identity, ref, settings)
    mark, exam_type = du_phong(encounter.checkin_id), encounter.service.exam_type
    if settings.profile == "field":
        return {
            "BN_UU_TIEN": int(encounter.priority),
            "ID_LOAI_KHAM": exam_type,
            "DU_PHONG": mark,
            PATIENT_BLOCK["field"]: _field_patient(encounter, person, facility, row or {}),
            _SERVICE_BLOCK: _field_service(encounter, mark),
        }
    return {
        PATIENT_BLOCK["doc"]: {
            **person,
            **_card(encounter),
            "MA_DOITUONG_KCB": None,
            **_visit(encounter, facility),
            "NGAY_VAO_NOI_TRU": None,
            "LY_DO_VNT": None,
            "MA_LY_DO_VNT": None,
            "ANH_BN_CCCD": None,
        },
        _SERVICE_BLOCK: _doc_service(encounter, mark),
        "ID_LOAI_KHAM": exam_type,
        "DU_PHONG": mark,
        # Known only is which paper somebody says to have brought, not what it says.
        "SO_GIAY_CHUYEN_TUYEN": None,
        "MA_BENH_CHUYEN_TUYEN": None,
        "DON_VI_CHUYEN_TUYEN": None,
    }


def _visit(encounter: Encounter, facility: str) -> dict[str, Any]:
    return {"NGAY_VAO": local_time(encounter.happened_at), "MA_LOAI_KCB": "01", "MA_CSKCB": facility}


def _doc_service(encounter: Encounter, mark: str) -> dict[str, Any]:
    service = encounter.service
    return {
        "ID_KHOA": service.department_id,
        "ID_DICH_VU": service.id,
        "TEN_DICH_VU": service.name,
        "DON_GIA_DICH_VU": _json_number(service.price),
        "ID_KHUNG_THOI_GIAN": None,
        "ID_LOAI_KHAM": service.exam_type,
        "DU_PHONG": mark,
    }


def _field_service(encounter: Encounter, mark: str) -> dict[str, Any]:
    service = encounter.service
    return {
        "ID_KHOA": service.department_id,
        "ID_PHONG_KHAM": room_of(service),
        "MA_DICH_VU": service.code,
        "ID_LOAI_KHAM": service.exam_type,
        "DU_PHONG": mark,
    }


def _field_patient(
    encounter: Encounter, person: Mapping[str, Any], facility: str, row: Mapping[str, Any]
) -> dict[str, Any]:
    """A new person as the card names them; a known one as the HIS holds them, its gaps filled from the card."""
    theirs = {key: _sent_back(key, value) for key, value in row.items()}
    kept = {key: value for key, value in theirs.items() if value not in (None, "")}
    told = {key for group in _TOGETHER if kept.keys() & set(group) for key in group}
    ours = {key: value for key, value in person.items() if key not in told and (key != "ID_BN" or value is not None)}
    card = {key: value for key, value in _card(encounter).items() if value is not None}
    return theirs | ours | kept | card | _visit(encounter, facility)


def _sent_back(key: str, value: Any) -> Any:
    """A field of a row as the request wants it: dates in the published form, numbers as JSON has them.

    What is nested is no part of a patient, and left out.
    """
    if key in _DATES:
        return _date_again(value)
    if isinstance(value, Decimal):
        return _json_number(value)
    return value if isinstance(value, str | int | bool) else None


def _date_again(value: Any) -> str | None:
    found = wire.day(value)
    if found is None:
        return None
    return found.exact.isoformat() if found.exact else f"{found.year:04d}"


def _person(identity: Identity, ref: PatientRef, settings: C06Settings) -> dict[str, Any]:
    name = " ".join((wire.text(identity.full_name) or "").upper().split())
    if not name or identity.birth_date is None:
        raise HospitalRejected("c06.incomplete_identity")
    family, given = _split(name, settings.name_split)
    home = home_codes(identity.address, settings)
    province = {"MATINH_CU_TRU": home.province} if settings.also_send_matinh_cu_tru else {}
    return {
        "ID_BN": ref.id,
        "MA_BN": ref.code or "",
        "HO_TEN": name,
        "HO_BN": family,
        "TEN_BN": given,
        "MATINH_CUTRU": home.province,
        **province,
        "MAHUYEN_CU_TRU": home.district,
        "MAXA_CU_TRU": home.commune,
        "MA_DANTOC": settings.ethnicity_code,
        "MA_QUOCTICH": settings.nationality_code,
        "MA_NGHE_NGHIEP": settings.occupation_code,
        "DIA_CHI": wire.text(identity.address) or "",
        "NGAY_SINH": _birth(identity.birth_date, settings.birth_year_only),
        "GIOI_TINH": WRITE_SEX[settings.sex][identity.sex] if identity.sex else _SEX_UNKNOWN,
        "NHOM_MAU": None,
        "NOI_LAM_VIEC": None,
        "DIA_CHI_LAM_VIEC": None,
        "DIEN_THOAI": None,
        "SO_GTTT": identity.personal_id or identity.old_id,
        "NGAY_CAP_GTTT": wire.iso(identity.issued_on),
        "NOI_CAP_GTTT": None,
    }


def _split(name: str, where: str) -> tuple[str, str]:
    words = name.split()
    cut = len(words) - 1 if where == "last" else 1
    family, given = " ".join(words[:cut]), " ".join(words[cut:])
    return (family, given) if given else ("", family)


def _birth(birth: PartialDate, year_only: str) -> str:
    if birth.exact:
        return birth.exact.isoformat()
    if year_only == "yyyy":
        return f"{birth.year:04d}"
    return f"{birth.year:04d}-{birth.month or 1:02d}-01"


def _card(encounter: Encounter) -> dict[str, Any]:
    confirmed = encounter.service.insured and encounter.eligibility.insured
    card = encounter.coverage if confirmed else None
    return {
        "MA_THE_BHYT": card.number if card else None,
        "MA_DKBD": card.registered_facility if card else None,
        "GT_THE_TU": wire.iso(card.valid_from) if card else None,
        "GT_THE_DEN": wire.iso(card.valid_to) if card else None,
    }


def _json_number(amount: Decimal | None) -> int | float | None:
    if amount is None:
        return None
    return int(amount) if amount == amount.to_integral_value() else float(amount)


def patient_block(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """The patient in a body of ours."""
    return next(body[name] for name in PATIENT_BLOCK.values() if name in body)


def signed_value(body: Mapping[str, Any], field: str) -> str | None:
    """A field of our body as it is signed: from the patient block, the service block or the root; None when absent."""
    for block in (patient_block(body), body[_SERVICE_BLOCK], body):
        if field in block:
            return None if block[field] is None else str(block[field])
    return None
