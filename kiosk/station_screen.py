"""What one station shows: a phase, a view with its data, and the time after which it clears itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Any

from kiosk.funnel import how_left
from kiosk.ports import Clock


class StationScreen:
    """The screen of one station; all methods run on the daemon's event loop."""

    def __init__(
        self, clock: Clock, expired: Callable[[dict[str, Any]], None], left: Callable[[str, str], None] | None = None
    ) -> None:
        """*expired* is called with the ``data`` that stood when its time was over; *left* with each view that somebody
        left, and how (`kiosk.funnel`).
        """
        self._left = left
        self._timed_out: dict[str, Any] | None = None
        self._clock = clock
        self._expired = expired
        self.phase = "idle"
        self.data: dict[str, Any] = {"view": "idle"}
        self.since: datetime = clock()
        self._flags: dict[str, Any] = {}
        self._changed = asyncio.Event()
        self._expiry: asyncio.TimerHandle | None = None

    def show(self, phase: str, view: str, *, clear_after: float | None = None, **data: Any) -> None:
        """Replace everything on the screen; after *clear_after* seconds ``expired`` is called."""
        if self._expiry is not None:
            self._expiry.cancel()
            self._expiry = None
        how = how_left(self.data["view"], view, timed_out=self._timed_out is self.data)
        if how is not None and self._left is not None:
            self._left(self.data["view"], how)
        if phase != self.phase:
            self.since = self._clock()
        self.phase = phase
        self.data = {"view": view, **data}
        if clear_after is not None:
            self.data["clears_in"] = clear_after
            self._expiry = asyncio.get_running_loop().call_later(clear_after, self._expire)
        self._announce()

    def _expire(self) -> None:
        """The view's time is over, whatever was added to it meanwhile."""
        self._timed_out = self.data
        self._expired(self.data)

    def start_again(self) -> None:
        """Give the view that stands its whole time once more, if it has one."""
        after = self.data.get("clears_in")
        if after is not None:
            rest = {name: value for name, value in self.data.items() if name not in ("view", "clears_in", "extended")}
            extended = self.data.get("extended", 0) + 1
            self.show(self.phase, self.data["view"], clear_after=after, extended=extended, **rest)

    def shorten(self, seconds: float) -> None:
        """Let the view that stands go after *seconds* from now."""
        rest = {name: value for name, value in self.data.items() if name not in ("view", "clears_in")}
        self.show(self.phase, self.data["view"], clear_after=seconds, **rest)

    def add(self, **data: Any) -> None:
        """Change some of what the present view shows."""
        self.data = self.data | data
        self._announce()

    def flag(self, **flags: Any) -> None:
        """Set what stands on every view, such as whether a reader works."""
        self._flags |= flags
        self._announce()

    def visible(self) -> dict[str, Any]:
        """The view with its data, as the page gets it."""
        return self.data | self._flags

    async def changes(self) -> AsyncIterator[None]:
        """Once now, and again after each change."""
        while True:
            changed = self._changed
            yield
            await changed.wait()

    def _announce(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
