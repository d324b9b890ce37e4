"""Checks a lookup receipt: is it ours, do the kept facts still give this code, is the kept answer still the same.

Nothing here names a person: a receipt may be checked by whoever holds it (insurance-gateway.md 7).
"""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

import sqlalchemy as sa

from kiosk import records
from kiosk.answers import ReceiptFacts
from kiosk.model import VIETNAM
from kiosk.tables import gateway_answer, lookup_receipt

_LENGTH: Final = 10
_ALPHABET: Final = frozenset("0123456789ABCDEFGHJKMNPQRSTVWXYZ")
_MISREAD: Final = str.maketrans("OIL", "011")
_SEPARATORS: Final = str.maketrans("", "", " -\t\r\n–—")


class ReceiptState(StrEnum):
    """What is left of a receipt."""

    VALID = "valid"
    ALTERED = "altered"
    """The facts kept under the code, or the kept answer, are not those the receipt was made over."""
    ANSWER_GONE = "answer_gone"
    """The facts give the code; the answer itself is kept no longer."""
    UNKNOWN = "unknown"
    """No receipt of this facility's machine, or no receipt at all."""


@dataclass(frozen=True, slots=True)
class CheckedReceipt:
    """The result; ``facts`` None for an unknown one. ``visit_id``: the hospital's, where it gave one."""

    state: ReceiptState
    code: str | None = None
    facts: ReceiptFacts | None = None
    visit_id: str | None = None

    def as_json(self) -> dict[str, str | None]:
        """For people: when, what and which visit, times in UTC+7."""
        shown: dict[str, str | None] = {"receipt": self.code, "state": self.state.value}
        if self.facts is not None:
            shown |= {
                "asked_at": _local(self.facts.asked_at),
                "class": self.facts.status,
                "result_code": self.facts.result_code,
                "checkin_id": self.facts.checkin_id,
                "visit_id": self.visit_id,
                "request_id": self.facts.request_id,
                "digest": self.facts.digest,
            }
        return shown


def tidy_code(text: str) -> str | None:
    """The code as it is kept, from what somebody typed: lower case, without dash, O for 0 and I or L for 1.

    None for anything that no receipt can be.
    """
    bare = text[:100].translate(_SEPARATORS).upper().translate(_MISREAD)
    if len(bare) != _LENGTH or not set(bare) <= _ALPHABET:
        return None
    return f"{bare[:5]}-{bare[5:]}"


def check_receipt(connection: sa.Connection, facility_key: bytes, text: str) -> CheckedReceipt:
    """Look into what was kept when the receipt *text* was given out, and compute it anew."""
    code = tidy_code(text)
    if code is None:
        return CheckedReceipt(ReceiptState.UNKNOWN)
    row = connection.execute(sa.select(lookup_receipt).where(lookup_receipt.c.code == code)).first()
    if row is None:
        return CheckedReceipt(ReceiptState.UNKNOWN, code)
    facts = ReceiptFacts(row.checkin_id, row.request_id, row.asked_at, row.status, row.result_code, row.digest)
    state = _state(connection, facts) if facts.code(facility_key) == code else ReceiptState.ALTERED
    checkin = records.get(connection, facts.checkin_id) if facts.checkin_id else None
    visit_id = checkin.receipt.visit_id if checkin and checkin.receipt else None
    return CheckedReceipt(state, code, facts, visit_id)


def _state(connection: sa.Connection, facts: ReceiptFacts) -> ReceiptState:
    kept = connection.execute(
        sa.select(gateway_answer.c.body).where(gateway_answer.c.request_id == facts.request_id)
    ).scalar()
    if kept is None:
        return ReceiptState.ANSWER_GONE
    try:
        digest = hashlib.sha256(zlib.decompress(kept)).hexdigest()
    except zlib.error:
        return ReceiptState.ALTERED
    return ReceiptState.VALID if digest == facts.digest else ReceiptState.ALTERED


def _local(moment: datetime) -> str:
    return moment.astimezone(VIETNAM).isoformat(timespec="seconds")
