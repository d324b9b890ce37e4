"""Taking events exactly once, from the right station only (interfaces.md 5)."""

import json
import time
from datetime import UTC, datetime, timedelta

import httpx
import pytest
import sqlalchemy as sa

from kiosk import events
from province.ingest import prune_heartbeats
from province.store import Store
from province.tables import event, finding
from province.tables import station as station_table

T0 = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
DAY = ("2026-03-02", "2026-03-02")


def ledger(store: Store) -> list[sa.Row]:  # type: ignore[type-arg]
    with store.read() as connection:
        return list(connection.execute(sa.select(event).order_by(event.c.event_id)))


def test_an_empty_batch_gives_zeros(hub) -> None:
    assert hub.station().send() == {"accepted": 0, "duplicates": 0, "rejected": []}


def test_a_batch_sent_again_changes_nothing(hub) -> None:
    station = hub.station()
    batch = [station.visit(T0), station.lookup(T0), station.count(T0.date(), 5)]
    assert station.send(*batch) == {"accepted": 3, "duplicates": 0, "rejected": []}
    before = hub.facility("93002", *DAY) | {"generated_at": None}
    assert station.send(*batch) == {"accepted": 0, "duplicates": 3, "rejected": []}
    assert station.send(batch[0], batch[0], station.lookup(T0 + timedelta(1)))["duplicates"] == 2
    assert hub.facility("93002", *DAY) | {"generated_at": None} == before
    assert len(ledger(hub.store)) == 4


def test_the_first_content_of_an_event_stays(hub) -> None:
    station = hub.station()
    first = station.lookup(T0, result_code="050")
    station.send(first)
    assert station.send(first | {"result_code": "000"})["duplicates"] == 1
    spelled_loud = first | {"event_id": first["event_id"].upper(), "result_code": "000"}
    assert station.send(spelled_loud)["duplicates"] == 1
    row = hub.facility("93002", *DAY)
    assert (row["lookups_total"], row["lookups_fail_not_found"]) == (1, 1)


def test_the_same_id_at_two_facilities_is_two_events(hub) -> None:
    here, there = hub.station("93002"), hub.station("93003")
    shared = here.lookup(T0)
    assert here.send(shared)["accepted"] == 1
    assert there.send(shared)["accepted"] == 1


def test_faulty_events_are_named_and_the_rest_count(hub) -> None:
    station = hub.station()
    good = station.visit(T0)
    unknown_kind = station.visit(T0) | {"kind": "dance"}
    not_seven = station.visit(T0) | {"event_id": "7f1c9a52-7a0c-4b6e-9f0a-2b8f3c1d4e5f"}
    nul = station.visit(T0) | {"lane": "a\x00"}
    surrogate_id = station.visit(T0) | {"event_id": "\ud800"}
    answer = station.send(unknown_kind, "text", None, not_seven, good, nul, surrogate_id, {})
    assert answer == {
        "accepted": 1,
        "duplicates": 0,
        "rejected": [
            {"event_id": unknown_kind["event_id"], "reason": "unknown_kind"},
            {"event_id": None, "reason": "not_an_object"},
            {"event_id": None, "reason": "not_an_object"},
            {"event_id": not_seven["event_id"], "reason": "bad_event_id"},
            {"event_id": nul["event_id"], "reason": "bad_text"},
            {"event_id": None, "reason": "bad_text"},
            {"event_id": None, "reason": "bad_event_id"},
        ],
    }
    assert hub.facility("93002", *DAY)["visits_bhyt"] == 1


def test_unknown_fields_are_kept(hub) -> None:
    station = hub.station()
    station.send(station.visit(T0) | {"mood": {"of": ["day", 7]}})
    assert json.loads(ledger(hub.store)[0].payload)["mood"] == {"of": ["day", 7]}


def test_both_times_are_kept(hub) -> None:
    station = hub.station()
    before = datetime.now(UTC)
    station.send(station.visit(T0 + timedelta(microseconds=123456)))
    row = ledger(hub.store)[0]
    assert row.happened_at == T0 + timedelta(microseconds=123456)
    assert before <= row.received_at <= datetime.now(UTC)


