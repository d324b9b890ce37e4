"""The menu of services: the hospital's own, or the last one it gave us while it is away, or the configured one."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Final

from pydantic import TypeAdapter

from kiosk import records
from kiosk.hospital_model import Service
from kiosk.in_passing import in_passing
from kiosk.ports import HospitalAdapter
from kiosk.store import Store

_SETTING: Final = "menu"
_SERVICE: Final = TypeAdapter(Service)


async def service_menu(
    store: Store, hospital: HospitalAdapter, day: date, wait: float, fixed: tuple[Service, ...], *, keep: bool
) -> tuple[Service, ...]:
    """The services of *day*, asked for at most *wait* seconds; *fixed* where the hospital system has no menu.

    *keep*: remember the menu for a time when the hospital is away, if it has changed.
    """
    if not hospital.capabilities.menu:
        return fixed
    services = await in_passing(hospital.services(day), wait)
    if services is None:
        stored = await store.read(lambda c: records.get_setting(c, _SETTING))
        # of unknown age: good enough to choose a room, not to quote a price (his-kiosk-c06.md 5)
        return tuple(
            replace(service, price=None, insurance_price=None, surcharge=None)
            for service in (_SERVICE.validate_python(value) for value in stored or [])
        )
    values = [_SERVICE.dump_python(service, mode="json") for service in services]
    if keep and await store.read(lambda c: records.get_setting(c, _SETTING)) != values:
        await store.run(lambda c: records.put_setting(c, _SETTING, values))
    return services
