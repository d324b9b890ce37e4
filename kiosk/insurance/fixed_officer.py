"""One officer who answers for all lookups: where there are no shifts."""

from __future__ import annotations

import time
from collections.abc import Callable

from kiosk.model import Officer
from kiosk.officer_stop import Stop


class FixedOfficer:
    """``kiosk.ports.OfficerDuty`` of a facility with one officer."""

    def __init__(self, officer: Officer, monotonic: Callable[[], float] = time.monotonic) -> None:
        """*officer* answers for everything."""
        self._officer = officer
        self.stop = Stop(monotonic)

    def current(self) -> Officer | None:
        """See ``OfficerDuty``; taking the officer for a trial uses the trial up."""
        if self.stop.holds:
            return None
        self.stop.trial()
        return self._officer

    def refused(self, officer: Officer, code: str) -> None:
        """See ``OfficerDuty``."""
        self.stop.refused(code)

    def accepted(self, officer: Officer) -> None:
        """See ``OfficerDuty``."""
        self.stop.accepted()
