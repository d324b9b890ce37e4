"""What only Vietnamese citizen cards have: the rule of the card access number, and data group 13.

DG13 follows no public standard: it is a table of numbered entries whose layout nobody published. The one here is
identity-documents.md 7.3, gathered from what readers in the field agree on (cards issued 2021 to 2024). So nothing in
it is taken for granted: entries may be missing, damaged, unknown or in any order, and each is read for itself.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import Final

from kiosk.emrtd import tlv
from kiosk.emrtd.errors import DataError
from kiosk.emrtd.lds import FILES

NEVER_EXPIRES: Final = "Không thời hạn"
"""What entry 12 says instead of a date on the card of a person over sixty."""

_MAX_BYTES: Final = 65_536
_MAX_ATTEMPTS: Final = 256
_MAX_VALUES: Final = 64
_MAX_DEPTH: Final = 3
_SEQUENCE, _SET, _INTEGER = 0x30, 0x31, 0x02
_ENCODINGS: Final = {
    0x0C: "utf-8",
    0x13: "utf-8",  # PrintableString and IA5String are ASCII; cards that put accents in them mean UTF-8
    0x16: "utf-8",
    0x14: "latin-1",
    0x1E: "utf-16-be",
}
_ENTRY_START: Final = re.compile(rb"\x30(?:[\x00-\x7f]|\x81.|\x82..|\x83...)\x02\x01", re.DOTALL)
_PERSONAL_ID: Final = re.compile("[0-9]{12}")
_DATE: Final = re.compile(r"(?:(?:([0-9]{1,2})[/.-])?([0-9]{1,2})[/.-])?([0-9]{4})")
_SEXES: Final = {"nam": "M", "nu": "F"}
_LAST_KNOWN: Final = 16
_PARENTS, _SPOUSES = 13, 14


@dataclass(frozen=True, slots=True)
class ChipDate:
    """A date of the chip: its ``text`` as it stands there, and ``iso`` at the precision known.

    ``iso`` is "1990-02-01", "1990-02" or "1990" (ISO 8601), None when the text is no date of a calendar.
    """

    text: str
    iso: str | None


@dataclass(frozen=True, slots=True)
class Dg13:
    """A person as DG13 describes them. Text is NFC, trimmed, None where the entry is missing, empty or damaged.

    ``personal_id`` is twelve ASCII digits. ``sex`` is "M" or "F". ``unknown``: the bytes behind the index of entries
    that have no known meaning. ``problems``: codes without personal data, in the order found: FILE_CUT_OFF, NO_SET,
    STRAY_BYTES, TOO_MANY_ENTRIES, and for entry n ENTRY_n_STRUCTURE, ENTRY_n_TEXT (undecodable), ENTRY_n_VALUE (not a
    number, date or sex), ENTRY_n_TWICE (the first counts).
    """

    personal_id: str | None = None
    full_name: str | None = None
    birth_date: ChipDate | None = None
    sex: str | None = None
    nationality: str | None = None
    ethnicity: str | None = None
    religion: str | None = None
    place_of_origin: str | None = None
    place_of_residence: str | None = None
    marks: str | None = None
    issued_on: ChipDate | None = None
    expires_on: ChipDate | None = None
    father: str | None = None
    mother: str | None = None
    spouses: tuple[str, ...] = ()
    old_id: str | None = None
    chip_id: str | None = None
    unknown: Mapping[int, bytes] = field(default_factory=dict)
    problems: tuple[str, ...] = ()

    @property
    def never_expires(self) -> bool:
        """True when the card says that it is valid without end."""
        return self.expires_on is not None and _plain(self.expires_on.text) == _plain(NEVER_EXPIRES)


def can_of(personal_id: str) -> str:
    """The card access number of a card: the last six of the twelve digits printed on it (identity-documents.md 6).

    ValueError for anything but twelve ASCII digits.
    """
    if not _PERSONAL_ID.fullmatch(personal_id):
        raise ValueError("a personal number has twelve digits")
    return personal_id[-6:]


def parse_dg13(data: bytes) -> Dg13:
    """The entries of the whole file DG13 (tag ``6D``), whatever their order and the form of their lengths.

    A damaged entry is left out and told in ``problems``. DataError only when *data* is no DG13 at all: another tag, no
    entry in it, or more than 64 kB.
    """
    problems: list[str] = []
    content = _content(data, problems)
    block = _set_of_entries(content)
    if block is None:
        problems.append("NO_SET")
        block = content
    reading = _Reading(problems)
    for index, rest in _entries(block, problems):
        reading.add(index, rest)
    if not reading.values and not reading.unknown:
        raise DataError("DG13 without any entry")
    return reading.result()


class _Reading:
    """The entries collected so far, and their way into a `Dg13`."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        self.values: dict[int, tuple[str | None, ...]] = {}
        self.unknown: dict[int, bytes] = {}

    def add(self, index: int, rest: bytes) -> None:
        if index in self.values or index in self.unknown:
            self._problem(index, "TWICE")
        elif not 1 <= index <= _LAST_KNOWN:
            self.unknown[index] = rest
        else:
            try:
                self.values[index] = tuple(_texts(rest))
            except UnicodeDecodeError:
                self.values[index] = ()
                self._problem(index, "TEXT")

    def result(self) -> Dg13:
        parents = (*self.values.get(_PARENTS, ()), None, None)
        return Dg13(
            personal_id=self._personal_id(1),
            full_name=self._text(2),
            birth_date=self._date(3),
            sex=self._sex(4),
            nationality=self._text(5),
            ethnicity=self._text(6),
            religion=self._text(7),
            place_of_origin=self._text(8),
            place_of_residence=self._text(9),
            marks=self._text(10),
            issued_on=self._date(11),
            expires_on=self._date(12),
            father=parents[0],
            mother=parents[1],
            spouses=tuple(name for name in self.values.get(_SPOUSES, ()) if name),
            old_id=self._text(15),
            chip_id=self._text(16),
            unknown=MappingProxyType(self.unknown),
            problems=tuple(self.problems),
        )

    def _problem(self, index: int, what: str) -> None:
        self.problems.append(f"ENTRY_{index}_{what}")

    def _text(self, index: int) -> str | None:
        return next(iter(self.values.get(index, ())), None)

    def _personal_id(self, index: int) -> str | None:
        text = self._text(index)
        if text is not None and not _PERSONAL_ID.fullmatch(text):
            self._problem(index, "VALUE")
            return None
        return text

    def _sex(self, index: int) -> str | None:
        text = self._text(index)
        sex = None if text is None else _SEXES.get(_plain(text))
        if text is not None and sex is None:
            self._problem(index, "VALUE")
        return sex

    def _date(self, index: int) -> ChipDate | None:
        text = self._text(index)
        if text is None:
            return None
        iso = _iso(text)
        if iso is None and _plain(text) != _plain(NEVER_EXPIRES):
            self._problem(index, "VALUE")
        return ChipDate(text, iso)


