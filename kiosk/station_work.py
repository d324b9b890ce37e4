"""What a station does while the person in front waits: tasks of its own that always end on the screen."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, Final

from kiosk.errors import StoreError
from kiosk.ports import Clock
from kiosk.station_screen import StationScreen

log = logging.getLogger(__name__)

_WORKING: Final = ("checking", "reading")
PROGRESS_SECONDS: Final = 4.0


class StationWork:
    """A screen, who stands before it, and the tasks that run for them."""

    def __init__(self, station_id: str, clock: Clock, left: Callable[[str, str], None] | None = None) -> None:
        """Nobody stands here. *left* hears how each view is left (`kiosk.funnel`)."""
        self.id = station_id
        self.checkin_id: str | None = None
        self._screen = StationScreen(clock, self._expire, left)
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def phase(self) -> str:
        """Where the person in front is (interfaces, section 4)."""
        return self._screen.phase

    def break_down(self, reason: str) -> None:
        """Nothing can be promised now: send people to the desk."""
        raise NotImplementedError

    def _expire(self, screen: dict[str, Any]) -> None:
        """The time of *screen* is over."""
        raise NotImplementedError

    async def _to_staff(self, checkin_id: str, reason: str) -> None:
        """Accept the person with a number for the desk."""
        raise NotImplementedError

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work, name=f"station-{self.id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        progress = asyncio.create_task(self._tell_progress())
        checkin_id = self.checkin_id
        try:
            await work
        except StoreError as exc:
            log.error("the store takes nothing", extra={"code": exc.code})
            self.break_down("store")
        except Exception:  # a fault of ours must still end with a number for the desk
            log.exception("check-in failed")
            try:
                if checkin_id is None:
                    raise LookupError("nobody to send to staff")
                await self._to_staff(checkin_id, "internal_error")
            except Exception:
                log.exception("could not call staff")
                self.break_down("internal")
        finally:
            progress.cancel()

    async def _tell_progress(self) -> None:
        waited = 0.0
        while self.phase in _WORKING:
            await asyncio.sleep(PROGRESS_SECONDS)
            waited += PROGRESS_SECONDS
            if self.phase in _WORKING:
                self._screen.add(waited=int(waited))

    def _serves(self, checkin_id: str) -> bool:
        """Whether the person whose answer came still stands here; the store may have failed meanwhile."""
        return self.phase in _WORKING and self.checkin_id == checkin_id
