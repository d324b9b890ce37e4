"""The hub's database: one code for SQLite (the default) and PostgreSQL.

SQLite runs in WAL mode with `synchronous=FULL`, set and read back on every connection; without them a commit would not
be the promise that an acknowledgement makes (architecture.md 4 and 5, components.md 4).
"""

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from importlib import resources
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from province.rebuild import rebuild

_PRAGMAS = (("journal_mode", "WAL", "wal"), ("synchronous", "FULL", 2), ("foreign_keys", "ON", 1))
_BUSY_SECONDS = 30
_MIGRATION_LOCK = 0x62687974
_WITHOUT_SUMS = ("0001", "0002")


class StoreUnusable(Exception):
    """The database cannot keep the hub's promises, or its URL is of no supported kind."""


class Store:
    """Transactions on the hub's database. Thread-safe; `close()` ends its connections."""

    def __init__(self, url: str) -> None:
        """Open (and migrate) the database at `url`: `sqlite:///path` or `postgresql://...`.

        Raises StoreUnusable for another kind of URL or an SQLite that refuses WAL or FULL, and SQLAlchemy's
        OperationalError when the database cannot be reached.
        """
        address = sa.make_url(url)
        # Threads of one process queue here in order; SQLite's own waiting is polling, and unfair.
        self._writer: AbstractContextManager[object] = nullcontext()
        self.is_sqlite = address.get_backend_name() == "sqlite"
        if self.is_sqlite:
            self._writer = threading.Lock()
            self._engine = sa.create_engine(address, connect_args={"timeout": _BUSY_SECONDS})
            sa.event.listen(self._engine, "connect", _prepare_sqlite)
            sa.event.listen(self._engine, "begin", _begin_sqlite)
        elif address.get_backend_name() == "postgresql":
            self._engine = sa.create_engine(address.set(drivername="postgresql+psycopg"), pool_pre_ping=True)
        else:
            raise StoreUnusable("the database URL must start with sqlite:/// or postgresql://")
        self._migrations = Config()
        self._migrations.set_main_option("script_location", str(resources.files("province") / "migrations"))
        self._head = ScriptDirectory.from_config(self._migrations).get_current_head()
        self._migrate()

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A transaction that sees one consistent state of the database."""
        isolation: dict[str, Any] = {} if self.is_sqlite else {"isolation_level": "REPEATABLE READ"}
        with self._engine.connect().execution_options(**isolation) as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """A transaction that is durable when the block has ended; an exception undoes it whole.

        SQLite takes its single write lock at the start (waiting up to 30 s), so that reading and then writing is safe.
        """
        with (
            self._writer,
            self._engine.connect().execution_options(hub_writes=True) as connection,
            connection.begin(),
        ):
            yield connection

    def lock_facility(self, connection: sa.Connection, code: str) -> None:
        """Let no other transaction write for this facility until this one ends."""
        if not self.is_sqlite:
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext(:code))"), {"code": f"facility {code}"})

    def problem(self) -> str | None:
        """Why the hub cannot serve (`database_unreachable`, `migrations_pending`), or None."""
        try:
            with self.read() as connection:
                current = MigrationContext.configure(connection).get_current_revision()
        except sa.exc.SQLAlchemyError:
            return "database_unreachable"
        return None if current == self._head else "migrations_pending"

    def close(self) -> None:
        """Close all pooled connections."""
        self._engine.dispose()

    def _migrate(self) -> None:
        # One transaction around all migrations: a kill in the middle leaves the old schema, never half of the new one.
        with self.write() as connection:
            if not self.is_sqlite:
                connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
            self._migrations.attributes["connection"] = connection
            before = MigrationContext.configure(connection).get_current_revision()
            command.upgrade(self._migrations, "head")
            if before in _WITHOUT_SUMS:
                rebuild(connection)


def open_store(database: str | None, data: Path) -> Store:
    """The store at the URL `database`, or the default SQLite file `province.db` in the folder `data` (made if missing).

    Raises what `Store` raises, and OSError when the folder cannot be made.
    """
    if database is None:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        database = f"sqlite:///{data / 'province.db'}"
    return Store(database)


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the driver's own BEGIN comes too late for DDL and for read-then-write
    for name, wanted, expected in _PRAGMAS:
        connection.execute(f"PRAGMA {name}={wanted}")
        if connection.execute(f"PRAGMA {name}").fetchone()[0] != expected:
            raise StoreUnusable(f"SQLite refused {name}={wanted}")


def _begin_sqlite(connection: sa.Connection) -> None:
    writes = connection.get_execution_options().get("hub_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
