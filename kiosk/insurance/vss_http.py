"""The wire to the gateway: one POST, a status and a bounded body back, every failure as ours.

URLs of lookups carry token and password hash (insurance-gateway.md 0, point 10). httpx writes each URL to its logger
at INFO, so that logger is closed here for the whole process, whatever level somebody sets on it later.

Connections are not kept: an answer too many, left over on one, would be taken for the answer to the next question, and
one such as "expired" names nobody by whom it could be told.
"""

from __future__ import annotations

import json
import logging
import ssl
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Literal
from urllib.parse import urlencode

import httpx

from kiosk.errors import ConfigError, GatewayUnavailable
from kiosk.insurance.vss_codes import Reason
from kiosk.insurance.vss_settings import VssSettings
from kiosk.tls import client_context

MAX_BODY = 1024 * 1024
"""Bytes of an answer that are read at most, packed and unpacked; a normal one has 2 to 20 KiB."""

_ANY_ZLIB_HEADER = 47


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """Status and body of one answer; the body stays out of ``repr``.

    ``said_at``: the other side's clock, to the second; ``certificate_ends``: of its TLS certificate. None: not told.
    """

    status: int
    body: bytes = field(repr=False)
    said_at: datetime | None = None
    certificate_ends: datetime | None = None


class GatewayHttp:
    """Posts to the gateway over verified TLS with the time-outs of the settings.

    ConfigError when the CA bundle cannot be read.
    """

    def __init__(self, settings: VssSettings) -> None:
        """Prepare connections; nothing is sent yet."""
        _silence_http_loggers()
        limits = httpx.Limits(max_connections=settings.max_in_flight + 2, max_keepalive_connections=0)
        timeout = httpx.Timeout(settings.read_timeout, connect=settings.connect_timeout)
        self._client = httpx.AsyncClient(
            base_url=settings.url,
            headers={"Accept": "application/json", "Accept-Encoding": "identity"},
            timeout=timeout,
            limits=limits,
            verify=_tls(settings),
            trust_env=False,
        )

    async def post(
        self,
        path: str,
        fields: Mapping[str, str],
        *,
        encoding: Literal["json", "form"],
        query: Mapping[str, str] | None = None,
    ) -> HttpAnswer:
        """Post *fields* as JSON or form to *path* and read the whole answer, whatever its status.

        GatewayUnavailable with a ``net_*`` reason, or ``answer_too_large``; ``reached`` tells whether the head of an
        answer had come. Its text holds neither URL nor content.
        """
        body, content_type = _encoded(fields, encoding)
        headers_seen = False
        try:
            async with self._client.stream(
                "POST", path, params=query, content=body, headers={"Content-Type": content_type}
            ) as answer:
                headers_seen = True
                ends = _certificate_ends(answer)
                return HttpAnswer(answer.status_code, await _bounded_body(answer), _said_at(answer), ends)
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError) as error:
            raise GatewayUnavailable(_reason(error), reached=headers_seen) from None

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()


def _encoded(fields: Mapping[str, str], encoding: Literal["json", "form"]) -> tuple[bytes, str]:
    if encoding == "json":
        return json.dumps(dict(fields), ensure_ascii=False).encode(), "application/json; charset=utf-8"
    return urlencode(fields).encode(), "application/x-www-form-urlencoded"


async def _bounded_body(answer: httpx.Response) -> bytes:
    """The body as sent, unpacked here if need be: httpx would unpack whatever a chunk holds, a thousandfold."""
    body = bytearray()
    async for chunk in answer.aiter_raw():
        body += chunk
        if len(body) > MAX_BODY:
            raise GatewayUnavailable(Reason.ANSWER_TOO_LARGE, reached=True)
    packing = answer.headers.get("Content-Encoding", "identity").strip().lower()
    return bytes(body) if packing == "identity" else _unpacked(bytes(body), packing)


def _said_at(answer: httpx.Response) -> datetime | None:
    try:
        said = parsedate_to_datetime(answer.headers.get("Date", ""))
    except (ValueError, OverflowError):
        return None
    return said if said.tzinfo else said.replace(tzinfo=UTC)


def _certificate_ends(answer: httpx.Response) -> datetime | None:
    stream = answer.extensions.get("network_stream")
    tls = stream.get_extra_info("ssl_object") if stream is not None else None
    certificate = tls.getpeercert() if tls is not None else None
    ends = certificate.get("notAfter") if certificate else None
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(str(ends)), UTC) if ends else None


def _unpacked(body: bytes, packing: str) -> bytes:
    """A body packed although nobody asked for it, as some proxies do."""
    if packing not in ("gzip", "x-gzip", "deflate"):
        raise GatewayUnavailable(Reason.BAD_ANSWER, reached=True)
    unpacker = zlib.decompressobj(_ANY_ZLIB_HEADER)
    try:
        whole = unpacker.decompress(body, MAX_BODY)
    except zlib.error:
        raise GatewayUnavailable(Reason.BAD_ANSWER, reached=True) from None
    if unpacker.unconsumed_tail:
        raise GatewayUnavailable(Reason.ANSWER_TOO_LARGE, reached=True)
    if not unpacker.eof:
        raise GatewayUnavailable(Reason.BAD_ANSWER, reached=True)
    return whole


def _reason(error: Exception) -> Reason:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return Reason.NET_TLS
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
        return Reason.NET_CONNECT
    if isinstance(error, httpx.TimeoutException | TimeoutError):
        return Reason.NET_TIMEOUT
    if isinstance(error, httpx.DecodingError):
        return Reason.BAD_ANSWER
    return Reason.NET_BROKEN


def _tls(settings: VssSettings) -> ssl.SSLContext:
    try:
        return client_context(settings.url, settings.ca_file)
    except (OSError, ValueError):
        raise ConfigError("insurance.ca_file: not a readable PEM bundle") from None


def _drop(record: logging.LogRecord) -> bool:
    return False


def _silence_http_loggers() -> None:
    logging.getLogger("httpx").addFilter(_drop)
    # httpcore writes through child loggers, which a filter on their parent would not see.
    logging.getLogger("httpcore").setLevel(logging.WARNING)
