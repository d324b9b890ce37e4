"""The stop after the insurer refused the officer who answers for lookups (insurance-gateway.md 3, codes 054 and 055).

The first real lookup is the only possible test of an officer, so a stop ends by trials: one after a while, or at once
when somebody has corrected what was wrong.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

TRIAL_AFTER_S = 1800.0
"""Seconds after a refusal until one lookup may try that officer again."""
TRIAL_LASTS_S = 60.0
"""Seconds that a trial may take; one that brought no answer about the officer says nothing and is repeated."""

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
        """Take the one trial that is due, if so: nobody else is named until it is over."""
        if self.code is not None and not self.holds:
            self._trial_at = self._monotonic() + TRIAL_LASTS_S

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
