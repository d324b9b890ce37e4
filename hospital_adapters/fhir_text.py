"""What a FHIR text or number may hold, and how it stands in a search. Pure; nothing here raises for any text.

FHIR R4 2.24.0 (a string holds no control character but TAB, CR and LF, and is never empty), 3.1.1.5 (search values),
faults-threats-speed.md 4 (injection).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from urllib.parse import quote

_NEVER_CARRIED = ("Cc", "Cf", "Cs")
_NUMBER = re.compile(r"[0-9A-Za-z._/-]{1,64}")
_ID = re.compile(r"[A-Za-z0-9.-]{1,64}")
_SEARCH_SIGNS = re.compile(r"([\\|,$])")


def carried(text: str | None) -> str:
    """What a resource carries of *text*: NFC, every run of blanks or line ends one blank, trimmed.

    Control characters, format characters (those that turn the direction of writing among them), lone surrogates and
    code points that are no characters are left out.
    """
    kept = (" " if char.isspace() else char for char in text or "" if char.isspace() or _is_carried(char))
    return " ".join(unicodedata.normalize("NFC", "".join(kept)).split())


def _is_carried(char: str) -> bool:
    code = ord(char)
    return unicodedata.category(char) not in _NEVER_CARRIED and code & 0xFFFE != 0xFFFE and not 0xFDD0 <= code <= 0xFDEF


def number(text: str | None) -> str | None:
    """*text* as it is where it can be a number or code of anybody: ASCII letters, digits, ``. _ / -``; else None.

    A number is never repaired: what is left of it could be somebody else's.
    """
    return text if text and _NUMBER.fullmatch(text) else None


def is_id(text: str | None) -> bool:
    """Whether *text* can be the id of a resource."""
    return bool(text and _ID.fullmatch(text))


def search_value(text: str) -> str:
    """*text* as a value in a search: the signs that part values are escaped."""
    return _SEARCH_SIGNS.sub(r"\\\1", text)


def query(parameters: Sequence[tuple[str, str]]) -> str:
    """The parameters as a URL's query or a form's body; values are already escaped for searching."""
    return "&".join(f"{name}={encoded(value)}" for name, value in parameters)


def encoded(value: str) -> str:
    """*value* as it stands in a URL's query or a form's body."""
    return quote(value, safe=":/|")
