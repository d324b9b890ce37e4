"""Which services are shut or full today: calls #4 and #5, only where a hospital has them (his-kiosk-c06.md 3).

They never keep a patient waiting long and never fail: what is not known in time is unknown, and can be chosen.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from hospital_adapters import c06_wire as wire
from hospital_adapters.c06_calls import Calls
from hospital_adapters.c06_menu import Entry
from hospital_adapters.c06_settings import C06Settings
from kiosk.errors import HospitalUnavailable
from kiosk.hospital_model import Availability
from kiosk.model import VIETNAM
from kiosk.ports import Clock

_FRESH_S = 60.0
_USABLE_S = 300.0
_WAIT_S = 2.0

Known = Mapping[str, Availability]


@dataclass(frozen=True, slots=True)
class _Copy:
    day: date
    at: float
    known: Known


class AvailabilityNow:
    """What #4 and #5 said: asked again after a minute, believed for five; one refresh for all who wait."""

    def __init__(self, calls: Calls, settings: C06Settings, clock: Clock, monotonic: Callable[[], float]) -> None:
        """*clock* tells what is left of today, *monotonic* ages what was said."""
        self._calls = calls
        self._settings = settings
        self._clock = clock
        self._monotonic = monotonic
        self._copy: _Copy | None = None
        self._asked: tuple[date, float] | None = None
        self._refresh: asyncio.Task[None] | None = None

    async def of(self, entries: Sequence[Entry], day: date) -> Known:
        """By service id, as far as it is known within two seconds."""
        if not (self._settings.asks_availability or self._settings.asks_slots):
            return {}
        now = self._monotonic()
        if self._asked is None or self._asked[0] != day or now - self._asked[1] >= _FRESH_S:
            if self._refresh is None or self._refresh.done():
                self._asked = (day, now)
                self._refresh = asyncio.create_task(self._ask(tuple(entries), day))
            await asyncio.wait({self._refresh}, timeout=_WAIT_S)
        copy = self._copy
        return copy.known if copy and copy.day == day and self._monotonic() - copy.at < _USABLE_S else {}

    async def close(self) -> None:
        """End a refresh that runs."""
        if self._refresh is not None:
            self._refresh.cancel()
            await asyncio.wait({self._refresh})

    async def _ask(self, entries: tuple[Entry, ...], day: date) -> None:
        window = self._window(day)
        try:
            offered = await self._offered(entries, window) if self._settings.asks_availability else {}
            open_ones = [entry for entry in entries if offered.get(entry.row_id) is not False]
            full = await self._full(open_ones, window, day) if self._settings.asks_slots else {}
        except HospitalUnavailable:
            return
        known = {entry.service.id: _both(offered.get(entry.row_id), full.get(entry.code)) for entry in entries}
        self._copy = _Copy(day, self._monotonic(), known)

    def _window(self, day: date) -> tuple[str, str]:
        """What is left of *day*: a room whose free hours are over is full for who stands here."""
        now = self._clock().astimezone(VIETNAM).replace(tzinfo=None, microsecond=0)
        start = now if now.date() == day else datetime.combine(day, time.min)
        end = datetime.combine(day, time(23, 59, 59))
        return start.isoformat(" "), end.isoformat(" ")

    async def _offered(self, entries: tuple[Entry, ...], window: tuple[str, str]) -> dict[str, bool | None]:
        found: dict[str, bool | None] = {}
        for code in dict.fromkeys(entry.department_code for entry in entries if entry.department_code):
            for row in await self._calls.ask_rows(
                "/khoa/dichvu-cotontai", _fields("MA_KHOA", code, window), (code, *window)
            ):
                if isinstance(row, dict) and (row_id := wire.text(row.get("ID_DICH_VU"))):
                    found[row_id] = wire.truth(row.get("CO_TON_TAI"))
        return found

    async def _full(self, entries: list[Entry], window: tuple[str, str], day: date) -> dict[str, bool | None]:
        found: dict[str, bool | None] = {}
        for code in dict.fromkeys(entry.code for entry in entries if entry.code):
            answer = await self._calls.ask("/dichvu-lichkham", _fields("MA_DICH_VU", code, window), (code, *window))
            found[code] = any_place(answer.data if answer else None, day)
        return found


def _fields(name: str, code: str, window: tuple[str, str]) -> dict[str, str]:
    return {name: code, "THOI_GIAN_BAT_DAU": window[0], "THOI_GIAN_KET_THUC": window[1]}


def _both(offered: bool | None, has_place: bool | None) -> Availability:
    if offered is False or has_place is False:
        return Availability.NO
    return Availability.YES if offered or has_place else Availability.UNKNOWN


def any_place(data: Any, day: date) -> bool | None:
    """Whether a time slot of *day* has a place left; None when that cannot be said.

    *data* of #5: an object with KHUNG_THOI_GIAN, or a list of such objects (6, row 6). A slot is full when at least as
    many are used as there are, and there are any at all; a slot without a maximum says nothing.
    """
    groups = data if isinstance(data, list) else [data]
    lists = [group.get("KHUNG_THOI_GIAN") for group in groups if isinstance(group, dict)]
    slots = [slot for inner in lists if isinstance(inner, list) for slot in inner if isinstance(slot, dict)]
    said = [_free(slot) for slot in slots if (at := wire.day(slot.get("NGAY"))) is None or at.exact == day]
    if any(said):
        return True
    return False if said and None not in said else None


def _free(slot: Mapping[str, Any]) -> bool | None:
    most, used = wire.count(slot.get("SL_TOI_DA")), wire.count(slot.get("SL_HIEN_TAI"))
    return used < most if most and used is not None else None
