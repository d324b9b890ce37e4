"""A whole kiosk in this process, wired as the daemon wires it, between a simulated gateway and a simulated hospital.

Nothing is replaced: the simulators answer over real HTTP, the store is the real one on a disk. Only the wall clock can
be moved.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import httpx
import sqlalchemy as sa
from starlette.types import ASGIApp

from kiosk import records
from kiosk.bootstrap import Parts, build
from kiosk.config import Config, parse
from kiosk.model import VIETNAM, local_day
from kiosk.outbox_table import OutboxRow
from kiosk.records import CheckIn
from kiosk.store import Store
from kiosk.tables import event, lookup, outbox
from simulators.serve import RunningServer
from simulators.vss_people import Person, insurance_qr_payload, people_of, qr_payload

FACILITY = "93002"
STATION = "kiosk-1"
PEOPLE = {person.number: person for person in people_of(FACILITY)}
GENERAL, TICKETLESS = "502", "505"
PATIENCE = 10.0


class Server:
    """A simulator on one port that can go down and come back."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._running: RunningServer | None = RunningServer(app).start()
        self.url = self._running.url
        self.control = httpx.Client(base_url=self.url, trust_env=False, timeout=20)

    def down(self) -> None:
        if self._running is not None:
            self._running.stop()
            self._running = None

    def up(self) -> None:
        if self._running is None:
            self._running = RunningServer(self._app, port=int(self.url.rpartition(":")[2])).start()

    def post(self, path: str, **body: Any) -> None:
        self.control.post(path, json=body).raise_for_status()

    def get(self, path: str) -> Any:
        return self.control.get(path).raise_for_status().json()

    def reset(self) -> None:
        self.up()
        self.control.post("/_sim/reset").raise_for_status()

    def close(self) -> None:
        self.down()
        self.control.close()


class Gateway(Server):
    """The simulated insurance gateway."""

    def mode(self, mode: str, *, endpoint: str = "lookup", times: int | None = None, delay_ms: int = 0) -> None:
        self.post("/_sim/mode", endpoint=endpoint, mode=mode, times=times, delay_ms=delay_ms)

    def lookups(self) -> list[dict[str, Any]]:
        return [call for call in self.get("/_sim/calls") if call["endpoint"] == "lookup"]


class Hospital(Server):
    """The simulated hospital system."""

    def mode(self, mode: str | None, *, endpoint: str = "dangky-kcb", times: int | None = None) -> None:
        self.post("/_sim/mode", endpoint=endpoint, mode=mode, times=times)

    def switch(self, **switches: Any) -> None:
        self.post("/_sim/config", **switches)

    def visits(self) -> list[dict[str, Any]]:
        rows = self.get("/_sim/registrations")["registrations"]
        return [row for row in rows if not row["seeded"]]

    def calls(self, endpoint: str) -> int:
        return sum(call["endpoint"] == endpoint for call in self.get("/_sim/calls")["calls"])


class MovableClock:
    """The real time, shifted."""

    def __init__(self) -> None:
        self.shift = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.shift

    def forward(self, **by: float) -> None:
        self.shift += timedelta(**by)


def tables(data: Path, gateway: str, hospital: str, port: int = 8080, /, **extra: Mapping[str, Any]) -> dict[str, Any]:
    """A valid configuration with short waits; *extra* is laid over its tables (or replaces ``demo``)."""
    for name, text in (
        ("vss-password", "sim-secret"),
        ("c06-secret", "sim-c06-secret"),
        ("officers", "NGUYỄN CÁN BỘ THỬ;099085000001"),
    ):
        (data / name).write_text(text + "\n", "utf-8")
    config: dict[str, Any] = {
        "demo": True,
        "station": {
            "id": STATION,
            "facility": FACILITY,
            "listen": f"127.0.0.1:{port}",
            "data": str(data / "kiosk"),
        },
        "policy": {"number_wait": 3},
        "insurance": {
            "url": gateway,
            "account": f"{FACILITY}_BV",
            "password_file": "vss-password",
            "officers_file": "officers",
            "connect_timeout": 1,
            "read_timeout": 0.8,
            "total_timeout": 2,
            "retry_pause": 0.02,
            "max_in_flight": 8,
            "per_second": 100,
            "recheck_after": [600, 600],
        },
        "hospital": {
            "adapter": "c06",
            "url": hospital,
            "merchant": "KIOSK-TEST",
            "secret_file": "c06-secret",
            "grace": 0.1,
            "timeouts": {"connect": 1, "get": 2, "post": 1},
        },
        "outbox": {"base": 0.05, "cap": 0.2},
    }
    for name, table in extra.items():
        if isinstance(table, Mapping):
            foreign = name == "hospital" and table.get("adapter", "c06") != "c06"
            config[name] = ({"grace": 0.1} if foreign else config.get(name, {})) | dict(table)
        else:
            config[name] = table
    return config


