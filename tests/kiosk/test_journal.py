"""Events: gapless, keyed, written with what they tell of, and taken by the province's own check."""

import asyncio
import hashlib
import hmac
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from kiosk import events, journal, outbox_table, records
from kiosk.journal import Journal
from kiosk.model import Eligibility, EligibilityClass, Identity, PartialDate
from kiosk.records import CheckIn
from kiosk.store import Store
from kiosk.tables import event, outbox

NOON = datetime(2026, 11, 2, 5, 0, tzinfo=UTC)
NUMBER = "099190000001"


def answer(status: EligibilityClass = EligibilityClass.INSURED, code: str | None = "000", at: datetime = NOON):
    return Eligibility(status, "valid", at, result_code=code, reached_gateway=code is not None, latency_ms=321)


async def prepared(store: Store) -> Journal:
    return Journal(await store.run(journal.prepare))


async def a_checkin(store: Store, checkin_id: str, **changes: object) -> CheckIn:
    values = {
        "checkin_id": checkin_id,
        "station": "kiosk-1",
        "happened_at": NOON,
        "person_key": "p",
        "document_kind": "CCCD_QR",
        "method": "QR_CCCD",
        "lane": "self",
        "carrier": "unknown",
        "holder_check": "none",
        "warnings": (),
        "identity": Identity(NUMBER, full_name="Trần Thị Mẫu", birth_date=PartialDate(1990)),
        "key_kind": "PERSONAL_12",
        "key_number": NUMBER,
    }
    await store.run(lambda c: records.insert(c, **(values | changes)))
    found = await store.read(lambda c: records.get(c, checkin_id))
    assert found is not None
    return found


async def bodies(store: Store) -> list[dict]:
    query = sa.select(event.c.body).order_by(event.c.seq)
    return await store.read(lambda c: [row.body for row in c.execute(query)])


async def test_numbers_run_without_a_gap_however_many_write_and_fail(store):
    written = await prepared(store)
    checkins = [await a_checkin(store, f"c{n}", person_key=f"p{n}") for n in range(20)]
    failing = random.Random(7).sample(range(20), 6)

    async def one(n: int) -> None:
        def work(connection: sa.Connection) -> None:
            written.lookup(connection, checkins[n], answer(), 1, NOON)
            if n in failing:
                raise RuntimeError("rolled back")

        if n in failing:
            with pytest.raises(RuntimeError):
                await store.run(work)
        else:
            await store.run(work)
            await store.run(lambda c: written.visit(c, checkins[n], bhyt=True, now=NOON))

    await asyncio.gather(*(one(n) for n in range(20)))
    kept = await bodies(store)
    assert [body["seq"] for body in kept] == list(range(1, 29))
    assert len({body["epoch"] for body in kept}) == 1
    assert len({body["event_id"] for body in kept}) == 28
    refs = await store.read(lambda c: set(c.execute(sa.select(outbox.c.ref)).scalars()))
    assert refs == {body["event_id"] for body in kept}
    assert [events.check_event(body) for body in kept] == [None] * 28


async def test_another_database_is_another_epoch_and_a_restart_is_not(tmp_path, store):
    first = await prepared(store)
    epoch = await store.read(lambda c: records.get_setting(c, "epoch"))
    assert await prepared(store) == first
    assert await store.read(lambda c: records.get_setting(c, "epoch")) == epoch
    (tmp_path / "other").mkdir()
    other = Store(tmp_path / "other", b"\x05" * 32)
    try:
        await prepared(other)
        assert await other.read(lambda c: records.get_setting(c, "epoch")) != epoch
    finally:
        other.close()


@pytest.mark.parametrize(
    ("moment", "day"), [("2026-11-02T16:59:59", "2026-11-02"), ("2026-11-02T17:00:00", "2026-11-03")]
)
async def test_a_persons_digest_is_the_contracts_and_its_day_is_vietnams(store, moment, day):
    written = await prepared(store)
    at = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    checkin = await a_checkin(store, "c", happened_at=at)
    await store.run(lambda c: written.lookup(c, checkin, answer(at=at), 1, at))
    await store.run(lambda c: written.visit(c, checkin, bhyt=True, now=at))
    digest = hmac.new(written.facility_key, f"{NUMBER}{day}".encode(), hashlib.sha256).hexdigest()[:16]
    assert [body["person_day"] for body in await bodies(store)] == [digest, digest]
    assert {body["happened_at"][:10] for body in await bodies(store)} == {day}


async def test_without_a_personal_number_there_is_no_digest(store):
    written = await prepared(store)
    checkin = await a_checkin(store, "c", identity=Identity(), key_kind="BHYT_15", key_number="DN4999900000001")
    await store.run(lambda c: written.lookup(c, checkin, answer(), 1, NOON))
    (body,) = await bodies(store)
    assert (body["person_day"], body["key_kind"]) == (None, "BHYT_15")


