"""Which of the codes in one picture is meant: the document of one person, else one other code, never one of two people.

Pure. A citizen card beside a payment code or beside its owner's insurance card must work; a second person's card in the
picture must not be taken for the first one's.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from kiosk.documents.recognise import recognise
from kiosk.model import Document, DocumentKind

_BEST_FIRST: Final = (
    DocumentKind.CC_QR,
    DocumentKind.CCCD_QR,
    DocumentKind.BHYT_QR,
    DocumentKind.VSSID_QR,
    DocumentKind.MRZ,
    DocumentKind.NUMBER,
)


@dataclass(frozen=True, slots=True)
class Choice:
    """What one picture means. ``index`` of the chosen code, None if none is; ``mixed``: because of different people.

    ``documents``: indices of the codes that are somebody's document, without error.
    """

    index: int | None = None
    documents: frozenset[int] = frozenset()
    mixed: bool = False


def choose(payloads: Sequence[bytes]) -> Choice:
    """Choose among the codes of one picture, given in order of size, largest first."""
    documents = [recognise(payload) for payload in payloads]
    naming = [index for index, document in enumerate(documents) if _names_somebody(document)]
    if not naming:
        return Choice(0 if payloads else None)
    first = documents[naming[0]]
    if not all(_same_person(first, documents[index]) for index in naming[1:]):
        return Choice(None, frozenset(naming), mixed=True)
    best = min(naming, key=lambda index: (_BEST_FIRST.index(documents[index].kind), index))
    return Choice(best, frozenset(naming))


def _names_somebody(document: Document) -> bool:
    return (
        document.error is None
        and document.kind in _BEST_FIRST
        and (document.identity is not None or document.coverage is not None)
    )


def _same_person(one: Document, other: Document) -> bool:
    """Whether both surely name the same person: by a number that both have, else by name and birth date."""
    for mine, theirs in ((_personal_id(one), _personal_id(other)), (_card_number(one), _card_number(other))):
        if mine is not None and theirs is not None:
            # a card number ends in the BHXH number, which newer cards print alone
            return mine == theirs or (len(mine) != len(theirs) and mine[-10:] == theirs[-10:])
    return _who(one) is not None and _who(one) == _who(other)


def _personal_id(document: Document) -> str | None:
    return document.identity.personal_id if document.identity else None


def _card_number(document: Document) -> str | None:
    return document.coverage.number if document.coverage else None


def _who(document: Document) -> tuple[str, str] | None:
    person = document.identity
    if person is None or not person.full_name or person.birth_date is None:
        return None
    return unicodedata.normalize("NFC", person.full_name).casefold(), str(person.birth_date)
