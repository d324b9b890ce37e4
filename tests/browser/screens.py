"""What the browser tests share: the people's codes, and waiting."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone

from playwright.sync_api import Page, expect

from simulators.stack import FACILITY
from simulators.vss_people import people_of, qr_payload

PEOPLE = {person.number: person for person in people_of(FACILITY)}
UPRIGHT = {"width": 1080, "height": 1920}
DESK = {"width": 1280, "height": 900}
_PARTS = (0, 10, 17, 18, 19)
_VIETNAM = timezone(timedelta(hours=7))


def qr(number: int) -> bytes:
    """What the scanner sends for a simulated person's citizen card."""
    payload = qr_payload(PEOPLE[number], datetime.now(_VIETNAM).date())
    assert payload is not None
    return payload


def name_on_card(number: int) -> str:
    return qr(number).decode().split("|")[2]


def sign_in(page: Page, name: str = "demo", password: str = "demo") -> None:
    page.get_by_label("Tên đăng nhập").fill(name)
    page.get_by_label("Mật khẩu").fill(password)
    page.get_by_role("button", name="Đăng nhập").click()
    expect(page.locator("#rows")).to_be_visible()


def view(page: Page, name: str) -> None:
    """Wait until the patient's screen shows a view."""
    expect(page.locator("body")).to_have_attribute("data-view", name)


def to_rooms(page: Page) -> None:
    """Wait for the choice of rooms; who is registered at another place says before that they bring no papers."""
    view(page, "choose_service")
    expect(page.locator(".tile, .slips").first).to_be_visible()
    if page.locator(".slips").count():
        page.get_by_role("button", name="Không có giấy nào").click()
    expect(page.locator(".tile").first).to_be_visible()


def until(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.1)
