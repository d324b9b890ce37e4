"""An answer that nobody asked for must not become the answer to the next person's question."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any

from pydantic import RootModel

from kiosk.insurance.relay_line import RelayLine
from kiosk.insurance.vss_codes import Reason
from kiosk.insurance.vss_gateway import VssGateway
from kiosk.insurance.vss_settings import LOGIN_PATH
from kiosk.licensed_http import LicensedLine
from kiosk.model import LookupKey

Open = Callable[..., VssGateway]
KeyOf = Callable[..., LookupKey]
Serve = Callable[..., Awaitable[Any]]

LOGIN = {"maKetQua": "200", "APIKey": {"access_token": "a+/=", "id_token": "b"}}
EXPIRED, NOT_FOUND = {"maKetQua": "010"}, {"maKetQua": "050"}


def kept(content: dict[str, Any]) -> bytes:
    """An answer after which the connection stays."""
    body = json.dumps(content).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body


def twice_the_first_time(first: bytes, second: bytes) -> Callable[[str, asyncio.StreamWriter], Awaitable[None]]:
    """Writes *first* with an expired card behind it, keeps that connection, and *second* on any other."""
    connections = 0

    async def behave(_: str, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        writer.write(first + kept(EXPIRED) if connections == 1 else second)
        await writer.drain()
        await asyncio.Event().wait()

    return behave


async def test_from_the_gateway(serve_raw: Serve, open_gateway: Open, key_of: KeyOf, today: date) -> None:
    server = await serve_raw(twice_the_first_time(kept(LOGIN), kept(NOT_FOUND)))
    gateway = open_gateway(server.url)
    assert (await gateway.check()).ok
    assert server.paths == [LOGIN_PATH]
    assert (await gateway.lookup(key_of(1), today)).reason is Reason.NOT_FOUND


async def test_from_the_relay(serve_raw: Serve) -> None:
    server = await serve_raw(twice_the_first_time(kept({}), kept(NOT_FOUND)))
    line = RelayLine(url=server.url, key="k")
    assert json.loads(await line.post("/a", RootModel({}), 2)) == {}
    assert json.loads(await line.post("/b", RootModel({}), 2)) == NOT_FOUND
    await line.close()


async def test_from_a_licensed_provider(serve_raw: Serve) -> None:
    server = await serve_raw(twice_the_first_time(kept({}), kept(NOT_FOUND)))
    line = LicensedLine(url=server.url, token="t", seconds=2, setting="vneid.")
    assert json.loads((await line.ask({}))[1]) == {}
    assert json.loads((await line.ask({}))[1]) == NOT_FOUND
    await line.close()
