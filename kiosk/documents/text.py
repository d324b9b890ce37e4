"""Bytes of one scan to clean text, repaired where the repair is certain.

Source: identity-documents.md 1.2 (variants), 1.4 (zbar's wrong guesses), 1.5 (what scanners emit), 9 steps 1 and 2.
Nothing here raises for any input.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

ENCODING_REPAIRED = "W_ENCODING_REPAIRED"
ENCODING_DAMAGED = "W_ENCODING_DAMAGED"
LAYOUT_FIXED = "W_LAYOUT_FIXED"

_BOM = b"\xef\xbb\xbf"
_AIM_PREFIX = re.compile(rb"\][A-Za-z][0-9]")
# Inside a scan only line ends and TAB have a place; anything else was a letter before the line lost bits of it.
LOST_BITS = re.compile(r"[\x01-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_LABEL = re.compile(r"\A\s*(?:CCCD|CC)\s*:\s*", re.IGNORECASE)
# zbar tries these before UTF-8; two libraries name the same damage differently, hence the near-duplicates.
_WRONG_GUESSES = ("big5", "shift_jis", "cp932", "latin-1", "cp1252")
_TONES = ("", "\u0300", "\u0309", "\u0303", "\u0301", "\u0323")
_ACCENTED = {unicodedata.normalize("NFC", vowel + tone) for vowel in "aăâeêioôơuưy" for tone in _TONES} | {"đ"}
_VIETNAMESE = frozenset(_ACCENTED | {letter.upper() for letter in _ACCENTED})
# The last three are of peoples whose other letters the code page lacks.
_CP1258_TEXT = re.compile(f"[\\x00-\\x7f{''.join(sorted(_VIETNAMESE))}Ññ’]*")
_PUNCTUATION = frozenset("–—‐‑‘’“”´ʼʻ·…")
# Letters of western code pages that no language of Vietnam is written with: what wrong guesses and legacy fonts leave.
_FOREIGN_LETTERS = frozenset("ÄäÅåÆæÇçËëÎîÏïÖöØøÛûÜüÞþßŸÿŒœŠšŽžƒ")
_IN_NO_NAME = re.compile(r"[^\w\s'’‘ʼʻ`´‐‑–—.,·()\u0300-\u036f-]|[\d_]")
_LAYOUT_DIGITS = str.maketrans("đăâêô\u0300\u0309\u0303\u0301\u0323", "0123456789")
_LAYOUT_RUN = re.compile("[đăâêô\u0300\u0309\u0303\u0301\u0323]+")
_DIGIT_FIELD_LENGTHS = (4, 6, 8, 9, 10, 12)
_SHORTEST_NUMBER = 9
_OTHER_BARS = ("\uff5c", "~", "\u00a6")
_ACCENT = re.compile("[\u0300-\u036f]")
_HEAP_OF_ACCENTS = re.compile("[\u0300-\u036f]{6,}")
_PERSONAL_NUMBER = re.compile("[0-9]{12}")
# The Icelandic eth looks the same in capitals and stands for it in converted data. These letters do not decompose.
# As ICAO 9303-3 4.6 has it in machine-readable zones: an apostrophe falls out, a hyphen parts words.
_TO_PLAIN = str.maketrans("ĐÐɃ-‐‑–", "DDB    ", "'’‘ʼ`´ʻ")


@dataclass(frozen=True, slots=True)
class ScanText:
    """The text of a scan in NFC, without control characters, fields separated by ``|``; ``warnings``: W_ codes."""

    text: str
    warnings: tuple[str, ...] = ()


def unframe(raw: bytes) -> bytes:
    """*raw* without the reader's additions: leading line ends, STX, BOM, AIM prefix; cut at NUL; suffix trimmed."""
    payload = raw.lstrip(b"\r\n\x02 \t").removeprefix(_BOM)
    if prefix := _AIM_PREFIX.match(payload):
        payload = payload[prefix.end() :].removeprefix(_BOM)
    return payload.partition(b"\0")[0].strip(b"\r\n\t \x02\x03")


def read_text(payload: bytes) -> ScanText:
    """Text of an unframed *payload*: strict UTF-8, else cp1258, else with replacement characters and a warning.

    Undoes zbar's wrong charset guess before anything is split (a guess can swallow a ``|``), digits typed through the
    Vietnamese keyboard layout before NFC (which would fuse them), and a replaced separator.
    """
    text, repaired = _decode(payload)
    by_layout = _layout_digits(text)
    cleaned = _LABEL.sub("", clean(by_layout))
    separated = _bars(cleaned)
    warnings = []
    if repaired:
        warnings.append(ENCODING_REPAIRED)
    if not is_latin(separated) or LOST_BITS.search(text):
        warnings.append(ENCODING_DAMAGED)
    if by_layout != text or separated != cleaned:
        warnings.append(LAYOUT_FIXED)
    return ScanText(separated, tuple(warnings))


def clean(text: str) -> str:
    """*text* in NFC without control, format and bidi characters; every kind of blank and TAB becomes a blank.

    Characters no font has (private use, unassigned, surrogates), marks that are no Latin accents, and heaps of marks
    become U+FFFD, so that damage stays visible.
    """
    if text.isascii() and text.isprintable():
        return text
    return _composed(text.translate({ord(char): _clean_character(char) for char in set(text)}))


def tidy(text: str) -> str:
    """*text* trimmed, with single blanks."""
    return " ".join(text.split())


def fold(text: str) -> str:
    """*text* for comparing names: no accents or apostrophes, ``Đ`` and ``Ð`` as ``D``, hyphens as blanks, upper case,
    trimmed, single blanks.

    Equal for all normal forms of a text; folding twice changes nothing more. Whether two names are one: `same_name`.
    """
    # Decomposed before upper case, which would make letters of some marks and so depend on the form they came in.
    upper = unicodedata.normalize("NFD", text).upper().translate(_TO_PLAIN)
    return tidy("".join(char for char in upper if not unicodedata.combining(char)))


def can_be_name(text: str) -> bool:
    """Whether a person can be called *text*: letters, and none of the digits and signs that damage leaves in names."""
    return is_latin(text) and not _IN_NO_NAME.search(text) and any(map(str.isalpha, text))


def same_name(one: str, other: str) -> bool:
    """Whether two spellings are the same name: their letters are, without accents, case, blanks and punctuation.

    ``H’Hen Niê``, ``H' Hen Niê``, and ``HHEN NIE`` or ``H HEN NIE`` of machine-readable zones are one name.
    """
    return letters(one) == letters(other)


def letters(text: str) -> str:
    """The folded letters and digits of *text* alone, for comparing names."""
    return "".join(char for char in fold(text) if char.isalnum())


def _decode(payload: bytes) -> tuple[str, bool]:
    try:
        text = payload.decode("utf-8")
    except UnicodeDecodeError:
        legacy = _cp1258(payload)
        return (payload.decode("utf-8", errors="replace"), False) if legacy is None else (legacy, True)
    undone = _undo_wrong_guess(text)
    return (text, False) if undone is None else (undone, True)


def _cp1258(payload: bytes) -> str | None:
    try:
        text = _composed(payload.decode("cp1258"))
    except UnicodeDecodeError:
        return None
    return text if _CP1258_TEXT.fullmatch(text) else None


def _undo_wrong_guess(text: str) -> str | None:
    if text.isascii():
        return None
    for codec in _WRONG_GUESSES:
        try:
            undone = text.encode(codec).decode("utf-8")
        except UnicodeError:
            continue
        if undone != text and not undone.isascii() and is_latin(clean(undone)):
            return undone
    return None


def _layout_digits(text: str) -> str:
    fields = text.split("|")
    if not (_LAYOUT_RUN.fullmatch(fields[0]) and len(fields[0]) >= _SHORTEST_NUMBER):
        return text
    return "|".join(
        field.translate(_LAYOUT_DIGITS)
        if len(field) in _DIGIT_FIELD_LENGTHS and _LAYOUT_RUN.fullmatch(field)
        else field
        for field in fields
    )


def _bars(text: str) -> str:
    # A tilde is also legal in an address: only the card's exact field counts and its number make it a separator.
    if "|" in text:
        return text
    for bar in _OTHER_BARS:
        fields = text.split(bar)
        if len(fields) in (7, 11) and _PERSONAL_NUMBER.fullmatch(fields[0].strip()):
            return "|".join(fields)
    return text


@lru_cache(maxsize=4096)
def _clean_character(char: str) -> str:
    category = unicodedata.category(char)
    if char == "\t" or category[0] == "Z":
        return " "
    if category in ("Cc", "Cf"):
        return ""
    return "\ufffd" if category[0] == "C" or (category[0] == "M" and not _ACCENT.match(char)) else char


def _composed(text: str) -> str:
    # Bringing marks into order takes the square of their number.
    return unicodedata.normalize("NFC", _HEAP_OF_ACCENTS.sub("\ufffd", text))


def is_latin(text: str) -> bool:
    """Whether *text* has only what the languages of Vietnam are written with: Latin letters, marks, punctuation."""
    return text.isascii() or ("\ufffd" not in text and all(map(_is_latin_character, set(text))))


@lru_cache(maxsize=4096)
def _is_latin_character(char: str) -> bool:
    if char.isascii() or char in _PUNCTUATION or unicodedata.combining(char) != 0:
        return True
    return char not in _FOREIGN_LETTERS and unicodedata.name(char, "").startswith("LATIN ")
