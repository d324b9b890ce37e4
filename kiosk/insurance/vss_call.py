"""What one lookup sends: number, name and birth date in the forms the gateway takes (insurance-gateway.md 2.2-2.4)."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from typing import Self

from kiosk.documents.card_number import classify_number
from kiosk.model import KeyKind, LookupKey, PartialDate


def normal_number(text: str) -> tuple[KeyKind, str]:
    """The kind of *text* and the form in which ``maThe`` holds it (classify_number, 2.3).

    ValueError (without the text) for anything else: it would cost a call and be refused there.
    """
    found = classify_number(text)
    if found is None:
        raise ValueError("not a number the gateway can be asked with")
    return found


def gateway_name(name: str) -> str:
    """*name* as NFC, upper case, single blanks, accents kept (2.2).

    ValueError when nothing stays, or control characters or lone surrogates.
    """
    text = " ".join(unicodedata.normalize("NFC", name.upper()).split())
    if not text or any(unicodedata.category(char) in ("Cs", "Cc") for char in text):
        raise ValueError("not a name the gateway can be asked with")
    return text


def gateway_date(birth: PartialDate) -> str:
    """*birth* as ``dd/mm/yyyy``, ``mm/yyyy`` or ``yyyy``, by what is known of it (2.4)."""
    parts = [f"{birth.year:04d}"]
    if birth.month is not None:
        parts.append(f"{birth.month:02d}")
    if birth.day is not None:
        parts.append(f"{birth.day:02d}")
    return "/".join(reversed(parts))


@dataclass(frozen=True, slots=True)
class LookupCall:
    """One question in the gateway's own forms; equal calls ask the same thing. ``repr`` shows nothing of the person."""

    number: str = field(repr=False)
    name: str = field(repr=False)
    birth: str = field(repr=False)

    @classmethod
    def of(cls, key: LookupKey) -> Self:
        """The call for *key*; ValueError (without the key's content) when it must not leave this machine."""
        return cls(normal_number(key.number)[1], gateway_name(key.full_name), gateway_date(key.birth_date))

    def body(self, officer_name: str, officer_id: str) -> dict[str, str]:
        """The five body fields of ``KQNhanLichSuKCB2024``, in the official spelling (2.2)."""
        return {
            "maThe": self.number,
            "hoTen": self.name,
            "ngaySinh": self.birth,
            "hoTenCb": officer_name,
            "cccdCb": officer_id,
        }
