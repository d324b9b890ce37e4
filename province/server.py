"""Running the hub: uvicorn with systemd's notifications."""

import asyncio
import gc
import socket
from typing import Final

import uvicorn
from fastapi import FastAPI

from province.notify import keep_watchdog_fed, notify

_OBJECTS_BETWEEN_COLLECTIONS: Final = 50_000
"""A batch is thousands of new objects, none of them garbage; the default of 700 would search them again and again."""


class Server(uvicorn.Server):
    """A uvicorn server that tells systemd when it listens, lives and stops."""

    _watchdog: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start listening, then say READY=1."""
        gc.freeze()  # what is loaded now stays until the end
        gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS, 20, 20)
        await super().startup(sockets)
        if self.started:
            notify("READY=1")
            self._watchdog = asyncio.create_task(keep_watchdog_fed())

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Say STOPPING=1, then finish the requests in hand."""
        notify("STOPPING=1")
        if self._watchdog is not None:
            self._watchdog.cancel()
        await super().shutdown(sockets)


def make_server(app: FastAPI, host: str, port: int) -> Server:
    """A server for the application; `run()` blocks until a signal or `should_exit`. Port 0 takes a free one."""
    # uvicorn's own access log would write query strings.
    config = uvicorn.Config(
        app, host=host, port=port, log_config=None, access_log=False, server_header=False, timeout_graceful_shutdown=10
    )
    return Server(config)
