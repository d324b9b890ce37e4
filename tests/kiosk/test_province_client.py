"""Enrolment and signed delivery to the real province hub."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kiosk import events, outbox_table, records
from kiosk.errors import ProvinceUnavailable
from kiosk.province_client import ProvinceClient
from kiosk.tables import event
from province.access.keys import new_api_key
from province.app import create_app
from province.enrolment import new_code
from province.facilities import load_packaged
from province.guards import ApiError, RateLimit
from province.store import Store as HubStore
from simulators.serve import RunningServer
from tests.kiosk.world import FACILITY, STATION, World, until


class Hub:
    """A province hub that can go down and come back."""

    def __init__(self, folder: Path, rate_limit: RateLimit | None = None) -> None:
        self.store = HubStore(f"sqlite:///{folder / 'province.db'}")
        load_packaged(self.store)
        self._app = create_app(self.store, rate_limit=rate_limit)
        self._server: RunningServer | None = RunningServer(self._app).start()
        self.url = self._server.url
        self._read = {"Authorization": f"Bearer {new_api_key(self.store, 'read')['key']}"}

    def code(self, facility: str = FACILITY, station: str = STATION) -> str:
        return str(new_code(self.store, facility, station)["code"])

    def row(self, day: str) -> dict:
        query = {"from": day, "to": day, "level": "facility", "period": "total"}
        answer = httpx.get(f"{self.url}/api/v1/kpi/lookup-rate", params=query, headers=self._read, timeout=20)
        assert answer.status_code == 200, answer.text
        return next(row for row in answer.json()["rows"] if row["unit_code"] == FACILITY)

    def down(self) -> None:
        if self._server is not None:
            self._server.stop()
            self._server = None

    def up(self) -> None:
        if self._server is None:
            self._server = RunningServer(self._app, port=int(self.url.rpartition(":")[2])).start()

    def close(self) -> None:
        self.down()
        self.store.close()


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    """A running hub of its own."""
    (tmp_path / "hub").mkdir()
    started = Hub(tmp_path / "hub")
    yield started
    started.close()


async def all_delivered(world: World) -> None:
    async def ready() -> bool:
        rows = await world.rows("province")
        return bool(rows) and {row.state for row in rows} == {"done"}

    await until(ready, "delivery")


async def test_a_visit_shows_in_the_provinces_rate(start, hub):
    async with start(province={"url": hub.url}) as world:
        joined = await world.parts.province.enrol(hub.url, hub.code())
        assert (joined["facility"], joined["station"]) == (FACILITY, STATION)
        await world.register(1)
        await all_delivered(world)
        row = hub.row(str(world.today()))
        assert (row["visits_bhyt"], row["lookups_total"], row["lookups_success"], row["r1_pct"]) == (1, 1, 1, 100.0)
        assert row["by_method"] == {"QR_CCCD": 1}
        assert (await world.parts.province.check()).ok


async def test_what_waited_before_the_enrolment_is_delivered_right_after_it(start, hub):
    async with start(province={"url": hub.url}, outbox={"base": 60, "cap": 60}) as world:
        await world.register(1)

        async def refused() -> bool:
            return any(row.reason == "not_enrolled" for row in await world.rows("province"))

        await until(refused)
        await world.parts.province.enrol(hub.url, hub.code())
        await world.parts.outbox.resume("province")
        await all_delivered(world)
        assert hub.row(str(world.today()))["visits_bhyt"] == 1


async def test_an_event_that_the_hub_rejects_is_parked_and_the_others_pass(start, hub):
    async with start(province={"url": hub.url}) as world:
        await world.register(1)
        (bad, _) = await world.events()
        broken = bad | {"reached_gateway": "perhaps"}
        statement = event.update().where(event.c.event_id == bad["event_id"]).values(body=broken)
        await world.store.run(lambda c: c.execute(statement))
        await world.parts.province.enrol(hub.url, hub.code())
        await world.parts.outbox.resume("province")

        async def settled() -> bool:
            return sorted(row.state for row in await world.rows("province")) == ["done", "parked"]

        await until(settled)
        parked = next(row for row in await world.rows("province") if row.state == "parked")
        assert (parked.ref, parked.owner) == (bad["event_id"], "operator")
        assert parked.reason == "rejected:bad_reached_gateway"
        assert hub.row(str(world.today()))["visits_bhyt"] == 1


async def test_a_hub_that_was_away_gets_everything_once(start, hub):
    async with start(province={"url": hub.url}) as world:
        await world.parts.province.enrol(hub.url, hub.code())
        hub.down()
        await world.register(1)

        async def tried() -> bool:
            return any(row.attempts >= 2 for row in await world.rows("province"))

        await until(tried)
        hub.up()
        await all_delivered(world)
        rows = await world.store.read(outbox_table.unfinished)
        assert [row for row in rows if row.destination == "province"] == []
        again = [body["event_id"] for body in await world.events()]
        await world.store.run(lambda c: [outbox_table.enqueue(c, "province", "event", i, world.clock()) for i in again])
        world.parts.outbox.wake("province")
        await all_delivered(world)
        assert hub.row(str(world.today()))["lookups_total"] == 1, "a repeat counts once"


class Busy(RateLimit):
    """Tells the first senders to come again."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.left = times

    def check(self, key_id: str) -> None:
        super().check(key_id)
        if self.left:
            self.left -= 1
            raise ApiError(429, "backlog_under_way", headers={"Retry-After": "1"})


async def test_a_hub_that_asks_to_come_again_gets_everything_as_soon_as_it_said(start, tmp_path):
    busy = Busy(times=3)
    hub = Hub(tmp_path, rate_limit=busy)
    try:
        async with start(province={"url": hub.url}, outbox={"base": 60, "cap": 60}) as world:
            await world.parts.province.enrol(hub.url, hub.code())
            await world.register(1)
            await all_delivered(world)
            assert busy.left == 0
            assert hub.row(str(world.today()))["visits_bhyt"] == 1
    finally:
        hub.close()


async def test_a_replaced_visit_counts_as_it_ended(start, hub):
    async with start(province={"url": hub.url}, insurance={"recheck_after": [0.2, 0.2]}) as world:
        await world.parts.province.enrol(hub.url, hub.code())
        world.gateway.mode("http_500_html", endpoint="*")
        checkin = await world.register(13)
        world.gateway.mode("normal", endpoint="*")
        await world.becomes(checkin.checkin_id, staff_reason="turned_not_insured")
        await all_delivered(world)
        row = hub.row(str(world.today()))
        assert (row["visits_bhyt"], row["lookups_not_eligible"]) == (0, 1)


async def test_a_wrong_code_another_stations_code_and_no_hub_are_told_apart(start, hub):
    async with start(province={"url": hub.url}) as world:
        client = world.parts.province
        for code, reason in (("WRONG", "http_403"), (hub.code(station="kiosk-9"), "code_of_another_station")):
            with pytest.raises(ProvinceUnavailable) as refused:
                await client.enrol(hub.url, code)
            assert refused.value.reason == reason
        assert not await client.enrolled()
        health = await client.check()
        assert not health.ok and "not_enrolled" in health.problems[0]


async def test_only_the_stations_own_key_opens_the_hub(start, hub):
    async with start(province={"url": hub.url}) as world:
        await world.parts.province.enrol(hub.url, hub.code())
        stored = await world.store.read(lambda c: records.get_setting(c, "province_key"))
        private = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(stored["private"]))
        body = json.dumps({"facility": FACILITY, "station": STATION, "events": []}).encode()
        good = events.sign_batch(private, stored["key_id"], body)
        bad = events.sign_batch(Ed25519PrivateKey.generate(), stored["key_id"], body)
        async with httpx.AsyncClient() as http:
            for header, status in ((good, 200), (bad, 401)):
                answer = await http.post(f"{hub.url}/api/v1/events", content=body, headers={"Signature": header})
                assert answer.status_code == status


async def test_a_heartbeat_arrives_and_is_not_kept_when_it_does_not(start, hub):
    async with start(province={"url": hub.url}) as world:
        await world.parts.province.enrol(hub.url, hub.code())
        beat = events.heartbeat(
            event_id=events.new_event_id(),
            epoch="e",
            happened_at=world.clock(),
            version="1",
            readers={"scanner": "ok"},
            outbox_waiting=0,
            oldest_waiting_s=None,
            clock_offset_ms=None,
            disk_free_mb=100,
        )
        await world.parts.province.heartbeat(beat)
        hub.down()
        with pytest.raises(ProvinceUnavailable):
            await world.parts.province.heartbeat(beat)
        assert await world.rows("province") == []


async def test_without_an_address_events_wait(world: World):
    await world.register(1)
    assert isinstance(world.parts.province, ProvinceClient)

    async def waiting() -> bool:
        return {(row.state, row.reason) for row in await world.rows("province")} == {("waiting", "not_enrolled")}

    await until(waiting)
