"""Serves a simulator over real HTTP: in a thread for tests, in the foreground for `kiosk-sim`.

A simulator sometimes has to behave worse than an ASGI application can: never answer, or tear the socket down. The
protocol class here puts a `Connection` into each request's ASGI scope for that (`connection_of`).

Access logs stay off: gateway URLs carry tokens and a password hash (insurance-gateway.md 0, point 10).
"""

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Self

import uvicorn
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

_EXTENSION = "kiosk_sim.connection"
_START_DEADLINE_S = 15.0
_GRACEFUL_SHUTDOWN_S = 2
_LINGER_RESET = struct.pack("ii", 1, 0)


class Connection:
    """The TCP connection under one request; get it with `connection_of(request)`."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self.held = False

    def reset(self) -> None:
        """Tear the connection down at once with a TCP RST; what the application then sends goes nowhere."""
        sock = self._transport.get_extra_info("socket")
        if sock is not None and not self._transport.is_closing():
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_RESET)
        self._transport.abort()

    async def hold(self, request: Request, seconds: float | None, released: asyncio.Event) -> bool:
        """Keep the request waiting without an answer.

        Ends after `seconds` (None: no limit), when `released` is set, when the client goes away, or when the server
        shuts down (which resets a held connection instead of waiting for it). The body must have been read before.
        Returns True when the client is still there.
        """
        self.held = True
        gone = asyncio.ensure_future(_disconnected(request))
        let_go = asyncio.ensure_future(released.wait())
        try:
            await asyncio.wait({gone, let_go}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            return not gone.done()
        finally:
            self.held = False
            gone.cancel()
            let_go.cancel()
            await asyncio.gather(gone, let_go, return_exceptions=True)


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def connection_of(request: Request) -> Connection:
    """The connection under `request`. Raises RuntimeError when the application is not served by this module."""
    found = request.scope.get("extensions", {}).get(_EXTENSION)
    if not isinstance(found, Connection):
        raise RuntimeError("this simulator needs simulators.serve to reach the socket")
    return found


class _ConnectionProtocol(H11Protocol):
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._connection = connection = Connection(transport)
        app = self.app

        async def with_connection(scope: Scope, receive: Receive, send: Send) -> None:
            scope.setdefault("extensions", {})[_EXTENSION] = connection
            await app(scope, receive, send)

        self.app = with_connection

    def shutdown(self) -> None:
        if self._connection.held:
            self._connection.reset()
        else:
            super().shutdown()


def _listen(host: str, port: int) -> socket.socket:
    family, kind, proto, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    sock = socket.socket(family, kind, proto)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(address)
        sock.listen(128)
    except OSError:
        sock.close()
        raise
    return sock


def _url(sock: socket.socket) -> str:
    host, port = sock.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _server(app: ASGIApp) -> uvicorn.Server:
    return uvicorn.Server(
        uvicorn.Config(
            app,
            http=_ConnectionProtocol,
            ws="none",
            log_config=None,
            access_log=False,
            proxy_headers=False,  # uvicorn would believe X-Forwarded-For from loopback
            log_level="warning",
            timeout_graceful_shutdown=_GRACEFUL_SHUTDOWN_S,
        )
    )


class RunningServer:
    """An ASGI application served from a thread of its own; a context manager.

    `port` 0 takes a free port. `url` is `http://host:port` without a trailing slash and is known at once; connections
    are accepted from construction on and answered after `start`. OSError when the address is taken.
    """

    def __init__(self, app: ASGIApp, host: str = "127.0.0.1", port: int = 0) -> None:
        self._socket = _listen(host, port)
        self.url = _url(self._socket)
        self._server = _server(app)
        self._thread = threading.Thread(target=self._run, name=f"serve {self.url}", daemon=True)

    def _run(self) -> None:
        # uvicorn ends a failed start-up with SystemExit; `start` reports it, a thread's traceback would add nothing.
        with contextlib.suppress(SystemExit):
            self._server.run(sockets=[self._socket])

    def start(self) -> Self:
        """Start the thread and return when the application has started. RuntimeError when it does not."""
        self._thread.start()
        waited = 0.0
        while not self._server.started:
            self._thread.join(0.01)
            waited += 0.01
            if not self._thread.is_alive() or waited > _START_DEADLINE_S:
                self.stop()
                raise RuntimeError(f"the application at {self.url} did not start")
        return self

    def stop(self) -> None:
        """Stop and wait for the thread. Requests held on purpose are reset, others get 2 s to finish. Repeatable."""
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join()
        self._socket.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


@contextlib.contextmanager
def serve_in_thread(app: ASGIApp, host: str = "127.0.0.1", port: int = 0) -> Iterator[RunningServer]:
    """Serve `app` until the block ends: `with serve_in_thread(app) as server: httpx.get(server.url)`."""
    with RunningServer(app, host, port) as server:
        yield server


def serve_forever(app: ASGIApp, host: str, port: int, on_listening: Callable[[str], None]) -> None:
    """Serve `app` in the foreground until SIGINT or SIGTERM.

    `on_listening` gets the URL once the port is taken. OSError when the address is in use.
    """
    with _listen(host, port) as sock:
        on_listening(_url(sock))
        with contextlib.suppress(KeyboardInterrupt):
            _server(app).run(sockets=[sock])
