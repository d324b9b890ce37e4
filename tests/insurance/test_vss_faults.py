"""Transport faults the simulator is too well-behaved for: raw sockets, TLS, size, breaker."""

import asyncio
import gzip
import json
import socket
import ssl
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from kiosk.errors import ConfigError
from kiosk.insurance.fixed_officer import FixedOfficer
from kiosk.insurance.vss_codes import Reason
from kiosk.insurance.vss_gateway import VssGateway
from kiosk.insurance.vss_http import MAX_BODY
from kiosk.insurance.vss_settings import LOGIN_PATH, LOOKUP_PATH
from kiosk.model import EligibilityClass as Class
from kiosk.model import LookupKey, Officer

Open = Callable[..., VssGateway]
KeyOf = Callable[..., LookupKey]
Serve = Callable[..., Awaitable[Any]]

LOGIN = json.dumps({"maKetQua": "200", "APIKey": {"access_token": "a+/=", "id_token": "b"}}).encode()
HTML = b"<html>busy</html>"


def http(body: bytes, head: str = "200 OK", *headers: str) -> bytes:
    lines = (f"HTTP/1.1 {head}", f"Content-Length: {len(body)}", "Connection: close", *headers, "", "")
    return "\r\n".join(lines).encode() + body


def answering(lookup: bytes) -> Callable[[str, asyncio.StreamWriter], Awaitable[None]]:
    async def behave(path: str, writer: asyncio.StreamWriter) -> None:
        writer.write(http(LOGIN) if path == LOGIN_PATH else lookup)
        await writer.drain()

    return behave


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


REFUSAL = b'{"maKetQua":"050"}'
NOT_FOUND = (Class.NEEDS_STAFF, Reason.NOT_FOUND, True)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (http(REFUSAL), NOT_FOUND),
        (http(REFUSAL, "200 OK", "Content-Type: text/html; charset=nonsense"), NOT_FOUND),
        (http(gzip.compress(REFUSAL), "200 OK", "Content-Encoding: gzip"), NOT_FOUND),
        (http(b"nogzip", "200 OK", "Content-Encoding: gzip"), (Class.CANNOT_SAY, Reason.BAD_ANSWER, True)),
        (http(b"", "302 Found", "Location: http://192.0.2.1/"), (Class.CANNOT_SAY, Reason.HTTP_ERROR, True)),
        (http(b"", "403 Forbidden"), (Class.CANNOT_SAY, Reason.HTTP_ERROR, True)),
        (http(REFUSAL)[:-4], (Class.CANNOT_SAY, Reason.NET_BROKEN, True)),
        (b"", (Class.CANNOT_SAY, Reason.NET_BROKEN, False)),
        (b"SSH-2.0-OpenSSH\r\n", (Class.CANNOT_SAY, Reason.NET_BROKEN, False)),
        (http(b" " * (MAX_BODY + 1)), (Class.CANNOT_SAY, Reason.ANSWER_TOO_LARGE, True)),
        (http(b" " * (MAX_BODY - len(REFUSAL)) + REFUSAL), NOT_FOUND),
    ],
)
async def test_odd_answers(
    serve_raw: Serve, open_gateway: Open, key_of: KeyOf, today: date, answer: bytes, expected: tuple[Any, ...]
) -> None:
    server = await serve_raw(answering(answer))
    found = await open_gateway(server.url).lookup(key_of(1), today)
    assert (found.status, found.reason, found.reached_gateway) == expected
    assert server.paths == [LOGIN_PATH, LOOKUP_PATH]


async def test_a_connection_the_gateway_closed_meanwhile_is_replaced(
    serve_raw: Serve, open_gateway: Open, key_of: KeyOf, today: date
) -> None:
    async def promising_more(path: str, writer: asyncio.StreamWriter) -> None:
        whole = http(LOGIN if path == LOGIN_PATH else REFUSAL)
        writer.write(whole.replace(b"Connection: close\r\n", b"Connection: keep-alive\r\n"))
        await writer.drain()

    server = await serve_raw(promising_more)
    gateway = open_gateway(server.url)
    assert (await gateway.check()).ok
    for number in (1, 3, 4):
        await asyncio.sleep(0.05)
        assert (await gateway.lookup(key_of(number), today)).reason is Reason.NOT_FOUND
    assert len(server.paths) == 4


async def test_an_endless_trickle_ends_with_the_total(
    serve_raw: Serve, open_gateway: Open, key_of: KeyOf, today: date
) -> None:
    async def trickle(path: str, writer: asyncio.StreamWriter) -> None:
        if path == LOGIN_PATH:
            writer.write(http(LOGIN))
            return
        writer.write(http(b" " * 1000)[:-1000])
        while True:
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.05)

    server = await serve_raw(trickle)
    started = time.monotonic()
    found = await open_gateway(server.url, total_timeout=0.7).lookup(key_of(1), today)
    assert (found.status, found.reason) == (Class.CANNOT_SAY, Reason.NET_TIMEOUT)
    assert time.monotonic() - started < 2


