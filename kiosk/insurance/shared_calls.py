"""One call for all who ask the same: single flight, with answers that serve again for a while."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

from kiosk.errors import GatewayUnavailable
from kiosk.insurance.vss_codes import Reason

_T = TypeVar("_T")


class SharedCalls(Generic[_T]):
    """Runs at most one coroutine per key at a time, as a task of its own.

    A caller who is cancelled leaves; the task goes on for the others. A result for which ``keep`` is true serves the
    same key for ``keep_seconds`` more; anything else is forgotten with the task.
    """

    def __init__(self, keep_seconds: float = 0.0, keep: Callable[[_T], bool] = lambda _: False) -> None:
        """Start with nothing running."""
        self._keep_seconds = keep_seconds
        self._keep = keep
        self._tasks: dict[Hashable, asyncio.Task[_T]] = {}
        self._timers: dict[Hashable, asyncio.TimerHandle] = {}

    async def run(self, key: Hashable, start: Callable[[], Coroutine[Any, Any, _T]]) -> _T:
        """The result of the call for *key*, started with *start* unless one is running or remembered.

        Raises what the call raises; GatewayUnavailable(closed) when ``close`` ended it.
        """
        task = self._tasks.get(key)
        if task is None:
            task = self._tasks[key] = asyncio.create_task(start())
            task.add_done_callback(lambda done: self._finished(key, done))
        await asyncio.wait({task})
        if task.cancelled():
            raise GatewayUnavailable(Reason.CLOSED)
        return task.result()

    async def close(self) -> None:
        """End what runs and forget everything."""
        for timer in self._timers.values():
            timer.cancel()
        tasks = [task for task in self._tasks.values() if not task.done()]
        self._timers.clear()
        self._tasks.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _finished(self, key: Hashable, task: asyncio.Task[_T]) -> None:
        if self._tasks.get(key) is not task:
            return
        # Asking for the exception also tells asyncio that somebody saw it, should every caller have left.
        failed = task.cancelled() or task.exception() is not None
        if failed or self._keep_seconds <= 0 or not self._keep(task.result()):
            del self._tasks[key]
            return
        loop = asyncio.get_running_loop()
        self._timers[key] = loop.call_later(self._keep_seconds, self._forget, key)

    def _forget(self, key: Hashable) -> None:
        self._tasks.pop(key, None)
        self._timers.pop(key, None)
