"""Keys that may open a citizen card's chip when only its number and the birth date are known.

BAC needs the expiry date, which is not in the QR. It can be estimated: a card runs to the birthday at 14, 25, 40 or 60,
and one issued within the two years before such a birthday to the next; later ones never expire (identity-documents.md
1.1 and 6). A chip slows down after wrong keys, so there are at most three candidates.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from typing import Final

from kiosk.emrtd.chip import AccessKey, Connection
from kiosk.emrtd.errors import AccessDenied, ApduError, WrongKey
from kiosk.emrtd.mrz import MrzKey
from kiosk.emrtd.results import ChipRead

MOST_CANDIDATES: Final = 3
NO_EXPIRY: Final = "991231"
"""The expiry field of cards that never expire."""

_BLOCKED: Final = 0x6983
_LAST_TRY: Final = 1

_AGES: Final = (14, 25, 40, 60)
_FIRST_CHIP_YEAR: Final = 2021


def bac_candidates(personal_id: str, birth: date, today: date) -> tuple[MrzKey, ...]:
    """At most three keys, the likeliest first: *personal_id* is 12 digits, *birth* exact.

    First the next such birthday, then the one after it, then the last one that passed (an expired card), if a chip
    card can have carried it. DataError when *personal_id* holds characters that no zone has.
    """
    birthdays = [_birthday(birth, age) for age in _AGES]
    ahead = [f"{day:%y%m%d}" for day in birthdays if day >= today] + [NO_EXPIRY]
    behind = [f"{day:%y%m%d}" for day in birthdays if day < today and day.year >= _FIRST_CHIP_YEAR]
    expiries = (ahead[:2] + behind[::-1])[:MOST_CANDIDATES]
    return tuple(MrzKey(personal_id[-9:], f"{birth:%y%m%d}", expiry) for expiry in expiries)


def read_with(connection: Connection, keys: Iterable[AccessKey], read: Callable[[AccessKey], ChipRead]) -> ChipRead:
    """The first *read* that one of *keys* opens, each on a fresh activation of the chip behind *connection*.

    Stops at a chip that is blocked or says that one more wrong key will block it. The last WrongKey or AccessDenied
    when none opens it; all other errors of *read* at once.
    """
    refusal: ApduError | None = None
    for key in keys:
        if refusal is not None:
            connection.reset()
        try:
            return read(key)
        except (WrongKey, AccessDenied) as error:
            refusal = error
            tries_left = error.tries_left if isinstance(error, WrongKey) else None
            if error.sw == _BLOCKED or (tries_left is not None and tries_left <= _LAST_TRY):
                break
    if refusal is None:
        raise ValueError("no key was given")
    raise refusal


def _birthday(birth: date, age: int) -> date:
    try:
        return birth.replace(year=birth.year + age)
    except ValueError:  # 29 February
        return date(birth.year + age, 2, 28)
