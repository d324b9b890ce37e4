"""Carries one request over HTTP and tells what became of it; never raises for the other side's faults."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from kiosk.errors import ConfigError
from kiosk.tls import client_context

ANSWER_LIMIT = 4 * 1024 * 1024
_LONGEST_RETRY_AFTER = 3600.0


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer that arrived whole: status, body, and ``Date``, ``Retry-After`` (seconds) and ``ETag`` where
    they are readable.
    """

    status: int
    body: bytes
    date: datetime | None = None
    retry_after: float | None = None
    etag: str | None = None


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """No usable answer. ``sent`` False: not a byte of the request left, so nothing can have been done there."""

    reason: str
    sent: bool


class _Unusable(Exception):
    """The answer cannot be taken as it is; the argument is a reason code."""


class Line:
    """Requests to one server.

    Works on httpx's transport below its client, which would log every URL and follow redirects, with our token, to
    another host. Connections are not kept: one that the server closed in the meantime would make a registration's
    outcome unknown.
    """

    def __init__(self, url: str, ca_file: str, connect: float) -> None:
        """Nothing is opened yet. *connect*: seconds for TCP, and for TLS. ConfigError when *ca_file* cannot be read."""
        self._connect = connect
        self._transport = httpx.AsyncHTTPTransport(
            verify=_trust(url, ca_file), trust_env=False, limits=httpx.Limits(max_keepalive_connections=0)
        )

    async def exchange(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes | None, limit: float
    ) -> Answer | NoAnswer:
        """One request within *limit* seconds, never repeated here."""
        sent = False

        async def watch(event: str, info: Mapping[str, Any]) -> None:
            nonlocal sent
            sent = sent or event.endswith("send_request_headers.started")

        # TCP and TLS get this much each, so that the limit below never cuts off a handshake: the socket would leak.
        timeout = httpx.Timeout(limit, connect=min(limit * 0.45, self._connect))
        # A small compressed answer could unpack to gigabytes.
        all_headers = {"accept-encoding": "identity", **headers}
        extensions = {"timeout": timeout.as_dict(), "trace": watch}
        request = httpx.Request(method, url, headers=all_headers, content=content, extensions=extensions)
        try:
            async with asyncio.timeout(limit):
                response = await self._transport.handle_async_request(request)
                try:
                    body = await _read(response)
                finally:
                    await response.aclose()
        except _Unusable as unusable:
            return NoAnswer(str(unusable), sent=True)
        except (httpx.TimeoutException, TimeoutError):
            return NoAnswer("read_timeout" if sent else "connect_timeout", sent)
        except (httpx.HTTPError, httpx.StreamError, OSError, ValueError) as failure:
            if sent:
                return NoAnswer("connection_lost", sent)
            return NoAnswer("tls" if _caused_by_tls(failure) else "unreachable", sent)
        given = response.headers
        after = _seconds(given.get("retry-after"))
        return Answer(response.status_code, body, _date(given.get("date")), after, given.get("etag"))

    async def close(self) -> None:
        """Release connections."""
        await self._transport.aclose()


def _trust(url: str, ca_file: str) -> ssl.SSLContext:
    try:
        return client_context(url, ca_file)
    except (OSError, ValueError):
        raise ConfigError("hospital.ca_file: expected a readable PEM file with certificates") from None


async def _read(response: httpx.Response) -> bytes:
    if response.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise _Unusable("encoding")
    body = bytearray()
    async for piece in response.aiter_raw():
        body += piece
        if len(body) > ANSWER_LIMIT:
            raise _Unusable("too_large")
    return bytes(body)


def _caused_by_tls(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _seconds(value: str | None) -> float | None:
    if value is None:
        return None
    if value.isascii() and value.isdigit():
        return min(float(value), _LONGEST_RETRY_AFTER)
    at = _date(value)
    return None if at is None else min(max((at - datetime.now(UTC)).total_seconds(), 0.0), _LONGEST_RETRY_AFTER)


def _date(value: str | None) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value) if value else None
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment
