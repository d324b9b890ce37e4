"""Keeps what a lookup leaves behind beside its answer: each call as evidence, the untouched answer, a short receipt.

Evidence (table ``question``) names no person. The untouched answer is kept because the facility must be able to show
it (Circular 12/2026/TT-BTC article 4), packed in the encrypted store. A receipt binds a visit to what was answered: it
is a keyed hash over when, what, and the digest of the answer, short enough to be typed.
"""

from __future__ import annotations

import hashlib
import hmac
import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Final

import sqlalchemy as sa

from kiosk.model import Attempt, Eligibility, Moment, local_day
from kiosk.records import CheckIn
from kiosk.tables import checkin, gateway_answer, lookup_receipt, question

_CROCKFORD: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_CODE_BITS: Final = 50


def keep(
    connection: sa.Connection, facility_key: bytes, answer: Eligibility, moment: Moment, checkin_id: str | None
) -> str | None:
    """Keep the calls of *answer* and what came back; returns the code of its receipt, None without a real answer."""
    code = None
    for part in (*answer.earlier, answer):
        keep_calls(connection, part.trail, moment, checkin_id)
        code = _keep_answer(connection, facility_key, part, checkin_id)
    return code


def keep_calls(connection: sa.Connection, calls: Sequence[Attempt], moment: Moment, checkin_id: str | None) -> None:
    """Keep *calls* as evidence, each once: callers who shared a question bring the same ones."""
    for call in calls:
        connection.execute(
            question.insert()
            .prefix_with("OR IGNORE")
            .values(
                request_id=call.request_id,
                checkin_id=checkin_id,
                moment=moment.value,
                asked_at=call.asked_at,
                day=str(local_day(call.asked_at)),
                key_kind=call.key_kind.value,
                reason=call.reason,
                result_code=call.result_code,
                http_status=call.http_status,
                latency_ms=call.latency_ms,
            )
        )


@dataclass(frozen=True, slots=True)
class ReceiptFacts:
    """What a receipt vouches for; the columns of ``lookup_receipt`` beside its code."""

    checkin_id: str | None
    request_id: str
    asked_at: datetime
    status: str
    result_code: str | None
    digest: str

    def code(self, facility_key: bytes) -> str:
        """The receipt: ten characters of Crockford's base 32 with a dash, such as ``7ZK3M-0QX9T``."""
        when = self.asked_at.astimezone(UTC).isoformat()
        facts = (self.checkin_id or "", self.request_id, when, self.status, self.result_code or "", self.digest)
        stamp = hmac.new(facility_key, "\n".join(("lookup-receipt", *facts)).encode(), hashlib.sha256).digest()
        bits = int.from_bytes(stamp, "big") >> (len(stamp) * 8 - _CODE_BITS)
        text = "".join(_CROCKFORD[(bits >> shift) & 31] for shift in range(_CODE_BITS - 5, -1, -5))
        return f"{text[:5]}-{text[5:]}"


def receipt_again(connection: sa.Connection, facility_key: bytes, of: CheckIn, asked_at: datetime) -> str | None:
    """A receipt for *of* over an answer that was kept when the same person was asked about at *asked_at*.

    Returns its code; None when that answer had no receipt.
    """
    of_person = sa.select(checkin.c.checkin_id).where(checkin.c.person_key == of.person_key)
    known = connection.execute(
        sa.select(lookup_receipt)
        .where(lookup_receipt.c.asked_at == asked_at, lookup_receipt.c.checkin_id.in_(of_person))
        .limit(1)
    ).first()
    if known is None:
        return None
    facts = ReceiptFacts(of.checkin_id, known.request_id, known.asked_at, known.status, known.result_code, known.digest)
    return _put_receipt(connection, facility_key, facts)


def _put_receipt(connection: sa.Connection, facility_key: bytes, facts: ReceiptFacts) -> str:
    code = facts.code(facility_key)
    connection.execute(lookup_receipt.insert().prefix_with("OR IGNORE").values(code=code, **asdict(facts)))
    return code


def _keep_answer(
    connection: sa.Connection, facility_key: bytes, answer: Eligibility, checkin_id: str | None
) -> str | None:
    if answer.answer is None or not answer.trail:
        return None
    request_id = answer.trail[-1].request_id
    digest = hashlib.sha256(answer.answer).hexdigest()
    connection.execute(
        gateway_answer.insert()
        .prefix_with("OR IGNORE")
        .values(
            request_id=request_id,
            checkin_id=checkin_id,
            at=answer.asked_at,
            day=str(local_day(answer.asked_at)),
            digest=digest,
            body=zlib.compress(answer.answer),
        )
    )
    if answer.status.unanswered:
        return None
    facts = ReceiptFacts(checkin_id, request_id, answer.asked_at, answer.status.value, answer.result_code, digest)
    return _put_receipt(connection, facility_key, facts)
