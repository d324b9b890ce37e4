"""The pages beside the overview: each at every size, for everybody, on paper and in both languages."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from province.pages.frame import LANGUAGE_COOKIE, THEME_COOKIE
from tests.browser.axe import barriers
from tests.browser.province_hub import PHONE, SIZES, WALL, Province, wide
from tests.browser.province_rooms import CAUSES, filled

PATHS = (
    "/months",
    "/months/2026-02",
    "/months/2026-03",
    CAUSES,
    f"{CAUSES}&level=facility",
    "/method",
    "/findings",
    "/fleet",
    "/quarantine",
    "/uploads",
    "/password",
)
Open = Callable[[str, dict[str, int]], Page]


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Province]:
    with filled(tmp_path_factory.mktemp("rooms")) as running:
        yield running


@pytest.mark.parametrize("path", PATHS)
def test_each_page_fits_bars_nobody_and_speaks_both_languages(
    hub: Province, context: BrowserContext, open_page: Open, path: str
) -> None:
    hub.open(context, "lan", "/static/icon.svg").close()
    page = open_page(hub.url + path, PHONE)
    words = page.locator("main").inner_text()
    for size in SIZES:
        page.set_viewport_size(size)  # type: ignore[arg-type]
        assert wide(page) <= 0, size
    assert barriers(page) == []
    cookies = {THEME_COOKIE: "dark", LANGUAGE_COOKIE: "en"}
    context.add_cookies([{"name": name, "value": value, "url": hub.url} for name, value in cookies.items()])
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    page.reload()
    assert barriers(page) == [] and wide(page) <= 0
    assert page.locator("main").inner_text() != words
    page.emulate_media(media="print")
    expect(page.locator("main h1")).to_be_visible()
    expect(page.get_by_role("navigation").first).to_be_hidden()
    assert page.locator("main button:visible").count() == 0


def test_the_page_for_signing_in_bars_nobody_at_any_size(
    hub: Province, context: BrowserContext, open_page: Open
) -> None:
    page = open_page(f"{hub.url}/login?next=/months", WALL)
    for size in SIZES:
        page.set_viewport_size(size)  # type: ignore[arg-type]
        assert wide(page) <= 0, size
    assert barriers(page) == []
    page.get_by_role("link", name="English").click()
    expect(page.get_by_label("Account")).to_be_focused()
    page.get_by_label("Account").fill("lan")
    page.get_by_label("Password").fill("not the password")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Name or password are wrong")
    assert page.locator("[name=next]").get_attribute("value") == "/months"
