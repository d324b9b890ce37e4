"""The look before opening: what it finds, when it comes, and that nobody is looked up by it."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from kiosk.errors import StoreError
from kiosk.model import AdapterHealth
from kiosk.opening_hours import OpeningHours
from kiosk.warmup import Readiness, WarmUp
from tests.kiosk.world import until

NOW = datetime(2026, 11, 23, 0, 0, tzinfo=UTC)  # 7:00 in Vietnam


class Neighbour:
    """A neighbour that answers a check."""

    def __init__(self, ok: bool = True, **details: Any) -> None:
        self.health = AdapterHealth(ok, details=details)

    async def check(self) -> AdapterHealth:
        return self.health


def warm_up(tmp_path: Path, gateway: Neighbour, hospital: Neighbour | None = None, *, officer: bool = True) -> WarmUp:
    parts: Any = SimpleNamespace(gateway=gateway, hospital=hospital or Neighbour())
    return WarmUp(parts.gateway, parts.hospital, lambda: officer, tmp_path, lambda: NOW, OpeningHours())


def at_the_province(enrolled: bool | None) -> Callable[[], Awaitable[bool]]:
    async def answer() -> bool:
        if enrolled is None:
            raise StoreError("broken")
        return enrolled

    return answer


@pytest.mark.parametrize(
    ("gateway", "hospital", "officer", "problems"),
    [
        (Neighbour(clock_offset_s=2, certificate_days=90), Neighbour(), True, ()),
        (Neighbour(), Neighbour(), True, ()),
        (Neighbour(ok=False), Neighbour(ok=False), False, ("gateway", "officer", "hospital")),
        (Neighbour(clock_offset_s=30), Neighbour(), True, ()),
        (Neighbour(clock_offset_s=-31), Neighbour(), True, ("clock",)),
        (Neighbour(clock_offset_s=121), Neighbour(), True, ("clock_far",)),
        (Neighbour(certificate_days=14), Neighbour(), True, ()),
        (Neighbour(certificate_days=13), Neighbour(), True, ("certificate",)),
    ],
)
async def test_what_is_wrong_is_named(tmp_path, gateway, hospital, officer, problems):
    looked = await warm_up(tmp_path, gateway, hospital, officer=officer).look()
    assert (looked.at, looked.problems) == (NOW, problems)


@pytest.mark.parametrize(("enrolled", "problems"), [(True, ()), (False, ("province",)), (None, ("province",))])
async def test_a_station_the_province_does_not_know_is_named(tmp_path, enrolled, problems):
    near: Any = Neighbour()
    made = WarmUp(near, near, lambda: True, tmp_path, lambda: NOW, OpeningHours(), at_the_province(enrolled))
    assert (await made.look()).problems == problems


async def test_a_folder_that_is_gone_has_no_space(tmp_path):
    assert (await warm_up(tmp_path / "gone", Neighbour()).look()).problems == ("space",)


async def test_an_officer_who_signed_on_since_is_no_trouble_any_more(tmp_path):
    ready: list[bool] = []
    near: Any = Neighbour(clock_offset_s=99)
    made = WarmUp(near, near, lambda: bool(ready), tmp_path, lambda: NOW, OpeningHours())
    assert made.standing() is None
    await made.look()
    assert made.standing() == Readiness(NOW, ("officer", "clock"))
    ready.append(True)
    assert made.standing() == Readiness(NOW, ("clock",))


async def test_what_is_wrong_is_looked_at_again_before_the_next_morning(tmp_path, monkeypatch):
    monkeypatch.setattr("kiosk.warmup._NAP_S", 0.01)
    gateway = Neighbour(ok=False)
    made = warm_up(tmp_path, gateway)
    running = asyncio.create_task(made.run())

    async def found(*problems: str) -> bool:
        return made.latest is not None and made.latest.problems == problems

    await until(lambda: found("gateway"), "the first look")
    gateway.health = AdapterHealth(True)
    await until(found, "the second look")
    running.cancel()


@pytest.mark.parametrize(
    ("hours", "next_look"),
    [
        (OpeningHours(), datetime(2026, 11, 23, 22, 50, tzinfo=UTC)),
        (OpeningHours.parse("06:30", "17:00"), datetime(2026, 11, 23, 23, 20, tzinfo=UTC)),
        (OpeningHours.parse("07:30", "17:00"), datetime(2026, 11, 23, 0, 20, tzinfo=UTC)),
    ],
)
def test_it_comes_ten_minutes_before_opening(tmp_path, hours, next_look):
    neighbour: Any = Neighbour()
    made = WarmUp(neighbour, neighbour, lambda: True, tmp_path, lambda: NOW, hours)
    assert made.next_look(NOW) == next_look
