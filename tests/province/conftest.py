"""A real hub over HTTP on SQLite and on PostgreSQL, and stations that send it signed batches."""

import base64
import json
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import httpx
import psycopg
import pytest
from argon2 import PasswordHasher
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from kiosk import events
from province.access.accounts import add_account, open_session
from province.access.caller import Role
from province.access.keys import new_api_key
from province.app import create_app
from province.enrolment import new_code
from province.facilities import load_packaged
from province.guards import RateLimit
from province.server import make_server
from province.store import Store

BIN = Path("/usr/lib/postgresql/15/bin")
VN = timezone(timedelta(hours=7))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """A PostgreSQL server of our own; its URL without a database."""
    folder = Path(tempfile.mkdtemp(prefix="province-pg-"))
    as_postgres: list[str] = []
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
        as_postgres = ["runuser", "-u", "postgres", "--"]
    port = free_port()
    log = folder / "log"

    def call(*words: str) -> None:
        subprocess.run([*as_postgres, *words], check=True, stdout=subprocess.DEVNULL, cwd="/")

    call(
        str(BIN / "initdb"), "-D", str(folder / "d"), "-U", "postgres", "-A", "trust", "--locale=C.UTF-8", "-E", "UTF8"
    )
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off"
    call(str(BIN / "pg_ctl"), "-D", str(folder / "d"), "-l", str(log), "-o", options, "-w", "start")
    try:
        yield f"postgresql://postgres@127.0.0.1:{port}"
    finally:
        call(str(BIN / "pg_ctl"), "-D", str(folder / "d"), "-m", "immediate", "-w", "stop")
        shutil.rmtree(folder)


@pytest.fixture(autouse=True)
def quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords are hashed with little work; `test_access.py` looks at the real parameters."""
    monkeypatch.setattr("province.access.passwords._HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@pytest.fixture(params=["sqlite", "postgresql"])
def kind(request: pytest.FixtureRequest) -> str:
    """The kind of database; every test that uses one runs on both."""
    return str(request.param)


@contextmanager
def new_postgres_database(server: str, template: str = "template1") -> Iterator[str]:
    name = f"t{uuid.uuid4().hex}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        try:
            yield f"{server}/{name}"
        finally:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def database_url(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database."""
    if kind == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    with new_postgres_database(request.getfixturevalue("postgres")) as url:
        yield url


def fill(url: str) -> str:
    store = Store(url)
    load_packaged(store)
    store.close()
    return url


@pytest.fixture(scope="session")
def filled_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file right after the first start."""
    path = tmp_path_factory.mktemp("province") / "filled.db"
    fill(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def filled_postgres(postgres: str) -> Iterator[str]:
    """The name of a PostgreSQL database right after the first start."""
    with new_postgres_database(postgres) as url:
        yield fill(url).rpartition("/")[2]


@pytest.fixture
def store(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A store of its own right after the first start: migrated, with the packaged registry."""
    with ExitStack() as stack:
        if kind == "sqlite":
            url = f"sqlite:///{shutil.copy(request.getfixturevalue('filled_sqlite'), tmp_path / 'province.db')}"
        else:
            server = request.getfixturevalue("postgres")
            template = request.getfixturevalue("filled_postgres")
            url = stack.enter_context(new_postgres_database(server, template))
        opened = Store(url)
        stack.callback(opened.close)
        yield opened


