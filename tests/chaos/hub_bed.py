"""A PostgreSQL server and hub processes that can be killed with signal 9 and started again.

The server keeps its promises (fsync, synchronous commits), as the one of a real province does.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import psycopg

_BIN = Path("/usr/lib/postgresql/15/bin")
_PATIENCE = 60.0


def free_port() -> int:
    """A port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Cluster:
    """A PostgreSQL server of its own."""

    def __init__(self, folder: Path) -> None:
        """Make it in *folder*, which the server's account must be able to write; `start()` it then."""
        self._folder = folder
        self._data = folder / "data"
        self._port = free_port()
        self._call("initdb", "-U", "postgres", "-A", "trust", "--locale=C.UTF-8", "-E", "UTF8", "--no-sync")

    def start(self) -> None:
        """Start it, or start it again after a kill; it accepts connections when this returns."""
        options = f"-p {self._port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self._folder}"
        self._call("pg_ctl", "-l", str(self._folder / "log"), "-o", options, "-w", "start")

    def kill(self) -> None:
        """Kill -9 the postmaster and all it started; gone when this returns."""
        postmaster = psutil.Process(int((self._data / "postmaster.pid").read_text().splitlines()[0]))
        family = [postmaster, *postmaster.children(recursive=True)]
        for process in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        _, alive = psutil.wait_procs(family, timeout=_PATIENCE)
        assert not alive

    def stop(self) -> None:
        """End it, quickly."""
        self._call("pg_ctl", "-m", "immediate", "-w", "stop")

    def new_database(self) -> str:
        """The URL of a new, empty database."""
        name = f"t{uuid.uuid4().hex}"
        server = f"postgresql://postgres@127.0.0.1:{self._port}"
        with psycopg.connect(f"{server}/postgres", autocommit=True) as admin:
            admin.execute(f"CREATE DATABASE {name}")
        return f"{server}/{name}"

    def _call(self, program: str, *words: str) -> None:
        account = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        command = [*account, str(_BIN / program), "-D", str(self._data), *words]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd="/")


@contextmanager
def own_cluster() -> Iterator[Cluster]:
    """A running server; it and its files are gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="hub-chaos-"))
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
    try:
        cluster = Cluster(folder)
        cluster.start()
        try:
            yield cluster
        finally:
            cluster.stop()
    finally:
        shutil.rmtree(folder)


class HubProcess:
    """`provincectl run` as a process of its own, always on the same port."""

    def __init__(self, database: str, folder: Path) -> None:
        """*folder*: the data folder, where the hub's key is; hubs of one province share it."""
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self._log = folder / f"hub-{self._port}.log"
        self._command = [sys.executable, "-m", "province", "--database", database, "--data", str(folder)]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; `wait()` tells when it serves."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen([*self._command, "run", "--port", str(self._port)], stderr=log)

    def wait(self) -> None:
        """Return when it is ready. AssertionError when it ends or takes too long."""
        deadline = time.monotonic() + _PATIENCE
        while True:
            assert self._process is not None and self._process.poll() is None, self._log.read_text()[-2000:]
            assert time.monotonic() < deadline, "the hub does not become ready"
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(f"{self.url}/readyz").status_code == 200:
                    return
            time.sleep(0.02)

    def kill(self) -> None:
        """Kill -9; gone when this returns."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@contextmanager
def running_hubs(database: str, folder: Path, number: int) -> Iterator[list[HubProcess]]:
    """So many hub processes behind one database, all of them ready."""
    hubs = [HubProcess(database, folder) for _ in range(number)]
    try:
        for hub in hubs:
            hub.start()
        for hub in hubs:
            hub.wait()
        yield hubs
    finally:
        for hub in hubs:
            hub.kill()
