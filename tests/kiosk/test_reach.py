"""What a technician is told of the way to a hospital system: each fault by its own name, against real servers."""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from kiosk.hospital_check import check_hospital
from kiosk.reach import Target, reach
from tests.hospital_adapters.c06_peer import bare_server


def now() -> datetime:
    return datetime.now(UTC)


def certified(folder: Path, *, name: str = "127.0.0.1", starts: float = -1, ends: float = 90) -> tuple[Path, Path]:
    """A self-signed certificate for an address or name, valid from *starts* to *ends* days from now, and its key."""
    private = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "his")])
    try:
        alternative: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        alternative = x509.DNSName(name)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now() + timedelta(days=starts))
        .not_valid_after(now() + timedelta(days=ends))
        .add_extension(x509.SubjectAlternativeName([alternative]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(private, hashes.SHA256())
    )
    cert, key = folder / "his.pem", folder / "his.key"
    cert.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    pem = serialization.PrivateFormat.PKCS8
    key.write_bytes(private.private_bytes(serialization.Encoding.PEM, pem, serialization.NoEncryption()))
    return cert, key


@asynccontextmanager
async def web_server(said: datetime | None = None, tls: tuple[Path, Path] | None = None) -> AsyncIterator[int]:
    """A server that answers each request with a date; gives its port."""
    date = f"Date: {format_datetime(said, usegmt=True)}\r\n" if said else ""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if await reader.readline():
            writer.write(f"HTTP/1.1 404 Not Found\r\n{date}Content-Length: 0\r\n\r\n".encode())

    context = None
    if tls is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*tls)
    async with bare_server(answer, context) as port:
        yield port


async def told(target: Target) -> dict[str, tuple[bool, str]]:
    return {step.name: (step.ok, step.says) for step in await reach(target, now)}


async def test_a_good_way_is_told_step_by_step(tmp_path):
    cert, key = certified(tmp_path)
    async with web_server(now(), (cert, key)) as port:
        steps = await told(Target("127.0.0.1", port, True, True, str(cert)))
    assert list(steps) == ["dns", "connect", "tls", "clock"] and all(ok for ok, _ in steps.values())
    assert "89 days" in steps["tls"][1] or "90 days" in steps["tls"][1]


async def test_a_name_that_does_not_exist():
    steps = await told(Target("khong-co.invalid", 443, True, True))
    assert list(steps) == ["dns"] and not steps["dns"][0] and "no machine of this name" in steps["dns"][1]


async def test_nothing_listens():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    steps = await told(Target("127.0.0.1", port, True, True))
    assert list(steps) == ["dns", "connect"] and f"nothing listens on port {port}" in steps["connect"][1]


@pytest.mark.parametrize(
    ("made", "trusted", "words"),
    [
        ({}, False, "signed by itself"),
        ({"name": "his.example"}, True, "another name"),
        ({"starts": -9, "ends": -1}, True, "expired"),
        ({"starts": 1, "ends": 9}, True, "not valid yet"),
    ],
)
async def test_each_fault_of_a_certificate_has_words_of_its_own(tmp_path, made, trusted, words):
    cert, key = certified(tmp_path, **made)
    async with web_server(now(), (cert, key)) as port:
        steps = await told(Target("127.0.0.1", port, True, True, str(cert) if trusted else None))
    assert list(steps) == ["dns", "connect", "tls"] and not steps["tls"][0] and words in steps["tls"][1]


async def test_a_certificate_that_ends_soon_is_told_but_is_good(tmp_path):
    cert, key = certified(tmp_path, ends=3)
    async with web_server(now(), (cert, key)) as port:
        steps = await told(Target("127.0.0.1", port, True, False, str(cert)))
    assert steps["tls"][0] and "ends in 2 days" in steps["tls"][1]


async def test_a_server_without_tls_and_a_ca_file_without_certificates(tmp_path):
    async with web_server(now()) as port:
        steps = await told(Target("127.0.0.1", port, True, True))
        assert not steps["tls"][0] and "no TLS" in steps["tls"][1]
        (tmp_path / "empty.pem").write_text("")
        for ca_file in ("empty.pem", "missing.pem"):
            steps = await told(Target("127.0.0.1", port, True, True, str(tmp_path / ca_file)))
            assert not steps["tls"][0] and "ca_file" in steps["tls"][1]


@pytest.mark.parametrize(("shift", "words"), [(600, "behind"), (-600, "ahead of")])
async def test_clocks_that_differ_are_told_with_the_way_they_differ(shift, words):
    async with web_server(now() + timedelta(seconds=shift)) as port:
        steps = await told(Target("127.0.0.1", port, False, True))
    assert not steps["clock"][0] and words in steps["clock"][1]


async def test_a_server_that_tells_no_time_is_no_fault():
    async with web_server(None) as port:
        assert (await told(Target("127.0.0.1", port, False, True)))["clock"][0]


@pytest.mark.parametrize(
    ("settings", "target"),
    [
        ({"url": "https://his.example/api"}, Target("his.example", 443, True, True)),
        ({"url": "http://10.1.2.3:8080"}, Target("10.1.2.3", 8080, False, True)),
        ({"url": "https://his.example", "ca_file": "/x.pem"}, Target("his.example", 443, True, True, "/x.pem")),
        ({"url": "postgresql+psycopg://kiosk@db.example/his"}, Target("db.example", 5432, False, False)),
        ({"url": "mysql+pymysql://kiosk@db.example:3307/his"}, Target("db.example", 3307, False, False)),
        ({"host": "his.example", "port": 2575, "tls": True}, Target("his.example", 2575, True, False)),
        ({"url": "sqlite:///his.db"}, None),
        ({"url": "http://his.example:x"}, None),
        ({}, None),
    ],
)
def test_where_a_hospital_system_is(settings, target):
    assert Target.all_of(settings) == (() if target is None else (target,))


def test_every_machine_of_a_hospital_system_is_gone_to_once():
    settings = {
        "url": "https://his.example/api",
        "login_url": "https://login.example",
        "urls": {"a/b": "https://his.example/other", "c": "http://10.1.2.3:8080", "d": ""},
        "auth": {"token_url": "https://login.example/token"},
        "systems": {"citizen": "http://terminology.example/cccd"},
    }
    assert [(each.host, each.port) for each in Target.all_of(settings)] == [
        ("his.example", 443),
        ("login.example", 443),
        ("10.1.2.3", 8080),
    ]


async def test_kioskctl_check_hospital_tells_all_of_it(world):
    found = await check_hospital(world.parts.checkins, {"url": world.hospital.url})
    assert found["ok"] and found["problems"] == []
    assert [step["step"] for step in found["steps"]] == ["dns", "connect", "clock"]
    assert found["services"]["insured"] > 0 and found["services"]["self_pay"] > 0
    assert found["capabilities"]["menu"] is True and found["capabilities"]["idempotency"] == "none"
    world.hospital.down()
    found = await check_hospital(world.parts.checkins, {"url": world.hospital.url})
    assert not found["ok"] and "nothing listens" in found["problems"][0]
    assert any("cannot be reached" in words for words in found["problems"])


async def test_a_second_machine_that_is_off_is_named(world):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        off = taken.getsockname()[1]
    settings = {"url": world.hospital.url, "urls": {"x": f"http://127.0.0.1:{off}"}}
    found = await check_hospital(world.parts.checkins, settings)
    assert found["problems"] == [f"the machine is there, but nothing listens on port {off} (127.0.0.1:{off})"]
    assert {step["at"] for step in found["steps"] if not step["ok"]} == {f"127.0.0.1:{off}"}
