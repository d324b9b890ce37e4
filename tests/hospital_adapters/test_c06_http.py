"""What a well-behaved simulator cannot do: TLS failures, broken HTTP, floods, and each row of the outcome table."""

import asyncio
import gzip
import ipaddress
import json
import logging
import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from hospital_adapters.c06 import C06Adapter
from hospital_adapters.http_line import ANSWER_LIMIT
from kiosk.errors import HospitalOutcomeUnknown, HospitalRejected, HospitalUnavailable
from kiosk.hospital_model import MatchKind, Receipt
from tests.contracts.hospital import assert_ours, outcome_of
from tests.hospital_adapters.c06_peer import HASTY, PEOPLE, SECRET, Handler, adapter_for, answering, bare_server, visit

VISIT = visit(PEOPLE[1])
HIDDEN = ("099190000001", "Trần", "TRẦN", SECRET, "SO_GTTT=", "Ấp Thử")
DONE = json.dumps({"code": "000", "data": {"THONG_TIN_TIEP_NHAN": {"MA_LK": "L1", "STT_LK": 5}}}).encode()
NO = json.dumps({"code": "999", "message": "Bệnh nhân TRẦN THỊ MẪU bị từ chối"}).encode()


async def pushed(handler: Handler, **settings: object) -> object:
    async with bare_server(handler) as port:
        return await outcome_of(adapter_for(f"http://127.0.0.1:{port}", **settings).push(VISIT), HIDDEN)


async def asked(handler: Handler, **settings: object) -> object:
    async with bare_server(handler) as port:
        return await outcome_of(adapter_for(f"http://127.0.0.1:{port}", **settings).find_patient(PEOPLE[1]), HIDDEN)


def unknown(evidence: str) -> Callable[[object], bool]:
    return lambda end: isinstance(end, HospitalOutcomeUnknown) and end.evidence == evidence


def rejected(reason: str) -> Callable[[object], bool]:
    return lambda end: isinstance(end, HospitalRejected) and end.reason == reason


def unavailable(reason: str, after: float | None = None) -> Callable[[object], bool]:
    return lambda end: isinstance(end, HospitalUnavailable) and (end.reason, end.retry_after) == (reason, after)


def done(end: object) -> bool:
    return isinstance(end, Receipt) and end.number == "5"


@pytest.mark.parametrize(
    ("head", "body", "safe_503", "expected"),
    [
        ("200 OK", DONE, False, done),
        ("201 Created", DONE, False, done),
        ("200 OK", NO, False, rejected("c06.999")),
        ("200 OK", b'{"code":"000"}', False, lambda end: isinstance(end, Receipt) and end.number is None),
        *[
            (f"{status} X", b"<html>", False, rejected(f"c06.http_{status}"))
            for status in (400, 404, 405, 413, 415, 422)
        ],
        *[(f"{status} X", b"{}", False, rejected("c06.signature")) for status in (401, 403)],
        ("400 Bad", NO, False, rejected("c06.999")),
        ("404 Not Found", DONE, False, done),
        ("403 Forbidden", NO, False, rejected("c06.999")),
        ("401 Unauthorized", NO, False, rejected("c06.signature")),
        *[(f"{status} X", DONE, False, unknown(f"c06.http_{status}")) for status in (500, 502, 503, 504, 507)],
        *[(f"{status} X", NO, True, unknown(f"c06.http_{status}")) for status in (500, 502, 503, 504)],
        ("503 X\r\nRetry-After: 5", b"", False, unknown("c06.http_503")),
        ("503 X\r\nRetry-After: 5", b"", True, unavailable("c06.http_503", 5.0)),
        ("503 X\r\nRetry-After: soon", b"", True, unknown("c06.http_503")),
        ("503 X\r\nRetry-After: 999999999", b"", True, unavailable("c06.http_503", 3600.0)),
        ("503 X\r\nRetry-After: Thu, 01 Jan 2026 00:00:00 GMT", b"", True, unavailable("c06.http_503", 0.0)),
        ("429 X\r\nRetry-After: 5", b"", False, unknown("c06.http_429")),
        ("429 X\r\nRetry-After: 5", b"", True, unavailable("c06.http_429", 5.0)),
        ("429 X\r\nRetry-After: 5", NO, True, rejected("c06.999")),
        ("429 X", b"", True, unknown("c06.http_429")),
        ("302 Found\r\nLocation: https://127.0.0.1/", b"", False, unknown("c06.http_302")),
        ("402 X", b"", False, unknown("c06.http_402")),
        ("408 X", b"", False, unknown("c06.http_408")),
        ("200 OK", b"<html>", False, unknown("c06.malformed")),
        ("200 OK", b"[]", False, unknown("c06.malformed")),
        ("200 OK", b"", False, unknown("c06.malformed")),
        ("200 OK", b'{"code":null}', False, unknown("c06.no_code")),
        ("200 OK", b'{"code":"099190000001"}', False, rejected("c06.other_code")),
        ("200 OK\r\nContent-Encoding: gzip", gzip.compress(DONE, mtime=0), False, unknown("c06.encoding")),
        ("200 OK\r\nContent-Encoding: identity", DONE, False, done),
        ("200 OK", b" " * (ANSWER_LIMIT + 1), False, unknown("c06.too_large")),
        ("200 OK\r\nDate: yesterday", DONE, False, done),
    ],
)
async def test_the_outcome_table(head: str, body: bytes, safe_503: bool, expected: Callable[[object], bool]) -> None:
    end = await pushed(answering(head, body), gateway_503_is_safe=safe_503)
    assert expected(end), repr(end)


