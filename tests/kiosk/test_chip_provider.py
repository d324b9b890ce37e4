"""The provider behind a real HTTP server: its opinion, and every way of having none."""

import asyncio
import base64
import gzip
import json
import logging
import ssl
import threading
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import IPv4Address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from kiosk.chip_model import ProviderOpinion
from kiosk.chip_provider import HttpChipVerifier, opinion_of
from kiosk.errors import ConfigError
from kiosk.licensed_http import MAX_ANSWER
from simulators.serve import RunningServer, connection_of

FILES = {"DG1": b"\x61one", "DG2": b"\x75face", "DG14": b"\x6efourteen", "EF.SOD": b"\x77sod", "EF.COM": b"\x60"}
YES = b'{"aa": true, "pa": true, "ca": true}'


class Provider:
    """A server that answers what it is told, and keeps what it was asked."""

    def __init__(self) -> None:
        self.answer = Response(YES)
        self.asked: list[tuple[dict, str]] = []
        self.deed = ""
        self.server = RunningServer(Starlette(routes=[Route("/verify", self._verify, methods=["POST"])]))

    async def _verify(self, request: Request) -> Response:
        self.asked.append((await request.json(), request.headers["Authorization"]))
        if self.deed == "reset":
            connection_of(request).reset()
        elif self.deed == "hold":
            await connection_of(request).hold(request, None, asyncio.Event())
        return self.answer


@pytest.fixture
def provider():
    """A running provider."""
    made = Provider()
    with made.server:
        yield made


@pytest.fixture
async def verifier(provider: Provider) -> AsyncIterator[HttpChipVerifier]:
    """The adapter in front of it, with little patience."""
    made = HttpChipVerifier(name="acme", url=f"{provider.server.url}/verify", token="secret-1", seconds=0.4)
    yield made
    await made.close()


@pytest.mark.parametrize(
    ("answer", "opinion"),
    [
        (YES, ProviderOpinion("acme", True, True, True)),
        (b'{"aa": null, "pa": true, "ca": null, "more": [1]}', ProviderOpinion("acme", None, True, None)),
        (b'{"pa": false}', ProviderOpinion("acme", None, False, None, "PROVIDER_DOUBTS:pa")),
        (
            b'{"aa": false, "pa": true, "ca": false}',
            ProviderOpinion("acme", False, True, False, "PROVIDER_DOUBTS:aa,ca"),
        ),
    ],
    ids=["all", "some", "doubt", "doubts"],
)
async def test_the_opinion_is_what_the_provider_said(provider, verifier, answer, opinion):
    provider.answer = Response(answer)
    assert await verifier.verify_chip(FILES) == opinion


async def test_only_the_named_files_leave_and_never_the_portrait_unasked(provider, verifier):
    await verifier.verify_chip(FILES)
    body, authorization = provider.asked[0]
    assert {name: text and base64.b64decode(text) for name, text in body.items()} == {
        "dg1": FILES["DG1"],
        "dg13": None,
        "dg14": FILES["DG14"],
        "dg15": None,
        "sod": FILES["EF.SOD"],
    }
    assert authorization == "Bearer secret-1"
    asking = HttpChipVerifier(name="acme", url=f"{provider.server.url}/verify", token="t", photo=True)
    await asking.verify_chip(FILES)
    await asking.close()
    assert base64.b64decode(provider.asked[1][0]["dg2"]) == FILES["DG2"]


NONSENSE = {
    "empty": b"",
    "text": b"all fine",
    "list": b"[true]",
    "words": b'{"aa": "true"}',
    "numbers": b'{"pa": 1}',
    "nothing_said": b'{"aa": null}',
    "deep": b"[" * 60_000,
    "endless": b'{"pa": true, "x": "' + b"x" * MAX_ANSWER + b'"}',
}


@pytest.mark.parametrize("name", NONSENSE)
async def test_nonsense_is_no_opinion(provider, verifier, name):
    provider.answer = Response(NONSENSE[name])
    assert await verifier.verify_chip(FILES) is None


@pytest.mark.parametrize("status", [204, 302, 401, 404, 500])
async def test_a_refusal_is_no_opinion(provider, verifier, status):
    provider.answer = Response(b"" if status == 204 else YES, status, {"Location": provider.server.url + "/verify"})
    assert await verifier.verify_chip(FILES) is None
    assert len(provider.asked) == 1


async def test_a_packed_answer_is_no_opinion(provider, verifier):
    provider.answer = Response(gzip.compress(b" " * 10_000_000 + YES), headers={"Content-Encoding": "gzip"})
    assert await verifier.verify_chip(FILES) is None


@pytest.mark.parametrize("deed", ["reset", "hold"])
async def test_a_broken_or_silent_line_is_no_opinion(provider, verifier, deed, caplog):
    caplog.set_level(logging.INFO)
    provider.deed = deed
    assert await verifier.verify_chip(FILES) is None
    assert "gave no opinion" in caplog.text and "secret-1" not in caplog.text


async def test_nobody_there_is_no_opinion(provider, verifier):
    provider.server.stop()
    assert await verifier.verify_chip(FILES) is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "http://provider.example/verify"},
        {"url": "ftp://127.0.0.1/"},
        {"url": "provider.example"},
        {"token": "a\nb"},
        {"token": "ổ"},
        {"ca_file": "/nonexistent/ca.pem"},
    ],
    ids=["plain", "ftp", "no_scheme", "line_break", "accent", "no_ca"],
)
def test_a_setting_that_would_leak_or_never_work_is_refused(wrong):
    with pytest.raises(ConfigError):
        HttpChipVerifier(**{"name": "acme", "url": "https://provider.example/verify", "token": "t"} | wrong)


@given(
    st.binary(max_size=200)
    | st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists).map(
        lambda value: json.dumps({"aa": value, "pa": True}).encode()
    )
)
def test_any_answer_is_an_opinion_or_none(answer):
    opinion = opinion_of(answer, "acme")
    assert opinion is None or opinion.provider == "acme"


class Speaker(BaseHTTPRequestHandler):
    """Says yes to whatever is posted."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", str(len(YES)))
        self.end_headers()
        self.wfile.write(YES)

    def log_message(self, *words: object) -> None:
        """Nothing on stderr."""


class QuietServer(HTTPServer):
    """A client that hangs up is no news."""

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing."""


@pytest.fixture
def certificate(tmp_path):
    """Files of a self-signed certificate for 127.0.0.1 and of its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "provider")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    (tmp_path / "provider.pem").write_bytes(made.public_bytes(pem))
    (tmp_path / "provider.key").write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
    return tmp_path / "provider.pem", tmp_path / "provider.key"


@pytest.fixture
def tls_url(certificate):
    """A provider behind TLS, with a certificate of its own."""
    server = QuietServer(("127.0.0.1", 0), Speaker)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"https://127.0.0.1:{server.server_port}/verify"
    server.shutdown()
    thread.join()
    server.server_close()


async def test_only_a_provider_of_the_configured_authority_is_asked(tls_url, certificate):
    opinions = []
    for ca_file in (certificate[0], None):
        verifier = HttpChipVerifier(name="acme", url=tls_url, token="t", ca_file=ca_file)
        opinions.append(await verifier.verify_chip(FILES))
        await verifier.close()
    assert opinions == [ProviderOpinion("acme", True, True, True), None]
