"""The wire from a station to its facility's relay: verified TLS, the station's key, short waits, bounded answers."""

from __future__ import annotations

import asyncio
import logging
import ssl
import time
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import httpx
from pydantic import BaseModel

from kiosk.errors import ConfigError, GatewayMisconfigured, GatewayUnavailable
from kiosk.insurance import relay_wire as wire
from kiosk.insurance.limits import Breaker
from kiosk.insurance.vss_codes import Reason
from kiosk.loopback import is_loopback
from kiosk.tls import client_context

logging.getLogger("httpx").setLevel(logging.WARNING)  # it logs whole URLs

MAX_BODY: Final = 8 * 1024 * 1024
"""Bytes of an answer that are read at most: the insurer's own have 1 MiB at most each, and there may be four."""
_FAILURES: Final = 2
_OPEN_SECONDS: Final = 10.0
"""So long nobody waits for a relay that did not answer twice in a row; then one question tries it."""
_KEY_SECONDS: Final = 3.0


class RelayLine:
    """One station's way to the relay."""

    def __init__(self, *, url: str, key: str, ca_file: Path | None = None, connect_timeout: float = 1.0) -> None:
        """*url*: https, or http on loopback; *key*: as ``kioskctl relay-key`` printed it. Nothing is sent yet.

        ConfigError for an address that is not safe, a key that cannot stand in a header, or an unreadable *ca_file*.
        """
        _check_url(url)
        if not key or not (key.isascii() and key.isprintable()):
            raise ConfigError("insurance.key_file: expected the station's key, printable ASCII")
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {key}", "Accept-Encoding": "identity"}
        try:
            self._trust: ssl.SSLContext = client_context(url, ca_file)
        except (OSError, ValueError):
            raise ConfigError("insurance.ca_file: not a readable PEM bundle") from None
        self._breaker = Breaker(_FAILURES, _OPEN_SECONDS, time.monotonic, "the facility's relay")
        self._client = httpx.AsyncClient(
            base_url=self._url,
            headers=self._headers,
            timeout=httpx.Timeout(None, connect=connect_timeout),
            verify=self._trust,
            trust_env=False,
            follow_redirects=False,
            limits=httpx.Limits(max_keepalive_connections=0),  # nothing left over may answer the next question
        )

    async def post(self, path: str, body: BaseModel, within: float) -> bytes:
        """What the relay answers to *body*, within so many seconds.

        GatewayUnavailable: ``relay_unreachable``, ``relay_error`` or ``throttled`` (it was reached), ``breaker_open``
        (nothing was sent); GatewayMisconfigured: ``relay_refused``, the relay does not take this station's key.
        """
        with self._breaker.attempt():
            try:
                async with asyncio.timeout(within):
                    status, answer = await self._exchange(path, body.model_dump_json().encode())
            except (TimeoutError, httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError):
                raise GatewayUnavailable(Reason.RELAY_UNREACHABLE) from None
            if status in (401, 403):
                raise GatewayMisconfigured(Reason.RELAY_REFUSED)
            if status == 429:
                raise GatewayUnavailable(Reason.THROTTLED, reached=True)
            if status != 200:
                raise GatewayUnavailable(Reason.RELAY_ERROR, reached=True)
            return answer

    def facility_key(self) -> bytes | None:
        """The facility's key, asked for once at the start and not on the event loop's time; None when there is none.

        A relay gives it over TLS only.
        """
        try:
            with httpx.Client(
                headers=self._headers, timeout=_KEY_SECONDS, verify=self._trust, trust_env=False
            ) as client:
                answer = client.get(self._url + wire.FACILITY_KEY)
                key = bytes.fromhex(answer.json()["facility_key"]) if answer.status_code == 200 else b""
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError, KeyError, TypeError):
            return None
        return key if len(key) == 32 else None

    async def close(self) -> None:
        """Release connections."""
        await self._client.aclose()

    async def _exchange(self, path: str, content: bytes) -> tuple[int, bytes]:
        received = bytearray()
        headers = {"Content-Type": "application/json"}
        async with self._client.stream("POST", path, content=content, headers=headers) as answer:
            if answer.headers.get("Content-Encoding", "identity") != "identity":  # a bomb unpacks before it is counted
                raise GatewayUnavailable(Reason.RELAY_ERROR, reached=True)
            async for chunk in answer.aiter_raw():
                received += chunk
                if len(received) > MAX_BODY:
                    raise GatewayUnavailable(Reason.RELAY_ERROR, reached=True)
        return answer.status_code, bytes(received)


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ConfigError("insurance.url: not a URL") from None
    if parts.scheme not in ("http", "https") or not host or parts.username or parts.query or parts.fragment:
        raise ConfigError("insurance.url: expected https://host without user, query or fragment")
    if parts.scheme == "http" and not is_loopback(host):
        raise ConfigError("insurance.url: http is for loopback addresses only, expected https")
