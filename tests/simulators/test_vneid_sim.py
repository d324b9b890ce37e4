"""The simulated verifier of changing VNeID codes is as strict as the kiosk must expect of a real one."""

from collections.abc import Iterator

import httpx
import pytest

from simulators.serve import RunningServer
from simulators.vneid import BEARER, VERIFY_PATH, Settings, create_app

AUTHORIZED = {"Authorization": f"Bearer {BEARER}"}


@pytest.fixture(scope="module")
def service() -> Iterator[httpx.Client]:
    """A running service."""
    with RunningServer(create_app()) as server, httpx.Client(base_url=server.url, trust_env=False) as client:
        yield client


def shown(service: httpx.Client) -> str:
    return str(service.post("/_sim/show/1").json()["token"])


def test_a_code_holds_for_one_question(service: httpx.Client) -> None:
    body = {"token": shown(service)}
    first = service.post(VERIFY_PATH, json=body, headers=AUTHORIZED)
    assert (first.status_code, first.json()["personal_id"], first.json()["sex"]) == (200, "099190000001", "F")
    assert service.post(VERIFY_PATH, json=body, headers=AUTHORIZED).status_code == 404


def test_a_code_holds_for_its_time_only() -> None:
    with (
        RunningServer(create_app(Settings(lifetime_s=0))) as server,
        httpx.Client(base_url=server.url, trust_env=False) as client,
    ):
        assert client.post(VERIFY_PATH, json={"token": shown(client)}, headers=AUTHORIZED).status_code == 404


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        ({"json": {"token": "x"}}, 401),
        ({"json": {"token": "x"}, "headers": {"Authorization": "Bearer other"}}, 401),
        ({"data": {"token": "x"}, "headers": AUTHORIZED}, 415),
        ({"json": {"token": 1}, "headers": AUTHORIZED}, 400),
        ({"json": {"token": "x", "more": 1}, "headers": AUTHORIZED}, 400),
        ({"json": ["x"], "headers": AUTHORIZED}, 400),
        ({"json": {"token": "x"}, "headers": AUTHORIZED}, 404),
    ],
)
def test_anything_else_is_refused(service: httpx.Client, request_: dict, status: int) -> None:
    assert service.post(VERIFY_PATH, **request_).status_code == status


def test_who_has_no_phone_shows_no_code(service: httpx.Client) -> None:
    assert [service.post(f"/_sim/show/{number}").status_code for number in (2, 99)] == [404, 404]
    assert service.post("/_sim/mode", json={"mode": "odd"}).status_code == 422
