"""A facility objects to a figure of its own month, the province answers; both stay."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any, Final

import sqlalchemy as sa

from province.month_tables import month_answer, month_objection
from province.months.rules import MonthRefused, kept_text, refuse_not_over, refuse_unknown

FIGURES: Final = ("visits_bhyt", "lookups_total", "r1_pct", "r1_raw_pct", "r2_pct", "r3_pct", "r4_pct")


class Reason(StrEnum):
    """Why a facility objects."""

    VISITS_WRONG = "VISITS_WRONG"
    DESK_LOOKUPS_MISSING = "DESK_LOOKUPS_MISSING"
    STATION_DATA_MISSING = "STATION_DATA_MISSING"
    EXCLUSION_NOT_APPLIED = "EXCLUSION_NOT_APPLIED"
    WRONG_FACILITY = "WRONG_FACILITY"
    OTHER = "OTHER"


REASON_TEXTS: Final = {
    Reason.VISITS_WRONG: "Số lượt khám BHYT không đúng",
    Reason.DESK_LOOKUPS_MISSING: "Thiếu lượt tra cứu tại quầy",
    Reason.STATION_DATA_MISSING: "Thiếu dữ liệu của kiosk",
    Reason.EXCLUSION_NOT_APPLIED: "Chưa loại trừ đúng đối tượng",
    Reason.WRONG_FACILITY: "Dữ liệu bị tính nhầm cơ sở",
    Reason.OTHER: "Lý do khác",
}


class Verdict(StrEnum):
    """What the province says to an objection."""

    ACCEPTED = "accepted"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of the province; a later one stands beside an earlier one."""

    answered_at: datetime
    answered_by: str
    verdict: Verdict
    text: str


@dataclass(frozen=True, slots=True)
class Objection:
    """An objection with its answers, oldest first."""

    number: int
    facility: str
    month: date
    made_at: datetime
    made_by: str
    figure: str
    reason: Reason
    text: str
    answers: tuple[Answer, ...]


def object_to(
    connection: sa.Connection, code: str, month: date, name: str, figure: str, reason: str, text: str
) -> Objection:
    """Keep an objection to one of FIGURES, for a Reason, in words of at most 500 characters. Raises MonthRefused."""
    refuse_unknown(connection, code)
    refuse_not_over(month)
    if figure not in FIGURES or reason not in list(Reason):
        raise MonthRefused("unknown_word", f"figure: {', '.join(FIGURES)}; reason: {', '.join(Reason)}")
    row = {"facility": code, "month": month, "made_at": datetime.now(UTC), "made_by": name}
    row |= {"figure": figure, "reason": reason, "text": kept_text(text)}
    made = sa.insert(month_objection).values(row).returning(month_objection.c.number)
    return _read(connection, month_objection.c.number == connection.execute(made).scalar_one())[0]


def answer(connection: sa.Connection, number: int, name: str, verdict: str, text: str) -> Objection:
    """Keep the province's answer to an objection. Raises MonthRefused; an answer needs words."""
    if verdict not in list(Verdict):
        raise MonthRefused("unknown_word", f"verdict: {', '.join(Verdict)}")
    words = kept_text(text)
    if not words:
        raise MonthRefused("reason_needed")
    if not 0 < number < 2**31 or not _read(connection, month_objection.c.number == number):
        raise MonthRefused("unknown_objection")
    row = {"objection": number, "answered_at": datetime.now(UTC), "answered_by": name}
    connection.execute(sa.insert(month_answer).values(row | {"verdict": verdict, "text": words}))
    return _read(connection, month_objection.c.number == number)[0]


def objections(connection: sa.Connection, month: date) -> list[Objection]:
    """All objections to figures of a month, oldest first."""
    return _read(connection, month_objection.c.month == month)


def _read(connection: sa.Connection, condition: sa.ColumnElement[bool]) -> list[Objection]:
    answers: dict[int, list[Answer]] = {}
    of_these = sa.select(month_answer).join(month_objection).where(condition).order_by(month_answer.c.number)
    for row in connection.execute(of_these):
        given = Answer(row.answered_at, row.answered_by, Verdict(row.verdict), row.text)
        answers.setdefault(row.objection, []).append(given)
    rows = connection.execute(sa.select(month_objection).where(condition).order_by(month_objection.c.number))
    return [_objection(row, answers.get(row.number, [])) for row in rows]


def _objection(row: Any, answers: list[Answer]) -> Objection:
    return Objection(
        row.number,
        row.facility,
        row.month,
        row.made_at,
        row.made_by,
        row.figure,
        Reason(row.reason),
        row.text,
        tuple(answers),
    )
