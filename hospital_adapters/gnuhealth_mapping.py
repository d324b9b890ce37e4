"""Our words to fields of GNU Health and back. Pure.

Source: components.md 5; fields as the module ``health`` 5.0 has them. ``ref`` of a party is the person's number (PUID).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from hospital_adapters.gnuhealth_wire import utc
from kiosk.documents.card_number import classify_number
from kiosk.documents.text import clean, letters, tidy
from kiosk.errors import HospitalRejected
from kiosk.hospital_model import Encounter, PatientRef, Receipt, Service, Slip
from kiosk.model import VIETNAM, Coverage, Identity, KeyKind, PartialDate, Sex

PERSON_FIELDS = ("ref", "name", "lastname", "dob", "est_dob", "gender")
VISIT_FIELDS = ("comments", "state", "name", "appointment_date", "patient.puid", "speciality.code", "_timestamp")
CHECKED_IN, DONE, CONFIRMED, CANCELLED = "checked_in", "done", "confirmed", "user_cancelled"
STANDING = (CHECKED_IN, DONE)
_MARK = re.compile(r"^CK1;id=([!-~]{1,57})$", re.MULTILINE)
_SEXES = {"m": Sex.MALE, "f": Sex.FEMALE}
_UNKNOWN_SEX = "u"
_SLIPS = {
    Slip.REFERRAL: "Người bệnh nói có giấy chuyển cơ sở khám chữa bệnh.",
    Slip.RE_EXAMINATION: "Người bệnh nói có giấy hẹn khám lại.",
    Slip.NONE: "Người bệnh nói không có giấy chuyển cơ sở hay giấy hẹn khám lại.",
}
_PRIORITY = "Người bệnh thuộc diện ưu tiên."


def mark(checkin_id: str) -> str:
    """The trace of our check-in in the comments of a visit. HospitalRejected when the id cannot be carried."""
    line = f"CK1;id={checkin_id}"
    if not _MARK.fullmatch(line):
        raise HospitalRejected("gnuhealth.checkin_id")
    return line


def checkin_id(visit: Mapping[str, Any]) -> str:
    """The check-in id that a visit carries in a line of its comments; empty when it is none of ours."""
    comments = visit.get("comments")
    found = _MARK.search(comments.replace("\r", "")) if isinstance(comments, str) else None
    return found[1] if found else ""


def row_id(row: Any) -> int | None:
    """The id of a record; None when *row* is no record."""
    found = row.get("id") if isinstance(row, dict) else None
    return found if type(found) is int and found > 0 else None


def number_of(text: str | None) -> int | None:
    """The record id that we once gave out as text; None when it is none of this system."""
    return int(text) if text is not None and re.fullmatch("[1-9][0-9]{0,17}", text, re.ASCII) else None


def text(value: Any) -> str | None:
    """Text of the other side in NFC, without control characters, single blanks; None for anything else."""
    shown = tidy(clean(value[:1000])) if isinstance(value, str) else ""
    return shown or None


def person(row: Mapping[str, Any]) -> Identity:
    """Whom a party is, as far as is known there. An estimated birth date counts as its year."""
    found = classify_number(text(row.get("ref")) or "")
    number = found[1] if found and found[0] is KeyKind.PERSONAL_12 else None
    names = (text(row.get("lastname")), text(row.get("name")))
    born, gender = row.get("dob"), row.get("gender")
    birth = None
    if type(born) is date:
        birth = PartialDate(born.year) if row.get("est_dob") else PartialDate(born.year, born.month, born.day)
    return Identity(
        personal_id=number,
        full_name=" ".join(name for name in names if name) or None,
        birth_date=birth,
        sex=_SEXES.get(gender) if isinstance(gender, str) else None,
    )


def reference(row: Mapping[str, Any]) -> PatientRef | None:
    """The party's id and PUID; None when *row* is no record."""
    party = row_id(row)
    return None if party is None else PatientRef(str(party), text(row.get("ref")))


def differences(asked: Identity, known: Identity) -> tuple[str, ...]:
    """Words of name, birth_year, sex, personal_id; what either side does not know does not differ."""
    pairs: tuple[tuple[str, Any, Any], ...] = (
        ("name", asked.full_name and letters(asked.full_name), known.full_name and letters(known.full_name)),
        ("birth_year", asked.birth_date and asked.birth_date.year, known.birth_date and known.birth_date.year),
        ("sex", asked.sex, known.sex),
        ("personal_id", asked.personal_id, known.personal_id),
    )
    return tuple(word for word, ours, theirs in pairs if ours and theirs and ours != theirs)


