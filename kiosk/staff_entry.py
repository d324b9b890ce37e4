"""What staff type for a person, and how they are told that something is not possible."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from kiosk.errors import KioskError
from kiosk.model import PartialDate, Sex

OLDEST: Final = 1880
"""Nobody was born before."""


class StaffRefusal(KioskError):
    """What staff asked for is not possible; ``code`` says why."""

    def __init__(self, code: str) -> None:
        """Carry a stable upper-case *code*."""
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Entry:
    """What was typed for a person; a 12-digit number alone is completed from the hospital's own records."""

    number: str
    full_name: str = ""
    birth_date: str = ""
    sex: Sex | None = None


def parse_birth_date(text: str) -> PartialDate:
    """``1990-02-01``, ``1990-02``, ``1990``, ``01/02/1990`` or ``02/1990``; StaffRefusal BAD_DATE otherwise."""
    cleaned = text.strip()
    if re.fullmatch(r"(\d{1,2}[/.-]){0,2}\d{4}", cleaned):
        parts = re.split(r"[/.-]", cleaned)
        cleaned = "-".join(part.zfill(2) for part in reversed(parts))
    try:
        return PartialDate.parse(cleaned)
    except ValueError:
        raise StaffRefusal("BAD_DATE") from None