class Station:
    """One enrolled station: makes events in order and sends them signed."""

    def __init__(self, hub: "Hub", facility: str, name: str) -> None:
        self.hub = hub
        self.facility = facility
        self.name = name
        self.epoch = events.new_event_id()
        self.seq = 0
        self.key = Ed25519PrivateKey.generate()
        code = new_code(hub.store, facility, name)["code"]
        raw = self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        answer = hub.http.post("/api/v1/enrol", json={"code": code, "public_key": base64.b64encode(raw).decode()})
        assert answer.status_code == 201, answer.text
        assert (answer.json()["facility"], answer.json()["station"]) == (facility, name)
        self.key_id = answer.json()["key_id"]

    def _common(self, at: datetime | None) -> dict[str, object]:
        self.seq += 1
        moment = at or datetime.now(UTC)
        return {"event_id": events.new_event_id(), "epoch": self.epoch, "seq": self.seq, "happened_at": moment}

    def lookup(self, at: datetime | None = None, **fields: object) -> dict[str, object]:
        values = {
            "checkin_id": events.new_event_id(),
            "key_kind": "PERSONAL_12",
            "method": "CHIP_CCCD",
            "lane": "self",
            "chip_verdict": "genuine",
            "issuer": "0123456789abcdef",
            "eligibility_class": "insured",
            "result_code": "000",
            "reached_gateway": True,
            "latency_ms": 800,
            "attempt": 1,
            "person_day": uuid.uuid4().hex[:16],
        }
        return events.lookup_event(**(self._common(at) | values | fields))  # type: ignore[arg-type]

    def visit(self, at: datetime | None = None, **fields: object) -> dict[str, object]:
        values = {
            "checkin_id": events.new_event_id(),
            "bhyt": True,
            "method": "CHIP_CCCD",
            "lane": "self",
            "not_by_chip": None,
            "person_day": None,
        }
        return events.visit_event(**(self._common(at) | values | fields))  # type: ignore[arg-type]

    def count(self, day: date, visits: int, *, origin: str = "his", revision: int = 1) -> dict[str, object]:
        return self._day("visit_count", day, origin, revision) | {"bhyt_visits": visits, "by_class": {}}

    def desk(
        self, day: date, lookups: int, looked_up: int, success: int, *, origin: str = "his", revision: int = 1
    ) -> dict[str, object]:
        numbers = {"lookups": lookups, "visits_looked_up": looked_up, "visits_success": success}
        return self._day("desk_lookups", day, origin, revision) | numbers

    def _day(self, kind: str, day: date, origin: str, revision: int) -> dict[str, object]:
        common = self._common(datetime(day.year, day.month, day.day, 17, tzinfo=VN))
        common["happened_at"] = common["happened_at"].isoformat()  # type: ignore[attr-defined]
        fields = {"schema": 1, "kind": kind, "date": day.isoformat(), "origin": origin, "revision": revision}
        return common | fields

    def heartbeat(self, at: datetime | None = None, **fields: object) -> dict[str, object]:
        values = {
            "event_id": events.new_event_id(),
            "epoch": self.epoch,
            "happened_at": at or datetime.now(UTC),
            "version": "0.1.0",
            "readers": {"scanner": "ok"},
            "outbox_waiting": 0,
            "oldest_waiting_s": None,
            "clock_offset_ms": 3,
            "disk_free_mb": 9000,
        }
        return events.heartbeat(**(values | fields))  # type: ignore[arg-type]

    def body(self, batch: list[object]) -> bytes:
        envelope = {"facility": self.facility, "station": self.name, "events": batch}
        return json.dumps(envelope).encode()

    def post(self, body: bytes, signature: str | None = None) -> httpx.Response:
        header = signature if signature is not None else events.sign_batch(self.key, self.key_id, body)
        return self.hub.http.post("/api/v1/events", content=body, headers={"Signature": header})

    def send(self, *batch: object) -> dict[str, object]:
        answer = self.post(self.body(list(batch)))
        assert answer.status_code == 200, answer.text
        return answer.json()  # type: ignore[no-any-return]


class Hub:
    """A running hub: its store, its HTTP client, and questions to its feed."""

    def __init__(self, store: Store, http: httpx.Client) -> None:
        self.store = store
        self.http = http
        self.read = {"Authorization": f"Bearer {new_api_key(store, 'read')['key']}"}

    def station(self, facility: str = "93002", name: str = "kiosk-1") -> Station:
        return Station(self, facility, name)

    def person(self, role: str, facility: str | None = None, name: str = "") -> dict[str, str]:
        """The headers with which a browser of somebody who signed in asks; the account is made here."""
        name = name or f"{role}-{uuid.uuid4().hex[:8]}"
        add_account(self.store, name, Role(role), "a long enough password", facility)
        token = open_session(self.store, name, datetime.now(UTC))
        return {"Cookie": f"hub-session={token}", "Origin": str(self.http.base_url).rstrip("/")}

    def get(self, path: str, **params: object) -> httpx.Response:
        return self.http.get(path, params=params, headers=self.read)  # type: ignore[arg-type]

    def rows(self, first: str, last: str, path: str = "/api/v1/kpi/lookup-rate", **params: str) -> list[dict]:  # type: ignore[type-arg]
        answer = self.get(path, **{"from": first, "to": last}, **params)
        assert answer.status_code == 200, answer.text
        return answer.json()["rows"]  # type: ignore[no-any-return]

    def facility(self, code: str, first: str, last: str) -> dict:  # type: ignore[type-arg]
        rows = self.rows(first, last, level="facility", period="total")
        return next(row for row in rows if row["unit_code"] == code)

    def reasons(self, first: str, last: str, **params: str) -> dict[str, int]:
        rows = self.rows(first, last, path="/api/v1/kpi/why-not-by-chip", **params)
        return {row["reason"]: row["visits"] for row in rows}


@contextmanager
def running(store: Store, **options: object) -> Iterator[Hub]:
    server = make_server(create_app(store, **options), "127.0.0.1", free_port())  # type: ignore[arg-type]
    thread = threading.Thread(target=server.run)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started:
        assert thread.is_alive() and time.monotonic() < deadline
        time.sleep(0.01)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{server.config.port}", timeout=60) as http:
            yield Hub(store, http)
    finally:
        server.should_exit = True
        thread.join(20)


@pytest.fixture
def hub(store: Store) -> Iterator[Hub]:
    """A running hub on each kind of database."""
    with running(store) as started:
        yield started


@pytest.fixture
def run_hub() -> Callable[..., object]:
    """`with run_hub(store, demo=True) as hub`: a running hub with options of its own."""
    return running


@pytest.fixture
def tight_limit() -> RateLimit:
    """A rate limit that lets one batch through."""
    return RateLimit(per_second=0.01, burst=1)
