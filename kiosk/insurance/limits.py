"""What protects a shared, watched gateway account: pace, questions in flight, and a circuit breaker.

Figures: insurance-gateway.md 1.6.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

from kiosk.errors import GatewayMisconfigured, GatewayUnavailable
from kiosk.insurance.vss_codes import Reason

_log = logging.getLogger(__name__)


HEAD_START_S = 10.0
"""So much later than they came do questions that can wait count: behind people, but never for ever."""


class Throttle:
    """At most ``max_in_flight`` at a time, and ``per_second`` starts on average (a burst of ``max_in_flight``).

    Urgent ones go first: one that can wait counts as if it had come HEAD_START_S later.
    """

    def __init__(self, max_in_flight: int, per_second: float, monotonic: Callable[[], float]) -> None:
        """Start with a full allowance."""
        self._free = max_in_flight
        self._per_second = per_second
        self._most = float(max_in_flight)
        self._allowance = self._most
        self._counted_at = monotonic()
        self._monotonic = monotonic
        self._order = itertools.count()
        self._waiting: list[tuple[float, int, asyncio.Future[None]]] = []
        self._timer: asyncio.TimerHandle | None = None

    @asynccontextmanager
    async def slot(self, *, urgent: bool = True) -> AsyncIterator[None]:
        """Hold one of the places, entered when it is one's turn and the pace allows it."""
        turn = asyncio.get_running_loop().create_future()
        counts_from = self._monotonic() + (0.0 if urgent else HEAD_START_S)
        heapq.heappush(self._waiting, (counts_from, next(self._order), turn))
        self._let_in()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._leave()
            turn.cancel()
            raise
        try:
            yield
        finally:
            self._leave()

    def _leave(self) -> None:
        self._free += 1
        self._let_in()

    def _let_in(self) -> None:
        while self._waiting and self._free > 0 and self._timer is None:
            if self._waiting[0][2].done():  # given up meanwhile
                heapq.heappop(self._waiting)
                continue
            self._refill()
            if self._allowance < 1:
                pause = (1 - self._allowance) / self._per_second
                self._timer = asyncio.get_running_loop().call_later(pause, self._paused, pause)
                return
            self._allowance -= 1
            self._free -= 1
            heapq.heappop(self._waiting)[2].set_result(None)

    def _paused(self, pause: float) -> None:
        self._timer = None
        self._refill()
        # The loop's clock may be a hair behind the one that counts.
        self._allowance = max(self._allowance, 1.0) if pause > 0 else self._allowance
        self._let_in()

    def _refill(self) -> None:
        now = self._monotonic()
        self._allowance = min(self._most, self._allowance + (now - self._counted_at) * self._per_second)
        self._counted_at = now


class Breaker:
    """Refuses questions for ``open_seconds`` after ``failures`` without any answer in a row, then lets one try.

    The fall and the return are logged once each.
    """

    def __init__(
        self, failures: int, open_seconds: float, monotonic: Callable[[], float], whom: str = "insurance gateway"
    ) -> None:
        """Start closed: everything may pass. *whom*: who is asked, for the log."""
        self._whom = whom
        self._limit = failures
        self._open_seconds = open_seconds
        self._monotonic = monotonic
        self._failures = 0
        self._open_until: float | None = None
        self._trial_runs = False

    @property
    def refuses(self) -> bool:
        """True while a question would be refused at once."""
        if self._open_until is None:
            return False
        return self._trial_runs or self._monotonic() < self._open_until

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """One question; GatewayUnavailable(breaker_open) while the breaker refuses.

        The block counts as a failure unless it ends normally or with an error that an HTTP answer caused.
        """
        if self.refuses:
            raise GatewayUnavailable(Reason.BREAKER_OPEN)
        trial = self._open_until is not None
        self._trial_runs = self._trial_runs or trial
        answered = False
        try:
            yield
            answered = True
        except GatewayMisconfigured:
            answered = True
            raise
        except GatewayUnavailable as error:
            answered = error.reached
            raise
        finally:
            if trial:
                self._trial_runs = False
            if answered:
                self._close()
            else:
                self._count_failure()

    def _close(self) -> None:
        self._failures = 0
        if self._open_until is not None:
            self._open_until = None
            _log.warning("%s answers again", self._whom)

    def _count_failure(self) -> None:
        self._failures += 1
        if self._failures < self._limit:
            return
        if self._open_until is None:
            _log.error("%s gives no answer; asking stops for a while", self._whom)
        self._open_until = self._monotonic() + self._open_seconds