def qr(person: int | Person) -> bytes:
    """What the scanner sends for a person's citizen card."""
    who = PEOPLE[person] if isinstance(person, int) else person
    payload = qr_payload(who, datetime.now(VIETNAM).date())
    assert payload is not None
    return payload


def card(number: str, name: str, born: str = "01021990", sex: str = "Nam", address: str = "Ấp Thử, Xã Mẫu") -> bytes:
    """The QR of an invented citizen card."""
    return "|".join((number, "", name, born, sex, address, "05072021")).encode() + b"\r"


def insurance_card(number: int, template: Literal[2017, 2021] = 2017) -> bytes:
    """What the scanner sends for a person's BHYT card."""
    payload = insurance_qr_payload(PEOPLE[number], datetime.now(VIETNAM).date(), template=template)
    assert payload is not None
    return payload


async def until(ready: Callable[[], Awaitable[Any]], what: str = "it") -> Any:
    """Poll until *ready* gives something true, and return that."""
    deadline = time.monotonic() + PATIENCE
    while not (result := await ready()):
        assert time.monotonic() < deadline, f"{what} did not happen"
        await asyncio.sleep(0.01)
    return result


class World:
    """A running kiosk, with what tests ask of it."""

    def __init__(self, parts: Parts, clock: MovableClock, gateway: Gateway, hospital: Hospital) -> None:
        self.parts = parts
        self.clock = clock
        self.gateway = gateway
        self.hospital = hospital
        self.station = parts.station
        self.checkins = parts.checkins
        self.store = parts.store

    # -- the patient in front ----------------------------------------------------------------------------------

    @property
    def screen(self) -> dict[str, Any]:
        return self.station.state()["screen"]

    async def view(self, *wanted: str) -> dict[str, Any]:
        """The screen as soon as it shows one of the views *wanted*."""
        async with asyncio.timeout(PATIENCE):
            async for state in self.station.changes():
                if state["screen"]["view"] in wanted:
                    return dict(state["screen"])
        raise AssertionError("the station ended")

    async def answer(self, answer: str, **more: Any) -> None:
        await self.station.answer(str(self.station.checkin_id), answer, **more)

    async def answer_number(self, number: str) -> None:
        """Type a number on the screen, beside a card of which no QR was scanned."""
        await self.station.answer(self.station.checkin_id, "number", value=number)

    async def identify(self, person: int | bytes) -> dict[str, Any]:
        """Scan a card, say yes, and wait for what comes of it."""
        await self.station.scan(person if isinstance(person, bytes) else qr(person))
        await self.view("confirm")
        await self.answer("confirm")
        return await self.view("choose_service", "needs_staff", "done", "out_of_order")

    async def choose(self, service: str = GENERAL) -> dict[str, Any]:
        await self.answer("service", service_id=service)
        return await self.view("done", "needs_staff", "out_of_order")

    async def register(self, person: int | bytes, service: str = GENERAL) -> CheckIn:
        """The whole way of a person whom the gateway or nobody answers for."""
        assert (await self.identify(person))["view"] == "choose_service"
        await self.choose(service)
        return await self.newest()

    async def leave(self) -> None:
        """The person in front touches "done"."""
        await self.answer("cancel")
        await self.view("idle")

    async def leave_open(self) -> None:
        """The person in front goes away before a number was given."""
        await self.answer("cancel")
        await self.view("idle")

    # -- what the store holds ----------------------------------------------------------------------------------

    async def all(self) -> list[CheckIn]:
        """All check-ins, newest first."""
        return await self.store.read(records.find)

    async def newest(self) -> CheckIn:
        return (await self.all())[0]

    async def get(self, checkin_id: str) -> CheckIn:
        found = await self.store.read(lambda c: records.get(c, checkin_id))
        assert found is not None
        return found

    async def becomes(self, checkin_id: str, **wanted: Any) -> CheckIn:
        """Wait until a check-in has these attributes."""

        async def ready() -> CheckIn | None:
            checkin = await self.get(checkin_id)
            return checkin if all(getattr(checkin, name) == value for name, value in wanted.items()) else None

        return await until(ready, f"{wanted}")  # type: ignore[no-any-return]

    async def rows(self, destination: str) -> list[OutboxRow]:
        query = sa.select(outbox).where(outbox.c.destination == destination).order_by(outbox.c.id)
        return await self.store.read(lambda c: [OutboxRow(**row._mapping) for row in c.execute(query)])

    async def row(self, destination: str) -> OutboxRow:
        rows = await self.rows(destination)
        assert len(rows) == 1, rows
        return rows[0]

    async def events(self, kind: str | None = None) -> list[dict[str, Any]]:
        """Bodies in order."""
        query = sa.select(event.c.body).order_by(event.c.seq)
        bodies = await self.store.read(lambda c: [row.body for row in c.execute(query)])
        return [body for body in bodies if kind in (None, body["kind"])]

    async def asked(self) -> int:
        """Rows of the table of questions."""
        return await self.store.read(lambda c: c.execute(sa.select(sa.func.count()).select_from(lookup)).scalar_one())

    async def staff_list(self) -> dict[str, str]:
        """Reason by check-in id of what waits for staff."""
        found = await self.store.read(lambda c: records.find(c, needs_staff=True))
        return {item.checkin_id: str(item.staff_reason) for item in found}

    def today(self) -> date:
        return local_day(self.clock())