def test_a_tampered_body_is_refused(hub) -> None:
    station = hub.station()
    body = station.body([station.visit(T0)])
    signature = events.sign_batch(station.key, station.key_id, body)
    for position in range(0, len(body), 7):
        flipped = bytearray(body)
        flipped[position] ^= 1
        assert station.post(bytes(flipped), signature).status_code == 401
    assert station.post(body + b" ", signature).status_code == 401
    assert ledger(hub.store) == []
    assert station.post(body, signature).status_code == 200


@pytest.mark.parametrize("header", ["", "nonsense", 'keyId="x",algorithm="ed25519",signature="AAAA"'])
def test_malformed_signature_headers_are_refused(hub, header: str) -> None:
    station = hub.station()
    assert station.post(station.body([]), header).status_code == 401


def test_no_signature_and_unknown_key_are_refused(hub) -> None:
    station = hub.station()
    body = station.body([])
    assert hub.http.post("/api/v1/events", content=body).status_code == 401
    assert station.post(body, events.sign_batch(station.key, "another", body)).status_code == 401


def test_another_stations_key_does_not_sign_for_this_one(hub) -> None:
    one, other = hub.station("93002", "kiosk-1"), hub.station("93002", "kiosk-2")
    body = one.body([one.visit(T0)])
    assert one.post(body, events.sign_batch(other.key, one.key_id, body)).status_code == 401
    assert one.post(body, events.sign_batch(other.key, other.key_id, body)).status_code == 403


def test_a_facility_cannot_post_for_another(hub) -> None:
    station = hub.station("93002")
    station.facility = "93003"
    assert station.post(station.body([station.visit(T0)])).status_code == 403
    assert ledger(hub.store) == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'{"facility":"93002","station":"kiosk-1"}',
        b'{"facility":"93002","station":"kiosk-1","events":{}}',
        b'{"facility":7,"station":"kiosk-1","events":[]}',
        b'{"facility":"93002","station":"kiosk-1","events":[NaN]}',
        b'{"facility":"93002","station":"kiosk-1","events":[' + b"9" * 5000 + b"]}",
        b'{"facility":"\xff","station":"kiosk-1","events":[]}',
        b"[" * 100_000,
    ],
)
def test_malformed_envelopes_are_refused(hub, body: bytes) -> None:
    assert hub.station().post(body).status_code == 422


def test_too_many_events_or_bytes_are_refused(hub) -> None:
    station = hub.station()
    assert station.post(station.body([{}] * 1001)).status_code == 413
    assert station.post(station.body([]) + b" " * 2 * 1024 * 1024).status_code == 413
    chunks = (b" " * 65536 for _ in range(40))
    answer = hub.http.post("/api/v1/events", content=chunks, headers={"Signature": "x"})
    assert answer.status_code == 413
    padding = 2 * 1024 * 1024 - len(station.body([]))
    assert station.post(station.body([]) + b" " * padding).status_code == 200


def test_a_reused_seq_is_accepted_and_becomes_a_finding(hub) -> None:
    station = hub.station()
    first = station.lookup(T0)
    within = [station.lookup(T0), station.lookup(T0)]
    within[1]["seq"] = within[0]["seq"]
    again = station.lookup(T0) | {"seq": first["seq"]}
    other_epoch = station.lookup(T0) | {"seq": first["seq"], "epoch": "another"}
    station.send(first)
    assert station.send(again, other_epoch, *within)["accepted"] == 4
    with hub.store.read() as connection:
        found = {(row.event_id, row.other_event_id) for row in connection.execute(sa.select(finding))}
    assert found == {(again["event_id"], first["event_id"]), (within[1]["event_id"], within[0]["event_id"])}
    assert hub.facility("93002", *DAY)["lookups_total"] == 5


def test_a_clock_more_than_two_minutes_off_is_flagged(hub) -> None:
    station = hub.station()
    now = datetime.now(UTC)
    fine = [station.lookup(now + timedelta(seconds=100)), station.lookup(now - timedelta(days=9))]
    early = station.lookup(now + timedelta(minutes=5))
    station.send(*fine, early)
    flags = {row.event_id: row.clock_suspect for row in ledger(hub.store)}
    assert flags == {fine[0]["event_id"]: False, fine[1]["event_id"]: False, early["event_id"]: True}


@pytest.mark.parametrize("off", [{"clock_offset_ms": -121_000}, {"at": datetime(1970, 1, 2, tzinfo=UTC)}])
def test_a_heartbeat_that_shows_a_wrong_clock_flags_what_its_station_sends(hub, off: dict[str, object]) -> None:
    station = hub.station()
    old = station.lookup(T0)
    station.send(station.heartbeat(**off), old)
    assert [row.clock_suspect for row in ledger(hub.store)] == [True, True]
    station.send(station.heartbeat(), good := station.lookup(T0))
    assert {row.event_id: row.clock_suspect for row in ledger(hub.store)}[good["event_id"]] is False


def test_events_from_the_far_future_stay_out_of_the_rates(hub) -> None:
    station = hub.station()
    later = datetime.now(UTC) + timedelta(days=2, minutes=5)
    soon = datetime.now(UTC) + timedelta(days=1)
    count = station.count(later.date() + timedelta(days=3), 9)
    station.send(station.visit(later), station.lookup(later), station.visit(soon), count)
    first, last = (datetime.now(UTC).date() + timedelta(days=step) for step in (-1, 9))
    row = hub.facility("93002", first.isoformat(), last.isoformat())
    assert (row["visits_bhyt"], row["lookups_total"]) == (1, 0)
    assert len(ledger(hub.store)) == 4


def test_a_heartbeat_is_kept_as_the_stations_last_and_counts_as_reporting(hub) -> None:
    station = hub.station()
    beats = [station.heartbeat(outbox_waiting=number) for number in (1, 2)]
    station.send(*beats)
    today = datetime.now(events.VIETNAM).date().isoformat()
    assert station.send(*beats) == {"accepted": 0, "duplicates": 2, "rejected": []}
    with hub.store.read() as connection:
        kept = connection.execute(sa.select(station_table)).one()
    assert json.loads(kept.heartbeat)["outbox_waiting"] == 2
    assert hub.facility("93002", today, today)["facilities_reporting"] == 1
    assert hub.facility("93003", today, today)["facilities_reporting"] == 0
    assert prune_heartbeats(hub.store, datetime.now(UTC) + timedelta(days=8)) == 2
    assert hub.facility("93002", today, today)["facilities_reporting"] == 1


def test_too_many_batches_get_429_with_retry_after(store, run_hub, tight_limit) -> None:
    with run_hub(store, rate_limit=tight_limit) as hub:
        station, other = hub.station(), hub.station("93003")
        station.send()
        answer = station.post(station.body([]))
        assert answer.status_code == 429
        assert int(answer.headers["Retry-After"]) >= 1
        other.send()


def test_a_revoked_key_is_refused(hub) -> None:
    from province.enrolment import revoke

    station = hub.station()
    station.send(station.visit(T0))
    revoke(hub.store, station.key_id)
    assert station.post(station.body([station.visit(T0)])).status_code == 401
    assert len(ledger(hub.store)) == 1


def test_parallel_sending_of_the_same_batch_counts_once(hub) -> None:
    from concurrent.futures import ThreadPoolExecutor

    station = hub.station()
    batch = [station.visit(T0) for _ in range(50)] + [station.lookup(T0) for _ in range(50)]
    body = station.body(batch)

    def until_taken(_: int) -> httpx.Response:
        while (answer := station.post(body)).status_code == 429:
            time.sleep(float(answer.headers["Retry-After"]))
        return answer

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(until_taken, range(16)))
    assert [answer.status_code for answer in answers] == [200] * 16
    assert sum(answer.json()["accepted"] for answer in answers) == 100
    row = hub.facility("93002", *DAY)
    assert (row["visits_bhyt"], row["lookups_total"]) == (50, 50)
