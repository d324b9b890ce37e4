"""What the camera sees, handed from its reader to the screens that show it; nothing is kept that nobody looks at.

Each watcher gets the newest picture only, so that a slow one misses some and delays nobody. All methods run on the
daemon's event loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Final

MOST_WATCHERS: Final = 3
"""The kiosk's own screen, a second one, and one that is being reloaded; beyond them the longest watcher ends."""


class _Watcher:
    """One who looks: the newest picture, and a bell."""

    def __init__(self) -> None:
        self.newest: bytes | None = None
        self.ended = False
        self.bell = asyncio.Event()


class Preview:
    """The pictures of one camera."""

    def __init__(self) -> None:
        """Nobody looks yet."""
        self._watchers: list[_Watcher] = []
        self._want: Callable[[bool], None] = lambda _: None

    def connect(self, want: Callable[[bool], None]) -> None:
        """*want* is told whether anybody looks, at each change."""
        self._want = want

    @property
    def watchers(self) -> int:
        """How many look now."""
        return len(self._watchers)

    def put(self, jpeg: bytes) -> None:
        """Take in the newest picture, a JPEG."""
        for watcher in self._watchers:
            watcher.newest = jpeg
            watcher.bell.set()

    def close(self) -> None:
        """The camera is gone or the daemon ends: so does every watcher, before it shows a picture of the past."""
        for watcher in list(self._watchers):
            self._end(watcher)

    async def pictures(self) -> AsyncGenerator[bytes, None]:
        """Each newest picture from now on, until `close`, or until too many others came."""
        watcher = _Watcher()
        self._watchers.append(watcher)
        if len(self._watchers) == 1:
            self._want(True)
        if len(self._watchers) > MOST_WATCHERS:
            self._end(self._watchers[0])
        try:
            while True:
                await watcher.bell.wait()
                watcher.bell.clear()
                if watcher.ended:
                    return
                jpeg, watcher.newest = watcher.newest, None
                if jpeg is not None:
                    yield jpeg
        finally:
            self._end(watcher)

    def _end(self, watcher: _Watcher) -> None:
        watcher.ended = True
        watcher.newest = None
        watcher.bell.set()
        if watcher in self._watchers:
            self._watchers.remove(watcher)
            if not self._watchers:
                self._want(False)
