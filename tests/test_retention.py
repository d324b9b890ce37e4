"""Delivered people are forgotten in time; nothing that still waits is touched."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from kiosk import outbox_table, records, retention
from kiosk.model import Coverage, Identity, KeyKind, PartialDate
from kiosk.store import Store, read_or_make_key
from kiosk.tables import checkin, gateway_answer

TODAY = date(2026, 6, 30)
NAME = "Nguyễn Thị Quên"


@pytest.fixture
def store(tmp_path: Path):
    opened = Store(tmp_path, read_or_make_key(tmp_path))
    yield opened
    opened.close()


def add(store: Store, checkin_id: str, days_ago: int, state: str = "accepted", **changes: object) -> None:
    happened = datetime(2026, 6, 30, 3, tzinfo=UTC) - timedelta(days=days_ago)

    def work(connection: sa.Connection) -> None:
        records.insert(
            connection,
            checkin_id=checkin_id,
            station="kiosk-1",
            happened_at=happened,
            person_key="k" + checkin_id,
            document_kind="CCCD_QR",
            method="QR_CCCD",
            lane="self",
            carrier="unknown",
            holder_check="none",
            warnings=(),
            identity=Identity("099190000001", None, NAME, PartialDate(1990)),
            key_kind="PERSONAL_12",
            key_number="099190000001",
        )
        records.update(connection, checkin_id, state=state, **changes)

    store.run_now(work)


def named(store: Store) -> set[str]:
    def work(connection: sa.Connection) -> set[str]:
        rows = connection.execute(sa.select(checkin.c.checkin_id, checkin.c.identity, checkin.c.key_number))
        return {row.checkin_id for row in rows if NAME in str(row.identity) or row.key_number}

    return store.run_now(work)


def test_old_and_delivered_are_forgotten_and_the_rest_stays(store: Store) -> None:
    add(store, "old", 31, hospital_state="accepted")
    add(store, "young", 29, hospital_state="accepted")
    add(store, "staff", 31, staff_reason="hospital_rejected")
    add(store, "waiting", 31, hospital_state="waiting")
    add(store, "left", 2, state="abandoned")
    add(store, "left-today", 0, state="abandoned")
    now = datetime.now(UTC)
    store.run_now(lambda c: outbox_table.enqueue(c, outbox_table.HOSPITAL, "push", "waiting", now))
    store.run_now(lambda c: outbox_table.enqueue(c, outbox_table.PROVINCE, "event", "old", now))
    assert store.run_now(lambda c: retention.purge(c, TODAY, 30)) == 2
    assert named(store) == {"young", "staff", "waiting", "left-today"}
    assert store.run_now(lambda c: retention.purge(c, TODAY, 30)) == 0


def test_a_forgotten_check_in_can_still_be_listed(store: Store) -> None:
    add(store, "old", 40, hospital_state="accepted", kiosk_number="K-007")
    store.run_now(lambda c: retention.purge(c, TODAY, 30))
    found = store.run_now(lambda c: records.get(c, "old"))
    assert found is not None
    assert (found.kiosk_number, found.identity, found.eligibility) == ("K-007", Identity(), None)


def test_untouched_answers_go_by_their_own_rule(store: Store) -> None:
    def work(connection: sa.Connection) -> list[str]:
        for days_ago in (99, 100, 101):
            day = str(TODAY - timedelta(days=days_ago))
            at = datetime(2026, 1, 1, tzinfo=UTC)
            row = {"request_id": f"r{days_ago}", "checkin_id": "old", "at": at, "day": day, "digest": "", "body": b""}
            connection.execute(gateway_answer.insert().values(**row))
        retention.purge(connection, TODAY, 1, answers_days=100)
        return sorted(connection.execute(sa.select(gateway_answer.c.request_id)).scalars())

    assert store.run_now(work) == ["r100", "r99"]


def test_forgetting_a_person_leaves_the_answers_the_facility_must_keep(store: Store) -> None:
    add(store, "old", 31, hospital_state="accepted")

    def work(connection: sa.Connection) -> tuple[int, int]:
        row = {"request_id": "r", "checkin_id": "old", "at": datetime(2026, 5, 30, tzinfo=UTC), "digest": ""}
        connection.execute(gateway_answer.insert().values(**row, day="2026-05-30", body=b""))
        gone = retention.purge(connection, TODAY, 30)
        return gone, connection.execute(sa.select(sa.func.count()).select_from(gateway_answer)).scalar_one()

    assert store.run_now(work) == (1, 1)


def test_what_was_read_is_forgotten_with_what_was_accepted(store: Store) -> None:
    read = Identity("099190000001", None, NAME, PartialDate(1990))
    card = Coverage("DN4999900000001", KeyKind.BHYT_15)
    add(store, "old", 40, hospital_state="accepted")
    store.run_now(lambda c: records.update(c, "old", read_identity=read, document_coverage=card))
    store.run_now(lambda c: retention.purge(c, TODAY, 30))
    found = store.run_now(lambda c: records.get(c, "old"))
    assert found is not None and (found.read_identity, found.document_coverage) == (None, None)
