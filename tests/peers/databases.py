"""Real database servers of our own, for as long as a test needs them: PostgreSQL and MariaDB on free ports."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_BIN = Path("/usr/lib/postgresql/15/bin")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def postgresql() -> Iterator[int]:
    """A PostgreSQL server that trusts ``postgres``; gives its port."""
    folder = Path(tempfile.mkdtemp(prefix="site-pg-"))
    as_postgres: list[str] = []
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
        as_postgres = ["runuser", "-u", "postgres", "--"]

    def call(*words: str) -> None:
        subprocess.run([*as_postgres, *words], check=True, stdout=subprocess.DEVNULL, cwd="/")

    port, data = free_port(), str(folder / "d")
    call(str(_BIN / "initdb"), "-D", data, "-U", "postgres", "-A", "trust", "--locale=C.UTF-8", "-E", "UTF8")
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off"
    call(str(_BIN / "pg_ctl"), "-D", data, "-l", str(folder / "log"), "-o", options, "-w", "start")
    try:
        yield port
    finally:
        call(str(_BIN / "pg_ctl"), "-D", data, "-m", "immediate", "-w", "stop")
        shutil.rmtree(folder)


@contextmanager
def mariadb() -> Iterator[int]:
    """A MariaDB server that asks nobody for a password; gives its port."""
    folder = Path(tempfile.mkdtemp(prefix="site-maria-"))
    port = free_port()
    words = [
        "/usr/sbin/mariadbd",
        "--no-defaults",
        "--skip-grant-tables",
        "--skip-networking=0",
        f"--datadir={folder}",
        f"--port={port}",
        "--bind-address=127.0.0.1",
        f"--socket={folder}/s",
        f"--pid-file={folder}/pid",
        "--innodb-flush-log-at-trx-commit=0",
    ]
    if os.geteuid() == 0:
        words.append("--user=root")
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(words, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 30
        while not _answers(port):
            assert server.poll() is None and time.monotonic() < deadline, (folder / "log").read_text("utf-8")
            time.sleep(0.05)
        yield port
    finally:
        server.terminate()
        server.wait(20)
        shutil.rmtree(folder)


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as line:
            return bool(line.recv(1))
    except OSError:
        return False
