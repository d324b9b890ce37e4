"""The encrypted store: its promise, its key, its borders."""

import asyncio
import subprocess
import sys
import tempfile
import textwrap
import threading
import traceback
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from kiosk import records, store
from kiosk.errors import StoreBusy, StoreError, StoreFull, StoreUnusable
from kiosk.model import Identity, PartialDate, Sex
from kiosk.store import Store, make_engine, read_or_make_key
from kiosk.tables import UtcDateTime, metadata, setting
from tests.kiosk.world import capped

CANARY = ("Cà Nà Ry Độc Nhất", "099185991199", "Ấp Chim Hoàng Yến 4711")


def put(name: str, value: object):
    return lambda c: records.put_setting(c, name, value)


def value_of(name: str):
    return lambda c: records.get_setting(c, name)


def test_the_key_is_made_once_and_only_for_its_owner(tmp_path):
    key = read_or_make_key(tmp_path)
    assert len(key) == 32 and read_or_make_key(tmp_path) == key
    assert (tmp_path / "store.key").stat().st_mode & 0o777 == 0o600


def test_a_key_that_others_can_read_is_refused(tmp_path):
    read_or_make_key(tmp_path)
    (tmp_path / "store.key").chmod(0o640)
    with pytest.raises(StoreUnusable, match="0600"):
        read_or_make_key(tmp_path)


@pytest.mark.parametrize("text", ["", "zz" * 32, "ab" * 31, "ab" * 33])
def test_a_malformed_key_is_refused_and_not_repeated(tmp_path, text):
    (tmp_path / "store.key").touch(mode=0o600)
    (tmp_path / "store.key").write_text(text)
    with pytest.raises(StoreUnusable) as refused:
        read_or_make_key(tmp_path)
    assert not text or text not in str(refused.value)


def test_a_lost_key_is_never_replaced_beside_a_store(tmp_path, store):
    (tmp_path / "store.key").unlink()
    with pytest.raises(StoreUnusable, match="missing"):
        read_or_make_key(tmp_path)
    assert not (tmp_path / "store.key").exists()


def test_a_credential_is_used_and_never_made(tmp_path):
    with pytest.raises(StoreUnusable):
        read_or_make_key(tmp_path, tmp_path / "credential")
    (tmp_path / "credential").write_text("ab" * 32)
    assert read_or_make_key(tmp_path, tmp_path / "credential") == bytes.fromhex("ab" * 32)
    assert not (tmp_path / "store.key").exists()


def test_another_key_opens_nothing(tmp_path):
    Store(tmp_path, b"\x01" * 32).close()
    with pytest.raises(StoreUnusable):
        Store(tmp_path, b"\x02" * 32)
    Store(tmp_path, b"\x01" * 32).close()


def test_one_process_at_a_time(tmp_path):
    first = Store(tmp_path, read_or_make_key(tmp_path))
    with pytest.raises(StoreBusy):
        Store(tmp_path, read_or_make_key(tmp_path))
    first.close()
    Store(tmp_path, read_or_make_key(tmp_path)).close()


PROMISE = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1, "temp_store": 2}


async def test_the_settings_that_the_promise_rests_on_hold_on_every_connection(store):
    def pragmas(connection: sa.Connection) -> dict[str, object]:
        return {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in PROMISE}

    assert await store.run(pragmas) == PROMISE
    assert await store.read(pragmas) == PROMISE


def test_a_build_that_does_not_keep_a_setting_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "_PRAGMAS", (("synchronous", "NORMAL", 2),))
    with pytest.raises(StoreUnusable, match="synchronous"):
        Store(tmp_path, b"\x01" * 32)


async def test_a_transaction_is_whole_or_not_at_all(store):
    def half(connection: sa.Connection) -> None:
        records.put_setting(connection, "a", 1)
        connection.exec_driver_sql("CREATE TABLE half (x)")
        raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError):
        await store.run(half)
    assert await store.read(value_of("a")) is None
    names = await store.read(lambda c: set(c.execute(sa.text("SELECT name FROM sqlite_master")).scalars()))
    assert "half" not in names


async def test_errors_of_the_database_stay_inside_with_what_they_quote(store):
    def twice(connection: sa.Connection) -> None:
        for _ in range(2):
            connection.execute(setting.insert().values(name=CANARY[1], value=CANARY[0]))

    with pytest.raises(StoreError) as refused:
        await store.run(twice)
    told = "".join(traceback.format_exception(refused.value))
    assert CANARY[0] not in told and CANARY[1] not in told
    assert refused.value.code == "STORE_ERROR"


async def test_readers_see_whole_transactions_and_write_nothing(store):
    await store.run(put("a", 1))
    started, may_end = threading.Event(), threading.Event()

    def slow(connection: sa.Connection) -> None:
        records.put_setting(connection, "a", 2)
        started.set()
        assert may_end.wait(10)

    writing = asyncio.create_task(store.run(slow))
    await asyncio.to_thread(started.wait, 10)
    assert await store.read(value_of("a")) == 1
    may_end.set()
    await writing
    assert await store.read(value_of("a")) == 2
    with pytest.raises(StoreError):
        await store.read(put("a", 3))
    assert await store.read(value_of("a")) == 2


