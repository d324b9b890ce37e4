"""What C06 fields say in our words: a receipt, a patient. Pure (his-kiosk-c06.md 3, 4, 7)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hospital_adapters import c06_wire as wire
from hospital_adapters.c06_settings import C06Settings
from kiosk.documents.card_number import classify_number
from kiosk.documents.text import letters, same_name
from kiosk.errors import HospitalOutcomeUnknown
from kiosk.hospital_model import (
    MOST_TICKET,
    Encounter,
    MatchedBy,
    MatchKind,
    PatientMatch,
    PatientRef,
    Receipt,
    TicketLine,
)
from kiosk.model import Identity, KeyKind, Sex

READ_SEX = {
    "standard": {"0": Sex.FEMALE, "1": Sex.MALE, "2": Sex.FEMALE},
    "reversed": {"1": Sex.FEMALE, "2": Sex.MALE},
}
WRITE_SEX = {"standard": {Sex.MALE: 1, Sex.FEMALE: 2}, "reversed": {Sex.FEMALE: 1, Sex.MALE: 2}}
DATA_UNUSABLE = "c06.data_unusable"


def receipt_of(data: Any, sent: Mapping[str, Any], encounter: Encounter) -> Receipt:
    """The receipt in a good answer of ``/dangky-kcb``.

    *sent* is the patient block of our request. Unusable *data* gives a receipt that carries no number and
    ``raw_status`` ``c06.data_unusable``: registered all the same. HospitalOutcomeUnknown ``c06.wrong_person`` when the
    answer speaks of somebody else: a visit exists by now, but whose, only staff can see.
    """
    if not isinstance(data, dict):
        return Receipt(raw_status=DATA_UNUSABLE)
    if _somebody_else(section(data, "THONG_TIN_BN", "THONG_TIN_BENH_NHAN"), sent, encounter.identity):
        raise HospitalOutcomeUnknown("c06.wrong_person")
    return visit_receipt(data, encounter.service.name, encounter.service.department)


def visit_receipt(visit: Mapping[str, Any], room: str | None, department: str | None) -> Receipt:
    """One visit, whether its fields are grouped as in the answer of ``/dangky-kcb`` or stand side by side.

    The queue number is text as the HIS wrote it; null, empty and 0 mean none (section 5). A line of the registration
    that has a number of its own is another ticket. The barcode is MA_LK.
    """
    person = section(visit, "THONG_TIN_BN", "THONG_TIN_BENH_NHAN") or visit
    admission = section(visit, "THONG_TIN_TIEP_NHAN") or visit
    registered = section(visit, "THONG_TIN_DANG_KY") or visit
    visit_id = wire.text(admission.get("MA_LK"))
    return Receipt(
        visit_id=visit_id or wire.text(admission.get("ID_LK")),
        patient_code=wire.text(person.get("MA_BN")),
        registration_id=wire.text(registered.get("MA_DANG_KY")) or wire.text(registered.get("ID_DANG_KY")),
        tickets=_tickets(admission, registered, room, department),
        amount=wire.money(registered.get("DON_GIA_DANG_KY")),
        raw_status=wire.text(admission.get("TRANG_THAI_LK")),
        barcode=visit_id if visit_id and visit_id.isascii() else None,
    )


def _tickets(
    admission: Mapping[str, Any], registered: Mapping[str, Any], room: str | None, department: str | None
) -> tuple[TicketLine, ...]:
    details = registered.get("CHI_TIET_DANG_KY")
    lines = [line for line in details if isinstance(line, dict)] if isinstance(details, list) else []
    rooms = [wire.text(line.get("TEN_PHONG_KHAM")) for line in lines]
    first = _queue_number(admission)
    found = {first: TicketLine(first, (rooms[0] if len(lines) == 1 else None) or room, department)} if first else {}
    for line, place in zip(lines, rooms, strict=True):
        number = _queue_number(line)
        if number and number not in found:
            found[number] = TicketLine(number, place or wire.text(line.get("TEN_DICH_VU")) or room)
    return tuple(found.values())


def _queue_number(row: Mapping[str, Any]) -> str | None:
    number = wire.text(row.get("STT_LK"))
    return number if number is not None and number.strip("0") and len(number) <= MOST_TICKET else None


def section(data: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    """The first of these inner objects; an empty one when there is none."""
    return next((data[name] for name in names if isinstance(data.get(name), dict)), {})


def _somebody_else(echo: Mapping[str, Any], sent: Mapping[str, Any], asked: Identity) -> bool:
    for field in ("ID_BN", "MA_BN", "SO_GTTT"):
        echoed, ours = wire.text(echo.get(field)), wire.text(sent.get(field))
        # The HIS may hold a person under another of their numbers than the one sent.
        same = (ours, asked.personal_id, asked.old_id) if field == "SO_GTTT" else (ours,)
        if echoed and ours and echoed not in same:
            return True
    # a row of theirs that was sent back may have no name
    name, ours = wire.text(echo.get("HO_TEN")), wire.text(sent.get("HO_TEN")) or asked.full_name
    return name is not None and ours is not None and not same_name(name, ours)


def ref_of(row: Mapping[str, Any]) -> PatientRef:
    """The HIS's own key in a patient's row; both parts None when it has none."""
    return PatientRef(wire.text(row.get("ID_BN")), wire.text(row.get("MA_BN")))


def match_of(
    data: Any, asked: Identity, number: str, settings: C06Settings, by: MatchedBy = MatchedBy.PERSONAL_ID
) -> PatientMatch | None:
    """Who ``/benhnhan`` names under *number*, compared with the document; None when *data* is no patient.

    Two or more rows are MANY. ``differences`` are words of name, birth_year, sex, personal_id; what either side does
    not know does not differ. A person who differs is not handed on, so that no wrong name can be shown.
    """
    if isinstance(data, list):
        if len(data) != 1:
            return PatientMatch(MatchKind.MANY, matched_by=by) if data else PatientMatch(MatchKind.NONE)
        data = data[0]
    if not isinstance(data, dict):
        return None
    ref = ref_of(data)
    if ref.id is None and ref.code is None:
        return None
    known = _known(data, settings)
    differences = _differences(asked, known)
    if differences:
        return PatientMatch(MatchKind.MISMATCH, ref, differences=differences, matched_by=by)
    person = Identity(
        personal_id=known.personal_id or asked.personal_id,
        old_id=number if number == asked.old_id else None,
        full_name=known.full_name,
        birth_date=known.birth_date,
        sex=known.sex,
        address=known.address,
    )
    return PatientMatch(MatchKind.ONE, ref, person, matched_by=by)


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
