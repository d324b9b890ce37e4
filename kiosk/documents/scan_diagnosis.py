"""What is wrong with a scanner, told from one scan of the printed test code.

Source: identity-documents.md 1.5 (what scanners emit). Pure; nothing here raises for any input, and nothing of a scan
is kept in a result, because somebody may scan a real card instead.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

from kiosk.documents.recognise import recognise
from kiosk.documents.scan_test_code import (
    TEST_NUMBER,
    TEST_PAYLOAD,
    TEST_TEXT,
    ScanFault,
    Shape,
    shapes,
    without_accents,
)

MAX_BYTES = 8192
"""More than this is never looked at."""

_SUFFIXES = ("\r", "\n", "\r\n", "\t")
_ENDS = "\r\n\t \0"
_GUESSES = ("latin-1", "cp1252", "big5", "shift_jis", "cp932")
_AIM_ID = re.compile(r"\][A-Za-z][0-9]")
_BLANKS = b"\r\n\t "
_SHORTEST_START = 12
_SHORTEST_END = 24
_KEPT = 0.7
_GARBLED = 0.1
_TELEX_KEYS = re.compile("[sfrxjwz]")
_VNI_KEYS = re.compile("(?<=[a-z])[0-9]+")
_FOREIGN = frozenset({ScanFault.NOTHING, ScanFault.WRONG_SPEED, ScanFault.OTHER_CODE})


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """All that was found, the worst first; never empty.

    ``kiosk_copes``: the kiosk reads the same person all the same, so that the fault may stay.
    """

    faults: tuple[ScanFault, ...]
    kiosk_copes: bool

    @property
    def code(self) -> ScanFault:
        """The worst of the faults, or FINE."""
        return self.faults[0]


def diagnose(raw: bytes, *, framed: bool = False) -> Diagnosis:
    """What *raw*, all bytes that one scan of the test code gave, says about the scanner.

    *framed*: a reader has already cut off the suffix, which is then not judged. FINE for exactly the test code with
    one of CR, LF, CR LF and TAB behind it (*framed*: nothing), and for nothing else.
    """
    raw = raw[:MAX_BYTES]
    faults = _faults(raw, framed)
    copes = faults[0] not in _FOREIGN and recognise(raw).identity == recognise(TEST_PAYLOAD).identity
    return Diagnosis(faults, copes)


def is_test_code(raw: bytes) -> bool:
    """Whether *raw* is a scan of the test code, in order or damaged: a test, and no patient."""
    return _faults(raw[:MAX_BYTES], True)[0] not in _FOREIGN


def _faults(raw: bytes, framed: bool) -> tuple[ScanFault, ...]:
    if not raw.strip(_BLANKS):
        return (ScanFault.NOTHING,)
    readings = list(_readings(raw))
    for reading in readings:
        for shape in shapes():
            if (at := reading.text.find(shape.text)) >= 0:
                around = _around(reading.text, at, shape.text, framed)
                return _once(reading.faults + shape.faults + around) or (ScanFault.FINE,)
    for reading in readings:
        if ScanFault.SEVEN_BITS in reading.faults:  # a guess that only a whole match makes likely
            continue
        if fault := _incomplete(reading.text.strip(_ENDS + "\ufffd")):
            return _once(fault + reading.faults)
    if any(TEST_NUMBER in reading.text for reading in readings):
        return (ScanFault.DAMAGED,)
    return (ScanFault.WRONG_SPEED if _garbled(raw) else ScanFault.OTHER_CODE,)


def _readings(raw: bytes) -> Iterator[Shape]:
    """The texts that *raw* may be meant as, in NFC, each with the faults that this would mean."""
    text = raw.decode("utf-8", "replace")
    whole = unicodedata.normalize("NFC", text)
    yield Shape((ScanFault.DECOMPOSED,) if whole != text and TEST_TEXT in whole else (), whole)
    for fault, codec, meant in (
        *((ScanFault.REENCODED, guess, "utf-8") for guess in _GUESSES),
        (ScanFault.CODE_PAGE_1258, "utf-8", "cp1258"),
        (ScanFault.CODE_PAGE_1258, "cp1252", "cp1258"),
    ):
        try:
            again = (raw if codec == "utf-8" else text.encode(codec)).decode(meant)
        except UnicodeError:
            continue
        if not again.isascii():
            yield Shape((fault,), unicodedata.normalize("NFC", again))
    if not raw.isascii():
        yield Shape((ScanFault.SEVEN_BITS,), bytes(byte & 0x7F for byte in raw).decode("ascii"))


def _once(faults: tuple[ScanFault, ...]) -> tuple[ScanFault, ...]:
    return tuple(dict.fromkeys(faults))


def _around(text: str, at: int, found: str, framed: bool) -> tuple[ScanFault, ...]:
    before, after = text[:at], text[at + len(found) :]
    faults = []
    if before:
        aim, letter = _AIM_ID.fullmatch(before), len(before) == 1 and before.isalpha()
        faults.append(ScanFault.AIM_ID if aim else ScanFault.CODE_ID if letter else ScanFault.PREFIX)
    if found in after:
        faults.insert(0, ScanFault.SCANNED_TWICE)
    elif not after:
        faults += [] if framed else [ScanFault.NO_SUFFIX]
    elif framed or after not in _SUFFIXES:
        faults.append(ScanFault.EXTRA_SUFFIX)
    return tuple(faults)


def _incomplete(text: str) -> tuple[ScanFault, ...]:
    """What makes *text*, without its ends, of some shape that it does not hold as a whole; () if nothing known."""
    fields = text.split("|")
    for shape in shapes():
        if len(text) >= _SHORTEST_START and shape.text.startswith(text):
            return (ScanFault.TRUNCATED, *shape.faults)
        if len(text) >= _SHORTEST_END and shape.text.endswith(text):
            return (ScanFault.START_LOST, *shape.faults)
        expected = _fields(shape)
        if len(fields) == 1 and text == "".join(expected):
            return (ScanFault.SEPARATORS_LOST, *shape.faults)
        if fields[0] == expected[0] and 1 < len(fields) < len(expected) and _within(fields, expected):
            return (ScanFault.FIELDS_MISSING, *shape.faults)
    if method := _typing_method(fields):
        return (method,)
    for shape in shapes():
        if _one_for_one(text, shape.text):
            return (ScanFault.OTHER_LAYOUT, *shape.faults)
    for shape in shapes():
        if len(shape.text) > len(text) > _KEPT * len(shape.text) and _within(text, shape.text):
            return (ScanFault.CHARACTERS_LOST, *shape.faults)
    return ()


@cache
def _fields(shape: Shape) -> list[str]:
    return shape.text.split("|")


def _within(part: str | list[str], whole: str | list[str]) -> bool:
    """Whether *part* is *whole* with some elements left out."""
    rest = iter(whole)
    return all(element in rest for element in part)


def _one_for_one(text: str, expected: str) -> bool:
    """Whether *text* is *expected* with each character standing for exactly one other."""
    if len(text) != len(expected):
        return False
    pairs = set(zip(text, expected, strict=True))
    return len(pairs) == len({ours for ours, _ in pairs}) == len({theirs for _, theirs in pairs})


def _typing_method(fields: list[str]) -> ScanFault | None:
    """TELEX or VNI if digits and separators are whole and each word that differs lost keys that make marks.

    Programs differ in where they put a mark and which keys they keep, so only what is left of each word without marks
    and without such keys is compared.
    """
    if fields[0] != TEST_NUMBER:
        return None
    for shape in shapes():
        expected = _fields(shape)
        if len(fields) != len(expected) or not shape.text.isascii() or ScanFault.CASE_CHANGED in shape.faults:
            continue
        pairs = list(zip(fields, expected, strict=True))
        for method, made_by in ((ScanFault.TELEX, _made_by_telex), (ScanFault.VNI, _made_by_vni)):
            if all(_made(ours, theirs, made_by) for ours, theirs in pairs):
                return method
    return None


def _made(ours: str, theirs: str, made_by: Callable[[str, str], bool]) -> bool:
    words, typed = ours.split(" "), theirs.split(" ")
    return len(words) == len(typed) and all(
        word == keys or (not keys.isdigit() and made_by(word, keys)) for word, keys in zip(words, typed, strict=True)
    )


def _made_by_telex(word: str, typed: str) -> bool:
    plain = without_accents(word).lower()
    # A lone w makes a whole letter; every other key goes into the letter that it marks.
    used = len(plain) < len(typed) or "ư" in unicodedata.normalize("NFD", word.lower()).replace("u\u031b", "ư")
    return used and _telex_rest(plain) == _telex_rest(typed.lower())


def _telex_rest(word: str) -> str:
    return "".join(dict.fromkeys(_TELEX_KEYS.sub("", word))).replace("u", "")


def _made_by_vni(word: str, typed: str) -> bool:
    plain = without_accents(word).lower()
    return len(plain) < len(typed) and _VNI_KEYS.sub("", plain) == _VNI_KEYS.sub("", typed.lower())


def _garbled(raw: bytes) -> bool:
    """Whether a good part of *raw* is no text in any encoding."""
    text = raw.decode("utf-8", "replace").strip("\r\n\t ")
    strange = sum(char == "\ufffd" or not (char.isprintable() or char in "\r\n\t") for char in text)
    return not text or strange > _GARBLED * len(text)
