"""A kill in the middle of a migration leaves the old schema whole (architecture, section 4)."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import books
import pytest

from kiosk.store import Store, make_engine, read_or_make_key

pytestmark = pytest.mark.chaos

_VICTIM = Path(__file__).with_name("migration_victim.py")
_SCHEMA = "SELECT type, name, sql FROM sqlite_master ORDER BY type, name"


def _schema(data: Path) -> list[tuple[str, ...]]:
    engine = make_engine(data / "kiosk.db", read_or_make_key(data))
    try:
        with engine.begin() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(_SCHEMA)]
    finally:
        engine.dispose()


def _start(data: Path) -> None:
    Store(data, read_or_make_key(data)).close()


@pytest.fixture(scope="module")
def complete(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, ...]]:
    """The schema of a store that started undisturbed."""
    data = tmp_path_factory.mktemp("undisturbed")
    _start(data)
    schema = _schema(data)
    assert {"checkin", "outbox", "event", "alembic_version"} <= {name for kind, name, _ in schema if kind == "table"}
    return schema


@pytest.mark.parametrize("statement", [1, 2, 5, 11, 17, 0])
def test_the_next_start_completes_the_schema(tmp_path: Path, complete: list[tuple[str, ...]], statement: int) -> None:
    victim = subprocess.run([sys.executable, str(_VICTIM), str(tmp_path), str(statement)], check=False)
    assert victim.returncode == -signal.SIGKILL
    assert _schema(tmp_path) == []

    _start(tmp_path)

    assert _schema(tmp_path) == complete
    engine = make_engine(tmp_path / "kiosk.db", read_or_make_key(tmp_path))
    assert books.damage(engine) == []
    engine.dispose()
