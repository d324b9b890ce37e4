"""The look before opening: what it finds, when it comes, and that nobody is looked up by it."""

from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from kiosk.model import AdapterHealth
from kiosk.opening_hours import OpeningHours
from kiosk.warmup import WarmUp

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


@pytest.mark.parametrize(
    ("gateway", "hospital", "officer", "problems"),
    [
        (Neighbour(clock_offset_s=2, certificate_days=90), Neighbour(), True, ()),
        (Neighbour(), Neighbour(), True, ()),
        (Neighbour(ok=False), Neighbour(ok=False), False, ("gateway", "officer", "hospital")),
        (Neighbour(clock_offset_s=-31), Neighbour(), True, ("clock",)),
        (Neighbour(certificate_days=13), Neighbour(), True, ("certificate",)),
    ],
)
async def test_what_is_wrong_is_named(tmp_path, gateway, hospital, officer, problems):
    looked = await warm_up(tmp_path, gateway, hospital, officer=officer).look()
    assert (looked.at, looked.problems) == (NOW, problems)


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
