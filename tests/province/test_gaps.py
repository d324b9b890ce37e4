"""Numbers that never came, and events that were refused: known, shown, and closed when they come (issue 7)."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from importlib import import_module

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk.events import new_event_id
from province import ingest
from province.cli import main
from province.gaps import PATIENCE, epochs, gaps, note_numbers
from province.ingest import CANNOT_BE_COUNTED
from province.ingest_tables import quarantine as table
from province.ingest_tables import seq_range
from province.quarantine import MOST, put_away, quarantined
from province.store import Store

NOW = datetime(2026, 3, 2, 5, tzinfo=UTC)
LATER = NOW + PATIENCE
AT = datetime.now(UTC)


def missing(store: Store, now: datetime = LATER) -> list[tuple[str, int, int]]:
    with store.read() as connection:
        return [(each.epoch, each.first, each.last) for each in gaps(connection, now=now)]


def note(store: Store, *numbers: int, epoch: str = "e", at: datetime = NOW) -> None:
    with store.write() as connection:
        note_numbers(connection, "93002", "kiosk-1", {epoch: numbers}, at)


@pytest.fixture
def told(hub) -> Callable[..., dict]:  # type: ignore[type-arg]
    """What `provincectl` prints about the hub's database."""
    url = hub.store._engine.url.render_as_string(hide_password=False)
    return lambda *words: json.loads(CliRunner().invoke(main, ["--database", url, *words]).stdout)


def test_a_gap_is_known_after_a_while_and_closes_when_the_events_come(store) -> None:
    note(store, 1, 2, 3)
    note(store, 7, 8)
    assert missing(store, LATER - timedelta(seconds=1)) == []
    assert missing(store) == [("e", 4, 6)]
    note(store, 5, at=LATER)
    assert missing(store, LATER) == [("e", 6, 6)]  # what is below 5 is as young as 5 is
    assert missing(store, LATER + PATIENCE) == [("e", 4, 4), ("e", 6, 6)]
    note(store, 4, 6, at=LATER)
    assert missing(store, LATER + PATIENCE) == []
    note(store, 3, epoch="restored")
    assert missing(store) == [("restored", 1, 2)]
    with store.read() as connection:
        assert [each.epoch for each in epochs(connection, "93002")] == ["e", "restored"]
        assert gaps(connection, "93003", now=LATER) == epochs(connection, "93003") == []


@pytest.fixture(scope="module")
def one_store(tmp_path_factory) -> Iterator[Store]:
    store = Store(f"sqlite:///{tmp_path_factory.mktemp('gaps') / 'hub.db'}")
    yield store
    store.close()


@settings(max_examples=40)
@given(st.lists(st.lists(st.integers(1, 40), min_size=1, max_size=8), max_size=12))
def test_the_gaps_are_the_numbers_that_did_not_come(one_store, batches: list[list[int]]) -> None:
    epoch = new_event_id()
    for batch in batches:
        note(one_store, *batch, epoch=epoch)
    came = {number for batch in batches for number in batch}
    wanted = set(range(1, max(came, default=0) + 1)) - came
    found = {n for each, first, last in missing(one_store) if each == epoch for n in range(first, last + 1)}
    assert found == wanted


def test_events_that_never_came_and_a_new_epoch_are_listed(hub, told) -> None:
    station = hub.station()
    station.send(station.lookup(AT))
    lost = station.lookup(AT)
    station.send(station.lookup(AT))
    with hub.store.write() as connection:
        connection.execute(sa.update(seq_range).values(since=AT - timedelta(hours=1)))
    station.seq, station.epoch = 0, new_event_id()
    station.send(station.lookup(AT))
    found = told("gaps")
    (gap,) = found["gaps"]
    assert (gap["facility"], gap["epoch"], gap["first"], gap["last"]) == ("93002", lost["epoch"], 2, 2)
    assert [each["epoch"] for each in found["epochs"]] == [lost["epoch"], station.epoch]
    station.send(lost)
    with hub.store.read() as connection:
        assert gaps(connection, now=AT + timedelta(days=1)) == []


def test_refused_events_are_kept_without_their_content(hub, told) -> None:
    station = hub.station()
    poison = station.lookup(AT) | {"reached_gateway": "Nguyễn Văn Mẫu"}
    nameless = {"event_id": "Nguyễn Văn Mẫu 099"}
    for _ in range(2):
        answer = station.send(poison, nameless, 5, station.visit(AT))
        assert len(answer["rejected"]) == 3 and answer["accepted"] == 1
    listed = told("quarantine", "list")["quarantined"]
    found = {(each["event_id"], each["reason"]): each["times"] for each in listed}
    assert found == {
        (poison["event_id"], "bad_reached_gateway"): 2,
        ("", "bad_event_id"): 2,
        ("", "not_an_object"): 2,
    }
    assert "Mẫu" not in json.dumps(listed, ensure_ascii=False)


@pytest.mark.parametrize("number", [1, 3])
def test_one_event_that_cannot_be_counted_does_not_hold_up_the_others(hub, monkeypatch, number: int) -> None:
    station = hub.station()
    batch = [station.lookup(AT) for _ in range(number)]
    poison = batch[0]["event_id"]
    real = ingest.project

    def project(connection, facility, events, today):  # type: ignore[no-untyped-def]
        if any(each.event_id == poison for each in events):
            raise ValueError("nobody foresaw this")
        real(connection, facility, events, today)

    monkeypatch.setattr(ingest, "project", project)
    answer = station.send(*batch, {"kind": "x"})
    assert answer["accepted"] == number - 1
    assert {each["reason"] for each in answer["rejected"]} == {CANNOT_BE_COUNTED, "bad_event_id"}
    with hub.store.read() as connection:
        found = {(each.event_id, each.reason, each.times) for each in quarantined(connection, "93002")}
    assert found == {(poison, CANNOT_BE_COUNTED, 1), ("", "bad_event_id", 1)}
    monkeypatch.undo()
    assert station.send(*batch)["accepted"] == 1  # nothing of it was kept


def test_a_broken_station_does_not_fill_the_database(store) -> None:
    refused = [(new_event_id(), "bad_seq") for _ in range(MOST + 10)]
    for part in (refused[:3000], refused[3000:], refused[-10:]):
        with store.write() as connection:
            put_away(connection, "93002", "kiosk-1", part, NOW)
    with store.read() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(table)) == MOST + 1
        assert sum(each.times for each in quarantined(connection)) == MOST + 20


def test_a_database_of_before_knows_its_gaps_after_the_upgrade(store) -> None:
    same = {"facility": "93002", "station": "k", "epoch": "e", "kind": "lookup", "happened_at": NOW, "received_at": NOW}
    same |= {"clock_suspect": False, "in_rates": True, "payload": "{}"}
    with store.write() as connection:
        rows = [same | {"event_id": new_event_id(), "seq": seq} for seq in (1, 2, 2, 5, 6, 9)]
        connection.execute(sa.insert(ingest.event), rows)
        connection.exec_driver_sql(import_module("province.migrations.versions.0007_ingest")._FILL)
    assert missing(store) == [("e", 3, 4), ("e", 7, 8)]
