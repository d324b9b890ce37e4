"""A plain client of the simulated gateway, over real HTTP."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from datetime import date
from typing import Any

import httpx
import pytest

from simulators.serve import serve_in_thread
from simulators.vss_gateway import LOOKUP_PATH, TOKEN_PATH, Settings, create_app
from simulators.vss_people import Person

TODAY = date(2026, 11, 2)


class GatewayClient:
    """Speaks to one running gateway; sends just what it is told."""

    def __init__(self, url: str, account: str = "99001_BV") -> None:
        self.http = httpx.Client(base_url=url, timeout=10, verify=False)  # loading CA certificates takes its time
        self.account = account
        self.today = TODAY
        self.password = hashlib.md5(b"sim-secret").hexdigest().upper()
        self.key: dict[str, str] = {}

    def login(self, **changes: Any) -> httpx.Response:
        form = {"username": self.account, "password": self.password} | changes
        response = self.http.post(TOKEN_PATH, data=form)
        with suppress(ValueError):  # forced modes answer with something else
            answer = response.json()
            if isinstance(answer, dict) and answer.get("APIKey"):
                self.key = answer["APIKey"]
        return response

    def query(self) -> dict[str, str]:
        if not self.key:
            self.login()
        return {
            "token": self.key["access_token"],
            "id_token": self.key["id_token"],
            "username": self.account,
            "password": self.password,
        }

    def fields(self, person: Person, **changes: str | None) -> dict[str, str]:
        """The five body fields for `person` by citizen number, else by card; a change to None leaves a field out."""
        fields = {
            "maThe": person.citizen_id or person.card,
            "hoTen": person.name,
            "ngaySinh": "/".join(reversed(person.birth_date(self.today).split("-"))),
            "hoTenCb": "NGUYỄN CÁN BỘ THỬ",
            "cccdCb": "099085000001",
        } | changes
        return {name: value for name, value in fields.items() if value is not None}

    def post(self, fields: dict[str, Any], **query: str) -> httpx.Response:
        return self.http.post(LOOKUP_PATH, params=self.query() | query, json=fields)

    def lookup(self, person: Person, **changes: str | None) -> dict[str, Any]:
        answer: dict[str, Any] = self.post(self.fields(person, **changes)).json()
        return answer

    def code(self, person: Person, **changes: str | None) -> str:
        return str(self.lookup(person, **changes)["maKetQua"])

    def mode(self, mode: str, endpoint: str = "lookup", **more: Any) -> httpx.Response:
        return self.http.post("/_sim/mode", json={"endpoint": endpoint, "mode": mode} | more)

    def calls(self, endpoint: str | None = None) -> list[dict[str, Any]]:
        calls = self.http.get("/_sim/calls").json()
        return [call for call in calls if endpoint in (None, call["endpoint"])]


@pytest.fixture
def gateways() -> Iterator[Callable[..., GatewayClient]]:
    """Starts a gateway with the given settings (SIM_TODAY 2026-11-02 unless told) and returns a client of it."""
    with ExitStack() as stack:

        def start(**settings: Any) -> GatewayClient:
            made = Settings(**({"today": TODAY} | settings))
            server = stack.enter_context(serve_in_thread(create_app(made)))
            client = GatewayClient(server.url, f"{made.facility}_BV")
            stack.callback(client.http.close)
            return client

        yield start


@pytest.fixture(scope="module")
def default_gateway_url() -> Iterator[str]:
    """One gateway with default settings for a whole test file."""
    with serve_in_thread(create_app(Settings(today=TODAY))) as server:
        yield server.url


@pytest.fixture
def gateway(default_gateway_url: str) -> Iterator[GatewayClient]:
    """A new client of a gateway with default settings that is as at its start."""
    client = GatewayClient(default_gateway_url)
    client.http.post("/_sim/expire-tokens")
    client.http.post("/_sim/reset")
    yield client
    client.http.close()
