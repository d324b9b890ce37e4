"""The hub's database: durable settings, migrations, both kinds (architecture.md 4 and 5)."""

import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta, timezone

import pytest
import sqlalchemy as sa

import province.access_tables
import province.federation_tables
import province.findings_tables
import province.month_tables
import province.rollup_table
import province.rule_tables
import province.simulate_tables
import province.upload_tables  # noqa: F401  (their tables belong to the comparison)
from province.facilities import RegistryError, load_packaged, load_registry, read_registry
from province.store import Store, StoreUnusable
from province.tables import facility, metadata, station


def test_a_first_start_has_the_packaged_registry(database_url: str) -> None:
    store = Store(database_url)
    load_packaged(store)
    load_packaged(store)
    with store.read() as connection:
        registry = read_registry(connection)
    assert len(registry.facilities) == 95
    assert all(len(unit.versions) == 2 for unit in registry.facilities.values())
    assert registry.version.startswith("1-")
    store.close()


def test_the_migrations_make_the_tables_of_the_code(store: Store) -> None:
    with store.read() as connection:
        found = sa.inspect(connection)
        for table in metadata.sorted_tables:
            columns = {column["name"]: column for column in found.get_columns(table.name)}
            assert set(columns) == {column.name for column in table.columns}
            assert {name for name, column in columns.items() if not column["nullable"]} == {
                column.name for column in table.columns if not column.nullable
            }
            assert found.get_pk_constraint(table.name)["constrained_columns"] == [
                column.name for column in table.primary_key
            ]
            assert {index["name"] for index in found.get_indexes(table.name)} == {
                str(index.name) for index in table.indexes
            }


def test_sqlite_is_durable(tmp_path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'p.db'}")
    with store.read() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
    store.close()


def test_a_database_that_cannot_keep_the_promise_is_refused() -> None:
    with pytest.raises(StoreUnusable, match="journal_mode"):
        Store("sqlite://")
    with pytest.raises(StoreUnusable, match="must start with"):
        Store("mysql://localhost/x")


def test_a_failed_transaction_leaves_nothing(store: Store) -> None:
    with pytest.raises(RegistryError, match="line 2"):
        load_registry(
            store,
            "ma_cskcb,name_vi,tier,type,district_code,district_name,commune_code,commune_name,province_code\n"
            "93990,Mẫu,ban_dau,x,935,V,31441,X,92\n",
            "ma_cskcb,version,valid_from,valid_to,name_vi,province_code,province_name,commune_code,commune_name\n"
            "93990,1,2026-13-01,,Mẫu,92,C,31441,X\n",
        )
    with store.read() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(facility)) == 95


@pytest.mark.parametrize(("text", "words"), [("a,b\n1,2\n", "missing columns"), ("", "missing columns")])
def test_a_wrong_registry_file_is_refused_with_words(store: Store, text: str, words: str) -> None:
    with pytest.raises(RegistryError, match=words):
        load_registry(store, text, None)


def test_times_keep_their_moment_and_come_back_in_utc(store: Store) -> None:
    moment = datetime(2026, 3, 2, 8, 0, 0, 123456, tzinfo=timezone(timedelta(hours=7)))
    with store.write() as connection:
        connection.execute(
            sa.insert(station).values(facility="93002", station="s", heard_at=moment, clock_suspect=False)
        )
    with store.read() as connection:
        heard_at = connection.scalar(sa.select(station.c.heard_at))
    assert heard_at == moment and heard_at.tzinfo is UTC
    with pytest.raises(sa.exc.StatementError, match="offset"), store.write() as connection:
        connection.execute(sa.update(station).values(heard_at=moment.replace(tzinfo=None)))


def test_a_kill_during_the_first_start_does_no_harm(database_url: str) -> None:
    program = (
        "import sys; from province.store import Store; from province.facilities import load_packaged;"
        "print('go', flush=True); load_packaged(Store(sys.argv[1]))"
    )
    for attempt in range(6):
        with subprocess.Popen([sys.executable, "-c", program, database_url], stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            try:
                process.wait(0.02 + 0.03 * attempt)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
    store = Store(database_url)
    load_packaged(store)
    assert store.problem() is None
    with store.read() as connection:
        assert len(read_registry(connection).facilities) == 95
    store.close()


def test_readyz_tells_what_is_wrong(hub) -> None:
    with hub.store.write() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '0000'"))
    answer = hub.http.get("/readyz")
    assert (answer.status_code, answer.json()["reasons"]) == (503, ["migrations_pending"])


def test_a_database_that_is_gone_is_said_and_survived(kind: str, hub) -> None:
    if kind == "sqlite":
        with hub.store.write() as connection:
            connection.execute(sa.text("ALTER TABLE station_key RENAME TO gone"))
        answer = hub.http.post("/api/v1/events", content=b"{}", headers={"Signature": SIGNATURE})
        assert (answer.status_code, answer.json()["error"]) == (503, "database_unavailable")
        assert int(answer.headers["Retry-After"]) > 0
        with hub.store.write() as connection:
            connection.execute(sa.text("ALTER TABLE gone RENAME TO station_key"))
    else:
        with hub.store.read() as connection:
            connection.execute(sa.text("SELECT 1"))
        with hub.store.write() as connection:
            connection.execute(
                sa.text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            )
    deadline = time.monotonic() + 10
    while hub.http.get("/readyz").status_code != 200:
        assert time.monotonic() < deadline
    assert hub.station().send() == {"accepted": 0, "duplicates": 0, "rejected": []}


SIGNATURE = f'keyId="k",algorithm="ed25519",signature="{"A" * 86}=="'
