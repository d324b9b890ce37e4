"""Before the doors open: token, certificate, clock, officer, hospital and space are looked at, and no patient asked.

A lookup is a public act at the insurer (invariant 8), so the first real one of the day is the only test of the officer;
everything else is tried here, at the start and each morning, while there is time to call somebody.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Final

from kiosk.model import VIETNAM, local_day
from kiosk.opening_hours import OpeningHours
from kiosk.ports import Clock, EligibilityGateway, HospitalAdapter

EARLIER: Final = timedelta(minutes=10)
"""So long before opening; a facility that is always open looks at ALWAYS_OPEN."""
ALWAYS_OPEN: Final = time(5, 50)
CERTIFICATE_DAYS: Final = 14
CLOCK_SECONDS: Final = 30
FREE_MB: Final = 200
_NAP_S: Final = 600.0
"""Longest sleep in one go, because a clock may be set meanwhile."""

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
    ) -> None:
        """*officer_ready*: whether there is an officer whom the insurer does not refuse. *data*: the store's folder."""
        self._gateway = gateway
        self._hospital = hospital
        self._officer_ready = officer_ready
        self._data = data
        self._clock = clock
        self._hours = hours
        self.latest: Readiness | None = None

    async def run(self) -> None:
        """Look now, and then every morning for ever."""
        while True:
            await self.look()
            due = self.next_look(self._clock())
            while (left := (due - self._clock()).total_seconds()) > 0:  # noqa: ASYNC110 - time is what is waited for
                await asyncio.sleep(min(left, _NAP_S))

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
        offset, days = gateway.details.get("clock_offset_s"), gateway.details.get("certificate_days")
        if offset is not None and abs(offset) > CLOCK_SECONDS:
            found.append("clock")
        if days is not None and days < CERTIFICATE_DAYS:
            found.append("certificate")
        if shutil.disk_usage(self._data).free < FREE_MB * 1024 * 1024:
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
