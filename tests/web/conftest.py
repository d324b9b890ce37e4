"""The real daemon in this process, between simulators, with clients for its listeners."""

import asyncio
import datetime
import ipaddress
import os
import signal
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from kiosk.config import parse
from kiosk.daemon import Daemon
from simulators import his_c06, vss_gateway
from tests.kiosk.world import FACILITY, Gateway, Hospital, tables, toml, until


@pytest.fixture(scope="session")
def gateway_server() -> Iterator[Gateway]:
    """One simulated gateway for all."""
    server = Gateway(vss_gateway.create_app(vss_gateway.Settings(facility=FACILITY)))
    yield server
    server.close()


@pytest.fixture(scope="session")
def hospital_server() -> Iterator[Hospital]:
    """One simulated hospital for all."""
    server = Hospital(his_c06.create_app(his_c06.Settings(facility=FACILITY)))
    yield server
    server.close()


@pytest.fixture
def gateway(gateway_server: Gateway) -> Gateway:
    """The gateway as on the first day."""
    gateway_server.reset()
    return gateway_server


@pytest.fixture
def hospital(hospital_server: Hospital) -> Hospital:
    """The hospital as on the first day."""
    hospital_server.reset()
    return hospital_server


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Kiosk:
    """A running daemon and ways to talk to it."""

    def __init__(self, daemon: Daemon, data: Path, url: str, config_path: Path) -> None:
        self.daemon = daemon
        self.parts = daemon.parts
        self.data = data
        self.url = url
        self.config_path = config_path
        self.token = (data / "screen-token").read_text().strip()
        self._clients: list[httpx.AsyncClient] = []
        self.tool = self.client({"X-Screen-Token": self.token})
        self.bare = self.client()

    @property
    def origin(self) -> dict[str, str]:
        return {"Origin": self.url}

    def client(self, headers: dict[str, str] | None = None) -> httpx.AsyncClient:
        """A client with a cookie jar of its own."""
        plain = {"verify": False, "trust_env": False}  # no TLS here: spare reading the authorities each time
        self._clients.append(httpx.AsyncClient(base_url=self.url, headers=headers, timeout=20, **plain))
        return self._clients[-1]

    async def close(self) -> None:
        for client in self._clients:
            await client.aclose()

    async def signed_in(self) -> httpx.AsyncClient:
        """A clerk's browser after the login of the demo."""
        client = self.client(self.origin)
        answer = await client.post("/api/v1/staff/login", json={"name": "demo", "password": "demo"})
        assert answer.status_code == 200, answer.text
        return client

    async def state(self) -> dict[str, Any]:
        return (await self.tool.get("/api/v1/station")).json()  # type: ignore[no-any-return]

    async def view(self, *wanted: str) -> dict[str, Any]:
        async def ready() -> dict[str, Any] | None:
            state = await self.state()
            return state if state["screen"]["view"] in wanted else None

        return await until(ready, f"one of {wanted}")  # type: ignore[no-any-return]

    async def answer(self, answer: str, **more: Any) -> httpx.Response:
        body = {"checkin_id": (await self.state())["checkin_id"], "answer": answer, **more}
        return await self.tool.post("/api/v1/station/answer", json=body)

    async def scan(self, raw: bytes) -> httpx.Response:
        headers = {"Content-Type": "application/octet-stream"}
        return await self.tool.post("/api/v1/station/scan", content=raw, headers=headers)

    async def identify(self, raw: bytes) -> dict[str, Any]:
        assert (await self.scan(raw)).status_code == 202
        assert (await self.answer("confirm")).status_code == 200
        return await self.view("choose_service", "needs_staff", "done")

    async def register(self, raw: bytes, service: str = "502") -> dict[str, Any]:
        await self.identify(raw)
        await self.answer("service", service_id=service)
        return await self.view("done", "needs_staff")

    async def dump(self) -> str:
        """Everything the database holds, but for the trace of the daemon's own probe."""

        def work(connection: sa.Connection) -> str:
            names = sorted(sa.inspect(connection).get_table_names())
            rows = {name: sorted(map(str, connection.exec_driver_sql(f"SELECT * FROM {name}"))) for name in names}
            rows["setting"] = [row for row in rows["setting"] if "'probe'" not in row]
            return str(rows)

        return await self.parts.store.read(work)


Starter = Callable[..., AbstractAsyncContextManager[Kiosk]]


@pytest.fixture
def serve(tmp_path: Path, gateway: Gateway, hospital: Hospital) -> Starter:
    """Starts daemons with tables of your own: ``async with serve(policy={...}) as kiosk``."""

    @asynccontextmanager
    async def serving(**extra: Any) -> AsyncIterator[Kiosk]:
        port = free_port()
        values = tables(tmp_path, gateway.url, hospital.url, port, **extra)
        config_path = tmp_path / "kiosk.toml"
        config_path.write_text(toml(values), "utf-8")
        daemon = Daemon(parse(values), tmp_path)
        running = asyncio.create_task(daemon.run())
        url = f"http://127.0.0.1:{port}"
        kiosk = Kiosk(daemon, tmp_path / "kiosk", url, config_path)

        async def answers() -> bool:
            assert not running.done(), running.exception()
            try:
                return (await kiosk.bare.get("/healthz")).status_code == 200
            except httpx.TransportError:
                return False

        await until(answers, "the daemon")
        try:
            yield kiosk
        finally:
            await kiosk.close()
            os.kill(os.getpid(), signal.SIGTERM)
            async with asyncio.timeout(20):
                await running

    return serving


@pytest.fixture
async def kiosk(serve: Starter) -> AsyncIterator[Kiosk]:
    """A running demo daemon."""
    async with serve() as running:
        yield running


class StaffListener:
    """Where staff on other machines come in, and the certificate they trust."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"https://127.0.0.1:{self.port}"
        cert, key = folder / "staff.pem", folder / "staff.key"
        _certify(cert, key)
        self.trust = ssl.create_default_context(cafile=str(cert))
        self.table = {
            "listen": f"127.0.0.1:{self.port}",
            "cert_file": str(cert),
            "key_file": str(key),
            "hosts": ["127.0.0.1"],
        }

    def client(self) -> httpx.AsyncClient:
        headers = {"Origin": self.url}
        return httpx.AsyncClient(base_url=self.url, verify=self.trust, headers=headers, timeout=20)


def _certify(cert: Path, key: Path) -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kiosk")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(private, hashes.SHA256())
    )
    cert.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    pem = serialization.PrivateFormat.PKCS8
    key.write_bytes(private.private_bytes(serialization.Encoding.PEM, pem, serialization.NoEncryption()))
    key.chmod(0o600)


@pytest.fixture
def staff_listener(tmp_path: Path) -> StaffListener:
    """A certificate and a free port for the second listener."""
    return StaffListener(tmp_path)
