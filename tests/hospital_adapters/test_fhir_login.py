"""Tokens of the FHIR adapter: fixed, fetched, renewed early, and replaced once when they are refused."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hospital_adapters import fhir_settings
from hospital_adapters.fhir_login import Login, _read_token
from kiosk.errors import ConfigError, HospitalUnavailable
from simulators.fhir_server import Settings
from tests.contracts.hospital import outcome_of
from tests.hospital_adapters.c06_peer import answering, bare_server
from tests.hospital_adapters.fhir_peer import SECRETS, FhirPeer, adapter_for, client_credentials, person, visit
from tests.kiosk.test_reach import certified

BEARER = {"kind": "bearer", "token_file": "fhir-token"}


def login(auth: dict[str, Any], clock: list[float]) -> Login:
    settings = fhir_settings.load({"url": "https://his.example/fhir", "auth": auth})
    return Login(settings, SECRETS.__getitem__, lambda: clock[0])


@pytest.fixture
async def peer() -> AsyncIterator[FhirPeer]:
    async with FhirPeer(Settings(client="kiosk:s:e cret/1", token_life=100), login=True) as made:
        yield made


async def test_a_fixed_token_is_sent_as_it_is() -> None:
    async with FhirPeer(Settings(token="tok-0991"), auth=BEARER) as peer:
        assert (await peer.adapter.push(visit(1))).visit_id
    async with FhirPeer(Settings(token="another"), auth=BEARER) as peer:
        outcome = await outcome_of(peer.adapter.push(visit(1)), peer.secrets)
        assert isinstance(outcome, HospitalUnavailable) and outcome.reason == "fhir.http_401"
        assert peer.calls() == ["search"]


async def test_one_token_serves_all_calls_until_a_little_before_its_end(peer: FhirPeer) -> None:
    clock = [0.0]
    tokens = login(client_credentials(peer.url), clock)
    headers = await asyncio.gather(*(tokens.header() for _ in range(4)))
    assert set(headers) == {"Bearer token-1"}
    clock[0] = 69.0
    assert await tokens.header() == "Bearer token-1"
    clock[0] = 71.0
    assert await tokens.header() == "Bearer token-2"
    assert await tokens.header(refused="Bearer token-1") == "Bearer token-2"
    assert await tokens.header(refused="Bearer token-2") == "Bearer token-3"
    await tokens.close()


@pytest.mark.parametrize("where", ["header", "body"])
async def test_the_account_goes_where_the_server_wants_it(peer: FhirPeer, where: str) -> None:
    tokens = login(client_credentials(peer.url) | {"client_auth": where, "scope": "system/*.*"}, [0.0])
    assert await tokens.header() == "Bearer token-1"
    await tokens.close()


async def test_a_refused_token_is_replaced_once_and_the_call_repeated(peer: FhirPeer) -> None:
    await peer.adapter.find_patient(person(1))
    peer.sim.tokens.clear()
    receipt = await peer.adapter.push(visit(1))
    assert receipt.visit_id and await peer.registered(visit(1).checkin_id) == 1
    peer.sim.modes.set("*", "http_401", 2)
    outcome = await outcome_of(peer.adapter.push(visit(2)), peer.secrets)
    assert isinstance(outcome, HospitalUnavailable) and outcome.reason == "fhir.http_401"


@pytest.mark.parametrize(
    ("mode", "reason"),
    [
        ("http_400", "fhir.login_refused"),
        ("http_401", "fhir.login_refused"),
        ("http_503", "fhir.login_http_503"),
        ("html_200", "fhir.login_malformed"),
        ("array_200", "fhir.login_malformed"),
        ("deep_200", "fhir.login_malformed"),
    ],
)
async def test_without_a_token_nothing_is_sent(peer: FhirPeer, mode: str, reason: str) -> None:
    peer.sim.modes.set("token", mode, 1)
    outcome = await outcome_of(peer.adapter.push(visit(1)), peer.secrets)
    assert isinstance(outcome, HospitalUnavailable) and outcome.reason == reason
    assert peer.calls() == []
    peer.sim.modes.set("token", mode, 1)
    health = await peer.adapter.check()
    assert not health.ok and (mode != "http_401" or health.problems == ("the login server refuses our account",))


async def test_a_login_server_that_is_away() -> None:
    tokens = login(client_credentials("http://127.0.0.1:1"), [0.0])
    with pytest.raises(HospitalUnavailable, match=r"^fhir\.login_unreachable$"):
        await tokens.header()
    await tokens.close()


def test_a_secret_that_is_none_is_named_at_start() -> None:
    for auth, key in (
        ({"kind": "bearer", "token_file": "empty"}, "auth.token_file"),
        ({"kind": "bearer", "token_file": "fhir-secret"}, "auth.token_file"),
        (client_credentials("http://127.0.0.1:1") | {"client_secret_file": "empty"}, "auth.client_secret_file"),
    ):
        with pytest.raises(ConfigError, match=key) as caught:
            adapter_for("http://127.0.0.1:1", auth=auth)
        assert "cret" not in str(caught.value).replace("client_secret_file", "").replace("the secret", "")


@given(st.binary() | st.from_regex(rb'\{"access_token": "[^"]*", "expires_in": -?[0-9]{1,400}\}'))
def test_a_token_is_read_from_any_bytes(body: bytes) -> None:
    token, life = _read_token(body)
    assert token is None or (token.isascii() and token.isprintable() and " " not in token)
    assert 0 < life <= 24 * 3600


async def test_a_server_with_another_authoritys_certificate_gets_nothing(tmp_path: Any) -> None:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate, key = certified(tmp_path, name="localhost")
    made.load_cert_chain(certificate, key)
    async with bare_server(answering("200 OK", b"{}"), made) as port:
        stranger = adapter_for(f"https://localhost:{port}")
        outcome = await outcome_of(stranger.push(visit(1)), ())
        assert isinstance(outcome, HospitalUnavailable) and outcome.reason == "fhir.tls"
        known = adapter_for(f"https://localhost:{port}", ca_file=str(certificate))
        outcome = await outcome_of(known.push(visit(1)), ())
        assert isinstance(outcome, HospitalUnavailable) and outcome.reason != "fhir.tls", "it was spoken to"
        await stranger.close()
        await known.close()


def test_a_ca_file_that_cannot_be_read_is_named_at_start() -> None:
    with pytest.raises(ConfigError, match="ca_file"):
        adapter_for("https://his.example", ca_file="/nowhere.pem")
