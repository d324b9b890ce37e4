"""The overview and a facility's page in a real browser: sizes, dark, keyboard, paper, with and without script."""

from collections.abc import Callable, Iterator
from datetime import date

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from province.pages.frame import LANGUAGE_COOKIE, THEME_COOKIE
from province.periods import Period
from province.simulate.plan import Plan
from province.simulate.writing import simulate
from tests.browser.axe import barriers
from tests.browser.province_hub import LAPTOP, PHONE, WALL, Province, province, wide

Open = Callable[[str, dict[str, int]], Page]
OVERVIEW = "/?month=2026-03"
FACILITY = "/facility/93004?month=2026-03"
SIZES = {"phone": PHONE, "laptop": LAPTOP, "wall": WALL}
DARK_GROUND = "rgb(15, 23, 36)"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Province]:
    """Two facilities with a file of one day, two with seven simulated weeks, 91 that are silent."""
    with province(tmp_path_factory.mktemp("dashboard")) as running:
        facilities = {"93004": "district_medical_centre", "93005": "regional_polyclinic"}
        simulate(
            running.store, Plan(facilities, Period(date(2026, 2, 1), date(2026, 3, 20)), 1, {}, 0.3), sums_only=True
        )
        yield running


@pytest.fixture
def signed_in(hub: Province, context: BrowserContext) -> Callable[[str], None]:
    """``signed_in("huy")``: who opens the next page."""

    def sign(name: str) -> None:
        hub.open(context, name, "/static/icon.svg").close()

    return sign


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("path", [OVERVIEW, FACILITY])
def test_each_page_fits_and_bars_nobody(
    hub: Province,
    context: BrowserContext,
    open_page: Open,
    signed_in: Callable[[str], None],
    path: str,
    size: str,
    theme: str,
) -> None:
    signed_in("huy")
    context.add_cookies([{"name": THEME_COOKIE, "value": theme, "url": hub.url}])
    page = open_page(hub.url + path, SIZES[size])
    expect(page.locator("figure.chart.drawn")).to_have_count(2)
    assert wide(page) <= 0
    assert barriers(page) == []


def test_charts_draw_what_the_tables_say_and_load_nothing_from_elsewhere(
    hub: Province, context: BrowserContext, open_page: Open, signed_in: Callable[[str], None]
) -> None:
    signed_in("huy")
    asked: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    page = open_page(hub.url + OVERVIEW, LAPTOP)
    chart = page.locator("figure.chart").first
    drawn = page.evaluate("[...charts.values()][0].data.datasets[0].data")
    listed = [row.get_attribute("data-value") for row in chart.locator("tbody td:nth-child(2)").all()]
    assert drawn == [float(value) if value else None for value in listed]
    assert len(drawn) == 12 and drawn[-1] > 50
    assert asked and all(url.startswith(hub.url) for url in asked)


def test_everything_is_there_without_a_script(
    hub: Province, chromium: Browser, open_page: Open, signed_in: Callable[[str], None], context: BrowserContext
) -> None:
    signed_in("huy")
    plain = chromium.new_context(java_script_enabled=False)
    plain.add_cookies(context.cookies())  # type: ignore[arg-type]
    page = plain.new_page()
    page.goto(hub.url + OVERVIEW)
    expect(page.locator(".plot").first).to_be_hidden()
    page.locator("summary").first.click()
    expect(page.get_by_role("table").first).to_contain_text("03/2026")
    page.get_by_role("link", name="Chưa tra cứu").click()
    expect(page.get_by_role("columnheader", name="Chưa tra cứu")).to_have_attribute("aria-sort", "descending")
    missed = [cell.inner_text() for cell in page.locator("#facilities tbody td:nth-child(5)").all()]
    numbers = [int(text.replace(".", "")) for text in missed]
    assert numbers == sorted(numbers, reverse=True) and numbers[0] > 0
    plain.close()


def test_the_keyboard_reaches_the_table_and_sorts_it(
    hub: Province, open_page: Open, signed_in: Callable[[str], None]
) -> None:
    signed_in("huy")
    page = open_page(hub.url + OVERVIEW, LAPTOP)
    page.keyboard.press("Tab")
    expect(page.get_by_text("Đến nội dung chính")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Tháng", exact=True)).to_be_focused()
    heading = page.get_by_role("link", name="Lượt khám", exact=True)
    heading.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**sort=visits&down=1#facilities")
    expect(page.locator("#facilities tbody tr").first.locator("td").first).to_have_text("93004")


def test_language_and_dark_are_chosen_by_links_and_stay(
    hub: Province, open_page: Open, signed_in: Callable[[str], None], context: BrowserContext
) -> None:
    signed_in("huy")
    page = open_page(hub.url + FACILITY, LAPTOP)
    page.get_by_role("link", name="English").click()
    page.wait_for_url(hub.url + FACILITY)
    assert page.locator("html").get_attribute("lang") == "en"
    expect(page.get_by_text("What to do now:")).to_be_visible()
    page.get_by_role("link", name="Dark").click()
    page.wait_for_url(hub.url + FACILITY)
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == DARK_GROUND
    page.goto(hub.url + OVERVIEW)
    expect(page.get_by_role("heading", level=1)).to_have_text("Overview of Mar 2026")
    assert {cookie["name"]: cookie["value"] for cookie in context.cookies()}.items() >= {
        LANGUAGE_COOKIE: "en",
        THEME_COOKIE: "dark",
    }.items()


def test_without_a_choice_the_page_is_as_dark_as_the_machine(
    hub: Province, open_page: Open, signed_in: Callable[[str], None]
) -> None:
    signed_in("huy")
    page = open_page(hub.url + OVERVIEW, LAPTOP)
    page.emulate_media(color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == DARK_GROUND
    page.emulate_media(color_scheme="light")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != DARK_GROUND


def test_paper_is_white_and_has_the_figures_only(
    hub: Province, context: BrowserContext, open_page: Open, signed_in: Callable[[str], None]
) -> None:
    signed_in("huy")
    context.add_cookies([{"name": THEME_COOKIE, "value": "dark", "url": hub.url}])
    page = open_page(hub.url + OVERVIEW, {"width": 794, "height": 1123})
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    for hidden in (".display", ".pages", ".tools"):
        expect(page.locator(hidden).first).to_be_hidden()
    for shown in ("h1", ".simulated", "#facilities", "canvas"):
        expect(page.locator(shown).first).to_be_visible()
    expect(page.locator("#facilities tbody tr")).to_have_count(95)
    assert wide(page) <= 0
    ink = page.evaluate("[...charts.values()][0].options.scales.x.ticks.color")
    assert ink == "#4a5870"


def test_people_of_a_facility_see_their_own_page_first(
    hub: Province, open_page: Open, signed_in: Callable[[str], None]
) -> None:
    signed_in("mai")
    page = open_page(hub.url + OVERVIEW, PHONE)
    expect(page.get_by_text("Mã 93002")).to_be_visible()
    expect(page.get_by_role("link", name="Cơ sở của tôi")).to_have_attribute("aria-current", "page")
    expect(page.locator(".figure.main .value")).to_have_text("95,00\u00a0%")
    assert page.request.get(hub.url + FACILITY).status == 403
