"""What people do about the figures of days: enter them, hand in a file, see what is missing."""

from __future__ import annotations

import asyncio
import calendar
from collections.abc import Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa

from kiosk import day_figures, outbox_table, records
from kiosk.checkin import CheckIns
from kiosk.day_figures import Day, Figure
from kiosk.events import Origin
from kiosk.model import local_day


class FigureWork:
    """The figures of one facility, as its people tell them."""

    def __init__(self, checkins: CheckIns) -> None:
        """Keep them in the store of *checkins*."""
        self._checkins = checkins

    @property
    def today(self) -> date:
        """Vietnam's calendar day."""
        return local_day(self._checkins.clock())

    async def month(self, year: int, month: int) -> list[Day]:
        """Each day of a month up to today, in order; empty for a month to come."""
        last = min(date(year, month, calendar.monthrange(year, month)[1]), self.today)
        return await self._checkins.store.read(lambda c: day_figures.days(c, date(year, month, 1), last))

    async def tell(self, figures: Sequence[Figure], origin: Origin, who: str) -> int:
        """Keep *figures* all together or, with FigureRefused, none; returns how many said something new."""
        now = self._checkins.clock()

        def work(connection: sa.Connection) -> int:
            new = [
                figure
                for figure in figures
                if day_figures.keep(connection, self._checkins.journal, figure, origin, who, now) is not None
            ]
            for figure in new:
                detail: dict[str, Any] = {"kind": figure.kind.value, "day": str(figure.day), "origin": origin.value}
                records.add_audit(connection, now, who, "figures_told", None, detail | dict(figure.values))
            return len(new)

        count = await self._checkins.store.run(work)
        self._checkins.outbox.wake(outbox_table.PROVINCE)
        return count

    async def tell_file(self, content: bytes, origin: Origin, who: str) -> int:
        """The same with what stands in a file (``day_figures_file``). FileRefused when anything in it is wrong."""
        from kiosk.day_figures_file import read_figures  # noqa: PLC0415 - spreadsheets come once a month

        figures = await asyncio.to_thread(read_figures, content, self.today)
        return await self.tell(figures, origin, who)
