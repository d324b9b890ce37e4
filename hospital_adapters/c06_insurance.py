"""Call #7 ``/bhyt``: the hospital system asks the insurer for us (his-kiosk-c06.md 3 and 6). Pure.

What the answer claims is judged once more by who asked (kiosk.insurance.via_his); here it is only read.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from hospital_adapters import c06_wire as wire
from hospital_adapters.c06_mapping import READ_SEX, WRITE_SEX
from hospital_adapters.c06_settings import C06Settings
from kiosk.documents.card_number import benefit_level_of, classify_number
from kiosk.documents.personal_id import is_personal_number, sex_of
from kiosk.model import Coverage, Eligibility, EligibilityClass, Holder, LookupKey

NO_NUMBER: Final = "his_no_number"
"""Only a BHYT number is known, and the interface takes none."""
NOT_FOUND: Final = "not_found"
NOT_ACCEPTED: Final = "his_not_accepted"
"""The hospital system does not accept the card (TIEP_NHAN_BHYT 0)."""
SAYS_NOTHING: Final = "his_says_nothing"
"""Neither a result code of the insurer nor whether the card is accepted."""
_VALID: Final = "000"
_SEX_UNKNOWN: Final = 3
_PLACE_LENGTH: Final = 5


def citizen_number(key: LookupKey) -> str | None:
    """The 12-digit number of the person of *key*; None if none is known. LOAI_GTTT is published for cards only."""
    return next((number for number in (key.number, *key.other_numbers) if is_personal_number(number)), None)


def question(key: LookupKey, number: str, settings: C06Settings) -> dict[str, str]:
    """The fields of the query; a sex that no document told is the one that *number* states."""
    sex = key.sex or sex_of(number)
    born = key.birth_date
    return {
        "SO_GTTT": number,
        "LOAI_GTTT": settings.doc_type,
        "HO_TEN": " ".join(key.full_name.upper().split()),
        "GIOI_TINH": str(WRITE_SEX[settings.sex].get(sex, _SEX_UNKNOWN)),
        "NGAY_SINH": born.exact.isoformat() if born.exact else f"{born.year:04d}",
    }


def without_card(reason: str, asked_at: datetime, *, asked: bool) -> Eligibility:
    """Staff must help: *reason*. *asked*: whether a question left this machine."""
    return Eligibility(EligibilityClass.NEEDS_STAFF, reason, asked_at, attempts=int(asked))


def answer_of(data: Any, asked_at: datetime, settings: C06Settings) -> Eligibility | None:
    """What *data* says; None when it is no answer. PHAN_TUYEN is left out: what route this is, our own rules propose.

    ``insured`` where the hospital accepts the card, or says nothing of that and the insurer's code is ``000``.
    """
    if not isinstance(data, dict):
        return None
    code, accepted = _code(data), wire.truth(data.get("TIEP_NHAN_BHYT"))
    status, reason = EligibilityClass.NEEDS_STAFF, SAYS_NOTHING
    if accepted or (accepted is None and code == _VALID):
        status, reason = EligibilityClass.INSURED, "valid"
    elif accepted is False:
        reason = NOT_ACCEPTED
    return Eligibility(
        status,
        reason,
        asked_at,
        result_code=code,
        coverage=_coverage(data),
        reached_gateway=True,
        held=Holder(
            wire.text(data.get("HO_TEN")),
            wire.day(data.get("NGAY_SINH")),
            READ_SEX[settings.sex].get(wire.text(data.get("GIOI_TINH")) or ""),
            wire.text(data.get("DIA_CHI")),
        ),
    )


def _code(data: Mapping[str, Any]) -> str | None:
    """MA_KQ with three digits. What is no code of the insurer's form is kept as ``other``: it may hold anything."""
    code = wire.text(data.get("MA_KQ"))
    if code is None:
        return None
    return code.zfill(3) if code.isascii() and code.isdigit() and len(code) <= 3 else "other"


def _coverage(data: Mapping[str, Any]) -> Coverage | None:
    found = classify_number(wire.text(data.get("MA_THE_BHYT")) or "")
    if found is None:
        return None
    kind, number = found
    start, end = wire.day(data.get("GT_THE_TU")), wire.day(data.get("GT_THE_DEN"))
    place = wire.text(data.get("MA_DKBD"))
    return Coverage(
        number=number,
        key_kind=kind,
        registered_facility=place if place and len(place) == _PLACE_LENGTH else None,
        valid_from=start.exact if start else None,
        valid_to=end.exact if end else None,
        benefit_level=benefit_level_of(kind, number),
    )