@asynccontextmanager
async def running(config: Config, beside: Path, gateway: Gateway, hospital: Hospital) -> AsyncIterator[World]:
    """Start a kiosk with its outbox; ends it as the daemon does."""
    clock = MovableClock()
    parts = build(config, beside, clock)
    delivering = asyncio.create_task(parts.outbox.run())
    try:
        yield World(parts, clock, gateway, hospital)
    finally:
        parts.outbox.stop()
        hospital.up()
        for sim in (gateway, hospital):  # what hangs there on purpose would be waited for
            await asyncio.to_thread(sim.control.post, "/_sim/reset")
        async with asyncio.timeout(PATIENCE):
            await delivering
        await parts.close()


def config_of(folder: Path, gateway: Server, hospital: Server, /, **extra: Any) -> Config:
    """The checked configuration for a kiosk under *folder*."""
    return parse(tables(folder, gateway.url, hospital.url, **extra))


def toml(values: Mapping[str, Any]) -> str:
    """A configuration as its file: strings, numbers, booleans and lists look in TOML as in JSON."""
    top, rest = [], []
    for name, value in values.items():
        if isinstance(value, Mapping):
            rest += ["", f"[{name}]"]
            rest += [f"{key} = {_inline(item)}" for key, item in value.items()]
        else:
            top.append(f"{name} = {_inline(value)}")
    return "\n".join(top + rest) + "\n"


def _inline(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key} = {_inline(item)}" for key, item in value.items()) + "}"
    return json.dumps(value, ensure_ascii=False)


@asynccontextmanager
async def plug_in(folder: Path, name: str, target: str) -> AsyncIterator[None]:
    """Install a hospital adapter the way a hospital would: a distribution with one entry point."""
    dist = folder / f"{name}_plugin-1.0.dist-info"
    dist.mkdir(parents=True)
    (dist / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}-plugin\nVersion: 1.0\n")
    (dist / "entry_points.txt").write_text(f"[hospital_adapters]\n{name} = {target}\n")
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))


@contextmanager
def capped(store: Store) -> Iterator[None]:
    """While the block runs the database cannot grow by a single page, as on a full disk."""
    full = True

    def cap(connection: Any, _: Any) -> None:
        if full:
            pages = connection.execute("PRAGMA page_count").fetchone()[0]
            connection.execute(f"PRAGMA max_page_count = {pages}")

    engine = store._engine
    sa.event.listen(engine, "connect", cap)
    engine.dispose()
    try:
        yield
    finally:
        full = False
        sa.event.remove(engine, "connect", cap)
        engine.dispose()