def new_party(identity: Identity, code: str, split: str, prefix: str) -> dict[str, Any]:
    """A party that brings its patient record along, so that both appear or neither.

    Its PUID is the citizen number, which is unique there. Who has none gets *code*, our mark, as the party's unique
    code instead. A birth date without day or month is sent as its first day, as an estimate. HospitalRejected
    ``gnuhealth.incomplete_identity`` without name or birth date.
    """
    name = (text(identity.full_name) or "").upper()
    if not name or identity.birth_date is None:
        raise HospitalRejected("gnuhealth.incomplete_identity")
    family, given = _split(name, split)
    born = identity.birth_date
    values: dict[str, Any] = {
        "name": given,
        "lastname": family,
        "is_person": True,
        "is_patient": True,
        "create_target": True,
        "gender": identity.sex.lower() if identity.sex else _UNKNOWN_SEX,
        "dob": born.exact or date(born.year, born.month or 1, 1),
        "est_dob": born.exact is None,
        # without it the server fails with a bare KeyError
        "fed_country": prefix,
    }
    number = identity.personal_id or identity.old_id
    values |= {"ref": number} if number else {"code": code}
    if identity.personal_id and identity.old_id:
        old = {"code": identity.old_id, "alternative_id_type": "other", "other_alternative_id_type": "CMND"}
        values |= {"alternative_identification": True, "alternative_ids": [["create", [old]]]}
    if address := text(identity.address):
        values["addresses"] = [["create", [{"street": address}]]]
    return values


def _split(name: str, where: str) -> tuple[str | None, str]:
    words = name.split()
    cut = {"whole": 0, "last": len(words) - 1, "first": 1}[where]
    family, given = " ".join(words[:cut]), " ".join(words[cut:])
    return (family or None, given) if given else (None, family)


def card(coverage: Coverage) -> dict[str, Any]:
    """What a card changes in the record of an insurance; what the card does not say is left as it is there."""
    known = {
        "member_since": coverage.valid_from,
        "member_exp": coverage.valid_to,
        "category": coverage.benefit_level,
        "notes": coverage.registered_facility and f"Nơi đăng ký khám chữa bệnh ban đầu: {coverage.registered_facility}",
    }
    return {name: value for name, value in known.items() if value}


def confirmed_card(encounter: Encounter) -> Coverage | None:
    """The card goes along only on an insured service, when the gateway confirmed it."""
    return encounter.coverage if encounter.service.insured and encounter.eligibility.insured else None


def visit(encounter: Encounter) -> dict[str, Any]:
    """What makes an appointment the visit of our check-in, but for whose and where it is."""
    follows = encounter.follows is not None or encounter.slip is Slip.RE_EXAMINATION
    lines = [mark(encounter.checkin_id)]
    if encounter.priority:
        lines.append(_PRIORITY)
    if encounter.slip is not None:
        lines.append(_SLIPS[encounter.slip])
    return {
        "state": CHECKED_IN,
        "checked_in_date": utc(encounter.happened_at),
        "visit_type": "followup" if follows else "new",
        "comments": "\n".join(lines),
    }


def receipt(row: Mapping[str, Any]) -> Receipt:
    """A visit as the server shows it. It has no queue number; its name is a running number where one is set up."""
    patient, state = row.get("patient."), row.get("state")
    visit_id = row_id(row)
    return Receipt(
        visit_id=None if visit_id is None else str(visit_id),
        patient_code=text(patient.get("puid")) if isinstance(patient, dict) else None,
        registration_id=text(row.get("name")),
        raw_status=text(state),
    )


def day_bounds(day: date) -> tuple[datetime, datetime]:
    """The first moment of *day* in Vietnam and that of the next, in UTC."""
    start = datetime.combine(day, time(), VIETNAM).astimezone(UTC)
    return start, start + timedelta(days=1)


def services(specialties: list[tuple[str, str]], self_pay: bool) -> tuple[Service, ...]:
    """The menu: each (code, name) of a specialty for the insured, and for others if *self_pay*. Nothing has a price."""
    kinds = (True, False) if self_pay else (True,)
    return tuple(
        Service(
            id=service_id(code, insured),
            code=code,
            name=name if insured else f"{name} (theo yêu cầu)",
            department_id=code,
            department=name,
            exam_type="1" if insured else "2",
            insured=insured,
        )
        for insured in kinds
        for code, name in specialties
    )


def service_id(code: str, insured: bool) -> str:
    """The id of a specialty's row in the menu."""
    return f"{code}.BHYT" if insured else f"{code}.DV"
