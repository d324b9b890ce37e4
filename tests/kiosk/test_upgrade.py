"""The schema is brought up to date beside the daemon, which never loads the tools for it."""

import subprocess
import sys
import textwrap

import pytest
import sqlalchemy as sa
from alembic.config import Config
from alembic.script import ScriptDirectory

from kiosk import migrations
from kiosk.errors import StoreUnusable
from kiosk.store import Store, make_engine

KEY = b"\x01" * 32

UPGRADE = """
    import sys
    from pathlib import Path
    from kiosk.store import Store
    from kiosk.upgrade import upgrade_apart

    data, key = Path(sys.argv[1]), b"\\x01" * 32
    upgrade_apart(data, key)
    assert "alembic" not in sys.modules and "mako" not in sys.modules
    if "open" in sys.argv:
        Store(data, key).close()
        print("alembic" in sys.modules)
"""


def upgrade(data, *more: str) -> str:
    command = [sys.executable, "-c", textwrap.dedent(UPGRADE), str(data), *more]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert "Traceback" not in done.stderr
    return done.stdout.strip()


def tables(data) -> set[str]:
    engine = make_engine(data / "kiosk.db", KEY)
    try:
        return set(sa.inspect(engine).get_table_names())
    finally:
        engine.dispose()


def turn_back(data, revision: str) -> None:
    engine = make_engine(data / "kiosk.db", KEY)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = :it"), {"it": revision})
    engine.dispose()


def test_the_newest_revision_is_the_head_of_the_history():
    config = Config()
    config.set_main_option("script_location", "kiosk:migrations")
    assert ScriptDirectory.from_config(config).get_heads() == [migrations.newest()]


def test_a_new_store_is_made_apart_and_then_opened_without_the_tools(tmp_path):
    assert upgrade(tmp_path, "open") == "False"
    assert {"checkin", "outbox", "event"} <= tables(tmp_path)


def test_an_older_store_is_upgraded_apart(tmp_path):
    Store(tmp_path, KEY).close()
    complete = tables(tmp_path)
    engine = make_engine(tmp_path / "kiosk.db", KEY)
    with engine.begin() as connection:
        for table in complete:
            connection.execute(sa.text(f"DROP TABLE {table}"))
    engine.dispose()
    assert upgrade(tmp_path, "open") == "False"
    assert tables(tmp_path) == complete


def test_a_store_that_cannot_be_upgraded_is_left_for_the_daemon_to_refuse(tmp_path):
    Store(tmp_path, KEY).close()
    turn_back(tmp_path, "9999")
    upgrade(tmp_path)
    with pytest.raises(StoreUnusable, match="newer version"):
        Store(tmp_path, KEY)


def test_a_store_with_another_key_is_left_for_the_daemon_to_refuse(tmp_path):
    Store(tmp_path, b"\x02" * 32).close()
    before = (tmp_path / "kiosk.db").read_bytes()
    upgrade(tmp_path)
    assert (tmp_path / "kiosk.db").read_bytes() == before
