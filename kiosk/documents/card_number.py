"""A number typed or read without a document around it: which key of a lookup is it?

Source: insurance-gateway.md 2.3 (lengths, normalising), identity-documents.md 4.3 (card numbers) and 9 step 3.
"""

import re

from kiosk.model import KeyKind

_IGNORED = re.compile(r"[\s_-]")
_SHAPES = (
    (KeyKind.PERSONAL_12, re.compile("[0-9]{12}")),
    (KeyKind.BHXH_10, re.compile("[0-9]{10}")),
    # Letters in the tail were issued before 2018 and still circulate.
    (KeyKind.BHYT_15, re.compile("[A-Z]{2}[1-5][0-9A-Z]{12}")),
    (KeyKind.BHYT_17, re.compile("[A-Z]{2}[1-5][0-9A-Z]{2}[0-9]{12}")),
)


def classify_number(text: str) -> tuple[KeyKind, str] | None:
    """The kind of number *text* is and its normal form: no blanks, ``-`` or ``_``, upper case, never truncated.

    None for anything that is no number to ask the gateway with; ASCII digits and letters only.
    """
    number = _IGNORED.sub("", text)
    if not number.isascii():
        return None
    number = number.upper()
    return next(((kind, number) for kind, shape in _SHAPES if shape.fullmatch(number)), None)


def benefit_level_of(kind: KeyKind, number: str) -> str | None:
    """The benefit level 1 to 5 printed in a 15 or 17 character card *number*; other numbers do not carry it."""
    return (number[2:3] or None) if kind in (KeyKind.BHYT_15, KeyKind.BHYT_17) else None
