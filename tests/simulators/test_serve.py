"""The shared HTTP server of the simulators: real sockets, resets and held requests."""

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI, Request, Response

from simulators.serve import RunningServer, connection_of, serve_in_thread


def application() -> FastAPI:
    app = FastAPI()
    released = asyncio.Event()

    @app.get("/plain")
    async def plain() -> dict[str, bool]:
        return {"ok": True}

    @app.get("/reset")
    async def reset(request: Request) -> Response:
        connection_of(request).reset()
        return Response("lost")

    @app.get("/hold")
    async def hold(request: Request, seconds: float | None = None) -> dict[str, bool]:
        return {"there": await connection_of(request).hold(request, seconds, released)}

    @app.get("/release")
    async def release() -> None:
        released.set()

    return app


def test_url_answers_on_a_free_port() -> None:
    with serve_in_thread(application()) as one, serve_in_thread(application()) as two:
        assert one.url != two.url
        assert httpx.get(f"{one.url}/plain").json() == {"ok": True}
        assert httpx.get(f"{two.url}/plain").json() == {"ok": True}
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{one.url}/plain")


def test_reset_tears_the_socket_down_and_the_server_lives_on() -> None:
    with serve_in_thread(application()) as server:
        with pytest.raises(httpx.ReadError) as caught:
            httpx.get(f"{server.url}/reset")
        assert "reset" in str(caught.value).lower()
        assert httpx.get(f"{server.url}/plain").status_code == 200


def test_hold_answers_after_its_time_or_when_released() -> None:
    with serve_in_thread(application()) as server:
        assert httpx.get(f"{server.url}/hold?seconds=0.01").json() == {"there": True}
        threading.Timer(0.1, httpx.get, [f"{server.url}/release"]).start()
        assert httpx.get(f"{server.url}/hold").json() == {"there": True}


def test_stopping_does_not_wait_for_a_held_request() -> None:
    server = RunningServer(application()).start()
    with socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2]))) as client:
        client.sendall(b"GET /hold HTTP/1.1\r\nHost: x\r\n\r\n")
        client.settimeout(0.2)
        with pytest.raises(TimeoutError):
            client.recv(1)
        began = time.monotonic()
        server.stop()
        assert time.monotonic() - began < 1.5
        with contextlib.suppress(ConnectionResetError):
            assert client.recv(1) == b""


def test_taken_port_and_failing_start_are_reported() -> None:
    @contextlib.asynccontextmanager
    async def broken(_: FastAPI) -> AsyncIterator[None]:
        raise OSError("no database")
        yield

    with serve_in_thread(application()) as server, pytest.raises(OSError, match="in use"):
        RunningServer(application(), port=int(server.url.rpartition(":")[2]))
    with pytest.raises(RuntimeError, match="did not start"):
        RunningServer(FastAPI(lifespan=broken)).start()


def test_connection_needs_this_server() -> None:
    with pytest.raises(RuntimeError, match=r"simulators\.serve"):
        connection_of(Request({"type": "http"}))
