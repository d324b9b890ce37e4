"""A day's accepted visits brought to a hospital system by the real outbox, as the daemon wires it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from kiosk import journal, outbox_table, records
from kiosk.events import new_event_id
from kiosk.hospital_model import Service
from kiosk.hospital_push import HospitalPush
from kiosk.model import Eligibility, EligibilityClass, Identity, PartialDate, Sex
from kiosk.outbox import Backoff, Outbox
from kiosk.outbox_table import OutboxRow
from kiosk.ports import HospitalAdapter
from kiosk.records import CheckIn
from kiosk.store import Store
from kiosk.tables import outbox
from kiosk.upgrade import upgrade_apart

KEY = b"\x07" * 32
NAMES = ("Trần Thị Thử", "Nguyễn Văn Mẫu", "Lê Hoàng Giả", "Phạm Ngọc Ví Dụ", "Đỗ Ân Ướm")


def person(number: int) -> Identity:
    """An invented person; each *number* another."""
    return Identity(
        personal_id=f"0991900{number + 10_000:05d}",
        full_name=f"{NAMES[number % len(NAMES)]} {_letters(number)}",
        birth_date=PartialDate(1950 + number % 60, 1 + number % 12, 1 + number % 28),
        sex=Sex.FEMALE if number % 2 else Sex.MALE,
        address="Ấp Thử 1, Xã Mẫu",
    )


def _letters(number: int) -> str:
    return "".join(chr(ord("A") + int(digit)) for digit in f"{number:04d}")


class Visits:
    """A store full of accepted visits, and the outbox that brings them to *adapter*."""

    def __init__(self, store: Store, adapter: HospitalAdapter, *, workers: int = 4) -> None:
        self.store = store
        push = HospitalPush(store, adapter, _now, facility="99001", grace=0.1, workers=workers)
        self.outbox = Outbox(store, _now, [push], Backoff(0.02, 0.1))

    async def accept(self, people: Sequence[Identity], service: Service) -> list[str]:
        """Accept a visit for each of *people*; returns the check-in ids."""
        ids = [new_event_id() for _ in people]
        now = _now()

        def work(connection: sa.Connection) -> None:
            journal.prepare(connection)
            for checkin_id, who in zip(ids, people, strict=True):
                _insert(connection, checkin_id, who, service, now)
                outbox_table.enqueue(connection, outbox_table.HOSPITAL, "push", checkin_id, now)

        await self.store.run(work)
        return ids

    async def settled(self, ids: Sequence[str], *, within: float = 120) -> dict[str, CheckIn]:
        """Run the outbox until each of *ids* is registered or left to staff."""
        running = asyncio.create_task(self.outbox.run())
        deadline = time.monotonic() + within
        try:
            while True:
                found = await self.store.read(lambda c: {i: records.get(c, i) for i in ids})
                open_ = [i for i, checkin in found.items() if checkin is None or checkin.hospital_state == "waiting"]
                if not open_:
                    return {i: checkin for i, checkin in found.items() if checkin is not None}
                assert time.monotonic() < deadline, f"{len(open_)} visits are still on their way"
                assert not running.done(), running.exception()
                await asyncio.sleep(0.05)
        finally:
            self.outbox.stop()
            async with asyncio.timeout(30):
                await running

    async def rows(self) -> list[OutboxRow]:
        """What the outbox keeps of them."""
        query = sa.select(outbox).where(outbox.c.destination == outbox_table.HOSPITAL)
        return await self.store.read(lambda c: [OutboxRow(**row._mapping) for row in c.execute(query)])


@asynccontextmanager
async def visits_for(folder: Path, adapter: HospitalAdapter, *, workers: int = 4) -> AsyncIterator[Visits]:
    """An empty store under *folder*."""
    folder.mkdir(parents=True, exist_ok=True)
    await asyncio.to_thread(upgrade_apart, folder, KEY)
    store = Store(folder, KEY)
    try:
        yield Visits(store, adapter, workers=workers)
    finally:
        store.close()


def _now() -> datetime:
    return datetime.now(UTC)


def _insert(connection: sa.Connection, checkin_id: str, who: Identity, service: Service, now: datetime) -> None:
    records.insert(
        connection,
        checkin_id=checkin_id,
        state="accepted",
        station="kiosk-1",
        happened_at=now,
        accepted_at=now,
        person_key=f"{who.personal_id}",
        document_kind="cccd_qr",
        method="QR_CCCD",
        lane="self",
        carrier="card",
        carrier_source="none",
        holder_check="none",
        warnings=(),
        identity=who,
        key_kind="PERSONAL_12",
        key_number=who.personal_id,
        status=EligibilityClass.INSURED.value,
        eligibility=Eligibility(EligibilityClass.INSURED, "ok", now),
        service=service,
        bhyt=True,
        hospital_state="waiting",
    )
