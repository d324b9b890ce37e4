"""A line to the gateway that fails in every way, under 200 people at twelve stations (faults-threats-speed.md 3, F3).

Times are a fifth of the real ones: no lookup longer than 3 s, a slip within 6 s of the confirmation. The real ones with
each kind of fault alone: ``make long``.
"""

import asyncio
import random
import time
from collections.abc import Iterator
from contextlib import asynccontextmanager
from typing import Any
from unittest.mock import patch

import pytest

from kiosk.records import CheckIn
from kiosk.station_model import Timings
from kiosk.stations import Station
from simulators.fault_proxy import FaultProxy, Settings
from simulators.fault_toxics import Toxic
from simulators.vss_gateway import Settings as GatewaySettings
from simulators.vss_gateway import create_app
from simulators.vss_people import Person
from tests.chaos.crowd import crowd
from tests.kiosk.world import FACILITY, Gateway, World, config_of, qr, running

KNOWN, PEOPLE, STATIONS, SCALE = 100, 200, 12, 5
ALL = crowd(KNOWN + PEOPLE, ("000", "000", "000", "000", "010"))
TOXICS = (
    Toxic(kind="delay", delay_ms=200, jitter_ms=300),
    Toxic(kind="delay", delay_ms=900, direction="up"),
    Toxic(kind="bandwidth", bytes_per_second=2000),
    Toxic(kind="slow_drip", delay_ms=50),
    Toxic(kind="reset", after_bytes=0),
    Toxic(kind="reset", after_bytes=150),
    Toxic(kind="reset", direction="up", after_bytes=40),
    Toxic(kind="half_open"),
    Toxic(kind="truncate", after_bytes=200),
    Toxic(kind="refuse"),
    Toxic(kind="duplicate"),
)
GARBLED = Toxic(kind="garble", after_bytes=120)
"""Alone: a garbled name sends people to staff, as no other fault may; encryption keeps real lines from it."""
TIMES = {
    "connect_timeout": 0.6,
    "read_timeout": 1.6,
    "total_timeout": 3,
    "retry_pause": 0.2,
    "recheck_after": [60, 300],
}


@pytest.fixture
def big_gateway() -> Iterator[Gateway]:
    with patch("simulators.vss_gateway.people_of", lambda facility: ALL):
        app = create_app(GatewaySettings(facility=FACILITY))
    server = Gateway(app)
    yield server
    server.close()


class Desk:
    """One station with the people who come to it, and how long they waited."""

    def __init__(self, world: World, name: str) -> None:
        timings = Timings(confirm=60, choose=60, done=60, place_card=60, staff=60)
        self.station = Station(name, world.checkins, world.clock, timings)
        self.lookups: list[float] = []
        self.slips: list[float] = []
        self.silences: list[float] = []

    async def view(self, *wanted: str) -> dict[str, Any]:
        async with asyncio.timeout(40):
            async for state in self.station.changes():
                if state["screen"]["view"] in wanted:
                    return dict(state["screen"])
        raise AssertionError("the station ended")

    async def answer(self, answer: str, **more: Any) -> None:
        await self.station.answer(str(self.station.checkin_id), answer, **more)

    async def answered(self, since: float) -> dict[str, Any]:
        """The screen with the answer; keeps how long nothing new was said before it."""
        async with asyncio.timeout(40):
            async for state in self.station.changes():
                self.silences.append(time.monotonic() - since)
                since = time.monotonic()
                if state["screen"]["view"] in ("choose_service", "needs_staff", "done"):
                    return dict(state["screen"])
        raise AssertionError("the station ended")

    async def serve(self, person: Person) -> None:
        await self.station.scan(qr(person))
        await self.view("confirm")
        started = time.monotonic()
        await self.answer("confirm")
        screen = await self.answered(started)
        self.lookups.append(time.monotonic() - started)
        if screen["view"] == "choose_service":
            chosen = time.monotonic()
            await self.answer("service", service_id=screen["services"][0]["id"])
            await self.view("done", "needs_staff")
            self.slips.append(self.lookups[-1] + time.monotonic() - chosen)
        await self.answer("cancel")
        await self.view("idle")


@asynccontextmanager
async def faulty(tmp_path: Any, gateway: Gateway, hospital: Any, times: dict[str, Any]) -> Any:
    proxy = FaultProxy(Settings("127.0.0.1", int(gateway.url.rpartition(":")[2]), seed=random.randrange(2**32)))
    await proxy.start()
    config = config_of(tmp_path, gateway, hospital, insurance=times, hospital={"unchecked": "hold"})
    config = config.model_copy(
        update={"insurance": config.insurance.model_copy(update={"url": f"http://127.0.0.1:{proxy.port}"})}
    )
    async with running(config, tmp_path, gateway, hospital) as world:
        world.parts.gateway._questions._breaker._open_seconds = 0.5
        try:
            yield world, proxy
        finally:
            proxy.toxics.clear()
            await proxy.stop()


