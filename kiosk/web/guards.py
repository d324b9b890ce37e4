"""What every request must pass before a route sees it (faults-threats-speed.md 4: LAN attacker, browser tricks).

Host allow-list against DNS rebinding; for state changes an Origin of ours (or the screen token, for tools on this
machine); bodies of at most 64 KiB that are JSON or raw bytes; headers that keep pages out of caches and frames. A
vendor's reader program has a token of its own that is good for its routes only, and may post a whole chip there.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Collection
from typing import Any

from fastapi import HTTPException
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BODY = 64 * 1024
_CAPS = {"/api/v1/staff/figures/file": 2 * 1024 * 1024}
MAX_CHIP_BODY = 128 * 1024
CHIP_PATH = "/api/v1/station/chip"
CHIP_TOKEN_HEADER = "x-chip-token"
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; font-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), usb=(), serial=()",
}
_DESK = "/desk"
_AT_A_DESK = {"Permissions-Policy": "camera=(), microphone=(), geolocation=(), usb=(), serial=(self)"}
"""A clerk's serial scanner may speak to the counter's page, if the clerk chooses it."""
_SAFE = ("GET", "HEAD", "OPTIONS")
_TYPES = ("application/json", "application/octet-stream")
TOKEN_HEADER = "x-screen-token"


class TooLarge(HTTPException):
    """The body passed the cap while it was being read."""

    def __init__(self) -> None:
        """Answered as 413 by the app's own handler."""
        super().__init__(413, "TOO_LARGE")


class Guards:
    """ASGI middleware around one listener's app."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        hosts: Collection[str],
        secure: bool,
        token: str,
        page_cookie: tuple[str, str] | None = None,
        chip_token: str | None = None,
        bearer_paths: Collection[str] = (),
    ) -> None:
        """*hosts*: allowed Host values with port; *secure*: the listener speaks TLS; *token*: of ``screen-token``.

        *page_cookie*: name and value of a session cookie that ``GET /`` sets. *chip_token*: of ``chip-token``, if
        reader programs may post chips. *bearer_paths*: routes that ask for a key of their own, which no foreign page
        can send without being asked first; they need no Origin.
        """
        self._app = app
        self._hosts = frozenset(host.lower() for host in hosts)
        self._origins = frozenset(f"{'https' if secure else 'http'}://{host}" for host in self._hosts)
        self._token = token.encode()
        self._chip_token = chip_token.encode() if chip_token else None
        self._bearer_paths = frozenset(bearer_paths)
        self._secure = secure
        self._cookie = f"{page_cookie[0]}={page_cookie[1]}; HttpOnly; SameSite=Strict; Path=/" if page_cookie else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse or pass on."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        cap = MAX_CHIP_BODY if self._from_reader_program(scope["path"], headers) else _CAPS.get(scope["path"], MAX_BODY)
        if refusal := self._refusal(scope["method"], scope["path"], headers, cap):
            await self._refuse(send, *refusal)
            return
        size = 0

        async def capped() -> Message:
            nonlocal size
            message = await receive()
            if message["type"] == "http.request":
                size += len(message.get("body", b""))
                if size > cap:
                    raise TooLarge
            return message

        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._dress(message, scope["path"])
                if self._cookie and scope["path"] == "/" and message["status"] == 200:
                    MutableHeaders(scope=message).append("Set-Cookie", self._cookie)
            await send(message)

        await self._app(scope, capped, dressed)

    def _refusal(self, method: str, path: str, headers: Headers, cap: int) -> tuple[int, str] | None:
        if headers.get("host", "").lower() not in self._hosts:
            return 421, "UNKNOWN_HOST"
        length = headers.get("content-length", "0")
        if not length.isdigit() or int(length) > cap:
            return 413, "TOO_LARGE"
        if method in _SAFE:
            return None
        with_key = path in self._bearer_paths and "origin" not in headers and "authorization" in headers
        if not (with_key or self._from_us(headers) or self._from_reader_program(path, headers)):
            return 403, "FOREIGN_ORIGIN"
        has_body = length != "0" or "transfer-encoding" in headers
        media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
        if has_body and media_type not in _TYPES:
            return 415, "JSON_OR_BYTES_ONLY"
        return None

    def _from_reader_program(self, path: str, headers: Headers) -> bool:
        if self._chip_token is None or path not in (CHIP_PATH, CHIP_PATH + "/challenge") or "origin" in headers:
            return False
        return hmac.compare_digest(headers.get(CHIP_TOKEN_HEADER, "").encode(), self._chip_token)

    def _from_us(self, headers: Headers) -> bool:
        origin = headers.get("origin")
        if origin is not None:
            return origin.lower() in self._origins
        return hmac.compare_digest(headers.get(TOKEN_HEADER, "").encode(), self._token)

    def _dress(self, message: Message, path: str) -> None:
        headers = MutableHeaders(scope=message)
        for name, value in (_HEADERS | _AT_A_DESK if path == _DESK else _HEADERS).items():
            headers.setdefault(name, value)
        if not path.startswith("/static/"):
            headers["Cache-Control"] = "no-store"
        if self._secure:
            headers.setdefault("Strict-Transport-Security", "max-age=31536000")

    async def _refuse(self, send: Send, status: int, code: str) -> None:
        body = json.dumps({"error": code}).encode()
        headers: list[tuple[bytes, bytes]] = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
            (b"connection", b"close"),
        ]
        start: dict[str, Any] = {"type": "http.response.start", "status": status, "headers": headers}
        self._dress(start, "")
        await send(start)
        await send({"type": "http.response.body", "body": body})
