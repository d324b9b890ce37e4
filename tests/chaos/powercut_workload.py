"""Checks people in through the real store, outbox and use case, and marks each number that a patient would see.

``powercut_workload.py DATA CHECK_INS SYNCHRONOUS``, with the recorder of ``powercut.c`` preloaded. The insurer and the
hospital answer at once from memory: what counts here is what reaches the disk, and when.
"""

from __future__ import annotations

import asyncio
import ctypes
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

from crowd import crowd

from hospital_adapters.dry_run import MENU
from kiosk import store
from kiosk.bootstrap import Parts, build
from kiosk.checkin import Arrival, CheckIns
from kiosk.config import Config, parse
from kiosk.documents.recognise import recognise
from kiosk.model import AdapterHealth, Eligibility, EligibilityClass, Lane, LookupKey, Moment
from kiosk.station_views import self_service_key
from simulators.vss_people import Person, qr_payload

_AT_ONCE = 3
_recorder = ctypes.CDLL(None)


class Insurer:
    """Everybody is insured."""

    async def lookup(self, key: LookupKey, visit_day: date, moment: Moment = Moment.ARRIVAL) -> Eligibility:
        """Say yes."""
        return Eligibility(EligibilityClass.INSURED, "insured", datetime.now(UTC), attempts=1)

    async def check(self) -> AdapterHealth:
        """Always well."""
        return AdapterHealth(True)

    async def close(self) -> None:
        """Nothing to release."""


def configuration(data: Path) -> Config:
    """A station without neighbours, its store in *data*; also makes the secrets beside it."""
    beside = data.parent
    (beside / "password").write_text("unused")
    (beside / "officers").write_text("NGUYỄN CÁN BỘ THỬ;099085000001")
    insurance = {"url": "http://127.0.0.1:9", "account": "unused", "password_file": "password"}
    return parse(
        {
            "station": {"id": "kiosk-1", "facility": "93002", "data": str(data)},
            "insurance": insurance | {"officers_file": "officers"},
            "hospital": {"adapter": "dry_run"},
        }
    )


def mark(text: str) -> None:
    """Write into the recording what has been told to somebody."""
    if hasattr(_recorder, "powercut_mark"):
        _recorder.powercut_mark(text.encode())


async def _check_in(checkins: CheckIns, person: Person) -> None:
    document = recognise(qr_payload(person, date.today()) or b"", simulated_prefix=True)
    key = self_service_key(document)
    assert key is not None
    opened = await checkins.present(document, key, Arrival(Lane.SELF))
    checkin = await checkins.look_up(opened.checkin.checkin_id)
    if person.number % 7 == 0:
        checkin = await checkins.send_to_staff(checkin.checkin_id, "called_by_patient")
    else:
        checkin = await checkins.accept(checkin.checkin_id, MENU[person.number % 4], insured=True)
    mark(f"ack {checkin.checkin_id} {checkin.number}")


async def _session(parts: Parts, people: Sequence[Person]) -> None:
    checkins = replace(parts.checkins, gateway=Insurer())
    delivering = asyncio.create_task(parts.outbox.run())
    queue = iter(people)

    async def lane() -> None:
        for person in queue:
            await _check_in(checkins, person)

    await asyncio.gather(*(lane() for _ in range(_AT_ONCE)))
    parts.outbox.stop()
    await delivering
    await parts.close()


def main(data: Path, count: int, synchronous: str) -> None:
    """Two runs of the daemon's parts, so that the store is also closed and opened again."""
    if synchronous != "FULL":
        weak = {"synchronous": ("synchronous", "NORMAL", 1)}
        setattr(store, "_PRAGMAS", tuple(weak.get(row[0], row) for row in store._PRAGMAS))  # noqa: B010 - a constant
    config = configuration(data)
    people = list(crowd(count))
    for part in (people[: count // 2], people[count // 2 :]):
        parts = build(config, data.parent)
        mark("started")
        asyncio.run(_session(parts, part))
    mark("over")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
