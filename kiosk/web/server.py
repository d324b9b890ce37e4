"""The HTTP server of every listener: uvicorn, with a limit on how long a connection may say nothing."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from kiosk.config import secret_path
from kiosk.errors import ConfigError

SILENCE: Final = 10.0
"""Seconds in which a request's head must have come whole; else the connection is closed."""
_CONNECTIONS: Final = 500
ADMIN_SOCKET: Final = "admin.sock"
"""Of a data folder: where ``kioskctl`` reaches the process that owns it."""


class PatientProtocol(H11Protocol):
    """Closes connections that open and send no whole request: a few hundred of them would keep everybody out."""

    _waiting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Give the first request its time."""
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Give each later request the same time, counted from its first byte."""
        super().data_received(data)
        if self._between_requests() and self._waiting is None:
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing to wait for any more."""
        if self._waiting is not None:
            self._waiting.cancel()
        super().connection_lost(exc)

    def _wait(self) -> None:
        self._waiting = asyncio.get_running_loop().call_later(SILENCE, self._close_if_silent)

    def _close_if_silent(self) -> None:
        self._waiting = None
        if self._between_requests() and not self.transport.is_closing():
            self.transport.close()

    def _between_requests(self) -> bool:
        return self.cycle is None or self.cycle.response_complete


class Server(uvicorn.Server):
    """A server whose signals the daemon handles itself."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals alone."""
        yield


def make_server(app: ASGIApp, **options: Any) -> Server:
    """A server for *app*; *options* are uvicorn's, such as the certificate."""
    return Server(
        uvicorn.Config(
            app,
            http=PatientProtocol,
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            lifespan="off",
            timeout_graceful_shutdown=2,
            timeout_keep_alive=30,
            limit_concurrency=_CONNECTIONS,
            h11_max_incomplete_event_size=16 * 1024,
            **options,
        )
    )


def certificate(cert_file: str, key_file: str, beside: Path, table: str) -> dict[str, str]:
    """A listener's certificate and key for ``make_server``, tried out so that a wrong one is named at the start.

    *table*: of the configuration. ConfigError.
    """
    cert, key = (str(secret_path(name, beside)) for name in (cert_file, key_file))
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(cert, key)
    except (OSError, ssl.SSLError) as exc:
        problem = exc.strerror or "expected a certificate and its key, in PEM"
        raise ConfigError(f"{table}.cert_file, {table}.key_file: {problem}") from None
    return {"ssl_certfile": cert, "ssl_keyfile": key}


def address_of(listen: str) -> tuple[str, int]:
    """Host and port of ``address:port``."""
    host, _, port = listen.rpartition(":")
    return host, int(port)


def bind(host: str, port: int) -> socket.socket:
    """A socket on that address; ConfigError if it is taken or none of ours."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host.strip("[]"), port))
    except OSError as exc:
        sock.close()
        raise ConfigError(f"cannot listen on {host}:{port}: {exc.strerror}") from None
    return sock


def bind_socket(path: Path) -> socket.socket:
    """A Unix socket for its owner alone; ConfigError if it cannot be made."""
    path.unlink(missing_ok=True)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.bind(str(path))
    except OSError as exc:
        sock.close()
        raise ConfigError(f"cannot open {path.name} in the data folder: {exc.strerror or exc}") from None
    path.chmod(0o600)
    return sock
