"""What the hub's benchmarks stand on: a PostgreSQL server of their own, hub processes, enrolled stations.

The server keeps PostgreSQL's promises (fsync, synchronous commits); only its cache is larger than the packaged one.
"""

from __future__ import annotations

import base64
import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import psycopg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from province.enrolment import enrol, new_code
from province.store import Store

BIN = Path("/usr/lib/postgresql/15/bin")
_PATIENCE = 60.0


@dataclass(frozen=True)
class Station:
    """An enrolled station and what it signs with."""

    facility: str
    name: str
    key_id: str
    key: Ed25519PrivateKey


def free_port() -> int:
    """A port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def own_postgres() -> Iterator[str]:
    """A PostgreSQL server for this run; gives its URL without a database."""
    folder = Path(tempfile.mkdtemp(prefix="hub-bench-"))
    as_postgres: list[str] = []
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
        as_postgres = ["runuser", "-u", "postgres", "--"]
    port = free_port()

    def call(*words: str) -> None:
        subprocess.run([*as_postgres, *words], check=True, stdout=subprocess.DEVNULL, cwd="/")

    data = str(folder / "d")
    call(str(BIN / "initdb"), "-D", data, "-U", "postgres", "-A", "trust", "--locale=C.UTF-8", "-E", "UTF8")
    options = (
        f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} "
        "-c shared_buffers=256MB -c max_wal_size=4GB"
    )
    call(str(BIN / "pg_ctl"), "-D", data, "-l", str(folder / "log"), "-o", options, "-w", "start")
    try:
        yield f"postgresql://postgres@127.0.0.1:{port}"
    finally:
        call(str(BIN / "pg_ctl"), "-D", data, "-m", "immediate", "-w", "stop")
        shutil.rmtree(folder)


def new_database(server: str, name: str) -> str:
    """The URL of a new, empty database."""
    with psycopg.connect(f"{server}/postgres", autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
    return f"{server}/{name}"


@contextlib.contextmanager
def hubs(url: str, number: int) -> Iterator[list[int]]:
    """So many hub processes behind one database; gives their ports when all answer."""
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        ports = [free_port() for _ in range(number)]
        # One key for all of them, as behind one name in a real province.
        words = [sys.executable, "-m", "province", "--database", url, "--data", name, "run", "--port"]
        for port in ports:
            process = subprocess.Popen([*words, str(port)], stderr=subprocess.DEVNULL)
            stack.callback(process.wait)
            stack.callback(process.terminate)
            _wait_for(port)
        yield ports


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(f"http://127.0.0.1:{port}/readyz").status_code == 200:
                return
        time.sleep(0.05)
    raise TimeoutError("the hub does not answer")


def stations(store: Store, facilities: list[str], name: str = "kiosk-1") -> list[Station]:
    """One station enrolled at each facility."""
    return [_station(store, code, name) for code in facilities]


def _station(store: Store, code: str, name: str) -> Station:
    key = Ed25519PrivateKey.generate()
    raw = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    joined = enrol(store, new_code(store, code, name)["code"], base64.b64encode(raw).decode())
    return Station(code, name, joined["key_id"], key)


def days_before(number: int) -> datetime:
    """The time so many days ago (aware, UTC)."""
    return datetime.now(UTC) - timedelta(days=number)
