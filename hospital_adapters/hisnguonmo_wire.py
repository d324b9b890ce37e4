"""The envelope of the hisnguonmo interface, and its times and names (his-kiosk-c06.md 10.1). Pure.

A request is ``{"CommonParam": {}, "ApiData": ...}``: the body of a POST, base64 in the query ``param`` of a GET. An
answer is ``{"Data", "Success", "Param": {"Messages", "BugCodes", "HasException"}}``; errors are told only inside.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from urllib.parse import quote

from kiosk.documents.text import clean, tidy
from kiosk.model import VIETNAM, PartialDate

_TEXT_LIMIT = 1000
_NUMBER = re.compile(r"[0-9]{14}")


@dataclass(frozen=True, slots=True)
class Envelope:
    """An answer. ``messages``: the system's own words, for staff. ``broken``: an exception happened inside."""

    data: Any
    success: bool
    messages: tuple[str, ...]
    broken: bool


def request(data: Mapping[str, Any]) -> bytes:
    """The envelope of a request as UTF-8 JSON."""
    # half a surrogate pair, which only a text of theirs can hold, goes back as it came: as an escape of JSON
    return json.dumps({"CommonParam": {}, "ApiData": data}, ensure_ascii=False).encode(errors="backslashreplace")


def query(data: Mapping[str, Any]) -> str:
    """The same as the query string of a GET."""
    return "param=" + quote(base64.b64encode(request(data)).decode("ascii"), safe="")


def parse(body: bytes) -> Envelope | None:
    """The envelope in *body*, or None when it is none."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or not isinstance(found.get("Success"), bool):
        return None
    param = found.get("Param")
    told: Mapping[str, Any] = param if isinstance(param, dict) else {}
    messages = told.get("Messages")
    told_words = [word for word in messages if isinstance(word, str)] if isinstance(messages, list) else []
    words = tuple(shown for word in told_words if (shown := text(word)))
    return Envelope(found.get("Data"), found["Success"], words, told.get("HasException") is True)


def time_number(moment: datetime | date) -> int:
    """A moment, or the start of a day, as the 14-digit number of Vietnam's time."""
    if isinstance(moment, datetime):
        return int(moment.astimezone(VIETNAM).strftime("%Y%m%d%H%M%S"))
    return int(f"{moment:%Y%m%d}000000")


def read_time(value: Any) -> datetime | None:
    """The moment of a 14-digit number or text; None for anything else."""
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    if not _NUMBER.fullmatch(text):
        return None
    try:
        return datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=VIETNAM)
    except ValueError:
        return None


def birth_number(born: PartialDate) -> tuple[int, int]:
    """A birth date as (14-digit number, 1 when only its year counts)."""
    whole = born.month is not None and born.day is not None
    month, day = (born.month, born.day) if whole else (1, 1)
    return int(f"{born.year:04d}{month:02d}{day:02d}000000"), int(not whole)


def read_birth(value: Any, year_only: Any) -> PartialDate | None:
    """The birth date behind the pair of ``birth_number``."""
    moment = read_time(value)
    if moment is None:
        return None
    return PartialDate(moment.year) if year_only == 1 else PartialDate(moment.year, moment.month, moment.day)


def split_name(full: str) -> tuple[str, str]:
    """(family and middle names, given name): cut at the last blank."""
    family, _, given = full.strip().rpartition(" ")
    return family, given


def text(value: Any) -> str | None:
    """A text or number as text in NFC, without control characters; None for nothing, blanks, structures, and what is
    absurdly long.
    """
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    given = str(value)
    return (tidy(clean(given)) or None) if len(given) <= _TEXT_LIMIT else None


def rows(value: Any) -> list[Mapping[str, Any]]:
    """The objects of a list; nothing else."""
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []
