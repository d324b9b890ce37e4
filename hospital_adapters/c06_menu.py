"""The services menu from the catalogues, and how long a copy of it may be used (his-kiosk-c06.md 3, 5, 6)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

from hospital_adapters import c06_wire as wire
from hospital_adapters.c06_settings import C06Settings
from kiosk.errors import HospitalUnavailable
from kiosk.hospital_model import Service

FRESH_S = 600.0
PRICES_S = 86_400.0
_RETRY_S = 60.0


@dataclass(frozen=True, slots=True)
class Entry:
    """A service of the menu and what #4 and #5 call it: ID_DICH_VU, MA_DICH_VU, and MA_KHOA of its department."""

    service: Service
    row_id: str
    code: str
    department_code: str


@dataclass(frozen=True, slots=True)
class Menu:
    """The entries, and how many of them name an exam type that ``/loai-kham`` does not list."""

    entries: tuple[Entry, ...]
    unknown_types: int

    @property
    def services(self) -> tuple[Service, ...]:
        """What patients choose from."""
        return tuple(entry.service for entry in self.entries)


def build(types: list[Any], departments: list[Any], services: list[Any], settings: C06Settings) -> Menu:
    """Join ``data`` of ``/loai-kham``, ``/khoa`` and ``/dichvu``; rows without an id are left out, and of two insured
    (or two other) ones with the same id the second, because they could not be told apart when chosen.

    A service is insured when its exam type is the insured one, compared exactly and then without leading zeros; the
    type is sent as ``/loai-kham`` writes it. A service whose type is not listed belongs to every type: it is listed
    once, as an insured one. In the profile ``field`` a service is a service in a room, and its id names both.
    """
    type_ids = [found for row in _rows(types) if (found := wire.text(row.get("ID_LOAI_KHAM")))]
    insured_type = _match(settings.insured_exam_type, type_ids) or settings.insured_exam_type
    halls = _rows(departments)
    built: dict[tuple[str, bool], Entry] = {}
    unknown = 0
    for row in _rows(services):
        exam_type = _match(wire.text(row.get("ID_LOAI_KHAM")), type_ids)
        service_id = _service_id(row, exam_type or insured_type, settings)
        insured = exam_type in (None, insured_type)
        if service_id is None or (service_id, insured) in built:
            continue
        unknown += exam_type is None
        hall = _department(row, halls)
        code = wire.text(row.get("MA_DICH_VU")) or _key(row, "DICH_VU", settings) or ""
        service = Service(
            id=service_id,
            code=code,
            name=_name(row, code, settings),
            department_id=_key(hall, "KHOA", settings) or _key(row, "KHOA", settings) or "",
            department=wire.text(hall.get("TEN_KHOA")) or "",
            exam_type=exam_type or insured_type,
            insured=insured,
            price=wire.money(row.get("DON_GIA_DICH_VU")),
            insurance_price=wire.money(row.get("DON_GIA_BHYT")),
            surcharge=wire.money(row.get("DON_GIA_THU_THEM")),
        )
        department_code = wire.text(hall.get("MA_KHOA")) or wire.text(row.get("MA_KHOA")) or ""
        row_id = wire.text(row.get("ID_DICH_VU")) or ""
        built[service_id, insured] = Entry(service, row_id, wire.text(row.get("MA_DICH_VU")) or "", department_code)
    return Menu(tuple(built.values()), unknown)


def room_of(service: Service) -> str:
    """ID_PHONG_KHAM of a service of the profile ``field``, from its id."""
    return service.id.removeprefix(f"{service.exam_type}/").removesuffix(f"/{service.code}")


def _service_id(row: dict[str, Any], exam_type: str, settings: C06Settings) -> str | None:
    if settings.profile == "doc":
        return _key(row, "DICH_VU", settings)
    room, code = _key(row, "PHONG_KHAM", settings), wire.text(row.get("MA_DICH_VU"))
    return f"{exam_type}/{room}/{code}" if room and code else None