async def test_the_hospitals_words_are_kept_for_staff_only() -> None:
    end = await pushed(answering("200 OK", NO))
    assert isinstance(end, HospitalRejected)
    assert end.text == "Bệnh nhân TRẦN THỊ MẪU bị từ chối"
    assert "TRẦN" not in str(end)


@pytest.mark.parametrize(
    ("head", "body", "reason", "after"),
    [
        ("200 OK", b"<html>", "c06.malformed", None),
        ("200 OK", b'{"code":"000"}', "c06.malformed", None),
        ("200 OK", b"{}", "c06.no_code", None),
        ("200 OK", NO, "c06.999", None),
        ("500 X", NO, "c06.999", None),
        ("500 X", b"<html>", "c06.http_500", None),
        ("404 X", b"<html>", "c06.http_404", None),
        ("302 X", b"", "c06.malformed", None),
        ("503 X\r\nRetry-After: 7", b"", "c06.http_503", 7.0),
        ("401 X", NO, "c06.signature", None),
        ("200 OK", b" " * (ANSWER_LIMIT + 1), "c06.too_large", None),
        ("200 OK\r\nContent-Encoding: br", b"x", "c06.encoding", None),
    ],
)
async def test_a_question_without_answer_is_unavailable(
    head: str, body: bytes, reason: str, after: float | None
) -> None:
    end = await asked(answering(head, body))
    assert unavailable(reason, after)(end), repr(end)


async def test_a_history_cut_short_proves_nothing() -> None:
    rows = [{"DU_PHONG": f"CK1;id={number}", "MA_LK": str(number)} for number in range(50)]
    for pages, expected in ((1, 50), (2, None)):
        body = json.dumps({"code": "000", "count": pages, "pageSize": 50, "data": rows}).encode()
        async with bare_server(answering("200 OK", body)) as port:
            adapter = adapter_for(f"http://127.0.0.1:{port}", history_path="/lichsu")
            end = await outcome_of(adapter.find_visits(PEOPLE[1], None, VISIT.happened_at.date()), HIDDEN)
        assert unavailable("c06.incomplete")(end) if expected is None else len(end) == expected


async def test_a_cancelled_visit_does_not_stand_and_ours_is_left_to_staff() -> None:
    ours, other = {"DU_PHONG": "CK1;id=a", "MA_LK": "L1"}, {"DU_PHONG": "", "MA_LK": "L2"}
    stands = {"DU_PHONG": "CK1;id=b", "MA_LK": "L3", "TRANG_THAI_LK": 1}
    rows = [ours | {"TRANG_THAI_LK": 3}, other | {"TRANG_THAI_LK": "3"}, stands]
    async with bare_server(answering("200 OK", json.dumps({"code": "000", "data": rows}).encode())) as port:
        adapter = adapter_for(f"http://127.0.0.1:{port}", history_path="/lichsu")
        found = await adapter.find_visits(PEOPLE[1], None, VISIT.happened_at.date())
    assert [(checkin_id, receipt.visit_id) for checkin_id, receipt in found] == [("", "L1"), ("b", "L3")]


