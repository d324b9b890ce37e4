"""Vietnamese text as the keys of a US keyboard: what a scanner in keyboard mode can type into a form.

Such a scanner knows only the keys of ASCII. With a Vietnamese input method switched on at the clerk's computer, Telex
or VNI keys give the accents back. What comes out there is sure only for regular syllables of Vietnamese and for text in
which no key has a second meaning; anything else is refused, because a name that is nearly right is worse than none.

Tone keys are typed behind their syllable. Whether a tone in an open ``oa``, ``oe`` or ``uy`` stands on its first or its
second vowel (``hòa``, ``hoà``) is a setting of the input method, not of the text that was typed.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import Final, Literal

Accents = Literal["keep", "telex", "vni", "none"]

_TONES: Final = {"\u0301": "s1", "\u0300": "f2", "\u0309": "r3", "\u0303": "x4", "\u0323": "j5"}
_TELEX: Final = {"â": "aa", "ê": "ee", "ô": "oo", "ă": "aw", "ơ": "ow", "ư": "uw", "đ": "dd"}
_VNI: Final = {"â": "a6", "ê": "e6", "ô": "o6", "ă": "a8", "ơ": "o7", "ư": "u7", "đ": "d9"}
_ONSETS: Final = "ngh|ng|nh|th|tr|ph|kh|gh|gi|ch|qu|[bcdđghklmnpqrstvx]"
_CLOSED: Final = "iê|yê|oa|oă|oe|uâ|uê|uô|uyê|uy|ươ|a|ă|â|e|ê|i|o|ô|ơ|u|ư|y"
_OPEN: Final = (
    "iêu|yêu|oai|oay|uây|uôi|uya|uyu|ươi|ươu|ai|ao|au|ay|âu|ây|eo|êu|ia|iu|oa|oe|oi|ôi|ơi|ua|uê|ui|uy|ưa|ưi|ưu|"
    "a|e|ê|i|o|ô|ơ|u|ư|y"
)
_SYLLABLE: Final = re.compile(f"(?:{_ONSETS})?(?:(?P<closed>{_CLOSED})(?:ch|ng|nh|[cmnpt])|(?P<open>{_OPEN}))")
_MARKED: Final = frozenset("ăâêôơư")
_TWO_SPELLINGS: Final = ("oa", "oe", "uy")
_RUN: Final = re.compile(r"[^\W_]+")
_TELEX_SECOND_MEANING: Final = re.compile(r"w|[aeiouy].*[sfrxjz]|([aeod]).*\1")
_VNI_SECOND_MEANING: Final = re.compile(r"[aeiouyd].*\d")
_TELEX_BRACKETS: Final = frozenset("[]{}")


def typed(text: str, accents: Accents) -> str | None:
    """The keys that give *text* (one line, NFC) in the way of *accents*; None where that is not sure.

    ``keep``: the text as it is, for scanners that type more than keys. ``none``: without its accents.
    """
    match accents:
        case "keep":
            return text
        case "none":
            return _printable(_without_accents(text))
        case "telex":
            brackets = not _TELEX_BRACKETS.isdisjoint(text)
            return None if brackets else _by_runs(text, _TELEX, 0, _TELEX_SECOND_MEANING)
        case "vni":
            return _by_runs(text, _VNI, 1, _VNI_SECOND_MEANING)


def _by_runs(text: str, letters: dict[str, str], tone: int, second_meaning: re.Pattern[str]) -> str | None:
    keys, end = [], 0
    for run in _RUN.finditer(text):
        word = _keys_of(run.group(), letters, tone, second_meaning)
        if word is None:
            return None
        keys += [text[end : run.start()], word]
        end = run.end()
    return _printable("".join([*keys, text[end:]]))


def _keys_of(word: str, letters: dict[str, str], tone: int, second_meaning: re.Pattern[str]) -> str | None:
    """The keys of one run of letters and digits."""
    if word.isascii() and not second_meaning.search(word.lower()):
        return word
    plain, tone_at, keys = "", -1, ""
    for char in word:
        base, mark = _split(char)
        if mark:
            tone_at, keys = len(plain), keys + _TONES[mark][tone]
        plain += base
    syllable = _SYLLABLE.fullmatch(plain.lower())
    if syllable is None or len(keys) > 1 or (keys and tone_at not in _places(syllable)):
        return None
    return "".join(_with_case(letters, char) for char in plain) + _as(plain[-1], keys)


def _split(char: str) -> tuple[str, str]:
    """A letter without its tone, and the tone."""
    parts = unicodedata.normalize("NFD", char)
    tone = next((part for part in parts if part in _TONES), "")
    return unicodedata.normalize("NFC", parts.replace(tone, "")) if tone else char, tone


def _places(syllable: re.Match[str]) -> tuple[int, ...]:
    """Where an input method may put the tone of *syllable*; two places where spelling knows two."""
    group = "closed" if syllable["closed"] else "open"
    nucleus, start = syllable[group], syllable.start(group)
    marked = max((at for at, vowel in enumerate(nucleus) if vowel in _MARKED), default=None)
    if marked is not None:
        return (start + marked,)
    if group == "closed" or len(nucleus) == 1:
        return (start + len(nucleus) - 1,)
    if len(nucleus) == 3:
        return (start + 1,)
    return (start, start + 1) if nucleus in _TWO_SPELLINGS else (start,)


def _with_case(letters: dict[str, str], char: str) -> str:
    return _as(char, letters.get(char.lower(), char))


def _as(like: str, keys: str) -> str:
    change: Callable[[str], str] = str.upper if like.isupper() else str.lower
    return change(keys)


def _without_accents(text: str) -> str:
    plain = text.translate({ord("đ"): "d", ord("Đ"): "D"})
    return "".join(char for char in unicodedata.normalize("NFD", plain) if not unicodedata.combining(char))


def _printable(text: str) -> str | None:
    return text if text.isascii() and text.isprintable() else None