def _name(row: dict[str, Any], code: str, settings: C06Settings) -> str:
    name = wire.text(row.get("TEN_DICH_VU")) or code
    room = wire.text(row.get("TEN_PHONG_KHAM"))
    if settings.profile == "doc" or room is None or room.casefold() in name.casefold():
        return name
    return f"{name} - {room}"


def exam_type_listed(types: list[Any], wanted: str) -> bool:
    """Whether ``/loai-kham`` lists *wanted*, leading zeros aside."""
    listed = [found for row in _rows(types) if (found := wire.text(row.get("ID_LOAI_KHAM")))]
    return _match(wanted, listed) is not None


def _rows(data: list[Any]) -> list[dict[str, Any]]:
    return [row for row in data if isinstance(row, dict)]


def _key(row: dict[str, Any], what: str, settings: C06Settings) -> str | None:
    first, second = ("MA_", "ID_") if settings.ids_are == "code" else ("ID_", "MA_")
    return wire.text(row.get(first + what)) or wire.text(row.get(second + what))


def _match(wanted: str | None, listed: list[str]) -> str | None:
    if wanted is None or wanted in listed:
        return wanted
    return next((found for found in listed if _without_zeros(found) == _without_zeros(wanted)), None)


def _without_zeros(value: str) -> str:
    return value.lstrip("0") or "0"


def _department(service: dict[str, Any], departments: list[dict[str, Any]]) -> dict[str, Any]:
    code, row_id = wire.text(service.get("MA_KHOA")), wire.text(service.get("ID_KHOA"))
    for named, key in ((code, "MA_KHOA"), (code, "ID_KHOA"), (row_id, "ID_KHOA")):
        for row in departments:
            if named is not None and wire.text(row.get(key)) == named:
                return row
    return {}


def _without_prices(service: Service) -> Service:
    return replace(service, price=None, insurance_price=None, surcharge=None)


class MenuCache:
    """A menu for 10 minutes; then the last good copy for as long as no new one can be had, without prices after 24 h.

    From the moment a refresh starts the copy serves for another minute before anybody waits for the HIS again, so that
    an outage, also one that only hangs, costs one patient a wait and not each of them. A refresh belongs to no caller:
    who gives up leaves it running, and whoever must wait meanwhile shares it.
    """

    def __init__(self, load: Callable[[], Awaitable[tuple[Entry, ...]]], monotonic: Callable[[], float]) -> None:
        """*load* asks the HIS and may raise HospitalUnavailable; *monotonic* counts seconds."""
        self._load = load
        self._monotonic = monotonic
        self._refresh: asyncio.Task[HospitalUnavailable | None] | None = None
        self._copy: tuple[Entry, ...] | None = None
        self._loaded_at = 0.0
        self._ask_at = 0.0

    async def get(self) -> tuple[Entry, ...]:
        """The menu; HospitalUnavailable when there has never been one."""
        now = self._monotonic()
        if self._copy is None or now >= self._ask_at:
            self._ask_at = now + _RETRY_S
            failure = await self._refreshed()
            if self._copy is None:
                raise failure or HospitalUnavailable("c06.closed")
        if self._monotonic() - self._loaded_at < PRICES_S:
            return self._copy
        return tuple(replace(entry, service=_without_prices(entry.service)) for entry in self._copy)

    async def close(self) -> None:
        """End a refresh that runs; its callers get the copy, or HospitalUnavailable ``c06.closed``."""
        if self._refresh is not None:
            self._refresh.cancel()
            await asyncio.wait({self._refresh})

    async def _refreshed(self) -> HospitalUnavailable | None:
        if self._refresh is None or self._refresh.done():
            self._refresh = asyncio.create_task(self._load_anew())
        task = self._refresh
        await asyncio.wait({task})
        return None if task.cancelled() else task.result()

    async def _load_anew(self) -> HospitalUnavailable | None:
        try:
            self._copy = await self._load()
        except HospitalUnavailable as failure:
            # Returned, because an exception that nobody is left to take would be reported as a fault of ours.
            return failure
        self._loaded_at = self._monotonic()
        self._ask_at = self._loaded_at + FRESH_S
        return None
