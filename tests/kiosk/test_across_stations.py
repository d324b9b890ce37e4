"""Two stations with one relay: the second shows the first one's ticket; without the relay both serve and tell later."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from kiosk.across_stations import AcrossStations
from kiosk.register_model import Elsewhere, Handed, Passage
from kiosk.staffwork import Entry, StaffWork
from tests.kiosk.relay_process import RelayProcess
from tests.kiosk.world import PEOPLE, Gateway, Hospital, World, config_of, qr, running, until

ONE, TWO = "kiosk-1", "kiosk-2"


@pytest.fixture(scope="module")
def relay(tmp_path_factory: pytest.TempPathFactory, gateway_server: Gateway) -> Iterator[RelayProcess]:
    process = RelayProcess(tmp_path_factory.mktemp("facility"), gateway_server.url, (ONE, TWO), tls=False).start()
    yield process
    process.stop()


Stations = Callable[..., Any]


@pytest.fixture
def stations(tmp_path: Path, relay: RelayProcess, gateway: Gateway, hospital: Hospital) -> Stations:
    """Starts both stations of the relay: ``async with stations() as (one, two)``."""

    @asynccontextmanager
    async def started(**extra: Any) -> AsyncIterator[tuple[World, World]]:
        async with AsyncExitStack() as stack:
            worlds = []
            for station in (ONE, TWO):
                folder = tmp_path / station
                folder.mkdir()
                (folder / f"key-{station}").write_text(relay.keys[station])
                tables = {
                    "station": {"id": station, "data": str(folder / "data")},
                    "insurance": relay.table(station, connect_timeout=1, total_timeout=5),
                }
                config = config_of(folder, gateway, hospital, **(tables | extra))
                worlds.append(await stack.enter_async_context(running(config, folder, gateway, hospital)))
            yield worlds[0], worlds[1]

    return started


async def told(world: World) -> None:
    """Wait until the register knows what this station has to tell."""

    async def ready() -> bool:
        rows = await world.rows("register")
        return bool(rows) and all(row.state == "done" for row in rows)

    await until(ready, "the news for the register")


def hidden_relay(world: World) -> Callable[[], None]:
    """Take the relay away from one station; returns how to bring it back."""
    line = world.checkins.across.register._line  # type: ignore[attr-defined]
    address = line._client.base_url
    line._client.base_url = httpx.URL("http://127.0.0.1:9")

    def back() -> None:
        line._client.base_url = address
        line._breaker._open_until = None

    return back


async def test_the_second_station_shows_the_first_ones_ticket_and_asks_and_sends_nothing(
    stations: Stations, gateway: Gateway, hospital: Hospital
) -> None:
    async with stations() as (one, two):
        await one.register(1)
        ticket = one.screen["ticket"]
        await told(one)
        await two.station.scan(qr(1))
        screen = await two.view("done")
        assert screen["again"] is True
        assert screen["ticket"] == ticket
        assert screen["answer"] == "insured"
        await two.leave()
        (kept,) = await two.all()
        assert (kept.state, kept.number, kept.hospital_state) == ("abandoned", None, None)
        assert kept.seen_at is not None and kept.seen_at.startswith(f"{ONE} ")
        assert await two.events() == []
        assert await two.asked() == 0
        assert (len(gateway.lookups()), len(hospital.visits())) == (1, 1)


async def test_staff_who_enter_somebody_served_at_another_station_get_that_ticket(stations: Stations) -> None:
    async with stations() as (one, two):
        await one.register(3)
        await told(one)
        who = PEOPLE[3]
        entry = Entry(str(who.citizen_id), who.name.title(), who.birth_date(two.today()))
        shown, new = await StaffWork(two.checkins).enter(entry, "clerk")
        assert (shown.number, new) == (one.screen["ticket"]["number"], False)
        assert await two.staff_list() == {}


async def test_at_both_stations_at_once_there_is_one_visit(stations: Stations, hospital: Hospital) -> None:
    async with stations() as (one, two):
        await asyncio.gather(one.identify(4), two.identify(4))
        await asyncio.gather(one.choose(), two.choose())
        assert one.screen["ticket"]["number"] == two.screen["ticket"]["number"]
        assert one.screen["ticket"]["issued_by"] == two.screen["ticket"]["issued_by"] == "his"
        assert len(hospital.visits()) == 1
        states = sorted([(await one.newest()).state, (await two.newest()).state])
        assert states == ["abandoned", "accepted"]


async def test_a_second_examination_at_the_other_station_is_a_visit_of_its_own(
    stations: Stations, hospital: Hospital
) -> None:
    async with stations() as (one, two):
        await one.register(5)
        await told(one)
        await two.station.scan(qr(5))
        await two.view("done")
        await two.answer("another_examination")
        await two.view("confirm")
        await two.answer("confirm")
        await two.view("choose_service")
        await two.choose()
        assert len(hospital.visits()) == 2
        await told(two)
        assert await two.staff_list() == {}


async def test_who_only_stood_at_the_other_station_is_told_to_staff_and_served(stations: Stations) -> None:
    async with stations() as (one, two):
        await one.station.scan(qr(6))
        await one.view("confirm")
        checkin = await two.register(6)
        assert checkin.state == "accepted"
        assert checkin.seen_at is not None and checkin.seen_at.startswith(f"{ONE} ")


async def test_without_the_relay_both_serve_and_the_second_comes_to_staff_later(
    stations: Stations, hospital: Hospital
) -> None:
    async with stations() as (one, two):
        await one.register(11)
        await told(one)
        back = hidden_relay(two)
        assert (await two.identify(11))["answer"] == "cannot_say"
        await two.choose()
        mine = await two.newest()
        assert (mine.state, mine.staff_reason) == ("accepted", None)
        back()
        await two.parts.outbox.resume("register")
        listed = await two.becomes(mine.checkin_id, staff_reason="also_at_another_station")
        assert listed.seen_at is not None and listed.seen_at.startswith(f"{ONE} ")
        assert await one.staff_list() == {}
        assert len(hospital.visits()) == 2


async def test_the_hospitals_number_that_comes_late_is_shown_at_the_other_station_too(
    stations: Stations, hospital: Hospital
) -> None:
    async with stations() as (one, two):
        await one.identify(18)
        hospital.down()
        assert (await one.choose())["ticket"]["number"].startswith("K-")
        await told(one)
        hospital.up()
        await one.parts.outbox.resume("hospital")
        mine = await one.becomes((await one.newest()).checkin_id, hospital_state="accepted")
        await until(lambda: _rows_of(one, 2), "the second telling")
        await told(one)
        await two.station.scan(qr(18))
        ticket = (await two.view("done"))["ticket"]
        assert (ticket["number"], ticket["issued_by"]) == (mine.his_number, "his")


async def _rows_of(world: World, number: int) -> bool:
    return len(await world.rows("register")) == number


async def test_a_cancelled_visit_lets_the_person_be_served_elsewhere(stations: Stations) -> None:
    async with stations() as (one, two):
        assert (await one.identify(8))["view"] == "needs_staff"
        await told(one)
        await two.station.scan(qr(8))
        assert (await two.view("needs_staff"))["again"] is True
        await two.leave()
        await StaffWork(one.checkins).cancel((await one.newest()).checkin_id, "left", "clerk")
        await told(one)
        screen = await two.identify(8)
        assert (screen["view"], screen["again"]) == ("needs_staff", False)
        assert (await two.newest()).state == "accepted"


class Claimed:
    """A register in which another station has every person's visit, and gives its ticket after some questions."""

    shared = True

    def __init__(self, elsewhere: Elsewhere, ticket: Handed | None, after: int = 2) -> None:
        self._elsewhere = elsewhere
        self._ticket = ticket
        self._after = after
        self.asked = 0

    async def find(self, passage: Passage) -> Elsewhere | None:
        return None

    async def claim(self, passage: Passage) -> Elsewhere | None:
        self.asked += 1
        ticket = self._ticket if self.asked > self._after else None
        return Elsewhere(self._elsewhere.checkin_id, self._elsewhere.station, self._elsewhere.at, True, ticket)

    async def accepted(self, passage: Passage, ticket: Handed) -> Elsewhere | None:
        return None

    async def ended(self, checkin_id: str) -> None:
        """Nobody need be told."""

    async def close(self) -> None:
        """Nothing to release."""


async def test_the_ticket_of_the_other_station_is_waited_for(world: World, hospital: Hospital) -> None:
    register = Claimed(Elsewhere("c", TWO, world.clock(), True), Handed("77", "his", "Khám Nội", "Khoa Nội", "P7"))
    object.__setattr__(world.checkins, "across", AcrossStations(register, wait=8))
    await world.identify(1)
    screen = await world.choose()
    assert (screen["view"], screen["ticket"]["number"], screen["ticket"]["room"]) == ("done", "77", "P7")
    assert hospital.visits() == []
    assert register.asked == 3


async def test_a_station_that_claimed_and_died_leaves_nobody_without_a_number(world: World, hospital: Hospital) -> None:
    register = Claimed(Elsewhere("c", TWO, world.clock(), True), None)
    object.__setattr__(world.checkins, "across", AcrossStations(register, wait=0.1))
    await world.identify(1)
    screen = await world.choose()
    assert screen["view"] == "needs_staff"
    assert screen["ticket"]["number"].startswith("K-")
    assert list((await world.staff_list()).values()) == ["also_at_another_station"]
    assert hospital.visits() == []
