"""A live GNU Health on PostgreSQL, in processes of its own; what stands in it is read from the database itself.

Installing takes under a minute and setting up the database as long; both are kept in .venv-gnuhealth, so that later
runs start in some seconds.
"""

import base64
import fcntl
import hashlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import psycopg
from psycopg.rows import dict_row

ROOT = Path(__file__).resolve().parent.parent.parent
HOME = ROOT / ".venv-gnuhealth"
POSTGRES = Path("/usr/lib/postgresql/15/bin")
DATABASE = "gnuhealth"
MODULES = ("ir", "res", "party", "country", "currency", "company", "product", "health")
ADMIN_PASSWORD = "quan-tri-thu-nghiem"
USER, PASSWORD = "kiosk", "mat-khau-quay-thu"
STRANGER = "nobody-special"
INSTITUTION, EMPTY_INSTITUTION, INSURER = "99001", "99002", "BHXH-VN"
SPECIALTIES = ("CARDIO", "GASTRO", "PEDIATRICS")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def postgres() -> Iterator[str]:
    """A PostgreSQL server; its URL without a database."""
    folder = Path(tempfile.mkdtemp(prefix="gnuhealth-pg-"))
    as_postgres: list[str] = []
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
        as_postgres = ["runuser", "-u", "postgres", "--"]
    port = free_port()

    def call(*words: str) -> None:
        subprocess.run([*as_postgres, *words], check=True, stdout=subprocess.DEVNULL, cwd="/")

    data = str(folder / "d")
    call(str(POSTGRES / "initdb"), "-D", data, "-U", "postgres", "-A", "trust", "--locale=C.UTF-8", "-E", "UTF8")
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off"
    call(str(POSTGRES / "pg_ctl"), "-D", data, "-l", str(folder / "log"), "-o", options, "-w", "start")
    try:
        yield f"postgresql://postgres@127.0.0.1:{port}"
    finally:
        call(str(POSTGRES / "pg_ctl"), "-D", data, "-m", "immediate", "-w", "stop")
        shutil.rmtree(folder)


class GnuHealth:
    """A running server: where it is, what its database holds, and its own calls as its administrator."""

    def __init__(self, url: str, database_url: str) -> None:
        self.url = url
        self._http = httpx.Client(trust_env=False, timeout=60)
        self.database = psycopg.connect(database_url, autocommit=True, row_factory=dict_row)
        self._authorization = ""
        self._last_party = 0

    def close(self) -> None:
        self._http.close()
        self.database.close()

    def login(self) -> None:
        uid, key = self._post("common.db.login", ["admin", {"password": ADMIN_PASSWORD}])
        self._authorization = "Session " + base64.b64encode(f"admin:{uid}:{key}".encode()).decode()

    def call(self, method: str, *params: Any) -> Any:
        """What the method of a model gives back, asked by the administrator."""
        return self._post(f"model.{method}", [*params, {}])

    def _post(self, method: str, params: list[Any]) -> Any:
        answer = self._http.post(
            f"{self.url}/{DATABASE}/",
            json={"id": 1, "method": method, "params": params},
            headers={"authorization": self._authorization} if self._authorization else {},
        )
        said = answer.raise_for_status().json()
        assert "result" in said, said
        return said["result"]

    def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        """What the database answers."""
        return self.database.execute(query, values).fetchall()

    def furnish(self) -> None:
        """An account as a kiosk has it, one without any right, an institution with specialties, the insurer."""
        [desk] = self.call("res.group.search", [["name", "=", "Health Front Desk"]], 0, 1, None)
        accounts: list[dict[str, Any]] = [
            {"name": "Kiosk", "login": USER, "password": PASSWORD, "groups": [["add", [desk]]]},
            {"name": "Nobody", "login": STRANGER, "password": PASSWORD},
        ]
        self.call("res.user.create", accounts)
        rounding = {"__class__": "Decimal", "decimal": "1"}
        dong = {"name": "Đồng", "code": "VND", "symbol": "đ", "rounding": rounding, "digits": 0}
        [currency] = self.call("currency.currency.create", [dong])
        place = {"name": "Trạm Y tế Thí Dụ", "is_institution": True, "is_person": False, "ref": "NP-99001"}
        insurer = {"name": "Bảo hiểm xã hội", "is_insurance_company": True, "is_person": False, "ref": INSURER}
        [party] = self.call("party.party.create", [place])
        [empty_house] = self.call("party.party.create", [place | {"name": "Nhà trống", "ref": "NP-99002"}])
        [self.insurer] = self.call("party.party.create", [insurer])
        self.call("company.company.create", [{"party": party, "currency": currency}])
        kind = {"institution_type": "primary_care", "public_level": "public"}
        [self.institution] = self.call("gnuhealth.institution.create", [{"party": party, "code": INSTITUTION} | kind])
        self.call("gnuhealth.institution.create", [{"party": empty_house, "code": EMPTY_INSTITUTION} | kind])
        offered = self.call("gnuhealth.specialty.search", [["code", "in", list(SPECIALTIES)]], 0, None, None)
        assert len(offered) == len(SPECIALTIES)
        values = [{"institution": self.institution, "specialty": specialty} for specialty in offered]
        self.call("gnuhealth.institution.specialties.create", values)
        [[self._last_party]] = [row.values() for row in self.rows("SELECT max(id) FROM party_party")]

    def empty(self) -> None:
        """Forget all people and their visits."""
        for table in ("gnuhealth_appointment", "gnuhealth_patient", "gnuhealth_insurance"):
            self.database.execute(f"DELETE FROM {table}")
        for table in ("gnuhealth_person_name", "gnuhealth_person_alternative_identification", "party_address"):
            self.database.execute(f"DELETE FROM {table} WHERE party > %s", (self._last_party,))
        self.database.execute("DELETE FROM party_party WHERE id > %s", (self._last_party,))

    def forget_sessions(self) -> None:
        """As after the administrator's hand or the end of their time: nobody is logged in."""
        self.database.execute("DELETE FROM ir_session WHERE create_uid <> 1")


