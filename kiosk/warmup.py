"""Before the doors open: token, certificate, clock, officer, hospital, province, space; and no patient is asked for.

A lookup is a public act at the insurer (invariant 8), so the first real one of the day is the only test of the officer;
everything else is tried here, at the start and each morning, while there is time to call somebody.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Final

from kiosk.errors import KioskError
from kiosk.model import VIETNAM, local_day
from kiosk.opening_hours import OpeningHours
from kiosk.ports import Clock, EligibilityGateway, HospitalAdapter

EARLIER: Final = timedelta(minutes=10)
"""So long before opening; a facility that is always open looks at ALWAYS_OPEN."""
ALWAYS_OPEN: Final = time(5, 50)
CERTIFICATE_DAYS: Final = 14
CLOCK_SECONDS: Final = 30
CLOCK_FAR_SECONDS: Final = 120
FREE_MB: Final = 200
_NAP_S: Final = 600.0
"""Longest sleep in one go, because a clock may be set meanwhile; what was wrong is looked at again after it."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Readiness:
    """What was found at ``at``. ``problems``: codes, the worst first; empty when all is well."""

    at: datetime
    problems: tuple[str, ...]


class WarmUp:
    """Looks at the start and each morning; ``latest`` is the newest result, None before the first."""

    def __init__(
        self,
        gateway: EligibilityGateway,
        hospital: HospitalAdapter,
        officer_ready: Callable[[], bool],
        data: Path,
        clock: Clock,
        hours: OpeningHours,
        enrolled: Callable[[], Awaitable[bool]] | None = None,
    ) -> None:
        """*officer_ready*: whether there is an officer whom the insurer does not refuse. *data*: the store's folder.

        *enrolled*: whether the province knows this station; None where there is no province.
        """
        self._gateway = gateway
        self._hospital = hospital
        self._officer_ready = officer_ready
        self._data = data
        self._clock = clock
        self._hours = hours
        self._enrolled = enrolled
        self.latest: Readiness | None = None

    async def run(self) -> None:
        """Look now, then every morning for ever, and again every ten minutes while something is wrong."""
        while True:
            found = await self.look()
            due = self.next_look(self._clock())
            while (left := (due - self._clock()).total_seconds()) > 0:
                await asyncio.sleep(min(left, _NAP_S))
                if found.problems:
                    break

    def standing(self) -> Readiness | None:
        """The newest result, less an officer's trouble that has ended since."""
        if self.latest is None or not self._officer_ready():
            return self.latest
        return replace(self.latest, problems=tuple(each for each in self.latest.problems if each != "officer"))

    async def look(self) -> Readiness:
        """Look at everything once; never raises."""
        gateway, hospital = await asyncio.gather(self._gateway.check(), self._hospital.check())
        found: list[str] = []
        if not gateway.ok:
            found.append("gateway")
        if not self._officer_ready():
            found.append("officer")
        if not hospital.ok:
            found.append("hospital")
        if self._enrolled is not None and not await _holds(self._enrolled):
            found.append("province")
        offset, days = gateway.details.get("clock_offset_s"), gateway.details.get("certificate_days")
        if offset is not None and abs(offset) > CLOCK_SECONDS:
            found.append("clock_far" if abs(offset) > CLOCK_FAR_SECONDS else "clock")
        if days is not None and days < CERTIFICATE_DAYS:
            found.append("certificate")
        if _free_bytes(self._data) < FREE_MB * 1024 * 1024:
            found.append("space")
        self.latest = Readiness(self._clock(), tuple(found))
        _log.log(logging.WARNING if found else logging.INFO, "warm-up: %s", ", ".join(found) or "ready")
        return self.latest

    def next_look(self, now: datetime) -> datetime:
        """The next morning's moment after *now*."""
        today = local_day(now)
        moment = self._hours.opening(today) - EARLIER if self._hours.opens else _always_open(today)
        while moment <= now:
            moment += timedelta(days=1)
        return moment


def _always_open(day: date) -> datetime:
    return datetime.combine(day, ALWAYS_OPEN, VIETNAM)


async def _holds(check: Callable[[], Awaitable[bool]]) -> bool:
    try:
        return await check()
    except KioskError:
        return False


def _free_bytes(folder: Path) -> int:
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return 0
