"""One bounded question to a licensed provider: HTTPS or loopback, a bearer token, no repeat, nothing of it logged."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from kiosk.errors import ConfigError
from kiosk.loopback import is_loopback
from kiosk.tls import client_context

MAX_ANSWER: Final = 64 * 1024
"""Bytes of an answer that are read at most; what providers have to say takes a few hundred."""


class NoAnswer(Exception):
    """There is no usable answer; the message is a short code such as ``timeout`` or ``http_503``."""


class LicensedLine:
    """The way to one provider's one address."""

    def __init__(self, *, url: str, token: str, seconds: float, setting: str, ca_file: Path | None = None) -> None:
        """Prepare connections; nothing is sent yet.

        *token* goes out as bearer token, *seconds* bounds one question as a whole, *setting* is the start of the
        settings' names, such as ``vneid.``. ConfigError when *url* is neither HTTPS nor on loopback, *token* cannot
        stand in a header, or *ca_file* is unreadable.
        """
        parts = urlsplit(url)
        if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname or "")):
            raise ConfigError(f"{setting}url: expected https, it carries personal data")
        if not (token.isascii() and token.isprintable()):
            raise ConfigError(f"{setting}token_file: expected printable ASCII")
        self._url = url
        self._seconds = seconds
        self._client = httpx.AsyncClient(
            headers={"Accept": "application/json", "Accept-Encoding": "identity", "Authorization": f"Bearer {token}"},
            timeout=httpx.Timeout(seconds),
            verify=_tls(url, ca_file, setting),
            trust_env=False,
            follow_redirects=False,
            limits=httpx.Limits(max_keepalive_connections=0),  # nothing left over may answer the next question
        )

    async def ask(self, body: Mapping[str, Any], *, also: tuple[int, ...] = ()) -> tuple[int, bytes]:
        """Post *body* as JSON and return status and bytes of the answer.

        NoAnswer for an outage, an answer that is too late or too large, or a status other than 200 and those of *also*
        (whose bytes are not read).
        """
        try:
            async with asyncio.timeout(self._seconds):
                return await self._exchange(body, also)
        except TimeoutError:
            raise NoAnswer("timeout") from None
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError) as exc:
            raise NoAnswer(type(exc).__name__) from None

    async def close(self) -> None:
        """Release connections."""
        await self._client.aclose()

    async def _exchange(self, body: Mapping[str, Any], also: tuple[int, ...]) -> tuple[int, bytes]:
        async with self._client.stream("POST", self._url, json=body) as answer:
            if answer.status_code in also:
                return answer.status_code, b""
            if answer.status_code != 200:
                raise NoAnswer(f"http_{answer.status_code}")
            if answer.headers.get("Content-Encoding", "identity") != "identity":  # a bomb unpacks before it is counted
                raise NoAnswer("bad_answer")
            received = bytearray()
            async for chunk in answer.aiter_raw():
                received += chunk
                if len(received) > MAX_ANSWER:
                    raise NoAnswer("answer_too_large")
        return answer.status_code, bytes(received)


def _tls(url: str, ca_file: Path | None, setting: str) -> ssl.SSLContext:
    try:
        return client_context(url, ca_file)
    except (OSError, ValueError):
        raise ConfigError(f"{setting}ca_file: not a readable PEM bundle") from None