async def test_a_refused_connection_is_tried_once_more(open_gateway: Open, key_of: KeyOf, today: date) -> None:
    found = await open_gateway(f"http://127.0.0.1:{free_port()}").lookup(key_of(1), today)
    assert (found.status, found.reason, found.reached_gateway, found.attempts) == (
        Class.CANNOT_SAY,
        Reason.NET_CONNECT,
        False,
        2,
    )


async def test_the_second_try_may_succeed(
    serve_raw: Serve, open_gateway: Open, key_of: KeyOf, today: date, monkeypatch: pytest.MonkeyPatch
) -> None:
    pause, sleep = 0.321, asyncio.sleep
    with socket.socket() as refusing:
        refusing.bind(("127.0.0.1", 0))  # nobody listens there yet
        gateway = open_gateway(f"http://127.0.0.1:{refusing.getsockname()[1]}", retry_pause=pause)

        async def come_up_in_the_pause(seconds: float) -> None:
            if seconds == pause:
                await serve_raw(answering(http(REFUSAL)), sock=refusing.dup())
            await sleep(0 if seconds == pause else seconds)

        monkeypatch.setattr(asyncio, "sleep", come_up_in_the_pause)
        found = await gateway.lookup(key_of(1), today)
        assert (found.status, found.attempts) == (Class.NEEDS_STAFF, 2)


async def test_the_breaker_opens_and_one_trial_closes_it(
    simulator: Any, open_gateway: Open, key_of: KeyOf, today: date
) -> None:
    moment = 1000.0
    gateway = open_gateway(simulator.url, monotonic=lambda: moment, breaker_failures=5, retry_pause=0.0)
    await gateway.check()
    simulator.mode("reset")
    for _ in range(5):
        assert (await gateway.lookup(key_of(1), today)).reason is Reason.NET_BROKEN
    found = await gateway.lookup(key_of(1), today)
    assert (found.status, found.reason, found.attempts) == (Class.CANNOT_SAY, Reason.BREAKER_OPEN, 0)
    assert len(simulator.calls("lookup")) == 5
    simulator.reset()
    simulator.mode("slow", delay_ms=200)
    moment += 61
    trial, other = await asyncio.gather(*(gateway.lookup(key_of(number), today) for number in (1, 3)))
    assert (trial.status, other.reason) == (Class.INSURED, Reason.BREAKER_OPEN)
    assert (await gateway.lookup(key_of(3), today)).status is Class.INSURED


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, ssl.SSLContext]:
    """A certificate for 127.0.0.1 that no system trusts, as PEM file and as server context."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "simulated gateway")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    cert_file, key_file = tmp_path / "gateway.pem", tmp_path / "gateway.key"
    cert_file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    pem = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    key_file.write_bytes(key.private_bytes(*pem))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert_file, key_file)
    return cert_file, context


async def test_an_unknown_certificate_gets_nothing(
    serve_raw: Serve,
    open_gateway: Open,
    key_of: KeyOf,
    today: date,
    certificate: tuple[Path, ssl.SSLContext],
) -> None:
    server = await serve_raw(answering(http(REFUSAL)), ssl=certificate[1])
    found = await open_gateway(server.url).lookup(key_of(1), today)
    assert (found.status, found.reason, found.attempts) == (Class.CANNOT_SAY, Reason.NET_TLS, 1)
    assert (server.paths, found.reached_gateway) == ([], False)


async def test_the_configured_bundle_is_trusted(
    serve_raw: Serve,
    open_gateway: Open,
    key_of: KeyOf,
    today: date,
    certificate: tuple[Path, ssl.SSLContext],
) -> None:
    server = await serve_raw(answering(http(REFUSAL)), ssl=certificate[1])
    found = await open_gateway(server.url, ca_file=certificate[0]).lookup(key_of(1), today)
    assert (found.status, found.reason) == (Class.NEEDS_STAFF, Reason.NOT_FOUND)


async def test_the_check_tells_clock_and_certificate(
    serve_raw: Serve, open_gateway: Open, certificate: tuple[Path, ssl.SSLContext]
) -> None:
    async def behave(path: str, writer: asyncio.StreamWriter) -> None:
        writer.write(http(LOGIN, "200 OK", "Date: Mon, 02 Nov 2020 00:00:00 GMT"))
        await writer.drain()

    server = await serve_raw(behave, ssl=certificate[1])
    health = await open_gateway(server.url, ca_file=certificate[0]).check()
    assert health.details["certificate_days"] == 0
    offset = datetime.now(UTC) - datetime(2020, 11, 2, tzinfo=UTC)
    assert abs(health.details["clock_offset_s"] - offset.total_seconds()) < 60


@pytest.mark.parametrize("content", [None, b"no certificate"])
def test_an_unreadable_bundle_stops_the_start(
    settings_for: Callable[..., Any], tmp_path: Path, content: bytes | None
) -> None:
    bundle = tmp_path / "bundle.pem"
    if content is not None:
        bundle.write_bytes(content)
    with pytest.raises(ConfigError, match=r"insurance\.ca_file"):
        VssGateway(
            settings_for("https://127.0.0.1", ca_file=bundle), FixedOfficer(Officer("x", "Nguyễn Thử", "099085000001"))
        )
