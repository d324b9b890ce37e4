"""Whether somebody does not get on: two codes that could not be used, one soon after the other."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

_TOGETHER: Final = timedelta(seconds=90)
_AFTER: Final = 2
_NO_PATIENT: Final = ("TEST_CODE", "TEST_CODE_DAMAGED")


class Trouble:
    """Counts what was refused at one station since it last worked."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        """Nothing was refused."""
        self._clock = clock
        self._count = 0
        self._last: datetime | None = None

    def again(self, code: str) -> bool:
        """A scan was refused with *code*; returns whether somebody should come and help."""
        if code in _NO_PATIENT:
            return False
        now = self._clock()
        together = self._last is not None and now - self._last <= _TOGETHER
        self._count = self._count + 1 if together else 1
        self._last = now
        return self._count >= _AFTER

    def over(self) -> None:
        """It works."""
        self._count = 0
