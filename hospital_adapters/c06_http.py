"""Carries one signed C06 call over HTTP and tells what became of it; never raises for the other side's faults."""

from __future__ import annotations

import asyncio
import json
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from hospital_adapters import c06_wire as wire
from hospital_adapters.c06_settings import C06Settings
from kiosk.errors import ConfigError
from kiosk.ports import Clock
from kiosk.tls import client_context

ANSWER_LIMIT = 2 * 1024 * 1024
_LONGEST_RETRY_AFTER = 3600.0


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer that arrived whole: its status, body, ``Date`` and ``Retry-After`` (seconds) where readable."""

    status: int
    body: bytes
    date: datetime | None = None
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """No usable answer. ``sent`` False: not a byte of the request left, so nothing can have been done there."""

    reason: str
    sent: bool


class _Unusable(Exception):
    """The answer cannot be taken as it is; the argument is a reason code."""


class C06Client:
    """GET and POST with the three headers of his-kiosk-c06.md 1.

    Works on httpx's transport below its client, because the client logs every URL, and these hold citizens' numbers.
    Connections are not kept: one closed by the HIS in the meantime would make a registration's outcome unknown.
    """

    def __init__(self, settings: C06Settings, secret: str, clock: Clock) -> None:
        """Nothing is opened yet. ConfigError when ``ca_file`` cannot be read."""
        self._settings = settings
        self._secret = secret
        self._clock = clock
        self._transport = httpx.AsyncHTTPTransport(
            verify=_trust(settings), trust_env=False, limits=httpx.Limits(max_keepalive_connections=0)
        )

    async def get(self, path: str, fields: Mapping[str, str], signed: tuple[str | None, ...]) -> Answer | NoAnswer:
        """One GET, repeated once with a new time stamp when no answer came and time is left (his-kiosk-c06.md 8)."""
        target = self._settings.target(path) + (f"?{wire.query(fields)}" if fields else "")
        deadline = time.monotonic() + self._settings.timeouts.get
        result = await self._exchange("GET", target, signed, None, self._settings.timeouts.get)
        left = deadline - time.monotonic()
        if isinstance(result, NoAnswer) and left > 0:
            result = await self._exchange("GET", target, signed, None, left)
        return result

    async def post(self, path: str, body: Mapping[str, Any], signed: tuple[str | None, ...]) -> Answer | NoAnswer:
        """One POST, never repeated here."""
        content = json.dumps(body, ensure_ascii=False).encode()
        return await self._exchange("POST", self._settings.target(path), signed, content, self._settings.timeouts.post)

    async def close(self) -> None:
        """Release connections."""
        await self._transport.aclose()

    async def _exchange(
        self, method: str, target: str, signed: tuple[str | None, ...], content: bytes | None, limit: float
    ) -> Answer | NoAnswer:
        sent = False

        async def watch(event: str, info: Mapping[str, Any]) -> None:
            nonlocal sent
            sent = sent or event.endswith("send_request_headers.started")

        # TCP and TLS get this much each, so that the limit below never cuts off a handshake: the socket would leak.
        timeout = httpx.Timeout(limit, connect=min(limit * 0.45, self._settings.timeouts.connect))
        request = httpx.Request(
            method,
            target,
            headers=self._headers(signed),
            content=content,
            extensions={"timeout": timeout.as_dict(), "trace": watch},
        )
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
        date = _date(response.headers.get("date"))
        return Answer(response.status_code, body, date, self._retry_after(response.headers.get("retry-after")))

    def _headers(self, signed: tuple[str | None, ...]) -> dict[str, str]:
        stamp = str(int(self._clock().timestamp() * 1000))
        return {
            "x-merchant-id": self._settings.merchant,
            "x-timestamp": stamp,
            "x-sign": wire.sign(self._secret, self._settings.merchant, stamp, *signed),
            "content-type": "application/json",
            "accept": "application/json",
            # A small compressed answer could unpack to gigabytes.
            "accept-encoding": "identity",
        }

    def _retry_after(self, value: str | None) -> float | None:
        if value is None:
            return None
        if value.isascii() and value.isdigit():
            return min(float(value), _LONGEST_RETRY_AFTER)
        at = _date(value)
        return None if at is None else min(max((at - self._clock()).total_seconds(), 0.0), _LONGEST_RETRY_AFTER)


def _trust(settings: C06Settings) -> ssl.SSLContext:
    url = next((url for url in settings.urls.values() if url.startswith("https:")), settings.url)
    try:
        return client_context(url, settings.ca_file)
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


def _date(value: str | None) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value) if value else None
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment
