"""The test code, and every text that a wrongly set scanner or computer makes of it.

Source: identity-documents.md 1.5. The person is invented; number and dates fit each other, so that nothing but the
scanner can be to blame.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

TEST_TEXT = (
    "099085674312|364209175|Đặng Thử Quét Mẫu|23041985|Nam|"
    "Số 12A1 đường D9, buôn Ea Wer Kraaj Ddoos, xã Hoẵng Kỷ Ưỡng, huyện Ví Dụ, tỉnh Ẩn Sữa|16072021"
)
"""What the printed test code holds: all digits, all tones, and words that Vietnamese typing methods turn."""

TEST_PAYLOAD = TEST_TEXT.encode()
"""The bytes of the test code, as a scanner in order sends them before its suffix."""

TEST_NUMBER = TEST_TEXT[:12]
"""The personal number in the test code; nobody has it."""


class ScanFault(StrEnum):
    """What can be wrong with a scan of the test code; stable codes: add, never rename."""

    FINE = "FINE"
    """Exactly the test code, with one usual suffix."""
    NOTHING = "NOTHING"
    """Nothing came."""
    WRONG_SPEED = "WRONG_SPEED"
    """Bytes came that are no text: the serial speed differs."""
    SEVEN_BITS = "SEVEN_BITS"
    """The eighth bit of each byte is lost or a parity."""
    ASCII_MODE = "ASCII_MODE"
    """Letters with accents are left out, replaced, or stand without them."""
    CODE_PAGE_1258 = "CODE_PAGE_1258"
    """The text came in the old Vietnamese code page."""
    REENCODED = "REENCODED"
    """UTF-8 was taken for another code page on the way (``Äáº·ng``)."""
    DECOMPOSED = "DECOMPOSED"
    """Accents came apart from their letters."""
    TELEX = "TELEX"
    """A program such as UniKey turned letters by the rules of Telex."""
    VNI = "VNI"
    """A program such as UniKey turned letters by the rules of VNI."""
    VIETNAMESE_LAYOUT = "VIETNAMESE_LAYOUT"
    """The computer's keyboard layout is Vietnamese: digits became letters and marks."""
    OTHER_LAYOUT = "OTHER_LAYOUT"
    """Some other keyboard layout: characters stand for others, such as ``~`` for the separator."""
    CASE_CHANGED = "CASE_CHANGED"
    """Capitals and small letters were changed."""
    SEPARATORS_LOST = "SEPARATORS_LOST"
    """The fields run into each other."""
    FIELDS_MISSING = "FIELDS_MISSING"
    """Whole fields are missing."""
    TRUNCATED = "TRUNCATED"
    """The end is missing."""
    START_LOST = "START_LOST"
    """The beginning is missing."""
    CHARACTERS_LOST = "CHARACTERS_LOST"
    """Single characters are missing here and there."""
    SCANNED_TWICE = "SCANNED_TWICE"
    """The code came more than once."""
    AIM_ID = "AIM_ID"
    """An AIM identifier (``]Q1``) stands before it."""
    CODE_ID = "CODE_ID"
    """A single letter stands before it."""
    PREFIX = "PREFIX"
    """Something else stands before it."""
    NO_SUFFIX = "NO_SUFFIX"
    """No line end follows it."""
    EXTRA_SUFFIX = "EXTRA_SUFFIX"
    """More than one line end, or something else, follows it."""
    DAMAGED = "DAMAGED"
    """The test code, changed in a way that is not known."""
    OTHER_CODE = "OTHER_CODE"
    """Readable, but not the test code."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A *text* (NFC) that the test code may come as, and the *faults* that make it so."""

    faults: tuple[ScanFault, ...]
    text: str


_NON_ASCII = re.compile(r"[^\x00-\x7f]")
_LAYOUT = str.maketrans("0123456789", "đăâêô\u0300\u0309\u0303\u0301\u0323")
_D = str.maketrans("Đđ", "Dd")


@cache
def shapes() -> tuple[Shape, ...]:
    """All shapes, those with the fewest faults first; no text twice."""
    found: dict[str, Shape] = {}
    for shape in sorted(_made(), key=lambda made: len(made.faults)):
        found.setdefault(shape.text, shape)
    return tuple(found.values())


def without_accents(text: str) -> str:
    """*text* with the plain letter for each accented one, in the same case."""
    parted = unicodedata.normalize("NFD", text.translate(_D))
    return "".join(char for char in parted if not unicodedata.combining(char))


def _made() -> Iterator[Shape]:
    for letters, spelled in _spellings():
        for case, changed in _cases(spelled):
            faults = letters + case
            yield Shape(faults, unicodedata.normalize("NFC", changed))
            typed = unicodedata.normalize("NFC", changed.translate(_LAYOUT))
            yield Shape((ScanFault.VIETNAMESE_LAYOUT, *faults), typed)
    yield Shape((ScanFault.SEVEN_BITS,), bytes(byte & 0x7F for byte in TEST_PAYLOAD).decode("ascii"))
    for errors in ("ignore", "replace"):  # what Windows shows where its code page has no character
        yield Shape((ScanFault.REENCODED,), unicodedata.normalize("NFC", TEST_PAYLOAD.decode("cp1252", errors)))


def _spellings() -> Iterator[tuple[tuple[ScanFault, ...], str]]:
    yield (), TEST_TEXT
    yield (ScanFault.ASCII_MODE,), without_accents(TEST_TEXT)
    for instead in ("", "?", " ", "\ufffd"):
        yield (ScanFault.ASCII_MODE,), _NON_ASCII.sub(instead, TEST_TEXT)
        each_byte = _NON_ASCII.sub(lambda match, one=instead: one * len(match[0].encode()), TEST_TEXT)  # type: ignore[misc]
        yield (ScanFault.ASCII_MODE,), each_byte


def _cases(text: str) -> Iterator[tuple[tuple[ScanFault, ...], str]]:
    yield (), text
    changes: tuple[Callable[[str], str], ...] = (str.upper, str.lower, str.swapcase)
    for change in changes:
        yield (ScanFault.CASE_CHANGED,), change(text)
        # A scanner changes bytes, and knows only ASCII.
        yield (ScanFault.CASE_CHANGED,), "".join(change(char) if char.isascii() else char for char in text)