async def test_a_caller_who_leaves_does_not_undo_the_transaction(store):
    started, may_end = threading.Event(), threading.Event()

    def slow(connection: sa.Connection) -> None:
        started.set()
        assert may_end.wait(10)
        records.put_setting(connection, "kept", True)

    writing = asyncio.create_task(store.run(slow))
    await asyncio.to_thread(started.wait, 10)
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    may_end.set()
    await store.run(lambda c: None)
    assert await store.read(value_of("kept")) is True


async def test_a_full_disk_refuses_whole_and_the_store_recovers_by_itself(store):
    await store.run(put("before", 1))
    with capped(store):
        with pytest.raises(StoreFull) as refused:
            await store.run(put("big", "x" * 500_000))
        assert refused.value.code == "STORE_FULL"
        assert await store.read(value_of("big")) is None
        assert await store.read(value_of("before")) == 1
    await store.run(put("big", "x" * 500_000))
    assert len(await store.read(value_of("big"))) == 500_000


async def test_nothing_of_a_person_is_readable_on_the_disk(tmp_path, monkeypatch):
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setenv("SQLITE_TMPDIR", str(temporary))
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    (tmp_path / "data").mkdir()
    opened = Store(tmp_path / "data", read_or_make_key(tmp_path / "data"))
    person = Identity(CANARY[1], None, CANARY[0], PartialDate(1985, 2, 3), Sex.FEMALE, CANARY[2])

    def write(connection: sa.Connection) -> None:
        for number in range(50):
            records.insert(
                connection,
                checkin_id=f"id-{number}",
                station="kiosk-1",
                happened_at=datetime.now(UTC),
                person_key="k",
                document_kind="CCCD_QR",
                method="QR_CCCD",
                lane="self",
                carrier="unknown",
                holder_check="none",
                warnings=(),
                identity=person,
                key_kind="PERSONAL_12",
                key_number=CANARY[1],
            )
        connection.exec_driver_sql("CREATE TEMP TABLE sorted AS SELECT * FROM checkin ORDER BY identity DESC")

    await opened.run(write)
    assert (await opened.read(lambda c: records.get(c, "id-0"))).identity == person
    assert (tmp_path / "data" / "kiosk.db-wal").stat().st_size > 0
    assert _found(tmp_path, CANARY) == []
    await opened.run(lambda c: c.exec_driver_sql("DELETE FROM checkin"))
    opened.close()
    assert _found(tmp_path, CANARY) == []
    (tmp_path / "data" / "plain").write_text("|".join(CANARY))
    assert len(_found(tmp_path, CANARY)) == 3, "the search itself must be able to find something"


def _found(folder: Path, words: tuple[str, ...]) -> list[tuple[str, str]]:
    needles = [(word, word.encode(codec)) for word in words for codec in ("utf-8", "utf-16-le")]
    hits = []
    for path in folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            hits += [(path.name, word) for word, needle in needles if needle in content]
    return hits


KILLER = """
    import os, sys
    from pathlib import Path
    import sqlalchemy as sa
    from kiosk.store import Store
    left = int(sys.argv[2])

    @sa.event.listens_for(sa.engine.Engine, "after_cursor_execute")
    def count(*_):
        global left
        left -= 1
        if left == 0:
            os._exit(9)

    Store(Path(sys.argv[1]), b"\\x01" * 32)
    print("opened")
"""


@pytest.mark.parametrize("statements", [9, 17])
async def test_a_kill_in_the_middle_of_the_migration_leaves_the_old_schema(tmp_path, statements):
    command = [sys.executable, "-c", textwrap.dedent(KILLER), str(tmp_path), str(statements)]
    killed = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert killed.returncode == 9 and "opened" not in killed.stdout
    engine = make_engine(tmp_path / "kiosk.db", b"\x01" * 32)
    assert sa.inspect(engine).get_table_names() == []
    engine.dispose()
    opened = Store(tmp_path, b"\x01" * 32)
    await opened.run(put("a", 1))
    tables = await opened.read(lambda c: set(sa.inspect(c).get_table_names()))
    assert tables == {*metadata.tables, "alembic_version"}
    opened.close()


async def test_the_migrations_make_exactly_the_tables_of_the_code(store):
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    def differences(connection: sa.Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(connection), metadata))

    assert await store.read(differences) == []


async def test_the_audit_can_only_grow(store):
    await store.run(lambda c: records.add_audit(c, datetime.now(UTC), "an", "note", "id", {}))
    for statement in ("UPDATE audit SET who = 'x'", "DELETE FROM audit"):
        with pytest.raises(StoreError):
            await store.run(lambda c, sql=statement: c.exec_driver_sql(sql))
    assert [entry["who"] for entry in await store.read(lambda c: records.audits_of(c, ["id"])["id"])] == ["an"]


ZONES = st.sampled_from([UTC, timezone(timedelta(hours=7))])


@given(st.datetimes(min_value=datetime(1800, 1, 1), max_value=datetime(2300, 1, 1), timezones=ZONES))
def test_times_come_back_to_the_microsecond(moment):
    column = UtcDateTime()
    kept = column.process_bind_param(moment, None)
    assert column.process_result_value(kept, None) == moment


def test_a_time_without_offset_is_refused():
    with pytest.raises(ValueError, match="offset"):
        UtcDateTime().process_bind_param(datetime(2026, 1, 1), None)
