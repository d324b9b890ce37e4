"""One officer who answers for all lookups, and the stop after the insurer refused one (insurance-gateway.md 3, 054 f.).

The first real lookup is the only possible test of an officer, so a stop ends by trials: one after a while, or at once
when somebody has corrected what was wrong.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from kiosk.model import Officer

TRIAL_AFTER_S = 1800.0
"""Seconds after a refusal until one lookup may try that officer again."""

_LOG = logging.getLogger(__name__)


class Stop:
    """Whether one officer may be named: not after a refusal, until the next trial is due."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic, trial_after: float = TRIAL_AFTER_S) -> None:
        """Nothing was refused yet."""
        self.code: str | None = None
        self._monotonic = monotonic
        self._trial_after = trial_after
        self._trial_at = 0.0

    @property
    def holds(self) -> bool:
        """True while the officer must not be named."""
        return self.code is not None and self._monotonic() < self._trial_at

    def trial(self) -> None:
        """Take the one trial that is due, if so: the next one comes after another pause, whatever becomes of this."""
        if self.code is not None and not self.holds:
            self._trial_at = self._monotonic() + self._trial_after

    def refused(self, code: str) -> None:
        """The insurer said 054 or 055."""
        if self.code != code:
            _LOG.error("the insurer refuses the officer on duty: code %s", code)
        self.code = code
        self._trial_at = self._monotonic() + self._trial_after

    def try_now(self) -> None:
        """Somebody has corrected the registration: the next lookup is the trial."""
        self._trial_at = 0.0

    def accepted(self) -> None:
        """The insurer answered in this officer's name."""
        if self.code is not None:
            _LOG.warning("the insurer accepts the officer on duty again")
        self.code = None


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