@contextmanager
def gnuhealth() -> Iterator[GnuHealth]:
    """A server of the pinned versions, furnished, with nobody in it."""
    subprocess.run([str(ROOT / "scripts/setup-gnuhealth")], check=True)
    with ExitStack() as stack:
        database_server = stack.enter_context(postgres())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gnuhealth-")))
        port = free_port()
        config = folder / "trytond.conf"
        config.write_text(f"[database]\nuri = {database_server}/\n[web]\nlisten = 127.0.0.1:{port}\n")
        _make_database(database_server, config, folder)
        log = stack.enter_context((folder / "log").open("wb"))
        command = [str(HOME / "bin/trytond"), "-c", str(config), "-d", DATABASE]
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)
        stack.callback(_stop, process)
        server = GnuHealth(f"http://127.0.0.1:{port}", f"{database_server}/{DATABASE}")
        stack.callback(server.close)
        deadline = time.monotonic() + 90
        while True:
            try:
                server.login()
                break
            except httpx.TransportError:
                assert process.poll() is None and time.monotonic() < deadline, (folder / "log").read_text()[-2000:]
                time.sleep(0.1)
        server.furnish()
        yield server


def _make_database(database_server: str, config: Path, folder: Path) -> None:
    """The database right after the modules were set up: from the copy of an earlier run, or set up and copied."""
    with psycopg.connect(f"{database_server}/postgres", autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {DATABASE}")
    pins = hashlib.sha256((ROOT / "tests/peers/gnuhealth-constraints.txt").read_bytes()).hexdigest()[:16]
    copy = HOME / f"initialised-{pins}.dump"
    with (HOME / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if copy.exists():
            subprocess.run([POSTGRES / "pg_restore", "-d", f"{database_server}/{DATABASE}", copy], check=True)
            return
        (folder / "password").write_text(ADMIN_PASSWORD)
        command = [HOME / "bin/trytond-admin", "-c", config, "-d", DATABASE, "--all", "-u", *MODULES]
        command += ["--activate-dependencies", "--email", "a@example.org"]
        environment = os.environ | {"TRYTONPASSFILE": str(folder / "password")}
        with (folder / "init.log").open("wb") as log:
            subprocess.run(command, check=True, env=environment, stdout=log, stderr=log, cwd=folder)
        fresh = copy.with_suffix(".new")
        subprocess.run([POSTGRES / "pg_dump", "-Fc", "-f", fresh, f"{database_server}/{DATABASE}"], check=True)
        fresh.rename(copy)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
