"""Names of administrative units as people and cards spell them: with and without accents, unit words, Roman numbers.

Source: health-data-standards.md 5.2.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_UNIT_WORDS: Final = {
    "tinh": "THU DO|TINH|T[.]",
    "thanh_pho": "THANH PHO|T[.]? ?P[.]?",
    "quan": "QUAN|Q[.]?",
    "huyen": "HUYEN|H[.]",
    "thi_xa": "THI XA|T[.]? ?X[.]?",
    "phuong": "PHUONG|P[.]?",
    "xa": "XA|X[.]?",
    "thi_tran": "THI TRAN|T[.]? ?T[.]?",
    "dac_khu": "DAC KHU",
}
_UNIT: Final = {
    kind: re.compile(rf"(?:{words})(?:(?<=[.])|(?= )|(?=[0-9])) *(.+)") for kind, words in _UNIT_WORDS.items()
}
_ROMAN: Final = re.compile("(?:X{0,3})(?:IX|IV|V?I{0,3})")
_ROMAN_DIGITS: Final = {"I": 1, "V": 5, "X": 10}
_TONES: Final = "\u0300\u0301\u0303\u0309\u0323"
_OTHER_NAMES: Final = {"HCM": "HO CHI MINH", "THUA THIEN HUE": "HUE", "BRVT": "BA RIA VUNG TAU"}


@dataclass(frozen=True, slots=True)
class Name:
    """One way to read a name: ``kind`` of unit or None, ``plain`` without accents, ``exact`` with them.

    ``exact`` does not care where in a syllable the tone mark stands (Hoà, Hòa).
    """

    kind: str | None
    plain: str
    exact: str

    @property
    def has_accents(self) -> bool:
        """Whether the name says more than its letters."""
        return self.exact != self.plain


def read_name(full: str) -> Name:
    """The reading of an official *full* name, which begins with its kind of unit."""
    return next(iter(readings(full)))


def readings(text: str) -> Iterator[Name]:
    """All ways to read *text* as the name of a unit, those with a kind of unit first."""
    exact, plain = _spelling(text)
    for kind, pattern in _UNIT.items():
        if found := pattern.fullmatch(plain):
            yield _name(kind, found[1], _tail(exact, found[1]))
    yield _name(None, plain, exact)


def _name(kind: str | None, plain: str, exact: str) -> Name:
    if other := _OTHER_NAMES.get(plain):
        return Name(kind, other, other)
    return Name(kind, _number(plain), _number(exact))


def _tail(exact: str, plain_rest: str) -> str:
    """The end of *exact* that spells *plain_rest*, whose first word may stand right behind ``P.`` or the like."""
    words = exact.split(" ")[-len(plain_rest.split(" ")) :]
    bare = "".join(char for char in words[0] if not unicodedata.combining(char))
    glued = len(bare) - len(plain_rest.split(" ", maxsplit=1)[0])
    return " ".join([words[0][glued:], *words[1:]])  # a unit's abbreviation has no accents


def _spelling(text: str) -> tuple[str, str]:
    """*text* in capitals with single blanks: with accents, the tone behind its syllable, and without any."""
    marked = unicodedata.normalize("NFD", text).upper().replace("Đ", "D\u0335").replace("Ð", "D\u0335")
    words = re.sub("[-\u2010-\u2013'’]", " ", marked).split()
    exact = " ".join(_tone_last(word) for word in words)
    plain = " ".join("".join(char for char in word if not unicodedata.combining(char)) for word in words)
    return exact, plain


def _tone_last(word: str) -> str:
    tones = [char for char in word if char in _TONES]
    return "".join(char for char in word if char not in _TONES) + "".join(tones)


def _number(name: str) -> str:
    """Roman numbers and leading zeros as people write numbers: Phường III is Phường 3."""
    if name.isdigit():
        return name.lstrip("0") or "0"
    if name and _ROMAN.fullmatch(name):
        values = [_ROMAN_DIGITS[char] for char in name]
        pairs = zip(values, [*values[1:], 0], strict=True)
        return str(sum(-value if value < following else value for value, following in pairs))
    return name
