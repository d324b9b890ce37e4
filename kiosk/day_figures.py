"""What a facility says of a whole day: all its insured visits, and the lookups that its desks made themselves.

The province divides by the first and adds the second (interfaces, sections 5 and 6). A correction is a new revision of
the same day; nothing is ever taken back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final, Self

import sqlalchemy as sa

from kiosk.errors import KioskError
from kiosk.events import MAX_COUNT, Kind, Origin
from kiosk.hospital_model import DeskLookups, VisitCount
from kiosk.journal import Journal
from kiosk.model import local_day
from kiosk.tables import checkin, day_figure

OLDEST_DAYS: Final = 400
"""How far back a day may be told: a year and a month, for last year's report."""
_TRUST: Final = {origin: rank for rank, origin in enumerate(Origin)}


class FigureRefused(KioskError):
    """A figure that cannot be true. ``code``: FUTURE_DAY, DAY_TOO_OLD, NOT_A_COUNT, MORE_LOOKED_UP_THAN_LOOKUPS or
    MORE_SUCCESSES_THAN_LOOKED_UP.
    """

    def __init__(self, code: str) -> None:
        """Keep the stable *code*."""
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of one day: ``values`` are the event's own fields of its ``kind``, without the revision."""

    kind: Kind
    day: date
    values: Mapping[str, Any]

    @classmethod
    def visits(cls, count: VisitCount) -> Self:
        """All insured visits of a day."""
        return cls(Kind.VISIT_COUNT, count.day, {"bhyt_visits": count.bhyt_visits, "by_class": dict(count.by_class)})

    @classmethod
    def desk(cls, counted: DeskLookups) -> Self:
        """Lookups of a day outside our stations."""
        values = {
            "lookups": counted.lookups,
            "visits_looked_up": counted.visits_looked_up,
            "visits_success": counted.visits_success,
        }
        return cls(Kind.DESK_LOOKUPS, counted.day, values)

    def check(self, today: date) -> None:
        """FigureRefused when this cannot be true on *today* (Vietnam's calendar)."""
        if self.day > today:
            raise FigureRefused("FUTURE_DAY")
        if self.day < today - timedelta(days=OLDEST_DAYS):
            raise FigureRefused("DAY_TOO_OLD")
        counts = [*self.values.get("by_class", {}).values(), *(v for k, v in self.values.items() if k != "by_class")]
        if not all(type(count) is int and 0 <= count <= MAX_COUNT for count in counts):
            raise FigureRefused("NOT_A_COUNT")
        if self.kind is Kind.DESK_LOOKUPS:
            if self.values["visits_looked_up"] > self.values["lookups"]:
                raise FigureRefused("MORE_LOOKED_UP_THAN_LOOKUPS")
            if self.values["visits_success"] > self.values["visits_looked_up"]:
                raise FigureRefused("MORE_SUCCESSES_THAN_LOOKED_UP")


def keep(
    connection: sa.Connection, journal: Journal, figure: Figure, origin: Origin, who: str, now: datetime
) -> int | None:
    """Keep *figure* as the newest of its day and origin, and tell the province; returns its revision.

    None when the same was said last: nothing is told twice. FigureRefused. Revisions are minutes since 1970, or the
    last one plus 1: of two stations that ask the same hospital system, the later one is believed.
    """
    figure.check(local_day(now))
    last = _last(connection, figure.kind, figure.day, origin)
    if last is not None and last.figures == dict(figure.values):
        return None
    revision = max(int(now.timestamp()) // 60, last.revision + 1 if last is not None else 0)
    told = {**figure.values, "revision": revision}
    event_id = journal.day_figure(connection, figure.kind, figure.day, told, origin.value, now)
    connection.execute(
        day_figure.insert().values(
            event_id=event_id,
            kind=figure.kind.value,
            day=str(figure.day),
            origin=origin.value,
            revision=revision,
            figures=dict(figure.values),
            at=now,
            who=who,
        )
    )
    return revision


@dataclass(frozen=True, slots=True)
class Told:
    """The figure of a day that the province believes: of the most trusted origin the newest."""

    origin: Origin
    values: Mapping[str, Any]
    at: datetime
    who: str


@dataclass(frozen=True, slots=True)
class Day:
    """What is known of a day. ``own``: insured visits that came through this machine."""

    day: date
    visits: Told | None
    desk: Told | None
    own: int

    @property
    def doubtful(self) -> bool:
        """Whether fewer visits are told than this machine alone has seen."""
        return self.visits is not None and self.visits.values["bhyt_visits"] < self.own


def days(connection: sa.Connection, first: date, last: date) -> list[Day]:
    """Each day from *first* to *last*, inclusive, in order."""
    best: dict[tuple[str, str], Told] = {}
    rows = connection.execute(
        sa.select(day_figure).where(day_figure.c.day.between(str(first), str(last))).order_by(day_figure.c.revision)
    )
    for row in rows:
        told = Told(Origin(row.origin), row.figures, row.at, row.who)
        before = best.get((row.kind, row.day))
        if before is None or _TRUST[told.origin] <= _TRUST[before.origin]:
            best[row.kind, row.day] = told
    own = _own_visits(connection, first, last)
    wanted = (first + timedelta(days=number) for number in range((last - first).days + 1))
    return [
        Day(
            day,
            best.get((Kind.VISIT_COUNT, str(day))),
            best.get((Kind.DESK_LOOKUPS, str(day))),
            own.get(str(day), 0),
        )
        for day in wanted
    ]


def _own_visits(connection: sa.Connection, first: date, last: date) -> dict[str, int]:
    rows = connection.execute(
        sa.select(checkin.c.day, sa.func.count().label("visits"))
        .where(
            checkin.c.day.between(str(first), str(last)), checkin.c.bhyt.is_(True), checkin.c.closed_reason.is_(None)
        )
        .group_by(checkin.c.day)
    )
    return {row.day: row.visits for row in rows}


def _last(connection: sa.Connection, kind: Kind, day: date, origin: Origin) -> sa.Row[Any] | None:
    return connection.execute(
        sa.select(day_figure)
        .where(day_figure.c.kind == kind.value, day_figure.c.day == str(day), day_figure.c.origin == origin.value)
        .order_by(day_figure.c.revision.desc())
        .limit(1)
    ).one_or_none()
