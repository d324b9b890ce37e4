"""What was seen of a sample: result by result, and how much of it each facility could show."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from itertools import groupby

import sqlalchemy as sa

from province.audit_sample_tables import audit_draw, audit_item, audit_result
from province.months.rules import MonthRefused, kept_text
from province.rates import percent


class Verdict(StrEnum):
    """What a facility's own records said about a lookup that was drawn."""

    SHOWN = "shown"
    NOT_SHOWN = "not_shown"
    DIFFERS = "differs"


@dataclass(frozen=True, slots=True)
class Item:
    """One lookup of a sample. ``place``: in the order of the draw; ``verdict``: None until somebody has entered one.

    The facility shows it with `kioskctl lookup-evidence` and ``checkin_id``.
    """

    facility: str
    place: int
    event_id: str
    checkin_id: str
    station: str
    happened_at: datetime
    chip_verdict: str | None
    result_code: str | None
    verdict: Verdict | None
    note: str
    entered_by: str | None
    entered_at: datetime | None


@dataclass(frozen=True, slots=True)
class Share:
    """How one facility did: lookups drawn, entered, and shown as they were sent; ``shown_pct`` of those entered."""

    facility: str
    drawn: int
    entered: int
    shown: int

    @property
    def shown_pct(self) -> float | None:
        """In per cent with two decimals; None where nothing was entered."""
        return percent(self.shown, self.entered)


@dataclass(frozen=True, slots=True)
class Sample:
    """A month's sample. ``seed``: 128 hex digits, the signature that it was drawn with, under the key ``key_id``."""

    drawn_at: datetime
    drawn_by: str
    key_id: str
    seed: str
    items: Sequence[Item]
    shares: Sequence[Share]


def sample(connection: sa.Connection, month: date, *, only: str | None = None) -> Sample | None:
    """The sample of the month that begins on the day *month*, *only*: of one facility; None where none was drawn."""
    made = connection.execute(sa.select(audit_draw).where(audit_draw.c.month == month)).first()
    if made is None:
        return None
    told = {
        (row.facility, row.event_id): row
        for row in connection.execute(
            sa.select(audit_result).where(audit_result.c.month == month).order_by(audit_result.c.number)
        )
    }
    query = sa.select(audit_item).where(audit_item.c.month == month)
    if only is not None:
        query = query.where(audit_item.c.facility == only)
    items = []
    for row in connection.execute(query.order_by(audit_item.c.facility, audit_item.c.place)):
        given = told.get((row.facility, row.event_id))
        items.append(
            Item(
                facility=row.facility,
                place=row.place,
                event_id=row.event_id,
                checkin_id=row.checkin_id,
                station=row.station,
                happened_at=row.happened_at,
                chip_verdict=row.chip_verdict,
                result_code=row.result_code,
                verdict=Verdict(given.verdict) if given else None,
                note=given.note if given else "",
                entered_by=given.entered_by if given else None,
                entered_at=given.entered_at if given else None,
            )
        )
    return Sample(made.drawn_at, made.drawn_by, made.key_id, bytes(made.seed).hex(), items, _shares(items))


def enter(
    connection: sa.Connection, month: date, facility: str, event_id: str, verdict: str, name: str, note: str = ""
) -> None:
    """Keep what was seen of one item; *name*: who looked. A later result stands before an earlier one, which stays.

    A verdict other than `shown` needs a note. Raises MonthRefused `unknown_item`, `unknown_word`, `reason_needed` or
    `bad_text`.
    """
    if verdict not in list(Verdict):
        raise MonthRefused("unknown_word", ", ".join(Verdict))
    words = kept_text(note)
    if not words and verdict != Verdict.SHOWN:
        raise MonthRefused("reason_needed")
    mine = {"month": month, "facility": facility, "event_id": event_id.lower()}
    known = sa.select(audit_item.c.place).where(*(audit_item.c[name] == value for name, value in mine.items()))
    if connection.scalar(known) is None:
        raise MonthRefused("unknown_item")
    told = {"entered_at": datetime.now(UTC), "entered_by": name, "verdict": verdict, "note": words}
    connection.execute(sa.insert(audit_result).values(mine | told))


def _shares(items: Sequence[Item]) -> list[Share]:
    found = []
    for code, group in groupby(items, key=lambda each: each.facility):
        mine = list(group)
        entered = [each for each in mine if each.verdict is not None]
        found.append(Share(code, len(mine), len(entered), sum(each.verdict is Verdict.SHOWN for each in entered)))
    return found
