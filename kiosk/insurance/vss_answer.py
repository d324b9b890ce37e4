"""Reads the answer of ``KQNhanLichSuKCB2024`` whatever it looks like (insurance-gateway.md 2.5, 3, 8.4).

Kept is what the decision and the staff's comparison need. Visit history, earlier lookups, employer fields and the
display sentence ``ghiChu`` are dropped here and never leave this module (section 7).
"""

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from kiosk.documents.card_number import classify_number
from kiosk.insurance.vss_codes import Reason
from kiosk.model import PartialDate, Sex

_CODE = re.compile(r"[0-9A-Za-z_-]{1,10}")
_DATE = re.compile(r"(?:(?:([0-9]{1,2})/)?([0-9]{1,2})/)?([0-9]{4})")
_FACILITY = re.compile(r"[0-9A-Za-z]{5}")
_MOST_TEXT = 500
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
_LIVING_AREAS = frozenset({"K1", "K2", "K3"})
_SEXES = {"NAM": Sex.MALE, "NỮ": Sex.FEMALE}


@dataclass(frozen=True, slots=True)
class Card:
    """A card as the answer names it: normalised number, validity (None: not given), registered facility."""

    number: str = field(repr=False)
    valid_from: date | None = None
    valid_to: date | None = None
    registered_facility: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """The readable part of an answer; everything but ``code`` may be missing.

    ``card`` and ``new_card`` are the candidates A and B of section 3.1. ``numbers`` are all numbers the answer gives
    for the holder (cards and BHXH number). ``bad_dates``: birth date or validity was there but not readable.
    """

    code: str
    card: Card | None = None
    new_card: Card | None = None
    numbers: frozenset[str] = field(default=frozenset(), repr=False)
    name: str | None = field(default=None, repr=False)
    birth_date: PartialDate | None = field(default=None, repr=False)
    sex: Sex | None = field(default=None, repr=False)
    address: str | None = field(default=None, repr=False)
    five_years_on: date | None = None
    living_area: str | None = None
    bad_dates: bool = False


def json_object(body: bytes) -> dict[str, Any] | None:
    """The JSON object in *body* (UTF-8, with or without byte-order mark; UTF-16/32 too); None for anything else.

    An object that names a key twice says two things at once, so it says nothing.
    """
    try:
        value = json.loads(body, object_pairs_hook=_each_once)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key is there twice")
    return found


def result_code(value: object) -> str | None:
    """``maKetQua`` as text: ``"000"``, also from the number 0 or from ``"0"``; None when it is no short code."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    if isinstance(value, int) and not 0 <= value <= 999:
        return None
    text = str(value).strip()
    if not _CODE.fullmatch(text):
        return None
    return text.zfill(3) if text.isdigit() else text


def parse_answer(status: int, body: bytes) -> Answer | Reason:
    """The answer in *body*, or why there is none: HTTP_ERROR, BAD_ANSWER or NO_CODE. Never raises.

    HTTP *status* 401 is result code 401 with or without a body; any other status says nothing about success as long as
    a result code can be read (section 0, point 1).
    """
    if status == 401:
        return Answer("401")
    content = json_object(body)
    if content is None:
        return Reason.HTTP_ERROR if status >= 300 else Reason.BAD_ANSWER
    code = result_code(content.get("maKetQua"))
    if code is None:
        return Reason.HTTP_ERROR if status >= 300 else Reason.NO_CODE
    return _Reader(content).answer(code)


class _Reader:
    def __init__(self, content: dict[str, Any]) -> None:
        self._content = content
        self._bad_dates = False

    def answer(self, code: str) -> Answer:
        card = self._card("maThe", "gtTheTu", "gtTheDen", "maDKBD")
        new_card = self._card("maTheMoi", "gtTheTuMoi", "gtTheDenMoi", "maDKBDMoi")
        birth_date = self._partial("ngaySinh")
        numbers = (self._number(key) for key in ("maThe", "maTheMoi", "maTheCu", "maSoBHXH"))
        area = self._text("maKV")
        five_years = _read_date(self._text("ngayDu5Nam") or "")
        sex = unicodedata.normalize("NFC", self._text("gioiTinh") or "").upper()
        return Answer(
            code=code,
            card=card,
            new_card=new_card,
            numbers=frozenset(number for number in numbers if number),
            name=self._text("hoTen"),
            birth_date=birth_date,
            sex=_SEXES.get(sex),
            address=self._text("diaChi"),
            five_years_on=five_years.exact if five_years else None,
            living_area=area if area in _LIVING_AREAS else None,
            bad_dates=self._bad_dates,
        )

    def _text(self, key: str) -> str | None:
        """The text under *key* as people may see it: no control, bidirectional or broken characters, no novels."""
        value = self._content.get(key)
        if not isinstance(value, str):
            return None
        words = " ".join(value[:_MOST_TEXT].split())
        seen = "".join(char for char in words if unicodedata.category(char) not in _UNSEEN)
        return " ".join(seen.split()) or None

    def _number(self, key: str) -> str | None:
        found = classify_number(self._text(key) or "")
        return found[1] if found else None

    def _partial(self, key: str) -> PartialDate | None:
        text = self._text(key)
        if text is None:
            self._bad_dates |= self._content.get(key) not in (None, "") and not isinstance(self._content[key], str)
            return None
        found = _read_date(text)
        self._bad_dates |= found is None
        return found

    def _exact(self, key: str) -> date | None:
        found = self._partial(key)
        if found is None:
            return None
        self._bad_dates |= found.exact is None
        return found.exact

    def _card(self, number: str, start: str, end: str, facility: str) -> Card | None:
        valid_from, valid_to = self._exact(start), self._exact(end)
        found = self._number(number)
        if found is None:
            return None
        place = self._text(facility)
        known_place = place if place and _FACILITY.fullmatch(place) else None
        return Card(found, valid_from, valid_to, known_place)


def _read_date(text: str) -> PartialDate | None:
    match = _DATE.fullmatch(text)
    if match is None:
        return None
    day, month, year = (int(part) if part else None for part in match.groups())
    try:
        return PartialDate(year or 0, month, day)
    except ValueError:
        return None
