"""Changing VNeID codes at the station: asked about once, served as on a phone, and never in anybody's way."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import httpx
import pytest

from kiosk.model import Carrier, CarrierSource, Method
from kiosk.station_model import ScanRefused, StationBusy
from simulators.serve import RunningServer
from simulators.vneid import BEARER, VERIFY_PATH, Settings, create_app
from tests.kiosk.cards import card_of, lay, station_of
from tests.kiosk.world import FACILITY, PEOPLE, World, qr

TOKEN = "eyJhbGciOiJub25lIn0.CANARYCANARYCANARYCANARYCANARY.c2ln"


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    """One simulated service for all."""
    with RunningServer(create_app(Settings(facility=FACILITY, slow_s=0.3))) as running:
        yield running


class Service(httpx.Client):
    """The controls of the service and of its phones."""

    def show(self, number: int) -> bytes:
        return str(self.post(f"/_sim/show/{number}").raise_for_status().json()["token"]).encode() + b"\r"

    def mode(self, mode: str) -> None:
        self.post("/_sim/mode", json={"mode": mode}).raise_for_status()

    def questions(self) -> int:
        return len(self.get("/_sim/questions").json())


@pytest.fixture
def service(server: RunningServer) -> Iterator[Service]:
    """The service, behaving."""
    with Service(base_url=server.url, trust_env=False) as client:
        client.mode("normal")
        yield client


@pytest.fixture
def verified(
    tmp_path: Path, server: RunningServer, start: Callable[..., AbstractAsyncContextManager[World]]
) -> Callable[..., AbstractAsyncContextManager[World]]:
    """Starts kiosks that may ask the service."""

    @asynccontextmanager
    async def starter(**tables: object) -> AsyncIterator[World]:
        (tmp_path / "vneid-token").write_text(BEARER + "\n", "ascii")
        table = {"url": server.url + VERIFY_PATH, "token_file": "vneid-token"}
        async with start(vneid=table, **tables) as world:
            yield world

    return starter


async def test_a_verified_code_is_served_as_on_a_phone(verified, service: Service):
    async with verified() as world:
        token = service.show(1)
        await world.station.scan(token)
        shown = await world.view("confirm")
        assert (shown["name"], shown["birth_year"]) == ("Trần Thị Mẫu", 1990)
        await world.answer("confirm")
        await world.view("choose_service")
        assert (await world.choose())["view"] == "done"
        checkin = await world.newest()
        assert (checkin.method, checkin.document_kind) == (Method.VNEID_TOKEN, "OPAQUE_TOKEN")
        assert (checkin.carrier, checkin.carrier_source) == (Carrier.PHONE, CarrierSource.NONE)
        [lookup] = await world.events("lookup")
        assert (lookup["method"], lookup["key_kind"]) == ("VNEID_TOKEN", "PERSONAL_12")
        assert [visit["not_by_chip"] for visit in await world.events("visit")] == ["CHIP_NOT_ASKED"]
        stored = b"".join(path.read_bytes() for path in (world.parts.config.station.data).iterdir() if path.is_file())
        assert token.strip() not in stored and token.decode().strip() not in str(await world.events())


async def test_what_the_camera_saw_is_how_the_phone_is_known_and_a_card_it_cannot_be(verified, service: Service):
    async with verified() as world:
        for seen, source in ((Carrier.PHONE, CarrierSource.CAMERA), (Carrier.CARD, CarrierSource.NONE)):
            await world.station.scan(service.show(1), carrier=seen)
            checkin = await world.newest()
            assert (checkin.carrier, checkin.carrier_source) == (Carrier.PHONE, source)
            await world.answer("reject")
            await world.view("idle")


async def test_the_screen_says_that_it_is_being_asked(verified, service: Service, monkeypatch):
    monkeypatch.setattr("kiosk.station_work.PROGRESS_SECONDS", 0.05)
    async with verified() as world:
        service.mode("slow")
        told = []

        async def watch() -> None:
            async for state in world.station.changes():
                if state["screen"]["view"] == "asking_vneid":
                    told.append(state["screen"]["waited"])

        watching = asyncio.create_task(watch())
        asking = asyncio.create_task(world.station.scan(service.show(1)))
        await world.view("asking_vneid")
        with pytest.raises(StationBusy):
            await world.station.scan(service.show(3))
        await asking
        await world.view("confirm")
        watching.cancel()
        assert told[0] == 0 and len(told) >= 3


async def test_an_unknown_code_is_told_and_asked_about_once(verified, service: Service):
    async with verified() as world:
        before = service.questions()
        for _ in range(3):
            with pytest.raises(ScanRefused) as refused:
                await world.station.scan(TOKEN.encode() + b"\r")
            assert refused.value.code == "TOKEN_UNKNOWN"
            assert (await world.view("unreadable"))["error"] == "TOKEN_UNKNOWN"
        assert service.questions() == before + 1
        assert await world.all() == []


@pytest.mark.parametrize("mode", ["down", "reset", "nonsense", "wrong_number", "damaged_name"])
async def test_without_a_usable_answer_the_card_still_works(verified, service: Service, mode):
    async with verified() as world:
        token = service.show(1)
        service.mode(mode)
        with pytest.raises(ScanRefused) as refused:
            await world.station.scan(token)
        assert refused.value.code == "VNEID_UNAVAILABLE"
        assert (await world.view("unreadable"))["error"] == "VNEID_UNAVAILABLE"
        service.mode("normal")
        with pytest.raises(ScanRefused):
            await world.station.scan(token)
        await world.register(1)
        assert len(world.hospital.visits()) == 1


async def test_whoever_shows_the_card_meanwhile_is_served_and_the_late_answer_shown_to_nobody(
    verified, service: Service
):
    async with verified() as world:
        service.mode("slow")
        asking = asyncio.create_task(world.station.scan(service.show(1)))
        await world.view("asking_vneid")
        await world.station.scan(qr(3))
        with pytest.raises(StationBusy):
            await asking
        assert (await world.view("confirm"))["name"] == PEOPLE[3].name.title()
        assert len(await world.all()) == 1


async def test_a_person_being_served_is_not_disturbed(verified, service: Service):
    async with verified() as world:
        await world.station.scan(qr(1))
        before = service.questions()
        with pytest.raises(StationBusy):
            await world.station.scan(service.show(3))
        assert service.questions() == before and world.screen["view"] == "confirm"


async def test_a_fault_of_the_verifier_never_leaves_the_screen_asking(verified, monkeypatch, caplog):
    caplog.set_level(logging.DEBUG)
    async with verified() as world:

        async def fails(_: object, token: bytes) -> None:
            raise RuntimeError(token.decode())

        monkeypatch.setattr("kiosk.vneid_verifier.HttpTokenVerifier.verify_token", fails)
        with pytest.raises(ScanRefused, match="VNEID_UNAVAILABLE"):
            await world.station.scan(TOKEN.encode())
        assert world.screen["view"] == "unreadable"
        assert "RuntimeError" in str([vars(record) for record in caplog.records])
        assert "CANARY" not in str([vars(record) for record in caplog.records])


async def test_neither_the_code_nor_the_person_reaches_a_log(verified, service: Service, caplog):
    caplog.set_level(logging.DEBUG)
    async with verified() as world:
        token = service.show(1)
        await world.station.scan(token)
        await world.answer("reject")
        await world.view("idle")
        with pytest.raises(ScanRefused) as refused:
            await world.station.scan(TOKEN.encode())
        logged = str([vars(record) for record in caplog.records if not record.name.startswith("asyncio")])
        for private in (token.decode().strip(), TOKEN, "Trần Thị Mẫu", str(PEOPLE[1].citizen_id), BEARER):
            assert private not in logged and private not in str(refused.value)


async def test_without_a_verifier_the_advice_is_about_the_card(world: World):
    with pytest.raises(ScanRefused, match="OPAQUE_TOKEN"):
        await world.station.scan(TOKEN.encode())
    assert (await world.view("unreadable"))["error"] == "OPAQUE_TOKEN"


async def test_who_shows_a_phone_is_not_asked_for_the_chip_but_a_card_that_lies_there_is_read(
    verified, service: Service
):
    async with verified(card={"adapter": "pushed"}) as world:
        station_of(world).slot.reader_changed(True)
        station_of(world).card_reader_changed(True)
        await world.station.scan(service.show(1))
        assert (await world.view("confirm", "place_card"))["view"] == "confirm"
        await lay(world, card_of(1))
        await world.becomes(str(world.station.checkin_id), method=Method.CHIP_CCCD)


async def test_a_card_laid_down_while_the_code_is_asked_about_is_read_for_it(verified, service: Service):
    async with verified(card={"adapter": "pushed"}) as world:
        station_of(world).slot.reader_changed(True)
        station_of(world).card_reader_changed(True)
        service.mode("slow")
        asking = asyncio.create_task(world.station.scan(service.show(1)))
        await world.view("asking_vneid")
        await lay(world, card_of(1))
        assert world.screen["view"] == "asking_vneid"
        await asking
        assert (await world.view("confirm"))["name"] == "Trần Thị Mẫu"
        assert (await world.newest()).method is Method.CHIP_CCCD
