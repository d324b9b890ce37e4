"""Asks the hospital system for the figures of the last days, and tells the province what has changed."""

from __future__ import annotations

import asyncio
import logging
from datetime import date, timedelta
from typing import Final

from kiosk import day_figures, outbox_table
from kiosk.checkin import CheckIns
from kiosk.day_figures import Figure, FigureRefused
from kiosk.errors import HospitalError, StoreError
from kiosk.events import Origin
from kiosk.model import local_day

log = logging.getLogger(__name__)

HIS: Final = "his"
_DAYS_BACK: Final = 3
"""Days whose visits a hospital may still enter or correct."""
_EVERY_S: Final = 3600.0
_WITHIN_S: Final = 60.0


class DayFiguresJob:
    """Once an hour: the last three days, and today as soon as the facility has closed."""

    def __init__(self, checkins: CheckIns, *, wanted: bool = True, every: float = _EVERY_S) -> None:
        """Ask the hospital system of *checkins*, where its capabilities say that it can answer and it is *wanted*."""
        self._checkins = checkins
        self._wanted = wanted
        self._every = every

    async def run(self) -> None:
        """For ever; a hospital system without such figures is never asked."""
        able = self._checkins.hospital.capabilities
        while self._wanted and (able.visit_count or able.lookups):
            try:
                await self.ask_now()
            except StoreError:
                log.warning("figures of the day could not be kept")
            await asyncio.sleep(self._every)
        await asyncio.Event().wait()

    async def ask_now(self) -> int:
        """Ask for each of the days; returns how many figures were new. StoreError."""
        now = self._checkins.clock()
        today = local_day(now)
        wanted = [today - timedelta(days=back) for back in range(_DAYS_BACK, 0, -1)]
        if now >= self._checkins.policy.hours.closing(today):
            wanted.append(today)
        new = 0
        for day in wanted:
            for figure in await self._figures(day):
                new += await self._kept(figure)
        if new:
            self._checkins.outbox.wake(outbox_table.PROVINCE)
        return new

    async def _figures(self, day: date) -> list[Figure]:
        hospital, found = self._checkins.hospital, []
        try:
            async with asyncio.timeout(_WITHIN_S):
                if hospital.capabilities.visit_count and (count := await hospital.visit_count(day)) is not None:
                    found.append(Figure.visits(count))
                if hospital.capabilities.lookups and (counted := await hospital.lookups(day)) is not None:
                    found.append(Figure.desk(counted))
        except HospitalError as error:
            log.warning("the hospital system gave no figures: %s", error.code)
        except TimeoutError:
            log.warning("the hospital system gave no figures in time")
        except Exception:  # a fault of the adapter ends neither this job nor the daemon
            log.exception("hospital adapter failed")
        return [figure for figure in found if figure.day == day]

    async def _kept(self, figure: Figure) -> bool:
        checkins = self._checkins
        try:
            revision = await checkins.store.run(
                lambda c: day_figures.keep(c, checkins.journal, figure, Origin.HIS, HIS, checkins.clock())
            )
        except FigureRefused as refusal:
            log.warning("the hospital system gave impossible figures: %s", refusal.code)
            return False
        return revision is not None
