"""Signing in to the province's pages in a real browser: by keyboard, with the headers that browsers really send."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from province.access.accounts import add_account
from province.access.caller import Role
from province.app import create_app
from province.facilities import load_packaged
from province.store import Store
from simulators.serve import serve_in_thread

PASSWORD = "một mật khẩu đủ dài"
PHONE = {"width": 390, "height": 844}


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """A hub with the account `mai`."""
    store = Store(f"sqlite:///{tmp_path / 'province.db'}")
    load_packaged(store)
    add_account(store, "mai", Role.VIEWER, PASSWORD)
    with serve_in_thread(create_app(store)) as server:
        yield server.url
    store.close()


def test_a_person_signs_in_by_keyboard_and_lands_where_they_wanted(
    url: str, open_page: Callable[[str, dict[str, int]], Page]
) -> None:
    page = open_page(f"{url}/?month=2026-03", PHONE)
    expect(page.get_by_label("Tên tài khoản")).to_be_focused()
    page.keyboard.type("mai")
    page.keyboard.press("Tab")
    page.keyboard.type("not the password")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("không đúng")
    page.get_by_label("Tên tài khoản").fill("mai")
    page.get_by_label("Mật khẩu").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{url}/?month=2026-03")
    expect(page.locator("#facilities")).to_be_visible()
    (cookie,) = page.context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")


def test_a_page_of_another_site_cannot_send_the_form(
    url: str, open_page: Callable[[str, dict[str, int]], Page]
) -> None:
    page = open_page(f"{url}/login", PHONE)
    form = f'<form method="post" action="{url}/login"><input name="name" value="mai"><input name="password"></form>'
    page.goto(f"data:text/html,{form}")
    with page.expect_response(f"{url}/login") as answer:
        page.evaluate("document.querySelector('form').submit()")
    assert answer.value.status == 403
