"""The simulated gateway over real HTTP, and settings that make waiting short."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack
from datetime import date
from typing import Any

import httpx
import pytest

from kiosk.insurance.fixed_officer import FixedOfficer
from kiosk.insurance.vss_gateway import VssGateway
from kiosk.insurance.vss_settings import VssSettings
from kiosk.model import KeyKind, LookupKey, Officer, PartialDate, Sex
from simulators.serve import serve_in_thread
from simulators.vss_gateway import Settings, create_app
from simulators.vss_people import PEOPLE, Person

TODAY = date(2026, 11, 2)
OFFICER = Officer("first", "Nguyễn Cán Bộ Thử", "099085000001")
KINDS = {10: KeyKind.BHXH_10, 12: KeyKind.PERSONAL_12, 15: KeyKind.BHYT_15, 17: KeyKind.BHYT_17}
QUICK = {
    "connect_timeout": 0.5,
    "read_timeout": 0.6,
    "total_timeout": 2.0,
    "retry_pause": 0.05,
    "per_second": 1000.0,
    "max_in_flight": 8,
    "breaker_failures": 50,
}


class Simulator:
    """A running simulated gateway and its controls."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._control = httpx.Client(base_url=url, trust_env=False)

    def calls(self, endpoint: str) -> list[dict[str, Any]]:
        return [call for call in self._control.get("/_sim/calls").json() if call["endpoint"] == endpoint]

    def mode(self, mode: str, *, endpoint: str = "lookup", times: int | None = None, delay_ms: int = 0) -> None:
        wanted = {"endpoint": endpoint, "mode": mode, "times": times, "delay_ms": delay_ms}
        self._control.post("/_sim/mode", json=wanted).raise_for_status()

    def reset(self) -> None:
        self._control.post("/_sim/reset").raise_for_status()

    def expire_tokens(self) -> None:
        self._control.post("/_sim/expire-tokens").raise_for_status()

    def close(self) -> None:
        self._control.close()


@pytest.fixture
def serve_simulator() -> Iterator[Callable[..., Simulator]]:
    """Starts a simulated gateway with the given settings; its today is 2 November 2026."""
    with ExitStack() as stack:

        def start(**settings: Any) -> Simulator:
            server = stack.enter_context(serve_in_thread(create_app(Settings(today=TODAY, **settings))))
            simulator = Simulator(server.url)
            stack.callback(simulator.close)
            return simulator

        yield start


@pytest.fixture(scope="session")
def running_simulator() -> Iterator[Simulator]:
    """One simulated gateway with default settings for the whole run."""
    with serve_in_thread(create_app(Settings(today=TODAY))) as server:
        simulator = Simulator(server.url)
        yield simulator
        simulator.close()


@pytest.fixture
def simulator(running_simulator: Simulator) -> Iterator[Simulator]:
    """A simulated gateway with its default settings, without modes and calls of earlier tests."""
    running_simulator.reset()
    yield running_simulator
    running_simulator.reset()


@pytest.fixture
def settings_for() -> Callable[..., VssSettings]:
    """Settings of facility 99001 at a URL, quick unless told otherwise."""

    def settings(url: str, **changes: Any) -> VssSettings:
        return VssSettings(
            **{
                "url": url,
                "account": "99001_BV",
                "password": "sim-secret",
                "facility": "99001",
                **QUICK,
                **changes,
            }
        )

    return settings


@pytest.fixture
async def open_gateway(settings_for: Callable[..., VssSettings]) -> AsyncIterator[Callable[..., VssGateway]]:
    """Opens gateways at a URL and closes them after the test."""
    opened: list[VssGateway] = []

    def gateway(url: str, *, monotonic: Callable[[], float] | None = None, **changes: Any) -> VssGateway:
        clocks: dict[str, Any] = {"monotonic": monotonic} if monotonic else {}
        opened.append(VssGateway(settings_for(url, **changes), FixedOfficer(OFFICER), **clocks))
        return opened[-1]

    yield gateway
    for each in opened:
        await each.close()


@pytest.fixture
def today() -> date:
    """The simulated day."""
    return TODAY


@pytest.fixture
def key_of() -> Callable[..., LookupKey]:
    """The key a document of one of the 30 people gives: by number of the person, or with a number of your own."""

    def key(person: int | Person, number: str | None = None, **changes: Any) -> LookupKey:
        who = PEOPLE[person - 1] if isinstance(person, int) else person
        asked = number or who.citizen_id or who.card
        assert asked is not None
        content = {
            "number": asked,
            "kind": KINDS.get(len(asked), KeyKind.BHYT_15),
            "full_name": who.name.title(),
            "birth_date": PartialDate.parse(who.birth_date(TODAY)),
            "sex": Sex(who.card_sex),
        }
        return LookupKey(**{**content, **changes})

    return key


class RawServer:
    """Answers every POST by a function that gets the path and writes what it likes."""

    def __init__(self, behave: Callable[[str, asyncio.StreamWriter], Awaitable[None]]) -> None:
        self._behave = behave
        self._served: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self.paths: list[str] = []
        self.url = ""

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve a connection, and know of it at once: a task that is cancelled before its first step closes nothing."""
        self._served[asyncio.create_task(self._serve(reader, writer))] = writer

    async def close(self) -> None:
        """End all connections; a writer that outlives its loop complains in whatever test comes next."""
        for task in self._served:
            task.cancel()
        await asyncio.gather(*self._served, return_exceptions=True)
        for writer in self._served.values():
            writer.transport.abort()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            path = head.split(" ")[1].partition("?")[0]
            lengths = [line.split(":")[1] for line in head.lower().split("\r\n") if line.startswith("content-length:")]
            await reader.readexactly(int(lengths[0]))
            self.paths.append(path)
            await self._behave(path, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@pytest.fixture
async def serve_raw() -> AsyncIterator[Callable[..., Awaitable[RawServer]]]:
    """Starts servers that speak HTTP as badly as a test wants, for what the simulator is too well-behaved for."""
    servers: list[tuple[asyncio.Server, RawServer]] = []

    async def start(behave: Callable[[str, asyncio.StreamWriter], Awaitable[None]], **options: Any) -> RawServer:
        raw = RawServer(behave)
        where = {} if "sock" in options else {"host": "127.0.0.1", "port": 0}
        server = await asyncio.start_server(raw.accept, **where, **options)
        servers.append((server, raw))
        scheme = "https" if options.get("ssl") else "http"
        raw.url = f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        return raw

    yield start
    for server, raw in servers:
        server.close()
        await raw.close()
