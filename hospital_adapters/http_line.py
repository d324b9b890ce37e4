"""Carries one HTTP call to a hospital system and tells what became of it; never raises for the other side's faults."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from kiosk.errors import ConfigError
from kiosk.tls import client_context

ANSWER_LIMIT = 2 * 1024 * 1024
_LONGEST_RETRY_AFTER = 3600.0


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer that arrived whole. ``date``: the other side's clock, ``retry_after``: seconds; where readable."""

    status: int
    body: bytes
    headers: httpx.Headers
    date: datetime | None = None
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """No usable answer. ``sent`` False: not a byte of the request left, so nothing can have been done there.

    ``reason``: encoding, too_large, read_timeout, connect_timeout, connection_lost, tls or unreachable.
    """

    reason: str
    sent: bool


def _now() -> datetime:
    return datetime.now(UTC)


class _Unusable(Exception):
    """The answer cannot be taken as it is; the argument is a reason code."""


class HttpLine:
    """Calls of one hospital system.

    Works on httpx's transport below its client, because the client logs every URL, and these can hold citizens'
    numbers. Connections are not kept: one closed by the other side meanwhile would make a registration's outcome
    unknown. Nothing is repeated and no redirect followed here.
    """

    def __init__(
        self,
        url: str,
        ca_file: str | None,
        connect: float,
        clock: Callable[[], datetime] = _now,
        largest: int = ANSWER_LIMIT,
    ) -> None:
        """*url*: any of the system's, for whom to trust. *connect*: seconds for TCP, and for TLS. *largest*:
        bytes of an answer. ConfigError when *ca_file* cannot be read.
        """
        try:
            trust: ssl.SSLContext = client_context(url, ca_file)
        except (OSError, ValueError):
            raise ConfigError("hospital.ca_file: expected a readable PEM file with certificates") from None
        self._connect = connect
        self._clock = clock
        self._largest = largest
        self._transport = httpx.AsyncHTTPTransport(
            verify=trust, trust_env=False, limits=httpx.Limits(max_keepalive_connections=0)
        )

    async def call(
        self, method: str, target: str, headers: Mapping[str, str], content: bytes | None, limit: float
    ) -> Answer | NoAnswer:
        """One call of *target* (a whole URL) within *limit* seconds."""
        sent = False

        async def watch(event: str, info: Mapping[str, Any]) -> None:
            nonlocal sent
            sent = sent or event.endswith("send_request_headers.started")

        # TCP and TLS get this much each, so that the limit below never cuts off a handshake: the socket would leak.
        timeout = httpx.Timeout(limit, connect=min(limit * 0.45, self._connect))
        try:
            request = httpx.Request(
                method,
                target,
                # A small compressed answer could unpack to gigabytes.
                headers={"accept": "application/json", "accept-encoding": "identity", **headers},
                content=content,
                extensions={"timeout": timeout.as_dict(), "trace": watch},
            )
            async with asyncio.timeout(limit):
                response = await self._transport.handle_async_request(request)
                try:
                    body = await _read(response, self._largest)
                finally:
                    await response.aclose()
        except _Unusable as unusable:
            return NoAnswer(str(unusable), sent=True)
        except (httpx.TimeoutException, TimeoutError):
            return NoAnswer("read_timeout" if sent else "connect_timeout", sent)
        except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL, OSError, ValueError) as failure:
            if sent:
                return NoAnswer("connection_lost", sent)
            return NoAnswer("tls" if _caused_by_tls(failure) else "unreachable", sent)
        said = response.headers
        return Answer(response.status_code, body, said, _date(said.get("date")), self._pause(said.get("retry-after")))

    async def close(self) -> None:
        """Release connections."""
        await self._transport.aclose()

    def _pause(self, value: str | None) -> float | None:
        if value is None:
            return None
        if value.isascii() and value.isdigit():
            return min(float(value), _LONGEST_RETRY_AFTER)
        at = _date(value)
        return None if at is None else min(max((at - self._clock()).total_seconds(), 0.0), _LONGEST_RETRY_AFTER)


async def _read(response: httpx.Response, largest: int) -> bytes:
    if response.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise _Unusable("encoding")
    body = bytearray()
    async for piece in response.aiter_raw():
        body += piece
        if len(body) > largest:
            raise _Unusable("too_large")
    return bytes(body)


def _caused_by_tls(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _date(value: str | None) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value) if value else None
    except (ValueError, OverflowError):
        return None
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment
