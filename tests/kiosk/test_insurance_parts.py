"""Who is asked, by ``insurance.adapter``: the insurer, the relay, the hospital system; each with its own check."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest

from kiosk.bootstrap import build
from kiosk.errors import ConfigError
from kiosk.insurance.relay_client import RelayGateway
from kiosk.insurance.via_his import ViaHospital
from kiosk.insurance.vss_gateway import VssGateway
from kiosk.model import EligibilityClass
from tests.kiosk.world import Gateway, Hospital, World, config_of, until

Start = Callable[..., AbstractAsyncContextManager[World]]
VIA_HIS = {"insurance": {"adapter": "via_his"}, "hospital": {"asks_insurer": True}}


async def test_the_insurer_is_asked_with_officers_of_our_own(world: World) -> None:
    assert isinstance(world.parts.gateway, VssGateway)
    assert world.parts.duty is not None
    assert (await world.parts.gateway.check()).ok


async def test_the_hospital_asks_and_we_do_not(start: Start, gateway: Gateway, hospital: Hospital) -> None:
    async with start(**VIA_HIS) as world:
        assert isinstance(world.parts.gateway, ViaHospital)
        assert world.parts.duty is None
        assert (await world.parts.gateway.check()).ok
        screen = await world.identify(1)
        assert (screen["view"], screen["answer"]) == ("choose_service", "insured")
        await world.choose()
        checkin = await world.newest()
        assert checkin.status is EligibilityClass.INSURED
        assert checkin.lookup_receipt is not None
        assert [event["reached_gateway"] for event in await world.events("lookup")] == [True]
        assert hospital.calls("bhyt") == 1
        assert gateway.get("/_sim/calls") == []


async def test_while_the_hospital_is_away_people_get_a_number_and_the_answer_comes_later(
    start: Start, hospital: Hospital
) -> None:
    async with start(**VIA_HIS) as world:
        hospital.mode("http_502_html", endpoint="bhyt")
        screen = await world.identify(1)
        assert (screen["view"], screen["answer"]) == ("choose_service", "cannot_say")
        await world.choose()
        checkin = await world.newest()
        assert checkin.eligibility is not None
        assert checkin.eligibility.reason == "his_unavailable"
        hospital.mode(None, endpoint="bhyt")
        await world.leave()
        await world.parts.outbox.resume("gateway")
        done = await world.becomes(checkin.checkin_id, status=EligibilityClass.INSURED)
        assert done.answer_origin == "pending"


async def test_a_hospital_that_cannot_ask_refuses_the_start(
    tmp_path: Path, gateway: Gateway, hospital: Hospital
) -> None:
    for tables in ({"insurance": {"adapter": "via_his"}}, VIA_HIS | {"hospital": {"adapter": "dry_run"}}):
        with pytest.raises(ConfigError, match=r"^insurance\.adapter: via_his needs a hospital adapter"):
            build(config_of(tmp_path, gateway, hospital, **tables), tmp_path)
    build(config_of(tmp_path, gateway, hospital), tmp_path).store.close()  # nothing holds the folder


async def test_without_a_relay_in_reach_a_station_starts_serves_and_says_so(start: Start, tmp_path: Path) -> None:
    (tmp_path / "relay-key").write_text("a-key\n")
    relay: dict[str, Any] = {"adapter": "relay", "url": "http://127.0.0.1:9", "key_file": "relay-key"}
    async with start(insurance=relay) as world:
        assert isinstance(world.parts.gateway, RelayGateway)
        assert world.parts.duty is None
        health = await world.parts.gateway.check()
        assert (health.ok, health.problems) == (False, ("the relay does not answer: relay_unreachable",))
        assert (await world.identify(1))["answer"] == "cannot_say"
        await world.choose()
        checkin = await world.newest()
        assert (checkin.state, checkin.number is not None) == ("accepted", True)

        async def waits() -> bool:
            row = await world.row("register")
            return (row.state, row.reason) in (("waiting", "relay_unreachable"), ("waiting", "breaker_open"))

        await until(waits, "the news for the register")


async def test_a_relays_key_that_is_missing_refuses_the_start(
    tmp_path: Path, gateway: Gateway, hospital: Hospital
) -> None:
    relay = {"adapter": "relay", "url": "http://127.0.0.1:9", "key_file": "relay-key"}
    with pytest.raises(ConfigError, match="secret relay-key"):
        build(config_of(tmp_path, gateway, hospital, insurance=relay), tmp_path)