async def garbage(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(1)
    writer.write(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")
    await writer.drain()


async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(1)


async def hang_up_at_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    return


async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.05)


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


@pytest.mark.parametrize(
    ("handler", "reason"),
    [
        (garbage, "connection_lost"),
        (hang_up, "connection_lost"),
        (hang_up_at_once, "connection_lost"),
        (answering("200 OK", DONE[:-5], length=len(DONE)), "connection_lost"),
        (answering("200 OK\r\nTransfer-Encoding: chunked", b"zz\r\n"), "connection_lost"),
        (drip, "read_timeout"),
        (silent, "read_timeout"),
    ],
)
async def test_broken_http_after_sending(handler: Handler, reason: str) -> None:
    end = await pushed(handler, timeouts=HASTY)
    assert unknown(f"c06.{reason}")(end), repr(end)
    end = await asked(handler, timeouts=HASTY)
    assert unavailable(f"c06.{reason}")(end), repr(end)


def certificate(folder: Path, name: str = "127.0.0.1") -> tuple[Path, ssl.SSLContext]:
    """A self-signed certificate for an address: its PEM file, and the server side that shows it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "his.test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(name))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, key_file = folder / "his.pem", folder / "his.key"
    pem.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    key_file.write_bytes(key.private_bytes(encoding, form, serialization.NoEncryption()))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(pem, key_file)
    return pem, server


async def test_a_hospitals_own_authority_is_trusted_when_named(tmp_path: Path) -> None:
    pem, server = certificate(tmp_path)
    async with bare_server(answering("200 OK", DONE), server) as port:
        assert done(await adapter_for(f"https://127.0.0.1:{port}", ca_file=str(pem)).push(VISIT))
        stranger = adapter_for(f"https://127.0.0.1:{port}")
        assert unavailable("c06.tls")(await outcome_of(stranger.push(VISIT), HIDDEN))
        [problem] = (await stranger.check()).problems
        assert "certificate" in problem


async def test_a_certificate_for_another_name_is_refused(tmp_path: Path) -> None:
    pem, server = certificate(tmp_path, "127.0.0.2")
    async with bare_server(answering("200 OK", DONE), server) as port:
        end = await outcome_of(adapter_for(f"https://127.0.0.1:{port}", ca_file=str(pem)).push(VISIT), HIDDEN)
    assert unavailable("c06.tls")(end), repr(end)


@pytest.mark.parametrize(
    ("handler", "reason"),
    [(garbage, "c06.tls"), (hang_up, "c06.unreachable"), (silent, "c06.connect_timeout")],
)
async def test_a_failed_handshake_sent_nothing(handler: Handler, reason: str) -> None:
    async with bare_server(handler) as port:
        adapter = adapter_for(f"https://127.0.0.1:{port}", timeouts={"connect": 0.5, "post": 2})
        end = await outcome_of(adapter.push(VISIT), HIDDEN)
    assert isinstance(end, HospitalUnavailable) and end.reason in (reason, "c06.tls"), repr(end)


async def test_the_total_time_may_end_while_still_connecting() -> None:
    async with bare_server(silent) as port:
        adapter = adapter_for(f"https://127.0.0.1:{port}", timeouts={"connect": 5, "post": 0.3})
        end = await outcome_of(adapter.push(VISIT), HIDDEN)
    assert unavailable("c06.connect_timeout")(end), repr(end)


async def test_an_unknown_host_is_unavailable() -> None:
    end = await outcome_of(adapter_for("https://his.invalid").push(VISIT), HIDDEN)
    assert isinstance(end, HospitalUnavailable)


async def test_a_cancelled_push_stays_cancelled() -> None:
    async with bare_server(silent) as port:
        task = asyncio.create_task(adapter_for(f"http://127.0.0.1:{port}").push(VISIT))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_proxies_of_the_environment_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    assert done(await pushed(answering("200 OK", DONE)))


async def test_nothing_personal_is_logged_at_any_level(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.NOTSET)
    for name in ("httpx", "httpcore", "hospital_adapters", "asyncio"):
        caplog.set_level(1, logger=name)
    found = json.dumps({"code": "000", "data": {"MA_BN": "B1", "HO_TEN": "TRẦN THỊ MẪU"}}).encode()
    for body in (found, NO, b"<html>"):
        for handler in (answering("200 OK", body), answering("401 X", b""), garbage, hang_up):
            async with bare_server(handler) as port:
                adapter: C06Adapter = adapter_for(f"http://127.0.0.1:{port}", history_path="/lichsu")
                day = VISIT.happened_at.date()
                for call in (
                    adapter.services(day),
                    adapter.find_patient(PEOPLE[1]),
                    adapter.find_visits(PEOPLE[1], None, day),
                    adapter.push(VISIT),
                    adapter.check(),
                ):
                    await outcome_of(call, HIDDEN)
    assert caplog.text
    assert not [word for word in HIDDEN if word in caplog.text]


async def test_a_good_look_up_over_a_bare_server() -> None:
    found = json.dumps({"code": "000", "data": {"MA_BN": "B1"}}).encode()
    match = await asked(answering("200 OK", found))
    assert match.kind is MatchKind.ONE


def test_errors_of_ours_are_recognised() -> None:
    with pytest.raises(AssertionError):
        assert_ours(OSError("x"), ())
