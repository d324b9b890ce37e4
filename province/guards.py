"""What stands before the routes: uniform errors, a cap on bodies, a rate limit per station key, few backlogs."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from fastapi import Request
from fastapi.responses import JSONResponse
from starlette.requests import ClientDisconnect

_DRAIN_FACTOR: Final = 8
_LIVE_BYTES: Final = 20 * 1024
"""A body up to here is live traffic: some 50 events of about 400 bytes. Known without reading what is in it."""
_BACKLOG_WAITS: Final = 1


class ApiError(Exception):
    """An answer other than success: HTTP status, stable code, and words for people."""

    def __init__(self, status: int, code: str, detail: str = "", headers: dict[str, str] | None = None) -> None:
        """`headers` go out with the answer, e.g. `Retry-After`."""
        super().__init__(code)
        self.status = status
        self.code = code
        self.detail = detail
        self.headers = headers

    def response(self) -> JSONResponse:
        """The answer `{"error": code, "detail": words}`."""
        return JSONResponse({"error": self.code, "detail": self.detail}, self.status, self.headers)


async def read_body(request: Request, limit: int) -> bytes:
    """The request's body. Raises ApiError 413 when it is longer than `limit` bytes, without keeping the excess."""
    try:
        return await _read(request, limit)
    except ClientDisconnect:  # nobody waits for the answer; it is no fault of the hub
        raise ApiError(400, "sender_gone") from None


async def _read(request: Request, limit: int) -> bytes:
    kept = bytearray()
    seen = 0
    async for chunk in request.stream():
        seen += len(chunk)
        # A moderate excess is read and dropped: a sender cut off in the middle would never see the 413.
        if seen > _DRAIN_FACTOR * limit:
            break
        if seen <= limit:
            kept += chunk
    if seen > limit:
        raise ApiError(413, "too_large", f"at most {limit} bytes")
    return bytes(kept)


class RateLimit:
    """A token bucket per station key: generous, only to keep one broken station from starving the others."""

    def __init__(self, per_second: float = 50, burst: int = 500) -> None:
        """`burst` batches at once, `per_second` batches in the long run."""
        self._per_second = per_second
        self._burst = burst
        self._buckets: dict[str, tuple[float, float]] = {}
        self._lock = threading.Lock()

    def check(self, key_id: str) -> None:
        """Take one token. Raises ApiError 429 with `Retry-After` in whole seconds when there is none."""
        with self._lock:
            now = time.monotonic()
            tokens, since = self._buckets.get(key_id, (float(self._burst), now))
            tokens = min(self._burst, tokens + (now - since) * self._per_second)
            allowed = tokens >= 1
            self._buckets[key_id] = (tokens - allowed, now)
        if not allowed:
            raise ApiError(429, "too_many_batches", headers={"Retry-After": str(int(1 / self._per_second) + 1)})


class Backlogs:
    """Few large batches under way in this process, so that small ones find it free.

    After an outage every station has thousands of events to bring; those who check in at that moment must not queue
    behind them. Some more wait for their turn without a thread, so that no turn is wasted; all others come again.
    """

    def __init__(self, at_once: int = 2, waiting: int = 14) -> None:
        """`at_once` large batches are worked on while `waiting` further ones wait: for some seconds, in some MiB."""
        self._places = at_once + waiting
        self._turns = asyncio.Semaphore(at_once)

    @asynccontextmanager
    async def turn_of(self, body: bytes) -> AsyncIterator[None]:
        """Work on this body within. Raises ApiError 429 `backlog_under_way` for a large one when no place is free."""
        if len(body) <= _LIVE_BYTES:
            yield
            return
        if not self._places:
            raise ApiError(429, "backlog_under_way", headers={"Retry-After": str(_BACKLOG_WAITS)})
        self._places -= 1
        try:
            async with self._turns:
                yield
        finally:
            self._places += 1
