"""The menu from the catalogues of a hisnguonmo server: a service in a room, for insured and for paying people.

A registration names rooms, services and patient types by the server's internal numbers (``own``) or by codes
(``partner``); both stand beside each service here (his-kiosk-c06.md 10.1).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from hospital_adapters.hisnguonmo_settings import HisnguonmoSettings
from hospital_adapters.hisnguonmo_wire import rows, text
from kiosk.hospital_model import Service

_EXAMINATION = "KH"
_MOST_MONEY = Decimal(10) ** 15


@dataclass(frozen=True, slots=True)
class Entry:
    """A service with what the server calls its parts."""

    service: Service
    room_id: int
    room_code: str
    service_id: int
    service_code: str
    type_id: int
    type_code: str


@dataclass(frozen=True, slots=True)
class Menu:
    """The entries by id of their service, and the number of the kiosk's own room; None where it is not listed."""

    entries: Mapping[str, Entry] = field(default_factory=dict)
    request_room: int | None = None

    @property
    def services(self) -> tuple[Service, ...]:
        """What patients choose from."""
        return tuple(entry.service for entry in self.entries.values())

    def insured_in(self, room_id: int) -> str | None:
        """The id of the first insured service in a room."""
        found = (key for key, entry in self.entries.items() if entry.room_id == room_id and entry.service.insured)
        return next(found, None)


def build(
    room_rows: Any, service_room_rows: Any, price_rows: Any, type_rows: Any, settings: HisnguonmoSettings
) -> Menu:
    """Join the ``Data`` of the four catalogues; rows that lack a number or a code are left out.

    A service is offered to a patient type where it has a price for it. Without any prices it is offered to both.
    """
    types = _types(type_rows, settings)
    prices = _prices(price_rows)
    entries: dict[str, Entry] = {}
    for row in rows(service_room_rows):
        if text(row.get("SERVICE_TYPE_CODE")) not in (None, _EXAMINATION):
            continue
        for insured, (type_id, type_code) in types.items():
            entry = _entry(row, prices, insured, type_id, type_code)
            if entry is not None:
                entries.setdefault(entry.service.id, entry)
    return Menu(entries, _number_of(room_rows, settings.request_room))


def _entry(
    row: Mapping[str, Any], prices: Mapping[tuple[int, int], Decimal], insured: bool, type_id: int, type_code: str
) -> Entry | None:
    room_id, service_id = _int(row.get("ROOM_ID")), _int(row.get("SERVICE_ID"))
    room_code, service_code = text(row.get("ROOM_CODE")), text(row.get("SERVICE_CODE"))
    if room_id is None or service_id is None or not room_code or not service_code:
        return None
    price = prices.get((service_id, type_id))
    if prices and price is None:
        return None
    service = Service(
        id=f"{room_code}/{service_code}/{type_code}",
        code=service_code,
        name=_named(text(row.get("SERVICE_NAME")) or service_code, text(row.get("ROOM_NAME"))),
        department_id=text(row.get("DEPARTMENT_CODE")) or "",
        department=text(row.get("DEPARTMENT_NAME")) or "",
        exam_type=type_code,
        insured=insured,
        price=price,
        insurance_price=price if insured else None,
    )
    return Entry(service, room_id, room_code, service_id, service_code, type_id, type_code)


def _named(service: str, room: str | None) -> str:
    return service if not room or room in service else f"{service} - {room}"


def _types(found: Any, settings: HisnguonmoSettings) -> dict[bool, tuple[int, str]]:
    types: dict[bool, tuple[int, str]] = {}
    for insured, code in ((True, settings.insured_type), (False, settings.fee_type)):
        for row in rows(found):
            number = _int(row.get("ID"))
            if number is not None and text(row.get("PATIENT_TYPE_CODE")) == code:
                types.setdefault(insured, (number, code))
    return types


def _prices(found: Any) -> dict[tuple[int, int], Decimal]:
    prices: dict[tuple[int, int], Decimal] = {}
    for row in rows(found):
        service, kind, price = _int(row.get("SERVICE_ID")), _int(row.get("PATIENT_TYPE_ID")), money(row.get("PRICE"))
        if service is not None and kind is not None and price is not None:
            prices.setdefault((service, kind), price)
    return prices


def _number_of(room_rows: Any, code: str) -> int | None:
    numbers = (_int(row.get("ID")) for row in rows(room_rows) if text(row.get("ROOM_CODE")) == code)
    return next((number for number in numbers if number is not None), None)


def money(value: Any) -> Decimal | None:
    """An amount in đồng from a number or its text; None for anything else, and for what nobody asks."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        amount = Decimal(str(value).strip())
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and 0 <= amount < _MOST_MONEY else None


def total(amounts: Iterable[Decimal | None]) -> Decimal | None:
    """The sum, None when there is nothing to add."""
    known: Sequence[Decimal] = [amount for amount in amounts if amount is not None]
    return sum(known, Decimal()) if known else None


def _int(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