async def test_an_event_names_nobody(store):
    written = await prepared(store)
    checkin = await a_checkin(store, "c")
    await store.run(lambda c: written.lookup(c, checkin, answer(), 1, NOON))
    await store.run(lambda c: written.visit(c, checkin, bhyt=True, now=NOON))
    told = str(await bodies(store))
    assert NUMBER not in told and NUMBER[-6:] not in told and "Mẫu" not in told


CASES = [
    (EligibilityClass.INSURED, "000"),
    (EligibilityClass.INSURED_NEW_CARD, "003"),
    (EligibilityClass.NOT_INSURED, "010"),
    (EligibilityClass.NEEDS_STAFF, "777"),
    (EligibilityClass.MISCONFIGURED, "054"),
    (EligibilityClass.CANNOT_SAY, None),
]


@pytest.mark.parametrize(("status", "code"), CASES)
async def test_a_lookup_tells_class_code_and_whether_the_gateway_was_reached(store, status, code):
    written = await prepared(store)
    checkin = await a_checkin(store, "c")
    await store.run(lambda c: written.lookup(c, checkin, answer(status, code), 2, NOON))
    (body,) = await bodies(store)
    told = {name: body[name] for name in ("class", "result_code", "reached_gateway", "latency_ms", "attempt", "kind")}
    assert told == {
        "class": status.value,
        "result_code": code,
        "reached_gateway": code is not None,
        "latency_ms": 321,
        "attempt": 2,
        "kind": "lookup",
    }
    assert (body["method"], body["lane"], body["checkin_id"]) == ("QR_CCCD", "self", "c")


async def test_a_later_visit_event_has_the_higher_number_and_its_own_id(store):
    written = await prepared(store)
    checkin = await a_checkin(store, "c")
    later = NOON + timedelta(minutes=30)
    await store.run(lambda c: written.visit(c, checkin, bhyt=True, now=NOON))
    await store.run(lambda c: written.visit(c, checkin, bhyt=False, now=later))
    first, second = await bodies(store)
    assert (first["bhyt"], second["bhyt"]) == (True, False)
    assert second["seq"] == first["seq"] + 1
    assert first["event_id"] != second["event_id"] and first["happened_at"] == second["happened_at"]


@pytest.mark.parametrize(
    ("method", "kind", "lane", "reason"),
    [
        ("QR_CCCD", "PERSONAL_12", "self", "CHIP_NOT_ASKED"),
        ("MANUAL_ID", "PERSONAL_12", "desk", "STAFF_TYPED"),
        ("CARD_NUMBER", "BHYT_15", "desk", "NO_CARD"),
        ("QR_CCCD", "PERSONAL_12", "emergency", "EMERGENCY"),
        ("CHIP_CCCD", "PERSONAL_12", "self", None),
    ],
)
async def test_why_the_chip_was_not_read(store, method, kind, lane, reason):
    written = await prepared(store)
    checkin = await a_checkin(store, "c", method=method, key_kind=kind, lane=lane)
    await store.run(lambda c: written.visit(c, checkin, bhyt=True, now=NOON))
    assert [body["not_by_chip"] for body in await bodies(store)] == [reason]


async def test_events_of_days_are_cut_at_vietnams_midnight(store):
    written = await prepared(store)
    for name, moment in (("c1", NOON), ("c2", NOON + timedelta(days=1))):
        checkin = await a_checkin(store, name, happened_at=moment)
        await store.run(lambda c, of=checkin, at=moment: written.visit(c, of, bhyt=True, now=at))
    found = await store.read(lambda c: journal.of_days(c, "2026-11-02", "2026-11-02"))
    assert [body["checkin_id"] for body in found] == ["c1"]
    assert len(await store.read(lambda c: journal.of_days(c, "2026-11-01", "2026-11-03"))) == 2


async def test_a_rolled_back_event_leaves_no_row_in_the_outbox(store):
    written = await prepared(store)
    checkin = await a_checkin(store, "c")

    def work(connection: sa.Connection) -> None:
        written.visit(connection, checkin, bhyt=True, now=NOON)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await store.run(work)
    assert await store.read(outbox_table.unfinished) == []


async def test_a_question_that_others_shared_is_kept_once_and_the_one_before_it_all_the_same(store):
    written = await prepared(store)
    checkin = await a_checkin(store, "c1")
    shared = answer()
    own = replace(shared, earlier=(replace(answer(code="050"), asked_at=NOON - timedelta(seconds=2)),))
    await store.run(lambda c: written.lookup(c, checkin, shared, 1, NOON))
    await store.run(lambda c: written.lookup(c, checkin, own, 2, NOON))
    kept = await store.read(lambda c: records.is_kept(c, checkin, own))
    assert kept
    assert [body["result_code"] for body in await bodies(store)] == ["000", "050"]
