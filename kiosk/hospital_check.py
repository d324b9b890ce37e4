"""``kioskctl check hospital``: the way there, what the adapter finds at its end, and what patients would see."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from kiosk.checkin import CheckIns
from kiosk.errors import HospitalError
from kiosk.model import local_day
from kiosk.reach import Target, reach


async def check_hospital(checkins: CheckIns, settings: Mapping[str, Any]) -> dict[str, Any]:
    """``ok``, ``problems`` in words, ``steps`` of the way there, the adapter's ``details``, its ``capabilities``, and
    how many ``services`` there are to choose from. *settings*: the ``[hospital]`` table. Asks about no person.
    """
    targets = Target.all_of(settings)
    ways = await asyncio.gather(*(reach(target, checkins.clock) for target in targets))
    steps = [(f"{target.host}:{target.port}", step) for target, way in zip(targets, ways, strict=True) for step in way]
    health = await checkins.hospital.check()
    problems = [f"{step.says} ({at})" if len(targets) > 1 else step.says for at, step in steps if not step.ok]
    problems += health.problems
    services, unseen = await _services(checkins)
    if unseen is not None:
        problems.append(unseen)
    return {
        "ok": not problems and health.ok,
        "problems": problems,
        "steps": [{"at": at, "step": step.name, "ok": step.ok, "says": step.says} for at, step in steps],
        "details": dict(health.details),
        "capabilities": asdict(checkins.hospital.capabilities),
        "services": services,
    }


async def _services(checkins: CheckIns) -> tuple[dict[str, int] | None, str | None]:
    if not checkins.hospital.capabilities.menu:
        menu = checkins.policy.services
        words = "patients can choose nothing: add a [[service]] to the configuration, the hospital system has no menu"
    else:
        words = "patients can choose nothing: the hospital system's menu has no insured service"
        try:
            menu = await checkins.hospital.services(local_day(checkins.clock()))
        except HospitalError as error:
            return None, f"the menu could not be read ({error})"
    insured = sum(service.insured for service in menu)
    return {"insured": insured, "self_pay": len(menu) - insured}, None if insured else words
