"""What a cell of a file says: a code, a number, a day; nothing is guessed at."""

import re
import unicodedata
from datetime import date, datetime
from typing import Any, Final

from kiosk.events import MAX_COUNT

_TEXT_DAY: Final = (
    re.compile(r"(?P<y>[0-9]{4})-(?P<m>[0-9]{1,2})-(?P<d>[0-9]{1,2})"),
    re.compile(r"(?P<d>[0-9]{1,2})/(?P<m>[0-9]{1,2})/(?P<y>[0-9]{4})"),
)


def to_words(cell: Any) -> str:
    """The text of a heading, for comparing: NFC, without case, one space between words."""
    return " ".join(unicodedata.normalize("NFC", str(cell or "")).casefold().split())


def to_code(cell: Any) -> str | None:
    """The code of a facility as it is written, or None; a number has lost its leading zeros and stays so."""
    return str(cell).strip() if isinstance(cell, str | int) and not isinstance(cell, bool) else None


def to_day(cell: Any) -> date | None:
    """A date cell, `dd/mm/yyyy` or `yyyy-mm-dd`; None for anything else."""
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    for pattern in _TEXT_DAY:
        if isinstance(cell, str) and (match := pattern.fullmatch(cell.strip())):
            try:
                return date(int(match["y"]), int(match["m"]), int(match["d"]))
            except ValueError:
                return None
    return None


def to_count(cell: Any) -> int | None:
    """A whole number from 0 to MAX_COUNT, or None; thousands are never guessed at: 1.234 may be either."""
    if isinstance(cell, bool):
        return None
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    if isinstance(cell, str) and (text := cell.strip()).isascii() and text.isdigit() and len(text) <= 10:
        cell = int(text)
    return cell if isinstance(cell, int) and 0 <= cell <= MAX_COUNT else None
