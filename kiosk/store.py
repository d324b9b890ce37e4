"""The local store: an encrypted SQLite file with one writer thread, and the promise that a commit survives a power cut.

``await store.run(fn)`` runs ``fn(connection)`` in one ``BEGIN IMMEDIATE`` transaction on the writer thread and returns
after the commit has been synced; ``await store.read(fn)`` runs beside it on a read-only snapshot. Settings that the
promise rests on (WAL, synchronous=FULL) are set and read back on every connection; a build that ignores them is
refused (architecture, section 4; faults-threats-speed.md 2).
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

import sqlalchemy as sa
import sqlcipher3.dbapi2 as sqlcipher
from sqlalchemy.pool import QueuePool

from kiosk import migrations
from kiosk.errors import StoreBusy, StoreError, StoreFull, StoreUnusable

T = TypeVar("T")

KEY_BYTES: Final = 32
_PRAGMAS: Final = (
    # name, value to set, value it must read back as
    ("journal_mode", "WAL", "wal"),
    ("synchronous", "FULL", 2),
    ("foreign_keys", "ON", 1),
    ("secure_delete", "ON", 1),
    ("temp_store", "MEMORY", 2),
    ("journal_size_limit", "8388608", 8388608),
)
_FULL_CODES: Final = ("SQLITE_FULL", "SQLITE_IOERR")
_BUSY_CODES: Final = ("SQLITE_BUSY", "SQLITE_LOCKED")
_BROKEN_CODES: Final = ("SQLITE_NOTADB", "SQLITE_CORRUPT", "SQLITE_CANTOPEN", "SQLITE_READONLY")


def read_or_make_key(data: Path, credential: Path | None = None) -> bytes:
    """The raw 32-byte key of the store: from *credential* (64 hex digits) or else from ``store.key`` in *data*.

    The file is made at the first start, mode 0600, and synced with its folder before anything is encrypted with it.
    StoreUnusable if the key is malformed, readable by others, or missing beside an existing store.
    """
    path = credential or data / "store.key"
    if not path.exists():
        if credential is not None or (data / "kiosk.db").exists():
            raise StoreUnusable(f"the store's key {path.name} is missing")
        write_durably(path, secrets.token_hex(KEY_BYTES))
    if credential is None and path.stat().st_mode & 0o077:
        raise StoreUnusable(f"{path.name} must be readable by its owner only (0600)")
    try:
        key = bytes.fromhex(path.read_text("ascii").strip())
    except ValueError as exc:
        raise StoreUnusable(f"{path.name} must hold {2 * KEY_BYTES} hex digits") from exc
    if len(key) != KEY_BYTES:
        raise StoreUnusable(f"{path.name} must hold {2 * KEY_BYTES} hex digits")
    return key


def write_durably(path: Path, text: str) -> None:
    """Whoever finds *path* finds it whole: a kill or a power cut in here leaves nothing of that name."""
    unfinished = path.with_name(path.name + ".new")
    unfinished.unlink(missing_ok=True)
    handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(handle, text.encode("ascii"))
        os.fsync(handle)
    finally:
        os.close(handle)
    unfinished.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextmanager
def translated() -> Iterator[None]:
    """Let only errors of our own tree out. SQL texts and parameters stay behind: they hold personal data."""
    try:
        yield
    except sa.exc.DBAPIError as exc:
        raise _translate(exc.orig) from None
    except sqlcipher.Error as exc:
        raise _translate(exc) from None


def _translate(error: BaseException | None) -> StoreError:
    name: str = getattr(error, "sqlite_errorname", "") or ""
    if name.startswith(_FULL_CODES):
        return StoreFull(f"the disk took nothing ({name})")
    if name.startswith(_BUSY_CODES):
        return StoreBusy(f"the store is in use ({name})")
    if name.startswith(_BROKEN_CODES):
        return StoreUnusable(f"the store cannot be read with this key ({name})")
    return StoreError(f"the store refused ({name or type(error).__name__})")


def _connect(path: Path, key: bytes) -> Any:
    with translated():
        raw = sqlcipher.connect(str(path), isolation_level=None, check_same_thread=False, timeout=5)
        try:
            raw.execute(f"PRAGMA key = \"x'{key.hex()}'\"")
            for name, value, expected in _PRAGMAS:
                raw.execute(f"PRAGMA {name} = {value}")
                if raw.execute(f"PRAGMA {name}").fetchone()[0] != expected:
                    raise StoreUnusable(f"this build of SQLite does not keep {name}={value}")
        except BaseException:
            raw.close()
            raise
        return raw


def make_engine(path: Path, key: bytes, *, read_only: bool = False, connections: int = 1) -> sa.Engine:
    """An engine on the encrypted file at *path*; every transaction begins explicitly, so that DDL rolls back too."""

    def creator() -> Any:
        raw = _connect(path, key)
        if read_only:
            raw.execute("PRAGMA query_only = ON")
        return raw

    engine = sa.create_engine(
        "sqlite://", module=sqlcipher, creator=creator, poolclass=QueuePool, pool_size=connections, max_overflow=0
    )
    begin = "BEGIN" if read_only else "BEGIN IMMEDIATE"

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def migrate(engine: sa.Engine) -> None:
    """Bring the schema to the newest version, all steps in one transaction: a kill leaves the old schema whole."""
    with translated(), engine.begin() as connection:
        migrations.upgrade(connection)


class Store:
    """The open store. Construction migrates the schema; one process at a time holds it (StoreBusy otherwise)."""

    def __init__(self, data: Path, key: bytes) -> None:
        """Open or create ``kiosk.db`` in the folder *data* with the raw 32-byte *key*."""
        self.path = data / "kiosk.db"
        self._lock = os.open(data / "kiosk.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._lock)
            raise StoreBusy("another process holds the data folder") from None
        try:
            self._engine = make_engine(self.path, key)
            migrate(self._engine)
            self.path.chmod(0o600)
            self._readers = make_engine(self.path, key, read_only=True, connections=2)
        except BaseException:
            os.close(self._lock)
            raise
        self._writer = ThreadPoolExecutor(1, "store-writer")
        self._reader = ThreadPoolExecutor(2, "store-reader")

    async def run(self, work: Callable[[sa.Connection], T]) -> T:
        """Run *work* in one write transaction and return after the synced commit.

        A StoreError means that nothing of it was done. A cancelled caller does not cancel the transaction.
        """
        return await asyncio.shield(asyncio.get_running_loop().run_in_executor(self._writer, self.run_now, work))

    def run_now(self, work: Callable[[sa.Connection], T]) -> T:
        """The same, on the calling thread; for start-up and tools that own the store alone."""
        with translated():
            try:
                with self._engine.begin() as connection:
                    return work(connection)
            except sa.exc.DBAPIError:
                # after a failed write or sync the connection's cache cannot be trusted; the next caller gets a new one
                self._engine.dispose()
                raise

    def run_from_thread(self, work: Callable[[sa.Connection], T]) -> T:
        """The same for other threads than the event loop's: through the one writer, waited for. StoreError too when
        the store is closing.
        """
        try:
            return self._writer.submit(self.run_now, work).result()
        except RuntimeError:
            raise StoreError("the store is closing") from None

    async def read(self, work: Callable[[sa.Connection], T]) -> T:
        """Run *work* on a consistent snapshot, beside the writer."""

        def snapshot() -> T:
            with translated(), self._readers.begin() as connection:
                return work(connection)

        return await asyncio.get_running_loop().run_in_executor(self._reader, snapshot)

    def close(self) -> None:
        """Finish what runs, close the files, free the folder."""
        self._writer.shutdown()
        self._reader.shutdown()
        self._readers.dispose()
        self._engine.dispose()
        os.close(self._lock)
