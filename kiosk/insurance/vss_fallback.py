"""What may be asked once more after an answer, with another number, name or date (insurance-gateway.md 3).

Pure: no clock, no network. A question that came back with the same code is never put twice; a repeat of the *same*
question after a fault of the gateway is not decided here.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterator
from dataclasses import replace

from kiosk.insurance.vss_call import LookupCall, normal_number
from kiosk.model import KeyKind

MAX_FALLBACKS = 2
"""Further questions of one lookup at most, whatever the gateway says to them."""

_NOT_LINKED = frozenset({"050", "051"})
_HEAD_IS_WRONG = frozenset({"052", "053"})
_SPELLING = "061"
_BIRTH_DATE = "070"
_REPORTED_REDUCED = frozenset({"120", "121", "122", "123"})
_HEAD = 5


def next_call(
    asked: LookupCall, code: str, other_numbers: Collection[str], already: Collection[LookupCall]
) -> LookupCall | None:
    """The question that section 3 allows after *code* came back to *asked*; None when there is none left.

    *other_numbers*: numbers of the same person in any form; what cannot be asked is left out. *already*: what this
    lookup has asked so far.
    """
    if len(already) > MAX_FALLBACKS:
        return None
    found = _wanted(asked, code, [number for text in other_numbers if (number := _normal(text))])
    return None if found is None or found in already else found


def _wanted(asked: LookupCall, code: str, others: list[tuple[KeyKind, str]]) -> LookupCall | None:
    kind = normal_number(asked.number)[0]
    if code in _NOT_LINKED and kind is KeyKind.PERSONAL_12:
        return _with_number(asked, (number for each, number in others if each is not KeyKind.PERSONAL_12))
    if code in _REPORTED_REDUCED and kind is not KeyKind.PERSONAL_12:
        return _with_number(asked, (number for each, number in others if each is KeyKind.PERSONAL_12))
    if code in _HEAD_IS_WRONG and kind in (KeyKind.BHYT_15, KeyKind.BHYT_17):
        tail = asked.number[_HEAD:]
        return replace(asked, number=tail) if _normal(tail) else None
    if code == _SPELLING:
        plain = without_accents(asked.name)
        return replace(asked, name=plain) if plain != asked.name else None
    if code == _BIRTH_DATE and asked.birth.count("/") == 1:
        return replace(asked, birth=asked.birth.rpartition("/")[2])
    return None


def without_accents(name: str) -> str:
    """*name* with every accent and the stroke of Đ taken off."""
    parts = unicodedata.normalize("NFD", name.replace("Đ", "D").replace("đ", "d"))
    return unicodedata.normalize("NFC", "".join(part for part in parts if not unicodedata.combining(part)))


def _with_number(asked: LookupCall, numbers: Iterator[str]) -> LookupCall | None:
    number = next(numbers, None)
    return None if number is None else replace(asked, number=number)


def _normal(text: str) -> tuple[KeyKind, str] | None:
    try:
        return normal_number(text)
    except ValueError:
        return None
