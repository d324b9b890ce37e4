"""Carries one JSON-RPC call over HTTP and tells what became of it; never raises for the other side's faults."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from hospital_adapters.gnuhealth_settings import GnuHealthSettings
from kiosk.errors import ConfigError
from kiosk.tls import client_context

ANSWER_LIMIT = 2 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer that arrived whole: status, body, and its ``Date`` where readable."""

    status: int
    body: bytes
    date: datetime | None = None


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """No usable answer. ``sent`` False: not a byte of the request left, so nothing can have been done there."""

    reason: str
    sent: bool


class _Unusable(Exception):
    """The answer cannot be taken as it is; the argument is a reason code."""


class Line:
    """POSTs to the database's URL.

    Works on httpx's transport below its client, which would log and follow redirects. Connections are not kept: one
    that the server closed in the meantime would make a registration's outcome unknown.
    """

    def __init__(self, settings: GnuHealthSettings) -> None:
        """Nothing is opened yet. ConfigError when ``ca_file`` cannot be read."""
        self._target = f"{settings.url}/{settings.database}/"
        self._connect = settings.timeouts.connect
        self._transport = httpx.AsyncHTTPTransport(
            verify=_trust(settings), trust_env=False, limits=httpx.Limits(max_keepalive_connections=0)
        )

    async def post(self, content: bytes, authorization: str | None, limit: float) -> Answer | NoAnswer:
        """One POST within *limit* seconds, never repeated here."""
        sent = False

        async def watch(event: str, info: Mapping[str, Any]) -> None:
            nonlocal sent
            sent = sent or event.endswith("send_request_headers.started")

        headers = {
            "content-type": "application/json",
            "accept": "application/json",
            # A small compressed answer could unpack to gigabytes.
            "accept-encoding": "identity",
        }
        if authorization is not None:
            headers["authorization"] = authorization
        # TCP and TLS get this much each, so that the limit below never cuts off a handshake: the socket would leak.
        timeout = httpx.Timeout(limit, connect=min(limit * 0.45, self._connect))
        request = httpx.Request(
            "POST",
            self._target,
            headers=headers,
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
        return Answer(response.status_code, body, _date(response.headers.get("date")))

    async def close(self) -> None:
        """Release connections."""
        await self._transport.aclose()


def _trust(settings: GnuHealthSettings) -> ssl.SSLContext:
    try:
        return client_context(settings.url, settings.ca_file)
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
