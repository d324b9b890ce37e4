"""The audit's chain: nothing is changed, taken out or put in unnoticed; words can be emptied and the chain stands."""

import importlib
import json
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations

from kiosk import audit, audit_anchor
from kiosk.store import Store, make_engine
from kiosk.tables import audit as table

KEY = b"\x02" * 32
NOON = datetime(2026, 6, 29, 5, tzinfo=UTC)


@pytest.fixture
def store(tmp_path):
    opened = Store(tmp_path, KEY)
    yield opened
    opened.close()


def write(store: Store, count: int, at: datetime = NOON) -> None:
    def work(connection: sa.Connection) -> None:
        for number in range(count):
            audit.append(connection, at, "Thử", "note", f"c{number}", {"text": f"lời thứ {number}"})

    store.run_now(work)


def break_in(store: Store, *statements: str) -> None:
    """As somebody would who has the key of the file."""

    def work(connection: sa.Connection) -> None:
        for name in ("audit_no_update", "audit_no_delete"):
            connection.exec_driver_sql(f"DROP TRIGGER {name}")
        for statement in statements:
            connection.exec_driver_sql(statement)

    store.run_now(work)


def checked(store: Store, anchors: dict[int, str] | None = None) -> audit.Verdict:
    return store.run_now(lambda c: audit.verify(c, anchors or {}))


def test_an_untouched_chain_fits(store):
    write(store, 5)
    assert checked(store) == audit.Verdict(5, 0, None)


@pytest.mark.parametrize(
    ("statement", "broken_at"),
    [
        ("UPDATE audit SET who = 'Khác' WHERE id = 3", 3),
        ("UPDATE audit SET action = 'revealed' WHERE id = 1", 1),
        ("UPDATE audit SET at = at + 1 WHERE id = 2", 2),
        ("UPDATE audit SET checkin_id = 'c9' WHERE id = 5", 5),
        ("""UPDATE audit SET detail = '{"text": "khác"}' WHERE id = 4""", 4),
        ("UPDATE audit SET detail = '{}' WHERE id = 4", 4),
        ("DELETE FROM audit WHERE id = 2", 2),
        ("DELETE FROM audit WHERE id = 1", 1),
        (
            "INSERT INTO audit SELECT 6, at, who, action, checkin_id, detail, salt, digest, hash FROM audit WHERE id=5",
            6,
        ),
    ],
)
def test_each_change_is_seen_where_it_was_made(store, statement, broken_at):
    write(store, 5)
    break_in(store, statement)
    assert checked(store).broken_at == broken_at


def test_a_row_cut_off_at_the_end_is_seen_by_what_was_told_outside(store):
    write(store, 3)
    (anchor,) = store.run_now(lambda c: audit_anchor.close_days(c, NOON + timedelta(days=1)))
    break_in(store, "DELETE FROM audit WHERE id = 3")
    assert checked(store).broken_at is None
    assert checked(store, {anchor["number"]: anchor["hash"]}).broken_at == 3


def test_a_chain_made_anew_is_seen_by_what_was_told_outside(store):
    write(store, 3)
    (anchor,) = store.run_now(lambda c: audit_anchor.close_days(c, NOON + timedelta(days=1)))
    break_in(store, "DELETE FROM audit")
    write(store, 3)
    assert checked(store).broken_at is None
    assert checked(store, {anchor["number"]: anchor["hash"]}).broken_at == 3


def test_words_are_emptied_and_nothing_else_may_change(store):
    write(store, 3)
    store.run_now(lambda c: audit.empty(c, ["c1"]))
    assert checked(store) == audit.Verdict(3, 1, None)
    rows = store.run_now(lambda c: c.execute(sa.select(table.c.detail, table.c.salt)).all())
    assert [bool(row.salt) for row in rows] == [True, False, True] and rows[1].detail == {}
    for change in ("digest = ''", "hash = ''", "who = ''", "salt = 'a'"):
        with pytest.raises(Exception, match="refused"):
            store.run_now(lambda c, change=change: c.exec_driver_sql(f"UPDATE audit SET {change} WHERE id = 1"))


def test_the_end_of_a_day_is_signed_once_and_told_in_a_file(store, tmp_path):
    write(store, 2)
    assert store.run_now(lambda c: audit_anchor.close_days(c, NOON + timedelta(hours=1))) == []
    write(store, 1, NOON + timedelta(days=1))
    made = store.run_now(lambda c: audit_anchor.close_days(c, NOON + timedelta(days=1)))
    assert [(anchor["day"], anchor["number"]) for anchor in made] == [("2026-06-29", 2)]
    assert store.run_now(lambda c: audit_anchor.close_days(c, NOON + timedelta(days=1))) == []
    audit_anchor.tell(tmp_path, made)
    (line,) = (tmp_path / audit_anchor.FILE).read_text("ascii").splitlines()
    assert audit_anchor.is_signed(json.loads(line))
    for change in ({"number": 3}, {"hash": "0" * 64}, {"day": "2026-06-28"}, {"signature": "AAAA"}):
        assert not audit_anchor.is_signed(json.loads(line) | change)
    assert store.run_now(audit_anchor.kept) == made


def test_rows_of_days_go_out_as_lines(store):
    write(store, 2)
    write(store, 1, NOON + timedelta(days=1))
    found = store.run_now(lambda c: list(audit.lines(c, date(2026, 6, 29), date(2026, 6, 29))))
    assert [json.loads(line)["detail"]["text"] for line in found] == ["lời thứ 0", "lời thứ 1"]


def test_rows_of_an_older_version_are_chained_by_the_upgrade(tmp_path):
    engine = make_engine(tmp_path / "old.db", KEY)
    first, newest = (
        importlib.import_module(f"kiosk.migrations.versions.{n}") for n in ("0001_first_schema", "0008_accounts")
    )
    with engine.begin() as connection, Operations.context(MigrationContext.configure(connection)):
        first.upgrade()
        for number, detail in ((1, '{"text": "cũ"}'), (2, "{}")):
            connection.exec_driver_sql(
                "INSERT INTO audit (id, at, who, action, checkin_id, detail) VALUES (?, ?, 'Thử', 'note', 'c', ?)",
                (number, number * 10**15, detail),
            )
        newest.upgrade()
        assert audit.verify(connection, {}) == audit.Verdict(2, 1, None)
        audit.append(connection, NOON, "Thử", "note", "c", {})
        assert audit.verify(connection, {}) == audit.Verdict(3, 1, None)
    engine.dispose()
