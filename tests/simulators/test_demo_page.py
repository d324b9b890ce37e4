"""The page of the demo: what is held up there comes before the camera."""

from datetime import datetime, timedelta, timezone
from typing import Any

import httpx
import pytest

from simulators.demo import create_app
from simulators.stack import FACILITY
from simulators.vss_people import people_of, qr_payload


class Camera:
    """The stack as far as the page needs it here."""

    facility = FACILITY

    def __init__(self) -> None:
        self.held: list[tuple[bytes, str]] = []
        self.plugged = True

    def url(self, part: str) -> str:
        return f"http://{part}.invalid"

    def hold(self, payload: bytes, on: str) -> None:
        if not self.plugged:
            raise ConnectionError("there is no camera")
        self.held.append((payload, on))


@pytest.fixture
def camera() -> Camera:
    return Camera()


@pytest.fixture
def page(camera: Camera) -> httpx.AsyncClient:
    stack: Any = camera
    return httpx.AsyncClient(transport=httpx.ASGITransport(create_app(stack)), base_url="http://taps.invalid")


async def test_cards_and_phones_are_held_up(camera: Camera, page: httpx.AsyncClient) -> None:
    person = next(person for person in people_of(FACILITY) if person.number == 1)
    code = qr_payload(person, datetime.now(timezone(timedelta(hours=7))).date())
    assert (await page.post("/hold/1?as=phone")).json() == {"held": 1, "as": "phone"}
    assert (await page.post("/hold/1")).json() == {"held": 1, "as": "card"}
    assert camera.held == [(code, "phone"), (code, "card")]
    assert 'data-post="/hold/1?as=phone"' in (await page.get("/")).text


@pytest.mark.parametrize(("path", "status"), [("/hold/2", 404), ("/hold/99", 404), ("/hold/1?as=paper", 422)])
async def test_who_has_no_card_and_what_is_none_is_refused(page: httpx.AsyncClient, path: str, status: int) -> None:
    assert (await page.post(path)).status_code == status


async def test_without_a_camera_it_says_so(camera: Camera, page: httpx.AsyncClient) -> None:
    camera.plugged = False
    assert (await page.post("/hold/1")).status_code == 503
