"""The services menu from the simulated HIS: as it is drawn, and how long a copy lasts."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from hospital_adapters import c06_settings
from hospital_adapters.c06 import C06Adapter
from kiosk.errors import HospitalUnavailable
from simulators.his_c06 import Settings as SimSettings
from tests.hospital_adapters.c06_peer import SECRET, C06Peer

TODAY = date(2026, 1, 5)


@pytest.fixture
async def peer() -> AsyncIterator[C06Peer]:
    async with C06Peer(SimSettings(today=TODAY)) as running:
        yield running


async def test_the_menu_is_drawn_as_it_is(peer: C06Peer) -> None:
    menu = {row.id: row for row in await peer.adapter.services(TODAY)}
    assert (menu["506"].exam_type, menu["506"].insured) == ("0", False)
    assert (menu["507"].exam_type, menu["507"].insured) == ("1", True)
    assert (menu["508"].exam_type, menu["508"].insured) == ("2", False)
    assert menu["511"].price == Decimal(45000)
    assert (menu["512"].price, menu["512"].insurance_price, menu["512"].surcharge) == (None, None, None)
    assert menu["504"].surcharge == Decimal(105000)
    assert (menu["501"].department_id, menu["501"].department, menu["501"].code) == ("11", "Khoa Nội", "NOI01")
    zero = replace(peer.encounter(1), service=menu["506"])
    assert (await peer.adapter.push(zero)).number
    odd = replace(peer.encounter(2), service=menu["507"])
    assert (await peer.adapter.push(odd)).number
    unpriced = replace(peer.encounter(3), service=menu["512"])
    assert (await peer.adapter.push(unpriced)).number


async def test_a_menu_outlives_the_catalogue_and_loses_its_prices(peer: C06Peer) -> None:
    now = [0.0]
    settings = c06_settings.load({"url": peer.url, "merchant": "KIOSK-TEST", "secret_file": "x"})
    adapter = C06Adapter(settings, SECRET, "99001", monotonic=lambda: now[0])
    full = await adapter.services(TODAY)
    now[0] = 599.0
    assert await adapter.services(TODAY) == full
    assert len(await peer.calls("dichvu")) == 1
    now[0] = 601.0
    assert await adapter.services(TODAY) == full
    assert len(await peer.calls("dichvu")) == 2
    await peer.mode("*", "http_502_html", times=None)
    now[0] = 1202.0
    assert await adapter.services(TODAY) == full
    assert await adapter.services(TODAY) == full
    assert len(await peer.calls("loai-kham")) == 3
    now[0] = 601.0 + 86_400
    bare = await adapter.services(TODAY)
    assert [row.id for row in bare] == [row.id for row in full]
    assert {(row.price, row.insurance_price, row.surcharge) for row in bare} == {(None, None, None)}
    await peer.mode("*", None)
    now[0] += 61.0
    assert await adapter.services(TODAY) == full


async def test_a_hanging_his_costs_one_patient_a_minute_the_wait(peer: C06Peer) -> None:
    now = [0.0]
    settings = c06_settings.load({"url": peer.url, "merchant": "KIOSK-TEST", "secret_file": "x"})
    adapter = C06Adapter(settings, SECRET, "99001", monotonic=lambda: now[0])
    full = await adapter.services(TODAY)
    await peer.mode("*", "hang_before", times=None)
    for minute in (600.0, 660.0):
        now[0] = minute
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await adapter.services(TODAY)
        for now[0] in (minute, minute + 1, minute + 59):
            async with asyncio.timeout(5):
                assert await adapter.services(TODAY) == full
    assert len(await peer.calls("loai-kham")) == 2
    await peer.sim("reset", all=True)
    now[0] = 720.0
    assert await adapter.services(TODAY) == full
    await adapter.close()


async def test_a_refresh_outlives_who_gave_up_and_is_shared(peer: C06Peer) -> None:
    await peer.sim("mode", endpoint="loai-kham", mode="slow", times=1, delay_ms=600)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await peer.adapter.services(TODAY)
    one, other = await asyncio.gather(peer.adapter.services(TODAY), peer.adapter.services(TODAY))
    assert one == other != ()
    assert len(await peer.calls("loai-kham")) == len(await peer.calls("dichvu")) == 1


async def test_closing_ends_a_refresh(peer: C06Peer) -> None:
    await peer.mode("*", "hang_before", times=None)
    asked = asyncio.create_task(peer.adapter.services(TODAY))
    async with asyncio.timeout(5):
        while not await peer.calls("loai-kham"):
            await asyncio.sleep(0.02)
        await peer.adapter.close()
        with pytest.raises(HospitalUnavailable, match=r"c06\.closed"):
            await asked