async def people_through(world: World, people: Any, at_once: int) -> list[Desk]:
    waiting = list(people)
    desks = [Desk(world, f"kiosk-{number}") for number in range(at_once)]

    async def all_day(desk: Desk) -> None:
        while waiting:
            await desk.serve(waiting.pop())

    async with asyncio.TaskGroup() as group:
        for desk in desks:
            group.create_task(all_day(desk))
    return desks


async def all_completed(world: World, hospital: Any, people: int, *, unclear_at_most: int = 0) -> None:
    """The line is good again: every visit gets its answer, and its one registration where staff need not look."""

    def is_open(one: CheckIn) -> bool:
        return one.unanswered or (one.status is not None and one.status.insured and one.hospital_state != "accepted")

    async with asyncio.timeout(90):
        while [one for one in await world.all() if is_open(one)]:
            world.clock.forward(seconds=90)
            for destination in ("gateway", "hospital"):
                world.parts.outbox.wake(destination)
            await asyncio.sleep(0.3)
    visits = [one for one in await world.all() if one.state == "accepted"]
    assert len(visits) == people
    assert len({one.number for one in visits}) == people
    covered = {person.citizen_id for person in ALL if person.code == "000"}
    for one in visits:
        if one.status.insured:
            assert one.key_number in covered
            assert one.eligibility.result_code == "000" and one.eligibility.coverage is not None
    registered = [one for one in visits if one.hospital_state == "accepted"]
    assert len(hospital.visits()) == len({one.receipt.visit_id for one in registered}) == len(registered)
    unclear = [one for one in visits if one.status.value == "needs_staff"]
    assert len(unclear) <= unclear_at_most
    assert {one.checkin_id for one in unclear} <= set(await world.staff_list())


async def test_two_hundred_people_over_a_bad_line(tmp_path, big_gateway, hospital, monkeypatch):
    monkeypatch.setattr("kiosk.station_work.PROGRESS_SECONDS", 4 / SCALE)
    async with faulty(tmp_path, big_gateway, hospital, TIMES) as (world, proxy):
        print(f"seed {proxy.seed}")
        chance = random.Random(proxy.seed)

        async def weather() -> None:
            while True:
                proxy.toxics[:] = chance.sample(TOXICS, chance.choice((0, 1, 1, 2)))
                await proxy.reset_open()  # connections that are kept open would keep the old weather
                await asyncio.sleep(chance.uniform(0.2, 0.8))

        changing = asyncio.create_task(weather())
        desks = await people_through(world, ALL[KNOWN:], STATIONS)
        changing.cancel()
        lookups = [seconds for desk in desks for seconds in desk.lookups]
        slips = [seconds for desk in desks for seconds in desk.slips]
        assert len(lookups) == PEOPLE
        assert proxy.hit > PEOPLE // 10
        assert [one for one in await world.all() if one.unanswered]
        assert max(second for desk in desks for second in desk.silences) < 5 / SCALE + 2, "nothing new for too long"
        assert max(lookups) < 15 / SCALE + 2, "a lookup took too long"  # and the time of a loaded machine
        assert max(slips) < 30 / SCALE + 2, "a slip took too long"
        proxy.toxics.clear()
        await proxy.reset_open()
        await all_completed(world, hospital, PEOPLE)


@pytest.mark.long
@pytest.mark.parametrize(
    "toxic", (*TOXICS, GARBLED), ids=lambda toxic: f"{toxic.kind}-{toxic.direction}-{toxic.after_bytes}"
)
async def test_each_fault_alone_with_the_real_times(tmp_path, big_gateway, hospital, toxic):
    times = {**TIMES, "connect_timeout": 3, "read_timeout": 8, "total_timeout": 15, "retry_pause": 3}
    async with faulty(tmp_path, big_gateway, hospital, times) as (world, proxy):
        proxy.toxics[:] = [toxic]
        desks = await people_through(world, ALL[KNOWN:], STATIONS)
        assert max(seconds for desk in desks for seconds in desk.lookups) < 17
        assert max([seconds for desk in desks for seconds in desk.slips], default=0) < 30
        assert max(seconds for desk in desks for seconds in desk.silences) < 6
        proxy.toxics.clear()
        await proxy.reset_open()
        await all_completed(world, hospital, PEOPLE, unclear_at_most=PEOPLE // 10 if toxic is GARBLED else 0)
