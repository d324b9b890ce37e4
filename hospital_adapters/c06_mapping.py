"""Our words to C06 fields and back: the registration's body, a patient, a receipt. Pure (his-kiosk-c06.md 3, 4, 7)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from hospital_adapters import c06_wire as wire
from hospital_adapters.c06_settings import C06Settings
from kiosk.documents.card_number import classify_number
from kiosk.documents.text import letters, same_name
from kiosk.errors import HospitalOutcomeUnknown, HospitalRejected
from kiosk.hospital_model import Encounter, MatchKind, PatientMatch, PatientRef, Receipt, TicketLine
from kiosk.model import VIETNAM, Identity, KeyKind, PartialDate, Sex

_DU_PHONG_START = "CK1;id="
_DU_PHONG_LIMIT = 64
READ_SEX = {
    "standard": {"0": Sex.FEMALE, "1": Sex.MALE, "2": Sex.FEMALE},
    "reversed": {"1": Sex.FEMALE, "2": Sex.MALE},
}
WRITE_SEX = {"standard": {Sex.MALE: 1, Sex.FEMALE: 2}, "reversed": {Sex.FEMALE: 1, Sex.MALE: 2}}
_SEX_UNKNOWN = 3
DATA_UNUSABLE = "c06.data_unusable"


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


def registration(encounter: Encounter, facility: str, settings: C06Settings) -> dict[str, Any]:
    """The body of ``/dangky-kcb`` (section 4), all fields of its tables present.

    The card goes along only on an insured service with a card that the gateway confirmed. HospitalRejected, nothing
    sent: ``c06.incomplete_identity`` without name or birth date, ``c06.patient_many`` and ``c06.patient_mismatch``
    where staff must first say who this is.
    """
    patient = encounter.patient
    if patient is not None and patient.kind in (MatchKind.MANY, MatchKind.MISMATCH):
        raise HospitalRejected(f"c06.patient_{patient.kind}")
    ref = patient.ref if patient is not None else None
    service, mark = encounter.service, du_phong(encounter.checkin_id)
    return {
        "THONG_TIN_BN": {
            **_person(encounter.identity, ref or PatientRef(None, None), settings),
            **_card(encounter),
            "MA_DOITUONG_KCB": None,
            "NGAY_VAO": local_time(encounter.happened_at),
            "NGAY_VAO_NOI_TRU": None,
            "LY_DO_VNT": None,
            "MA_LY_DO_VNT": None,
            "MA_LOAI_KCB": "01",
            "MA_CSKCB": facility,
            "ANH_BN_CCCD": None,
        },
        "THONG_TIN_DICH_VU": {
            "ID_KHOA": service.department_id,
            "ID_DICH_VU": service.id,
            "TEN_DICH_VU": service.name,
            "DON_GIA_DICH_VU": _json_number(service.price),
            "ID_KHUNG_THOI_GIAN": None,
            "ID_LOAI_KHAM": service.exam_type,
            "DU_PHONG": mark,
        },
        "ID_LOAI_KHAM": service.exam_type,
        "DU_PHONG": mark,
        "SO_GIAY_CHUYEN_TUYEN": None,
        "MA_BENH_CHUYEN_TUYEN": None,
        "DON_VI_CHUYEN_TUYEN": None,
    }


def _person(identity: Identity, ref: PatientRef, settings: C06Settings) -> dict[str, Any]:
    name = " ".join((wire.text(identity.full_name) or "").upper().split())
    if not name or identity.birth_date is None:
        raise HospitalRejected("c06.incomplete_identity")
    family, given = _split(name, settings.name_split)
    return {
        "ID_BN": ref.id,
        "MA_BN": ref.code or "",
        "HO_TEN": name,
        "HO_BN": family,
        "TEN_BN": given,
        "MATINH_CUTRU": settings.province_code,
        "MAHUYEN_CU_TRU": settings.district,
        "MAXA_CU_TRU": settings.commune_code,
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


def signed_value(body: Mapping[str, Any], field: str) -> str | None:
    """A field of our body as it is signed: from the patient block, the service block or the root; None when absent."""
    for block in (body["THONG_TIN_BN"], body["THONG_TIN_DICH_VU"], body):
        if field in block:
            return None if block[field] is None else str(block[field])
    return None


def receipt_of(data: Any, sent: Mapping[str, Any], encounter: Encounter) -> Receipt:
    """The receipt in a good answer of ``/dangky-kcb``.

    *sent* is the body of our request. Unusable *data* gives a receipt that carries no number and
    ``raw_status`` ``c06.data_unusable``: registered all the same. HospitalOutcomeUnknown ``c06.wrong_person`` when the
    answer speaks of somebody else: a visit exists by now, but whose, only staff can see.
    """
    if not isinstance(data, dict):
        return Receipt(raw_status=DATA_UNUSABLE)
    if _somebody_else(section(data, "THONG_TIN_BN", "THONG_TIN_BENH_NHAN"), sent["THONG_TIN_BN"]):
        raise HospitalOutcomeUnknown("c06.wrong_person")
    return visit_receipt(data, encounter.service.name, encounter.service.department)


def visit_receipt(visit: Mapping[str, Any], room: str | None, department: str | None) -> Receipt:
    """One visit, whether its fields are grouped as in the answer of ``/dangky-kcb`` or stand side by side.

    The queue number is text as the HIS wrote it; null, empty and 0 mean none (section 5).
    """
    person = section(visit, "THONG_TIN_BN", "THONG_TIN_BENH_NHAN") or visit
    admission = section(visit, "THONG_TIN_TIEP_NHAN") or visit
    registered = section(visit, "THONG_TIN_DANG_KY") or visit
    number = wire.text(admission.get("STT_LK"))
    has_number = number is not None and number.strip("0") != ""
    return Receipt(
        visit_id=wire.text(admission.get("MA_LK")) or wire.text(admission.get("ID_LK")),
        patient_code=wire.text(person.get("MA_BN")),
        registration_id=wire.text(registered.get("MA_DANG_KY")) or wire.text(registered.get("ID_DANG_KY")),
        tickets=(TicketLine(number, room, department),) if number and has_number else (),
        amount=wire.money(registered.get("DON_GIA_DANG_KY")),
        raw_status=wire.text(admission.get("TRANG_THAI_LK")),
    )


def section(data: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    """The first of these inner objects; an empty one when there is none."""
    return next((data[name] for name in names if isinstance(data.get(name), dict)), {})


def _somebody_else(echo: Mapping[str, Any], sent: Mapping[str, Any]) -> bool:
    for field in ("ID_BN", "MA_BN", "SO_GTTT"):
        echoed = wire.text(echo.get(field))
        if echoed and sent[field] and echoed != sent[field]:
            return True
    name = wire.text(echo.get("HO_TEN"))
    return name is not None and not same_name(name, sent["HO_TEN"])


def match_of(data: Any, asked: Identity, number: str, settings: C06Settings) -> PatientMatch | None:
    """Who ``/benhnhan`` names, compared with the document; None when *data* is no patient.

    Two or more rows are MANY. ``differences`` are words of name, birth_year, sex, personal_id; what either side does
    not know does not differ. A person who differs is not handed on, so that no wrong name can be shown.
    """
    if isinstance(data, list):
        if len(data) != 1:
            return PatientMatch(MatchKind.MANY if data else MatchKind.NONE)
        data = data[0]
    if not isinstance(data, dict):
        return None
    ref = PatientRef(wire.text(data.get("ID_BN")), wire.text(data.get("MA_BN")))
    if ref.id is None and ref.code is None:
        return None
    known = _known(data, settings)
    differences = _differences(asked, known)
    if differences:
        return PatientMatch(MatchKind.MISMATCH, ref, differences=differences)
    person = Identity(
        personal_id=known.personal_id or asked.personal_id,
        old_id=number if number == asked.old_id else None,
        full_name=known.full_name,
        birth_date=known.birth_date,
        sex=known.sex,
        address=known.address,
    )
    return PatientMatch(MatchKind.ONE, ref, person)


def _known(row: Mapping[str, Any], settings: C06Settings) -> Identity:
    parts = (wire.text(row.get("HO_BN")), wire.text(row.get("TEN_BN")))
    numbers = (classify_number(wire.text(row.get(key)) or "") for key in ("SO_GTTT", "MA_DINH_DANH"))
    return Identity(
        personal_id=next((found[1] for found in numbers if found and found[0] is KeyKind.PERSONAL_12), None),
        full_name=wire.text(row.get("HO_TEN")) or " ".join(part for part in parts if part) or None,
        birth_date=wire.day(row.get("NGAY_SINH")),
        sex=READ_SEX[settings.sex].get(wire.text(row.get("GIOI_TINH")) or ""),
        address=wire.text(row.get("DIA_CHI")),
    )


def _differences(asked: Identity, known: Identity) -> tuple[str, ...]:
    pairs: tuple[tuple[str, Any, Any], ...] = (
        ("name", asked.full_name and letters(asked.full_name), known.full_name and letters(known.full_name)),
        ("birth_year", asked.birth_date and asked.birth_date.year, known.birth_date and known.birth_date.year),
        ("sex", asked.sex, known.sex),
        ("personal_id", asked.personal_id, known.personal_id),
    )
    return tuple(word for word, ours, theirs in pairs if ours and theirs and ours != theirs)
