"""The letters of HL7 v2.5.1: segments to text, escapes, control ids, and a tolerant reading of acknowledgements.

Pure functions; nothing here knows a field's meaning. Source: HL7 v2.5.1 chapter 2 (2.5 delimiters, 2.7 escapes, 2.9.2
acknowledgements), components.md 5 (how receivers acknowledge), faults-threats-speed.md 4 (injection).

Messages are written here and by no library: of two well-known ones, one leaves ``&`` and CR in a name as they are, and
the other escapes nothing by itself (faults-threats-speed.md 4). Both read these messages in the tests.
"""

from __future__ import annotations

import base64
import hashlib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

Component = str | tuple[str, ...]
"""A text, or subcomponents."""
Repetition = str | tuple[Component, ...]
"""A text, or components."""
Value = Repetition | list[Repetition]
"""One repetition, or several."""

_ESCAPES = str.maketrans({char: f"\\{letter}\\" for char, letter in zip("\\|^&~", "EFSTR", strict=True)})
_NEVER_CARRIED = ("Cc", "Cf", "Cs")
_NULL = '""'
_LINES = re.compile(r"[\r\n]+")
_TEXT_LIMIT = 500


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment: its name, and its fields by their number in the standard. Empty fields may be left out."""

    name: str
    fields: Mapping[int, Value]


def carried(text: str) -> str:
    """What a message carries of *text*: NFC, every run of blanks or line ends one blank, trimmed.

    Control characters (NUL and MLLP's own among them), format characters (those that turn the direction of writing
    among them) and lone surrogates are left out. A text of two quotation marks alone is empty, because in HL7 it means
    "delete the value".
    """
    kept = "".join(
        " " if char.isspace() else char
        for char in text
        if char.isspace() or unicodedata.category(char) not in _NEVER_CARRIED
    )
    tidy = " ".join(unicodedata.normalize("NFC", kept).split())
    return "" if tidy == _NULL else tidy


def encode(segments: Sequence[Segment]) -> str:
    """The message, each segment ended by CR. The first is MSH, without its fields 1 and 2."""
    return "".join(_segment(segment) + "\r" for segment in segments)


def _segment(segment: Segment) -> str:
    first = 3 if segment.name == "MSH" else 1
    last = max(segment.fields, default=0)
    fields = [_field(segment.fields.get(number, "")) for number in range(first, last + 1)]
    start = [segment.name, r"^~\&"] if segment.name == "MSH" else [segment.name]
    return "|".join([*start, *fields]).rstrip("|")


def _field(value: Value) -> str:
    repetitions = value if isinstance(value, list) else [value]
    return "~".join(_repetition(repetition) for repetition in repetitions)


def _repetition(value: Repetition) -> str:
    components = (value,) if isinstance(value, str) else value
    return "^".join(_component(component) for component in components).rstrip("^")


def _component(value: Component) -> str:
    parts = (value,) if isinstance(value, str) else value
    return "&".join(carried(part).translate(_ESCAPES) for part in parts).rstrip("&")


def visit_number(checkin_id: str) -> str:
    """15 characters that stand for a check-in (PV1-19): a CX's number may be no longer.

    Ten of them are the time in a UUIDv7, so that numbers sort as visits came; five tell visits of a millisecond apart.
    """
    digest = hashlib.sha256(checkin_id.encode("utf-8", "replace")).digest()
    try:
        moment = UUID(checkin_id).bytes[:6]
    except ValueError:
        moment = digest[8:14]
    return _letters(moment)[:10] + _letters(digest)[:5]


def control_id(visit: str, event: str, content: str = "") -> str:
    """MSH-10, at most 20 characters: the start of the number of the *visit*, and ten that stand for it, the *event*
    and the *content*. The same in every repeat, another for every other message.
    """
    digest = hashlib.sha256("\r".join((visit, event, content)).encode("utf-8", "replace")).digest()
    return re.sub("[^0-9A-Za-z]", "", visit)[:10] + _letters(digest)[:10]


def _letters(data: bytes) -> str:
    return base64.b32hexencode(data).decode()


@dataclass(frozen=True, slots=True)
class Ack:
    """An acknowledgement: MSA-1 in upper case and MSA-2 as they came, table 0357's *error* ("" if none was named),
    and the receiver's own words, which may name a person.
    """

    code: str
    control_id: str
    error: str = ""
    text: str = ""


def read_ack(block: bytes) -> Ack | None:
    """The acknowledgement in an MLLP *block*, of any version; None when there is none. Never raises.

    Neither a final CR, nor MSH-9's trigger event, nor a version that we know is asked for (components.md 5).
    """
    lines = [line.strip() for line in _LINES.split(block.decode("utf-8", "replace"))]
    header = next((line for line in lines if line.startswith("MSH") and len(line) > 4), "")
    if not header:
        return None
    field_mark, component_mark = header[3], header[4]
    segments = [line.split(field_mark) for line in lines]
    msa = next((fields for fields in segments if fields[0] == "MSA" and len(fields) > 1), None)
    if msa is None:
        return None
    err = next((fields for fields in segments if fields[0] == "ERR"), [])
    # ERR-3 since version 2.5, the fourth component of ERR-1 before, MSA-6 in receivers that send no ERR.
    places = [_part(err, 3, 0, component_mark), _part(err, 1, 3, component_mark), _part(msa, 6, 0, component_mark)]
    error = re.match("[0-9]*", next((place for place in places if place), ""))
    text = _part(err, 8, 0, component_mark) or _part(msa, 3, 0, component_mark)
    return Ack(
        code=msa[1].strip().upper(),
        control_id=_part(msa, 2, 0, component_mark),
        error=error[0] if error else "",
        text=carried(text)[:_TEXT_LIMIT],
    )


def _part(fields: Sequence[str], field: int, component: int, mark: str) -> str:
    parts = fields[field].split(mark) if len(fields) > field else []
    return parts[component].strip() if len(parts) > component else ""
