"""The dry-run adapter: everything accepted, nothing sent."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from hospital_adapters.dry_run import MENU, create
from kiosk.errors import ConfigError
from kiosk.hospital_model import Encounter
from kiosk.model import VIETNAM, Coverage, Identity, KeyKind, PartialDate, local_day
from kiosk.ports import AdapterContext
from tests.contracts.hospital import AdapterContract

HAPPENED = datetime(2026, 1, 5, 7, 12, 31, tzinfo=VIETNAM)


def no_secret(name: str) -> str:
    raise ConfigError(name)


class DryRunPeer:
    secrets = ("TRẦN THỊ", "0991900")

    def __init__(self) -> None:
        self.adapter = create({}, AdapterContext("99001", no_secret))

    def encounter(self, serial: int) -> Encounter:
        person = Identity(f"0991900{serial:05d}", None, "TRẦN THỊ MẪU", PartialDate(1990, 9, 2))
        return Encounter(f"checkin-{serial}", "99001", HAPPENED, person, MENU[0])

    async def registered(self, checkin_id: str) -> int:
        visits = [
            await self.adapter.find_visits(self.encounter(serial).identity, None, local_day(HAPPENED))
            for serial in range(10)
        ]
        return sum(found == checkin_id for rows in visits for found, _ in rows)


@pytest.fixture
def peer() -> DryRunPeer:
    return DryRunPeer()


class TestContract(AdapterContract):
    pass


async def test_numbers_run_per_service_and_day(peer: DryRunPeer) -> None:
    menu = await peer.adapter.services(local_day(HAPPENED))
    numbers = []
    for serial, (service, days) in enumerate([(0, 0), (0, 0), (2, 0), (0, 1), (0, 0), (2, 1)]):
        happened_at = HAPPENED + timedelta(days=days)
        encounter = replace(peer.encounter(serial), service=menu[service], happened_at=happened_at)
        numbers.append((await peer.adapter.push(encounter)).number)
    assert numbers == ["1", "2", "1", "1", "3", "1"]


async def test_the_ticket_says_where_to_go(peer: DryRunPeer) -> None:
    receipt = await peer.adapter.push(peer.encounter(1))
    assert (receipt.tickets[0].room, receipt.tickets[0].department) == ("Khám Nội", "Khoa Nội")


async def test_old_days_are_forgotten(peer: DryRunPeer) -> None:
    encounter = peer.encounter(1)
    for days in range(9):
        await peer.adapter.push(replace(encounter, happened_at=HAPPENED + timedelta(days=days)))
    kept = [
        bool(await peer.adapter.find_visits(encounter.identity, None, local_day(HAPPENED + timedelta(days=days))))
        for days in range(9)
    ]
    assert kept == [False, False, *[True] * 7]


def test_there_is_nothing_to_set() -> None:
    with pytest.raises(ConfigError, match=r"hospital\.url: unknown key"):
        create({"url": "https://his.example"}, AdapterContext("99001", no_secret))


async def test_amend_keeps_the_number_and_takes_the_card(peer: DryRunPeer) -> None:
    unchecked = peer.encounter(1)
    checked = replace(unchecked, coverage=Coverage("DN4999900000001", KeyKind.BHYT_15))
    receipt = await peer.adapter.push(unchecked)
    assert await peer.adapter.amend(receipt, checked) == receipt
    assert await peer.adapter.push(unchecked) == receipt