def _content(data: bytes, problems: list[str]) -> bytes:
    if len(data) > _MAX_BYTES:
        raise DataError("DG13 of more than 64 kB")
    tag, at = tlv.read_tag(data, 0)
    if tag != FILES["DG13"].tag:
        raise DataError("not a DG13")
    try:
        return tlv.parse_one(data)[1]
    except DataError:
        problems.append("FILE_CUT_OFF")
        return data[at:]


def _set_of_entries(content: bytes) -> bytes | None:
    """The SET whose first member is an entry, nearest to the surface; None when the way to it is broken or missing."""
    level = [content]
    for _ in range(_MAX_DEPTH):
        members = [member for block in level for member in _members(block)]
        for tag, value in members:
            if tag == _SET and _entry(value, 0) is not None:
                return value
        level = [value for tag, value in members if tag == _SEQUENCE][:_MAX_VALUES]
    return None


def _members(block: bytes) -> list[tuple[int, bytes]]:
    members = []
    try:
        for member in tlv.iterate(block):
            members.append(member)
            if len(members) > _MAX_VALUES:
                break
    except DataError:
        pass  # what stands before the damage still shows the way
    return members


def _entries(block: bytes, problems: list[str]) -> Iterator[tuple[int, bytes]]:
    """Index and the bytes behind it of every sound entry; behind a broken one, the next that looks like one."""
    at = 0
    for _ in range(_MAX_ATTEMPTS):
        if at >= len(block):
            return
        entry = _entry(block, at)
        if entry is not None and _is_sound(*entry[:2]):
            index, rest, at = entry
            yield index, rest
            continue
        problems.append("STRAY_BYTES" if entry is None else f"ENTRY_{entry[0]}_STRUCTURE")
        following = _ENTRY_START.search(block, at + 1)
        if following is None:
            return
        at = following.start()
    problems.append("TOO_MANY_ENTRIES")


def _entry(block: bytes, at: int) -> tuple[int, bytes, int] | None:
    """Index, the bytes behind it, and the offset behind the entry at *at*; None when there is no entry."""
    try:
        tag, value, end = tlv.parse_one(block, at)
        kind, index, behind = tlv.parse_one(value)
    except DataError:
        return None
    if tag != _SEQUENCE or kind != _INTEGER or not 1 <= len(index) <= 2:
        return None
    return int.from_bytes(index, "big"), value[behind:], end


def _is_sound(index: int, rest: bytes) -> bool:
    """Whether what follows the index fits its grammar; a wrong length shows here, by what it cuts or swallows."""
    try:
        values = list(_limited(rest))
        if 1 <= index <= _LAST_KNOWN:
            for tag, value in values:
                inner = [leaf for leaf, _ in _limited(value)] if tag == _SEQUENCE else [tag]
                if any(leaf not in _ENCODINGS for leaf in inner):
                    return False
    except DataError:
        return False
    return True


def _limited(block: bytes) -> Iterator[tuple[int, bytes]]:
    for count, member in enumerate(tlv.iterate(block)):
        if count >= _MAX_VALUES:
            raise DataError("an entry with too many values")
        yield member


def _texts(rest: bytes) -> Iterator[str | None]:
    """One text for each value of a sound entry, the strings of a SEQUENCE joined; UnicodeDecodeError goes through."""
    for tag, value in tlv.iterate(rest):
        leaves = list(tlv.iterate(value)) if tag == _SEQUENCE else [(tag, value)]
        yield _clean(" ".join(leaf.decode(_ENCODINGS[kind]) for kind, leaf in leaves)) or None


def _clean(text: str) -> str:
    visible = "".join(char for char in text if char.isspace() or unicodedata.category(char) not in ("Cc", "Cf"))
    return " ".join(unicodedata.normalize("NFC", visible).split())


def _plain(text: str) -> str:
    decomposed = unicodedata.normalize("NFD", text)
    return "".join(char for char in decomposed if not unicodedata.combining(char)).casefold()


def _iso(text: str) -> str | None:
    """``dd/MM/yyyy``, ``MM/yyyy`` or ``yyyy``; zeros stand for a day or month that is not known."""
    match = _DATE.fullmatch(text)
    if match is None:
        return None
    day, month, year = (int(part or 0) for part in match.groups())
    try:
        date(year, month or 1, day or 1)
    except ValueError:
        return None
    if not month:
        return None if day else f"{year:04d}"
    return f"{year:04d}-{month:02d}-{day:02d}" if day else f"{year:04d}-{month:02d}"
