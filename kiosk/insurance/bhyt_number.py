"""What the parts of a health insurance card's number usually mean: hints for staff, never a reason to refuse.

Source: identity-documents.md 4.3 (parts, objects), insurance-gateway.md 2.3 (17 characters) and 5.1 (benefit digit).
New codes appear by decree, so both tables are open lists: what is not in them is a doubt and no more. Object and
benefit digit tell of poverty or merit; who shows them decides who may see them (insurance-gateway.md 7).
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib import resources

from kiosk.documents.card_number import benefit_level_of, classify_number
from kiosk.model import KeyKind

LETTERS_IN_TAIL = "H_LETTERS_IN_TAIL"
"""Letters where a BHXH number should stand: printed so before 2018."""
LEVEL_UNUSUAL = "H_LEVEL_UNUSUAL"
"""Another benefit digit than this object usually has."""
UNKNOWN_OBJECT = "H_UNKNOWN_OBJECT"
"""An object code that is not in the table."""
UNKNOWN_PROVINCE = "H_UNKNOWN_PROVINCE"
"""A province code that is not in the table."""

_LEVELS = {
    "1": "100 %, không giới hạn một số thuốc và dịch vụ",
    "2": "100 %, có giới hạn một số thuốc và dịch vụ",
    "3": "95 %",
    "4": "80 %",
    "5": "100 %, kể cả ngoài phạm vi",
}
_PROVISIONAL = "{} (mức trên thẻ, tạm tính)"


@dataclass(frozen=True, slots=True)
class CardHints:
    """The parts of one number; ``*_words`` and ``province_name`` in Vietnamese, None where the tables say nothing.

    A number of ten digits is a BHXH number and has no other part. ``doubts``: H_ codes.
    """

    object_code: str | None = None
    object_words: str | None = None
    level: str | None = None
    level_words: str | None = None
    province: str | None = None
    province_name: str | None = None
    bhxh_number: str | None = None
    doubts: tuple[str, ...] = ()


def hints_of(number: str) -> CardHints | None:
    """Hints for a card *number* of 10, 15 or 17 characters, printed or typed; None for any other text. Never raises."""
    classified = classify_number(number)
    if classified is None or classified[0] is KeyKind.PERSONAL_12:
        return None
    kind, number = classified
    level = benefit_level_of(kind, number)
    if level is None:
        return CardHints(bhxh_number=number)
    object_code, province, tail = number[:2], number[3:5], number[5:]
    words, usual = _objects().get(object_code, (None, ""))
    doubts = []
    if object_code not in _objects():
        doubts.append(UNKNOWN_OBJECT)
    elif level not in usual:
        doubts.append(LEVEL_UNUSUAL)
    if province not in _provinces():
        doubts.append(UNKNOWN_PROVINCE)
    if not tail.isdigit():
        doubts.append(LETTERS_IN_TAIL)
    return CardHints(
        object_code=object_code,
        object_words=words,
        level=level,
        level_words=_PROVISIONAL.format(_LEVELS[level]),
        province=province,
        province_name=_provinces().get(province),
        bhxh_number=tail if kind is KeyKind.BHYT_15 and tail.isdigit() else None,
        doubts=tuple(doubts),
    )


@cache
def _objects() -> dict[str, tuple[str | None, str]]:
    """Object code -> who that is (None: not known), and the benefit digits that go with it."""
    return {row["code"]: (row["words"] or None, row["levels"]) for row in _rows("bhyt-card-objects.csv")}


@cache
def _provinces() -> dict[str, str]:
    return {row["code"]: row["name"] for row in _rows("bhyt-card-provinces.csv")}


def _rows(name: str) -> list[dict[str, str]]:
    text = resources.files("kiosk.data").joinpath(name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))
